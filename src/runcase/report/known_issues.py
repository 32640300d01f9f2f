"""Tickets for failures that are known: `known_issues.yaml`, checked whole, and which failure each of its entries means.

- signature: "writeback.upload_timeout: the upload of # timed out"
  ticket: STORE-41
  url: https://tracker.example/STORE-41
- class: dependency.network
  text: mirror.example
  ticket: NET-7
  note: the mirror is being replaced
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl
import yaml

from runcase.model.text import present_line
from runcase.report.dossier import Ticket
from runcase.rules.yaml_source import Document, settled

_KEYS = ("signature", "class", "text", "ticket", "url", "note")


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """A ticket and its failures: a signature, or a class (with all below it) and a text of the blocker."""

    ticket: str
    signature: str | None = None
    failure_class: str | None = None
    text: str | None = None
    url: str | None = None
    note: str | None = None

    def means(self, signature: str, failure_class: str, blocker: str) -> bool:
        """Whether a failure is this one."""
        if self.signature is not None and self.signature != signature:
            return False
        below = f"{failure_class}.".startswith(f"{self.failure_class}.")
        if self.failure_class is not None and not below:
            return False
        return self.text is None or self.text in blocker


def matching(issues: Sequence[KnownIssue], signature: str, failure_class: str, blocker: str) -> KnownIssue | None:
    """The first entry that means the failure."""
    return next((i for i in issues if i.means(signature, failure_class, blocker)), None)


def tickets(issues: Sequence[KnownIssue], diagnoses: pl.DataFrame) -> dict[str, Ticket]:
    """The ticket of each run whose verdict is a known issue; `diagnoses` is DIAGNOSES."""
    verdicts = diagnoses.filter(pl.col("rank") == 0).select("run_id", "signature", "class", "text") if issues else None
    found: dict[str, Ticket] = {}
    for run_id, signature, failure_class, text in verdicts.iter_rows() if verdicts is not None else ():
        issue = matching(issues, present_line(signature or ""), failure_class or "", present_line(text or ""))
        if issue:
            found[run_id] = Ticket(issue.ticket, issue.url, issue.note)
    return found


def load(path: Path) -> tuple[KnownIssue, ...]:
    """The entries of a file, in its order.

    Raises:
        RuncaseError: `bad_known_issues` with every defect and its place; `missing_path`.
    """
    return settled(path, "bad_known_issues", lambda document: tuple(_entries(document)))


def as_values(issues: Sequence[KnownIssue]) -> list[dict[str, str]]:
    """Plain values for case.json."""
    return [{k: v for k, v in asdict(i).items() if v is not None} for i in issues]


def of_values(values: object) -> tuple[KnownIssue, ...]:
    """What `as_values` wrote; anything else is nothing."""
    rows = [v for v in values if isinstance(v, Mapping) and "ticket" in v] if isinstance(values, list) else []
    fields = ("ticket", "signature", "failure_class", "text", "url", "note")
    return tuple(KnownIssue(**{k: str(v[k]) for k in fields if k in v}) for v in rows)


def _entries(document: Document) -> Iterator[KnownIssue]:
    root = document.root
    if root is None:
        return
    if not isinstance(root, yaml.SequenceNode):
        document.complain(root, "a list of entries is expected, each with a ticket")
        return
    for node in root.value:
        entry = _entry(node, document)
        if entry is not None:
            yield entry


def _entry(node: yaml.Node, document: Document) -> KnownIssue | None:
    if not isinstance(node, yaml.MappingNode):
        document.complain(node, "an entry is a mapping with a ticket and a signature or a class")
        return None
    given: dict[str, str] = {}
    for key, value in node.value:
        if key.value not in _KEYS:
            document.complain(key, f"unknown key {key.value!r}; known are {', '.join(_KEYS)}")
        elif not isinstance(value, yaml.ScalarNode) or not value.value.strip():
            document.complain(value, f"{key.value} is a text")
        else:
            given[key.value] = value.value
            if key.value == "url" and not value.value.startswith(("https://", "http://")):
                document.complain(value, "url begins with https:// or http://")
    if "ticket" not in given or not ({"signature", "class"} & given.keys()):
        document.complain(node, "an entry needs a ticket, and a signature or a class")
        return None
    shown = {k: present_line(given[k]) for k in ("ticket", "note") if k in given}
    return KnownIssue(
        shown["ticket"],
        given.get("signature"),
        given.get("class"),
        given.get("text"),
        given.get("url"),
        shown.get("note"),
    )
