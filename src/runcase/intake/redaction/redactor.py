"""A stream of bytes with its secrets replaced, and the way back from its offsets to those of the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from runcase.intake.redaction.finder import Finder, Found
from runcase.rules.language import RedactRule

HELD_BYTES = 8 * 1024
"""Of a line that does not end, this much waits for what follows: a secret across the border is met whole."""

BLOCK_BYTES = 1024 * 1024
"""How much is looked at once: the automaton over the anchors is made anew for each block."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """A secret that was replaced: where it stood in the evidence, in bytes, and by what."""

    start: int
    length: int
    kind: str
    mark: str
    mark_bytes: int


class Redactor:
    """Replaces secrets in one source; `feed` in order, then `finish`."""

    def __init__(self, rules: Sequence[RedactRule] = (), encoding: str = "utf-8", compiled: bool = False) -> None:
        self._finder = Finder(rules, compiled)
        self._wide = {"utf-16-le": 0, "utf-16-be": 1}.get(encoding)
        self._waiting = b""
        self._done = 0
        self._table: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None = None
        self.redactions: list[Redaction] = []

    def chunks(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """All of a stream."""
        for chunk in chunks:
            if clean := self.feed(chunk):
                yield clean
        if clean := self.finish():
            yield clean

    def feed(self, data: bytes) -> bytes:
        """What is certain after `data`: whole lines, or all but the end of a very long one."""
        self._waiting += data
        if len(self._waiting) < BLOCK_BYTES:
            return b""
        cut = self._waiting.rfind(b"\n") + 1
        if self._wide is not None:
            cut = (cut + 1) // 2 * 2 if cut and cut < len(self._waiting) else cut // 2 * 2
        if cut:
            return self._take(cut, self._find(self._waiting[:cut]))
        found = self._find(self._waiting)
        cut = (len(self._waiting) - HELD_BYTES) // 2 * 2
        cut = next((f.start for f in found if f.start < cut < f.end), cut)
        return self._take(cut, [f for f in found if f.end <= cut])

    def finish(self) -> bytes:
        """The rest."""
        return self._take(len(self._waiting), self._find(self._waiting))

    def _find(self, block: bytes) -> list[Found]:
        if self._wide is None:
            return self._finder.find(block)
        narrow, other = block[self._wide :: 2], block[1 - self._wide :: 2]
        text = bytes(a if b == 0 else 0x3F for a, b in zip(narrow, other, strict=False))
        return [Found(2 * f.start, 2 * f.end, f.kind, f.mark) for f in self._finder.find(text)]

    def _take(self, cut: int, found: Sequence[Found]) -> bytes:
        block, self._waiting = self._waiting[:cut], self._waiting[cut:]
        parts: list[bytes] = []
        at = 0
        for f in found:
            mark = self._encoded(f.mark)
            parts += [block[at : f.start], mark]
            self.redactions.append(Redaction(self._done + f.start, f.end - f.start, f.kind, f.mark, len(mark)))
            at = f.end
        self._done += cut
        return b"".join([*parts, block[at:]]) if found else block

    def _encoded(self, mark: str) -> bytes:
        return mark.encode(("utf-16-le", "utf-16-be")[self._wide] if self._wide is not None else "ascii")

    # --- the way back -----------------------------------------------------------------------------

    def original(self, offsets: np.ndarray, ends: bool = False) -> np.ndarray:
        """Offsets of the redacted bytes as offsets of the evidence.

        Args:
            offsets: Redacted offsets.
            ends: Whether they are ends: one inside a mark then moves behind the secret, else before it.
        """
        if not self.redactions:
            return offsets
        begin, end, start, stop = self._borders()
        before = np.searchsorted(end, offsets, side="right")
        moved = offsets + np.concatenate([[0], np.cumsum((stop - start) - (end - begin))])[before]
        last = np.minimum(before, len(begin) - 1)
        inside = (before < len(begin)) & (offsets > begin[last])
        return np.where(inside, (stop if ends else start)[last], moved)

    def origin(self, offset: int, ends: bool = False) -> int:
        """One offset of the redacted bytes as one of the evidence."""
        return int(self.original(np.array([offset]), ends)[0])

    def outside(self, offset: int) -> int:
        """`offset`, or the begin of the mark that it lies in: where redacted bytes can be cut."""
        if not self.redactions:
            return offset
        begin, end, _, _ = self._borders()
        at = int(np.searchsorted(end, offset, side="right"))
        return int(begin[at]) if at < len(begin) and offset > begin[at] else offset

    def _borders(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Begin and end of each mark in the redacted bytes, of each secret in the evidence."""
        if self._table is None or len(self._table[0]) < len(self.redactions):
            start = np.array([r.start for r in self.redactions], dtype=np.int64)
            length = np.array([r.length for r in self.redactions], dtype=np.int64)
            size = np.array([r.mark_bytes for r in self.redactions], dtype=np.int64)
            begin = start + np.concatenate([[0], np.cumsum(size - length)[:-1]])
            self._table = (begin, begin + size, start, start + length)
        return self._table

    def restored(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame with `byte_start` and `byte_len` of the redacted bytes as one of the evidence; nulls stay."""
        if not self.redactions or frame.is_empty():
            return frame
        start = frame["byte_start"].fill_null(0).to_numpy()
        length = frame["byte_len"].fill_null(0).to_numpy()
        begin, end = self.original(start), self.original(start + length, ends=True)
        known = pl.col("byte_start").is_not_null()
        return frame.with_columns(
            pl.when(known).then(pl.Series(begin)).alias("byte_start"),
            pl.when(known & pl.col("byte_len").is_not_null())
            .then(pl.Series(end - begin))
            .otherwise("byte_len")
            .alias("byte_len"),
        )


def redacted_text(text: str, rules: Sequence[RedactRule] = ()) -> str:
    """A name or a message with its secrets replaced."""
    data = text.encode("utf-8", "surrogatepass")
    redactor = Redactor(rules)
    return (redactor.feed(data) + redactor.finish()).decode("utf-8", "surrogatepass")
