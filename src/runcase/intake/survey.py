"""Which reader takes which source and why, without reading any further than their heads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runcase.intake.archive import Budget, open_input
from runcase.intake.encoding import decide
from runcase.intake.readers import registry
from runcase.intake.readers.base import Reader, Sniff

HEAD_BYTES = 64 * 1024
"""As much as a build looks at."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One source: its reader, or why there is none, and the readers that claimed it as well."""

    path: str
    reader: Reader | None
    reason: str
    others: tuple[tuple[str, str], ...] = ()


def survey(path: Path, name: str) -> Iterator[Choice]:
    """Every file in an input, through nested archives, in the order of a build."""
    for stream in open_input(path, name, Budget()):
        head = b""
        for chunk in stream.chunks():
            if len(head) < HEAD_BYTES:
                head += chunk
        if stream.kind == "file":
            yield _chosen(Sniff(stream.path, head[:HEAD_BYTES], len(head) < HEAD_BYTES))


def _chosen(sniff: Sniff) -> Choice:
    if not sniff.head:
        return Choice(sniff.path, None, "it is empty")
    claims = registry.claims(sniff)
    if claims:
        (reader, taken), *rest = claims
        return Choice(sniff.path, reader, taken.reason, tuple((r.name, t.reason) for r, t in rest))
    if decide(sniff.head) is None:
        return Choice(sniff.path, None, "it is no text; its digest is kept")
    return Choice(sniff.path, None, "no reader knows it; it is read as plain text by its line format and the rules")
