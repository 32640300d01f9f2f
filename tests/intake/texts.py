"""Texts as a source would be read, without files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import polars as pl

from runcase.intake.limits import DEFAULT, TextLimits
from runcase.intake.text_source import TextAccount, TextSource

WRITTEN = datetime(2026, 3, 14, 12, tzinfo=UTC)
"""When the files of these tests were last written."""

HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Read:
    """What a text yielded."""

    records: pl.DataFrame
    account: TextAccount

    @property
    def times(self) -> list[str | None]:
        """Instants of the records, ISO without zone; null where there is none."""
        return [_iso(t) if t else None for t in self.ts]

    @property
    def ts(self) -> list[datetime | None]:
        return self.records["ts"].to_list()

    @property
    def messages(self) -> list[str]:
        return self.records["message"].to_list()


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}" + (f".{at:%f}".rstrip("0") if at.microsecond else "")


def read(
    data: bytes | str, cuts: Sequence[int] = (), written: datetime | None = WRITTEN, limits: TextLimits = DEFAULT
) -> Read:
    """A text fed in pieces that end at `cuts`."""
    raw = data.encode() if isinstance(data, str) else data
    source = TextSource("a.log", written, raw[:HEAD_BYTES], limits=limits)
    frames = [source.feed(piece) for piece in _pieces(raw, cuts)]
    return Read(pl.concat([*frames, source.finish()]), source.account)


def _pieces(raw: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    places = [0, *sorted(c for c in cuts if 0 < c < len(raw)), len(raw)]
    return (raw[a:b] for a, b in pairwise(places))
