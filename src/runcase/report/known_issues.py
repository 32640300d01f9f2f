"""Tickets for failures that are known, and which failure each of them means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import polars as pl

from runcase.model.text import present_line
from runcase.report.dossier import Ticket


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


def as_values(issues: Sequence[KnownIssue]) -> list[dict[str, str]]:
    """Plain values for case.json."""
    return [{k: v for k, v in asdict(i).items() if v is not None} for i in issues]


def of_values(values: object) -> tuple[KnownIssue, ...]:
    """What `as_values` wrote; anything else is nothing."""
    rows = [v for v in values if isinstance(v, Mapping) and "ticket" in v] if isinstance(values, list) else []
    fields = ("ticket", "signature", "failure_class", "text", "url", "note")
    return tuple(KnownIssue(**{k: str(v[k]) for k in fields if k in v}) for v in rows)
