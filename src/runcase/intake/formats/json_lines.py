"""JSON lines of loggers: zap, structlog, pino, bunyan, ECS, journald, docker's json-file.

Keys differ, shapes are alike: an instant, a level, a message, and the rest.
"""

from __future__ import annotations

import polars as pl

from runcase.intake.formats import stamps
from runcase.intake.formats.levels import NUMERIC, PRIORITIES, normal

TIME_KEYS = ("timestamp", "@timestamp", "time", "ts", "t", "datetime", "date", "asctime", "eventTime", "created", "@t")
TIME_KEYS_MS = ("timeMillis", "timestampMs", "ts_ms")
_ANY_TIME = (
    r'"\w*(?:[tT]ime|_at|At|[dD]ate)\w*" ?: ?"'
    r'((?:[12]\d{3}-\d\d-\d\d[T ]|\d\d?/[A-Z][a-z]{2}/\d{4}:)\d\d:\d\d:\d\d[^"]*)"'
)
"""The first member whose name speaks of a time and whose value is one."""

_ANY_COUNT = r'"\w*[tT]ime(?:[sS]tamp)?" ?: ?"?(1\d{9}(?:\.\d{1,9}|\d{3}|\d{6}|\d{9})?)["\s,}]'
"""As _ANY_TIME, where the value counts since 1970."""


MESSAGE_KEYS = ("message", "msg", "event", "log", "MESSAGE", "text", "body", "short_message", "@m", "@mt")
LEVEL_KEYS = ("level", "severity", "lvl", "log.level", "levelname", "loglevel", "level_name", "@l")
OTHER_KEYS = ("PRIORITY", "__REALTIME_TIMESTAMP", "instant", "stream")
"""They are looked at where no other key tells; `stream` beside `log` is Docker's."""

_OBJECT = r"^\s*\{.*\}\s*$"
_MICROS = pl.Datetime("us", "UTC")
_UNITS = ((1e17, 1e-3), (1e14, 1.0), (1e11, 1e3), (0.0, 1e6))
"""Above the bound a count since 1970 is nanoseconds, microseconds, milliseconds, seconds: times the factor, micros."""


def read(frame: pl.DataFrame, text: str | None = None) -> pl.DataFrame:
    """Fills times, `level, message, fields` of the lines that are JSON objects.

    Args:
        frame: Lines.
        text: Column that tells several texts apart; how instants are written is seen text by text.
    """
    objects = pl.when(pl.col("text").str.contains(_OBJECT)).then(pl.col("text").str.strip_chars())
    found = frame.select(
        doc=objects,
        at=pl.coalesce(
            _first(objects, (*TIME_KEYS, *TIME_KEYS_MS)),
            objects.str.extract(_ANY_TIME),
            objects.str.extract(_ANY_COUNT),
        ),
        micros=pl.coalesce(_count(objects, "$['__REALTIME_TIMESTAMP']"), _instant_of_log4j(objects)),
        said=_first(objects, MESSAGE_KEYS),
        named=_first(objects, LEVEL_KEYS),
        priority=objects.str.json_path_match("$['PRIORITY']"),
        log=objects.str.json_path_match("$.log"),
        stream=objects.str.json_path_match("$.stream"),
    )
    times = _written(found["at"], frame[text] if text else None).with_columns(
        ts=pl.coalesce("ts", found["micros"].cast(_MICROS)),
        ts_basis=pl.when(pl.col("ts").is_null() & found["micros"].is_not_null())
        .then(pl.lit("explicit_zone"))
        .otherwise("ts_basis"),
    )
    level = found.select(
        pl.coalesce(
            pl.col("named").replace_strict(NUMERIC, default=None, return_dtype=pl.String),
            normal(pl.col("named")),
            pl.col("priority").replace_strict(PRIORITIES, default=None, return_dtype=pl.String),
        )
    ).to_series()
    return frame.with_columns(
        ts=times["ts"],
        ts_lo=times["ts"],
        ts_hi=times["ts"],
        ts_basis=times["ts_basis"],
        level=level,
        message=pl.coalesce(found["said"].str.strip_suffix("\n"), pl.col("text")),
        fields=found["doc"],
        stamped=found["doc"].is_not_null(),
        stream=pl.coalesce(pl.when(_docker(found)).then(found["stream"]), "stream"),
        partial=_docker(found) & ~found["log"].str.ends_with("\n"),
    )


def _docker(found: pl.DataFrame) -> pl.Series:
    """Lines of Docker's json-file: a log that does not end its line goes on in the next of its stream (16 KiB each)."""
    return found["log"].is_not_null() & found["stream"].is_in(["stdout", "stderr"]).fill_null(value=False)


def _count(objects: pl.Expr, path: str) -> pl.Expr:
    return objects.str.json_path_match(path).cast(pl.Int64, strict=False)


def _instant_of_log4j(objects: pl.Expr) -> pl.Expr:
    """`{"instant": {"epochSecond": ..., "nanoOfSecond": ...}}` of log4j's JSON layout, as microseconds."""
    nanos = _count(objects, "$.instant.nanoOfSecond").fill_null(0)
    return _count(objects, "$.instant.epochSecond") * 1_000_000 + nanos // 1000


def _first(objects: pl.Expr, keys: tuple[str, ...]) -> pl.Expr:
    return pl.coalesce(objects.str.json_path_match(f"$['{k}']") for k in keys)


def _written(at: pl.Series, text: pl.Series | None) -> pl.DataFrame:
    """`ts, ts_basis` of instants written as text, or counted since 1970 in an unstated unit."""
    number = pl.col("n")
    scale = pl.coalesce(pl.when(number > bound).then(factor) for bound, factor in _UNITS)
    counted = pl.when(number.is_between(1e8, 1e19)).then((number * scale).round(0).cast(pl.Int64, strict=False))
    texts = stamps.instants(at, text)
    frame = pl.DataFrame({"n": at.cast(pl.Float64, strict=False)}).select(micros=counted.cast(_MICROS)).hstack(texts)
    return frame.select(
        ts=pl.coalesce("micros", "ts"),
        ts_basis=pl.when(pl.col("micros").is_not_null()).then(pl.lit("explicit_zone")).otherwise("ts_basis"),
    )
