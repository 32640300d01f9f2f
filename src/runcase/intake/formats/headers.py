"""How the lines of a source are laid out: detected over its first lines, applied to all.

A layout turns lines (`start, length, text`) into the columns that a record
begins with: `ts, ts_lo, ts_hi, ts_basis, level, stream, fields, message`, and
`begins`, which tells whether a line begins a record or goes on with the one
before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from runcase.intake.formats import declared, joining, json_lines, stamps, writers
from runcase.intake.formats.file_times import first_day, first_year
from runcase.intake.formats.levels import LETTERS, level_of
from runcase.intake.formats.stamp_shapes import StampShape
from runcase.intake.formats.stamp_times import Before, Carry, latest, resolved
from runcase.model.tables import TIME
from runcase.rules.language import FormatRule

_NAMES_STREAM = r"^\S+ (?:stdout|stderr) [FP](?: |$)|^\{\"log\":.*\"stream\":"
"""Lines of CRI and of Docker's json-file, which name one of two streams."""

_ALONE = Before.of()


@dataclass(frozen=True, slots=True)
class Layout:
    """What was detected: stamp shapes in the order of their frequency, JSON lines or not, and how lines are joined."""

    name: str | None
    shapes: tuple[StampShape, ...]
    json: bool
    joins_unstamped: bool
    recorded_at: datetime | None
    first_year: int | None = None
    """Year of the first stamp without one, when no stamp before it tells."""
    formats: tuple[FormatRule, ...] = ()
    """Formats that a pack declares; they go before what is detected."""
    prefix: str | None = None
    """Pattern of the prefix that names a line's writer."""
    interleaved: bool = False
    """Whether several writers alternate."""
    first_day: int | None = None
    """Day number of the first stamp where stamps are clocks and the file's time tells their day."""

    plain: tuple[str, ...] = ()
    """Writers that stamp no line where others do; empty for what has no writer."""

    @property
    def alike(self) -> tuple[object, ...] | None:
        """Texts of which this is equal can be parsed `together`; None for one that must be parsed alone."""
        alone = self.formats or self.first_day is not None
        written = (self.prefix, self.interleaved, self.plain)
        return None if alone else (self.json, self.shapes, self.joins_unstamped, *written)

    def parse(self, lines: pl.DataFrame, carry: Carry | None = None) -> pl.DataFrame:
        """The columns of a record's begin for each line, in order; `own_day` and `own_tod` are what Carry takes."""
        return _with_begins(self.read(lines, carry), self)

    def read(self, lines: pl.DataFrame, carry: Carry | None = None) -> pl.DataFrame:
        """As `parse`, but for how lines hang together."""
        return self._read(lines, Before.of(carry or Carry(), self.first_year, self.recorded_at))

    def _read(self, lines: pl.DataFrame, before: Before) -> pl.DataFrame:
        writer, body = writers.parted(pl.col("text"), self.prefix)
        frame = lines.with_columns(text=body, stream=writer, partial=pl.lit(value=False)).with_columns(
            ts=pl.lit(None, dtype=TIME),
            ts_lo=pl.lit(None, dtype=TIME),
            ts_hi=pl.lit(None, dtype=TIME),
            ts_basis=pl.lit("none"),
            pre=pl.lit("", dtype=pl.String),
            message=pl.col("text"),
            level=pl.lit(None, dtype=pl.String),
            fields=pl.lit(None, dtype=pl.String),
            stamped=pl.lit(value=False),
        )
        for rule in self.formats:
            frame = declared.read(frame, rule)
        if self.json:
            frame = json_lines.read(frame, before.text)
        frame = _stamped(frame, self.shapes, before)
        return _with_level(writers.cri(frame))


def together(layouts: Sequence[Layout], lines: pl.DataFrame) -> pl.DataFrame:
    """What `parse` of each layout says of its text, of several complete texts at once.

    Args:
        layouts: One a text, all `alike`.
        lines: The lines of all, in order; `text_number` is the index of their layout, and each text a segment.
    """
    known = pl.DataFrame(
        [(n, w.first_year, latest(w.recorded_at)) for n, w in enumerate(layouts)],
        schema={"text_number": pl.UInt32, "first_year": pl.Int64, "latest": pl.Int64},
        orient="row",
    )
    numbered = lines.join(known, on="text_number", how="left", maintain_order="left")
    before = Before(Carry(), pl.col("first_year"), pl.col("latest"), "text_number")
    parsed = _with_begins(layouts[0]._read(numbered, before), layouts[0], before)
    first = (pl.col("text_number") != pl.col("text_number").shift()).fill_null(value=True)
    return parsed.with_columns(begins=pl.col("begins") | first)


def detect(
    sample: pl.Series,
    recorded_at: datetime | None,
    format_name: str | None,
    formats: Sequence[FormatRule],
    complete: bool = False,
) -> Layout:
    """The layout that the first lines of a source show; `complete` when there are no others."""
    full = sample.filter(sample.str.strip_chars().str.len_bytes() > 0)
    prefix = writers.prefix_of(full)
    named = None
    if prefix is not None:
        named = full.str.extract(prefix).fill_null("")
        full = full.str.replace(prefix, "")
    own = declared.fitting(full, formats)
    if own is not None:
        return Layout(own.id, (), False, True, recorded_at, None, (own,), prefix, prefix is not None)
    objects = full.str.contains(r"^\s*\{.*\}\s*$")
    json = 2 * int(objects.sum()) > full.len()
    shapes = tuple(stamps.detect(full.filter(~objects) if json else full, recorded_at))
    year = day = None
    if recorded_at is not None and not all(s.has_year for s in shapes):
        shown = stamps.read(full, shapes)
        year = first_year(shown, recorded_at, complete)
        day = first_day(shown, recorded_at) if complete and not any(s.has_day for s in shapes) else None
    streams = bool(full.str.contains(_NAMES_STREAM).any())
    name = "json_lines" if json else format_name or (shapes[0].name if shapes else None)
    stamped = stamps.opening(full, shapes) if shapes and not json else None
    joins = stamped is not None and _opens_records(full, stamped)
    plain = _plain(named, stamped) if joins and stamped is not None and named is not None else ()
    return Layout(name, shapes, json, joins, recorded_at, year, (), prefix, prefix is not None or streams, day, plain)


def _plain(writers_of: pl.Series, stamped: pl.Series) -> tuple[str, ...]:
    """The writers none of whose lines bears a stamp: what the lines of others go on with says nothing of theirs."""
    return tuple(sorted({*writers_of} - {*writers_of.filter(stamped)}))


def _opens_records(lines: pl.Series, stamped: pl.Series) -> bool:
    """Whether stamps open the records: enough of the lines that are neither indented nor within a trace bear one."""
    bearing = int(stamped.sum())
    if not bearing or bearing >= stamps.OPENED_SHARE * lines.len():
        return bool(bearing)
    inner = pl.DataFrame({"text": lines}).select(joining.goes_on(pl.col("text")) | pl.col("text").str.contains(r"^\s"))
    return bearing >= stamps.OPENED_SHARE * int((stamped | ~inner.to_series()).sum())


def carried(parsed: pl.DataFrame, before: Carry) -> Carry:
    """The last stamp of parsed lines."""
    days, tods = parsed["own_day"].drop_nulls(), parsed["own_tod"].drop_nulls()
    return Carry(int(days[-1]) if days.len() else before.day, int(tods[-1]) if tods.len() else before.tod)


def _stamped(frame: pl.DataFrame, shapes: Sequence[StampShape], before: Before) -> pl.DataFrame:
    """Fills time and message of the lines that show a stamp and have no time yet."""
    texts = frame.select(pl.when(~pl.col("stamped")).then("text")).to_series()
    shown = stamps.read(texts, shapes)
    known = [] if before.text is None else [frame[c] for c in (before.text, "first_year", "latest")]
    times = resolved(shown.hstack(known), before)
    fresh = shown["at"].is_not_null()
    joined = frame.hstack(times.rename({n: f"{n}_" for n in ("ts", "ts_lo", "ts_hi", "ts_basis")}))
    filled = joined.with_columns(
        *(
            pl.when(fresh).then(pl.col(f"{n}_")).otherwise(pl.col(n)).alias(n)
            for n in ("ts", "ts_lo", "ts_hi", "ts_basis")
        ),
        pre=pl.when(fresh).then(shown["pre"]).otherwise(pl.col("pre")),
        message=pl.when(fresh & ~shown["within"].fill_null(value=False))
        .then(_rest(frame["text"], shown))
        .otherwise(pl.col("message")),
        level=pl.coalesce("level", shown["klog"].replace_strict(LETTERS, default=None, return_dtype=pl.String)),
        stamped=pl.col("stamped") | fresh,
    )
    return filled.drop("ts_", "ts_lo_", "ts_hi_", "ts_basis_")


def _rest(text: pl.Series, shown: pl.DataFrame) -> pl.Series:
    """What follows the stamp: one separating space is taken, closing brackets and colons too."""
    frame = pl.DataFrame({"t": text, "n": shown["pre"].str.len_bytes() + shown["at"].str.len_bytes()})
    bytes_left = pl.col("t").cast(pl.Binary).bin.slice(pl.col("n")).cast(pl.String)
    return frame.select(bytes_left.str.replace(r"^[\])>\"'|,:;]*\s?", "")).to_series()


def _with_level(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(level=pl.coalesce("level", level_of(pl.col("stamped"), pl.col("pre"), pl.col("message"))))


def _with_begins(frame: pl.DataFrame, layout: Layout, before: Before = _ALONE) -> pl.DataFrame:
    """`begins`, and `after_partial` where the line before is a part of the same line; writer by writer."""
    text = pl.col("text")

    def within(shown: pl.Expr) -> pl.Expr:
        return shown.over("stream", "segment") if layout.interleaved else before.within(shown)

    after_partial = within(pl.col("partial").shift(1, fill_value=False))
    goes_on = ~joining.states_end(text) if layout.joins_unstamped else within(joining.goes_on(text))
    if layout.plain:
        plain = pl.col("stream").fill_null("").is_in(layout.plain)
        goes_on = pl.when(plain).then(within(joining.goes_on(text))).otherwise(goes_on)
    known = frame.with_columns(after_partial=after_partial.fill_null(value=False))
    return known.with_columns(begins=~((~pl.col("stamped") & goes_on) | pl.col("after_partial")))
