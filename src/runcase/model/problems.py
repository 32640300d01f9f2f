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


RENEWED = "the case is the new one already; the same command completes what is left to do"
"""The note on what stops a command that has replaced what readers of a case are told."""


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
    "unknown_rule": "no event rule of that id in the packs at hand",
    "bad_query": "a SQL query that the tables cannot answer",
    "bad_policy": "a retention policy that cannot be read, with every defect and its place",
    "bad_ref": "not a raw ref of the form source_id:byte_start+byte_len",
    "input_too_large": "a pipe yields more than can be spooled",
    "bad_known_issues": "the file of known issues is not what one looks like; every defect has its place",
    "bad_value": "a flag's value is out of its range",
    "pack_changed": "a rule pack is not what it was when the case was built",
    "no_counterpart": "nothing in the case can be compared with the run",
    "missing_extra": "a flag, an input or a case needs a library that is not installed",
    "unreachable": "an input or a case on other storage cannot be reached",
    "unsupported_place": "a case cannot be kept on storage of that kind",
    "renewed": "a case on other storage was replaced by a build while it was read",
    "no_cluster": "no Dask scheduler answers at the given address",
    "cluster_failed": "the workers of a cluster could not do their part",
    "unknown_artifact": "the run has no artifact or stage of that name",
}

PROBLEM_CODES: dict[str, str] = {
    # containers
    "stream_truncated": "compressed data ends before its end mark; what came before was read",
    "stream_corrupt": "compressed data cannot be decoded from a place on; what came before was read",
    "content_gap": "a compressed file is damaged in the middle; reading went on at its next part",
    "trailing_data": "bytes after the end of a container or of a member's data; they are set aside",
    "checksum_differs": "the content of a member has another checksum than its archive states",
    "size_differs": "the content of a member has another size than its archive states",
    "member_truncated": "an archive ends inside a member; what there is of it was read",
    "member_encrypted": "a member is encrypted and was not read",
    "member_unsupported": "a member is packed with a method that is not read",
    "member_unreachable": "a member stands behind damage in the same packed stream",
    "unsupported_container": "a container of a kind that is not read, or whose library is not installed",
    "misnamed": "a file is named like an archive and is none; it was read as it is",
    "tar_bad_block": "a tar archive has no header where one was expected; reading went on at the next one",
    "tar_bad_pax": "an extension header of a tar archive has a record that cannot be read",
    "tar_header_too_large": "an extension header of a tar archive is larger than any honest one",
    "tar_no_end": "a tar archive ends without its end marker: it was cut off",
    "tar_goes_on": "a tar archive goes on after its end marker; all of it was read",
    "sparse_map_bad": "the map of a sparse member contradicts itself; the stored bytes were read without holes",
    "sparse_holes_omitted": "a sparse member declares more holes than are filled in; the stored bytes were read",
    "zip_bad_span": "a zip archive has bytes that are no member where one was expected",
    "zip_headers_differ": "a member's own header and the directory of a zip archive disagree",
    "zip_no_descriptor": "a member of a zip archive lacks the record of its checksum and size",
    "zip_no_directory": "a zip archive is cut off: its directory is missing; members were found without it",
    "zip_directory_differs": "the directory of a zip archive lists other members than there are",
    "sevenzip_no_directory": "a 7z archive is cut off: its directory is missing, without which nothing can be read",
    "unreadable": "the operating system does not let an input be read, or stopped in the middle of it",
    # budgets
    "window_too_large": "compressed data wants more memory than the budget allows",
    "over_budget": "the budget of decoded bytes of an input is used up; the rest was not read",
    "too_many_members": "the budget of members of an input is used up; the rest was not read",
    "too_deep": "a container is nested deeper than the budget allows and was kept unopened",
    "decoder_crashed": "the process that read an input died; nothing of it could be read",
    # documents
    "json_malformed": "a part of a document is no JSON; it is set aside",
    "json_truncated": "a JSON document ends before its last value does; what is complete was read",
    "json_too_deep": "a JSON value is nested too deeply to be read; it is set aside",
    "xml_malformed": "an XML document breaks the rules at a place; what stands before was read",
    "xml_truncated": "an XML document ends inside an element",
    "xml_refused": "an XML document declares entities or nests without bounds; the rest is set aside",
    "junit_counts_differ": "a test suite states other counts than its cases show",
    "line_malformed": "a line of a document is not what its format allows; it is kept as it is",
    "yaml_malformed": "a YAML document breaks the rules at a place; what stands before was read",
    "yaml_refused": "a YAML document uses aliases or nests without bounds; it is not read",
    "last_line_open": "the last line of a document has no end, which its producer always writes: it may be cut off",
    "entry_truncated": "an entry of a journal ends inside a value; what is there was read",
    "history_incomplete": "an export of a history says itself that there is more of it",
    "bep_truncated": "a build event stream ends without its last message",
    "version_not_known": "a source states a version of its format or producer that its reader was not made for",
    "json_repeated_key": "objects of a document repeat a key; the last value of each was read",
    # text
    "line_too_long": "a line is longer than is held at once; it is kept in fragments",
    "impossible_time": "a stamp names no instant, or one that no log was written at; the record has no time",
    # ledger
    "ledger_part_missing": "a batch of the ledger lacks one of its tables, or a file of one",
    "ledger_part_damaged": "a table of the ledger cannot be read",
    "ledger_part_foreign": "a table of the ledger lacks declared columns",
}
"""Code of a `Problem` -> what it means. Each floor that raises problems registers its codes here, in this file."""
