"""JSON lines of loggers: zap, structlog, pino, bunyan, ECS, journald, docker's json-file.

Keys differ, shapes are alike: an instant, a level, a message, and the rest.
"""

from __future__ import annotations

import polars as pl

from runcase.intake.formats import stamps

_TIME_KEYS = ("timestamp", "@timestamp", "time", "ts", "t", "datetime", "date", "asctime", "eventTime", "created")
_ANY_TIME = r'"\w*(?:[tT]ime|_at|At|[dD]ate)\w*" ?: ?"([12]\d{3}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^"]*)"'
"""The first member whose name speaks of a time and whose value is one."""

_MESSAGE_KEYS = ("message", "msg", "event", "log", "MESSAGE", "text", "body", "short_message")
_LEVEL_KEYS = ("level", "severity", "lvl", "log.level", "levelname", "loglevel", "level_name")
_NUMERIC_LEVELS = {"10": "trace", "20": "debug", "30": "info", "40": "warning", "50": "error", "60": "fatal"}
"""Of bunyan and pino."""
_PRIORITIES = {"0": "fatal", "1": "fatal", "2": "fatal", "3": "error", "4": "warning", "5": "info", "6": "info"}
_PRIORITIES |= {"7": "debug"}
"""Of journald and syslog (RFC 5424, table 2)."""


_MICROS = pl.Datetime("us", "UTC")


def read(frame: pl.DataFrame) -> pl.DataFrame:
    """Fills `ts, ts_basis, level, message, fields` of the lines that are JSON objects."""
    objects = pl.when(pl.col("text").str.contains(r"^\s*\{.*\}\s*$")).then(pl.col("text").str.strip_chars())
    found = frame.select(
        doc=objects,
        at=pl.coalesce(_first(objects, _TIME_KEYS), objects.str.extract(_ANY_TIME)),
        micros=objects.str.json_path_match("$['__REALTIME_TIMESTAMP']").cast(pl.Int64, strict=False),
        said=_first(objects, _MESSAGE_KEYS),
        named=_first(objects, _LEVEL_KEYS),
        priority=objects.str.json_path_match("$['PRIORITY']"),
    )
    times = found.select(
        pl.coalesce(_written(found["at"]), pl.col("micros").cast(pl.Datetime("us", "UTC")))
    ).to_series()
    level = pl.coalesce(
        found["named"].replace_strict(_NUMERIC_LEVELS, default=None, return_dtype=pl.String),
        found["named"].str.to_lowercase().replace_strict(_known(), default=None, return_dtype=pl.String),
        found["priority"].replace_strict(_PRIORITIES, default=None, return_dtype=pl.String),
    )
    zoned = found["at"].str.contains(r"(?:Z|[+-]\d\d:?\d\d|^\d{10,19}(?:\.\d+)?)$").fill_null(value=True)
    basis = pl.when(times.is_null()).then(pl.lit("none")).when(zoned).then(pl.lit("explicit_zone"))
    return frame.with_columns(
        ts=times,
        ts_basis=basis.otherwise(pl.lit("assumed_zone")),
        level=level,
        message=pl.coalesce(found["said"].str.strip_suffix("\n"), pl.col("text")),
        fields=found["doc"],
    )


def _known() -> dict[str, str]:
    from runcase.intake.formats.headers import LEVELS

    return LEVELS


def _first(objects: pl.Expr, keys: tuple[str, ...]) -> pl.Expr:
    return pl.coalesce(objects.str.json_path_match(f"$['{k}']") for k in keys)


def _written(at: pl.Series) -> pl.Series:
    """Instants written as text, or as seconds, milliseconds, microseconds or nanoseconds since 1970."""
    number = at.cast(pl.Float64, strict=False)
    scale = pl.when(number > 1e17).then(1e-3).when(number > 1e14).then(1.0).when(number > 1e11).then(1e3).otherwise(1e6)
    micros = pl.select(
        (number * scale).round(0).cast(pl.Int64, strict=False).cast(pl.Datetime("us", "UTC"))
    ).to_series()
    numeric = number.is_between(1e8, 1e19).fill_null(value=False)
    text = pl.Series([None] * at.len(), dtype=pl.Datetime("us", "UTC"))
    for shape in stamps.detect(at.drop_nulls()):
        if shape.has_year and shape.name != "epoch":
            parts = pl.DataFrame({"at_": at}).select(stamps.parsed(pl.col("at_"), shape).alias("p")).unnest("p")
            read_ = stamps.instant(parts, shape, None)["ts"]
            text = pl.select(pl.coalesce(text, read_)).to_series()
    return pl.select(pl.when(numeric).then(micros).otherwise(text)).to_series()
