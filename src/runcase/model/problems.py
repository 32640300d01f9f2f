"""Defects as values, and misuse as one exception.

Everything wrong with the *evidence* is a `Problem`; everything wrong with the
*request* is a `RuncaseError`; anything else is a bug and crashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One defect of the evidence or of its parse, with its place.

    `byte_start` and `byte_len` are offsets in the source (decoded, for members);
    null when the source as a whole is meant. `quarantined_bytes` counts the
    bytes that this defect puts out of use.
    """

    code: str
    severity: Severity
    message: str
    path: str | None = None
    source_id: str | None = None
    byte_start: int | None = None
    byte_len: int | None = None
    line: int | None = None
    quarantined_bytes: int = 0


class RuncaseError(Exception):
    """Misuse: wrong flags, an invalid rule pack, a missing path. Caught once, in the command line, exit code 2.

    Args:
        code: Stable code, one of `ERROR_CODES`.
        message: What, where and why, one or more lines.
        hint: What to do about it; empty when the message says it all.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


ERROR_CODES: dict[str, str] = {
    "missing_path": "an input path does not exist",
    "no_input": "no input was named",
    "not_a_case": "the folder given as a case is neither empty nor a case",
    "busy": "another build is writing to the case",
    "newer_case": "the case was written by a newer version",
    "invalid_pack": "a rule pack has errors",
    "unknown_pack": "no rule pack of that name or path",
    "unknown_run": "the case has no run of that id",
    "bad_query": "a SQL query that the tables cannot answer",
    "bad_ref": "not a raw ref of the form source_id:byte_start+byte_len",
    "bad_value": "a flag's value is out of its range",
    "pack_changed": "a rule pack is not what it was when the case was built",
    "no_counterpart": "nothing in the case can be compared with the run",
    "unknown_artifact": "the run has no artifact or stage of that name",
}

PROBLEM_CODES: dict[str, str] = {
    # documents
    "json_malformed": "a part of a document is no JSON; it is set aside",
    "json_truncated": "a JSON document ends before its last value does; what is complete was read",
    "json_too_deep": "a JSON value is nested too deeply to be read; it is set aside",
    "xml_malformed": "an XML document breaks the rules at a place; what stands before was read",
    "xml_truncated": "an XML document ends inside an element",
    "xml_refused": "an XML document declares entities or nests without bounds; the rest is set aside",
    "junit_counts_differ": "a test suite states other counts than its cases show",
    "line_malformed": "a line of a document is not what its format allows; it is kept as it is",
    "bep_truncated": "a build event stream ends without its last message",
    "json_repeated_key": "objects of a document repeat a key; the last value of each was read",
    # ledger
    "ledger_part_missing": "a batch of the ledger lacks one of its tables",
    "ledger_part_damaged": "a table of the ledger cannot be read",
    "ledger_part_foreign": "a table of the ledger lacks declared columns",
}
"""Code of a `Problem` -> what it means. Each floor that raises problems registers its codes here, in this file."""
