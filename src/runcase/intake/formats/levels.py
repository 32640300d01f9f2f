"""Levels of loggers, normalised to the six of the model."""

from __future__ import annotations

import polars as pl

LEVELS = {
    "trace": "trace",
    "verbose": "trace",
    "finest": "trace",
    "finer": "trace",
    "debug": "debug",
    "debug1": "debug",
    "debug2": "debug",
    "debug3": "debug",
    "fine": "debug",
    "config": "debug",
    "dbg": "debug",
    "info": "info",
    "information": "info",
    "informational": "info",
    "inf": "info",
    "notice": "info",
    "default": "info",
    "log": "info",
    "warn": "warning",
    "warning": "warning",
    "wrn": "warning",
    "error": "error",
    "err": "error",
    "eror": "error",
    "severe": "error",
    "failure": "error",
    "fault": "error",
    "fatal": "fatal",
    "ftl": "fatal",
    "critical": "fatal",
    "crit": "fatal",
    "alert": "fatal",
    "emerg": "fatal",
    "emergency": "fatal",
    "panic": "fatal",
    "dpanic": "fatal",
}
"""Level names of the loggers at hand -> the six levels of the model."""

LETTERS = {
    "V": "trace",
    "D": "debug",
    "I": "info",
    "N": "info",
    "W": "warning",
    "E": "error",
    "F": "fatal",
    "C": "fatal",
}
"""Of klog, logcat and others; logcat's A (assert) is fatal too."""

NUMERIC = {"10": "trace", "20": "debug", "30": "info", "40": "warning", "50": "error", "60": "fatal"}
"""Of bunyan and pino."""

PRIORITIES = {"0": "fatal", "1": "fatal", "2": "fatal", "3": "error", "4": "warning", "5": "info", "6": "info"}
PRIORITIES |= {"7": "debug"}
"""Severities of syslog and journald (RFC 5424, table 2)."""

_NAMES = "|".join(sorted(LEVELS, key=len, reverse=True))
_BEFORE = rf"(?i)(?:^|[^\w.-])({_NAMES})[\s\]>:|-]*$"
_LETTER_BEFORE = r"^\W*([VDIWEF])[\s\[(,:|]+$"
_PRIORITY = r"^<(\d{1,3})>"
IN_CAPITALS = (
    *("TRACE", "VERBOSE", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "ERR"),
    *("SEVERE", "FATAL", "CRITICAL", "CRIT", "ALERT", "EMERG", "PANIC", "FINE", "FINER", "FINEST", "CONFIG", "LOG"),
)
"""Names that count among the first words of a message when they are written in capitals."""

_UPPER = rf"^(?:\S+\s+){{0,5}}?[\[(<|]*({'|'.join(IN_CAPITALS)})[\])>|]*(?:[\s:|,/]|$)"
_BRACKETED = rf"(?i)^(?:\S+\s+){{0,4}}?[\[(<](?:[\w.]+[:.])?({_NAMES})[\])>]"
_TABBED = rf"^(?i:({_NAMES}))[\t|]"
_LOWER = rf"^({_NAMES})(?:: | {{1,8}}[\w\[(]+[\]):])"
_KEYED = r"(?i)(?:^|[\s,{\[(\"'])(?:level|lvl|severity|loglevel|log\.level)\"?[=:] ?\"?(\w+)"
_LOGCAT = r"^\s*\d+\s+\d+ ([VDIWEFA]) "
_BARE = r"^\s*\[?(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL)\]?[\s:]"
_HEAD_CHARS = 120


def normal(names: pl.Expr) -> pl.Expr:
    """The level of a name in any case; null for a name that is none."""
    return names.str.to_lowercase().replace_strict(LEVELS, default=None, return_dtype=pl.String)


def level_of(stamped: pl.Expr, pre: pl.Expr, message: pl.Expr) -> pl.Expr:
    """The level that stands around a stamp, or that opens a line without one."""
    head = message.str.slice(0, _HEAD_CHARS)
    severity = (pre.str.extract(_PRIORITY).cast(pl.Int32, strict=False) % 8).cast(pl.String)
    letters = pl.coalesce(pre.str.extract(_LETTER_BEFORE), head.str.extract(_LOGCAT))
    around = pl.coalesce(
        normal(pre.str.extract(_BEFORE)),
        severity.replace_strict(PRIORITIES, default=None, return_dtype=pl.String),
        normal(head.str.extract(_TABBED)),
        normal(head.str.extract(_UPPER)),
        normal(head.str.extract(_BRACKETED)),
        normal(head.str.extract(_LOWER)),
        normal(message.str.slice(0, 400).str.extract(_KEYED)),
        letters.replace_strict(LETTERS | {"A": "fatal"}, default=None, return_dtype=pl.String),
    )
    return pl.when(stamped).then(around).otherwise(normal(head.str.extract(_BARE)))
