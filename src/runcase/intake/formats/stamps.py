"""Times in lines: shapes of dates, clocks and zones, and where in the line they stand.

A source is looked at once: which shape, and whether the stamp opens the line or
follows a prefix (level, host, brackets). Every line is then read by the shapes
that its source showed, strongest first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

_MONTH = r"(?P<b>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_CLOCK = r"(?P<H>[01]?\d|2[0-3]):(?P<M>[0-5]\d):(?P<S>[0-5]\d|60)(?:[.,](?P<f>\d{1,9}))?"
_ZONE = r"(?: ?(?P<z>Z|UTC|GMT|[+-]\d\d:?\d\d)\b|[A-Z]{3,4}\b)?"
"""A zone that is a number or names UTC; other letters directly behind the clock are a zone that cannot be known."""

_YMD = (
    r"(?P<Y>[12]\d{3})(?:-(?P<m>0[1-9]|1[0-2])-(?P<d>[0-2]\d|3[01])"
    r"|[/.](?P<m2>0?[1-9]|1[0-2])[/.](?P<d2>[0-2]?\d|3[01]))"
)

_SHAPES = {
    "iso": rf"{_YMD}(?:[T _\t]| ?- ?|:|\"? +\"?){_CLOCK}{_ZONE}",
    "iso_packed": (
        r"(?P<Y>[12]\d{3})-(?P<m>0[1-9]|1[0-2])-(?P<d>[0-2]\d|3[01])-"
        r"(?P<H>[01]\d|2[0-3])(?P<M>[0-5]\d)(?P<S>[0-5]\d)(?:[.,](?P<f>\d{1,9}))?"
    ),
    "mdy2": rf"(?P<m>0[1-9]|1[0-2])-(?P<d>[0-2]\d|3[01])-(?P<y>\d\d)[, ]{_CLOCK}",
    "clf": rf"(?P<d>\d\d)[/ -]{_MONTH}[/ -](?P<Y>[12]\d{{3}})[: ]{_CLOCK}{_ZONE}",
    "dmy_text": rf"(?:\w{{3}},? )?(?P<d>\d{{1,2}})[ -]{_MONTH}[ -](?P<Y>[12]\d{{3}}),? {_CLOCK}{_ZONE}",
    "ctime": (
        rf"(?:\w{{3}},? +)?{_MONTH} +(?P<d>\d{{1,2}}),? {_CLOCK}"
        r"(?: (?P<z>[A-Z]{3}|[+-]\d{4}))? (?P<Y>[12]\d{3})\b"
    ),
    "mdy_text": rf"{_MONTH} +(?P<d>\d{{1,2}}),? (?P<Y>[12]\d{{3}}),? (?:at )?{_CLOCK}(?: ?(?P<p>[AP]M))?{_ZONE}",
    "syslog": rf"{_MONTH} +(?P<d>\d{{1,2}}) {_CLOCK}",
    "short_text": rf"{_MONTH}-(?P<d>\d\d) {_CLOCK}",
    "klog": rf"[IWEFD](?P<m>0[1-9]|1[0-2])(?P<d>[0-2]\d|3[01]) {_CLOCK}",
    "ymd2": rf"(?P<y>\d\d)/(?P<m>0[1-9]|1[0-2])/(?P<d>[0-2]\d|3[01]) {_CLOCK}",
    "mdy": rf"(?P<m>0?[1-9]|1[0-2])/(?P<d>[0-2]?\d|3[01])/(?P<Y>[12]\d{{3}}),? {_CLOCK}(?: ?(?P<p>[AP]M))?{_ZONE}",
    "dmy": rf"(?P<d>[0-2]?\d|3[01])[/.-](?P<m>0?[1-9]|1[0-2])[/.-](?P<Y>[12]\d{{3}}),? {_CLOCK}{_ZONE}",
    "compact": (
        r"(?P<Y>[12]\d{3})(?P<m>0[1-9]|1[0-2])(?P<d>[0-2]\d|3[01])[-T _]?"
        r"(?P<H>[01]\d|2[0-3]):?(?P<M>[0-5]\d):?(?P<S>[0-5]\d)(?:[.,](?P<f>\d{1,9}))?" + _ZONE
    ),
    "epoch": r"(?P<e>1\d{9})(?:[.,]?(?P<ef>\d{3}|\d{6}|\d{9}))?",
}
"""Name -> pattern. Names of the groups: year, month, day, hour, minute, second, fraction, zone, AM/PM, epoch."""

_TIGHT = r"^[\s\[(<|\"'*#-]{0,4}"
_LOOSE = r"^.{0,80}?(?:^|[\s\[(<|,;=\"':#])"
_AFTER = r"(?:$|[^\w])"
_GROUPS = ("Y", "y", "m", "m2", "d", "d2", "b", "H", "M", "S", "f", "z", "p", "e", "ef")
_MONTHS = {m: n for n, m in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_NO_YEAR = frozenset({"syslog", "short_text", "klog"})

MIN_SHARE = 0.02
"""A shape that fewer of the sampled lines show is taken for a date in running text."""


@dataclass(frozen=True, slots=True)
class StampShape:
    """A shape at a place; `pattern` captures the prefix as `pre`, the parts, and the rest as `rest`."""

    name: str
    pattern: str

    @property
    def has_year(self) -> bool:
        """Whether the year is written."""
        return self.name not in _NO_YEAR


def _shape(name: str, place: str) -> StampShape:
    return StampShape(name, f"(?s)(?P<pre>{place})(?P<at>{_SHAPES[name]})(?:{_AFTER}|$)")


def detect(sample: pl.Series) -> list[StampShape]:
    """The shapes that the lines of a source show, most frequent first; empty when it has no stamps."""
    lines = sample.filter(sample.str.strip_chars().str.len_bytes() > 0)
    found: list[StampShape] = []
    left = lines
    while left.len():
        best, hits = _most_frequent(left)
        if best is None or hits.sum() < max(1, MIN_SHARE * lines.len()):
            break
        found.append(best)
        left = left.filter(~hits)
    return found


def _most_frequent(lines: pl.Series) -> tuple[StampShape | None, pl.Series]:
    best: tuple[StampShape | None, pl.Series] = (None, pl.Series([], dtype=pl.Boolean))
    top = 0.0
    for place, weight in ((_TIGHT, 1.0), (_LOOSE, 0.9)):
        for name in _SHAPES:
            shape = _shape(name, place)
            hits = lines.str.contains(shape.pattern)
            score = weight * int(hits.sum())
            if score > top:
                top, best = score, (shape, hits)
    return best


def parsed(text: pl.Expr, shape: StampShape) -> pl.Expr:
    """A struct of the parts (see `_GROUPS`) with `pre`, `at`; all null where the line does not show the shape."""
    return text.str.extract_groups(shape.pattern)


def instant(parts: pl.DataFrame, shape: StampShape, recorded_at: datetime | None) -> pl.DataFrame:
    """Columns `ts` (UTC, microseconds; null when it is no date) and `ts_basis` for extracted parts."""
    have = {g: parts[g] if g in parts.columns else None for g in _GROUPS}
    if shape.name == "epoch":
        return parts.select(ts=_epoch(), ts_basis=pl.lit("explicit_zone"))
    frame = parts.select(
        year=_year(have, recorded_at),
        month=_month(have),
        day=_number("d", "d2", have),
        hour=_hour(have),
        minute=_number("M", None, have),
        second=_number("S", None, have),
        micro=_micro(have),
        zone=pl.col("z") if have["z"] is not None else pl.lit(None, dtype=pl.String),
    )
    if not shape.has_year and recorded_at is not None:
        frame = _past(frame, recorded_at)
    return frame.select(ts=_assembled(), ts_basis=_basis(shape))


def _number(name: str, other: str | None, have: dict[str, pl.Series | None]) -> pl.Expr:
    names = [n for n in (name, other) if n and have[n] is not None]
    return pl.coalesce(pl.col(n).replace("", None).cast(pl.Int32, strict=False) for n in names)


def _year(have: dict[str, pl.Series | None], recorded_at: datetime | None) -> pl.Expr:
    if have["Y"] is not None:
        return pl.col("Y").cast(pl.Int32, strict=False)
    if have["y"] is not None:
        # POSIX strptime %y: 69-99 are 1969-1999
        two = pl.col("y").cast(pl.Int32, strict=False)
        return pl.when(two >= 69).then(two + 1900).otherwise(two + 2000)
    return pl.lit(recorded_at.year if recorded_at else None, dtype=pl.Int32)


def _month(have: dict[str, pl.Series | None]) -> pl.Expr:
    if have["b"] is not None:
        return pl.col("b").replace_strict(_MONTHS, default=None, return_dtype=pl.Int32)
    return _number("m", "m2", have)


def _hour(have: dict[str, pl.Series | None]) -> pl.Expr:
    hour = _number("H", None, have)
    if have["p"] is None:
        return hour
    half = pl.col("p")
    return pl.when(half == "PM").then(hour % 12 + 12).when(half == "AM").then(hour % 12).otherwise(hour)


def _micro(have: dict[str, pl.Series | None]) -> pl.Expr:
    if have["f"] is None:
        return pl.lit(0, dtype=pl.Int32)
    return pl.col("f").fill_null("0").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int32, strict=False).fill_null(0)


def _past(frame: pl.DataFrame, recorded_at: datetime) -> pl.DataFrame:
    """A date without year lies before its file was last written: December of a file of January is last year's."""
    written = recorded_at.month * 100 + recorded_at.day + 1
    later = pl.col("month") * 100 + pl.col("day") > written
    return frame.with_columns(year=pl.when(later).then(pl.col("year") - 1).otherwise(pl.col("year")))


def _assembled() -> pl.Expr:
    """The instant; null for a date that does not exist, and for years that no log was written in."""
    ok = pl.col("year").is_between(1970, 2199)
    date = pl.format(
        "{}-{}-{} {}:{}:{}",
        pl.col("year"),
        *(pl.col(c).cast(pl.String).str.zfill(2) for c in ("month", "day", "hour", "minute")),
        pl.col("second").clip(0, 59).cast(pl.String).str.zfill(2),
    ).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    shifted = date + pl.duration(microseconds=pl.col("micro")) - pl.duration(minutes=_offset_minutes())
    return pl.when(ok).then(shifted).dt.replace_time_zone("UTC")


def _offset_minutes() -> pl.Expr:
    zone = pl.col("zone").str.replace(":", "", literal=True)
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    hours, minutes = (zone.str.extract(r"^[+-](\d\d)(\d\d)$", n).cast(pl.Int32) for n in (1, 2))
    return (sign * (hours * 60 + minutes)).fill_null(0)


def _basis(shape: StampShape) -> pl.Expr:
    zoned = pl.col("zone").str.contains(r"^(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$").fill_null(value=False)
    if not shape.has_year:
        return pl.lit("inferred_year")
    return pl.when(zoned).then(pl.lit("explicit_zone")).otherwise(pl.lit("assumed_zone"))


def _epoch() -> pl.Expr:
    seconds = pl.col("e").cast(pl.Int64, strict=False)
    micros = pl.col("ef").fill_null("0").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64, strict=False)
    return (seconds * 1_000_000 + micros.fill_null(0)).cast(pl.Datetime("us", "UTC"))
