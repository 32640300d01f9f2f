"""Levels of loggers become the six of the model, from where each logger writes them."""

from __future__ import annotations

import pytest
from tests.intake.texts import read

T = "2026-03-01 10:00:00"


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (f"{T},123 INFO worker: x", "info"),
        (f"{T},123 [main] WARN  a.b.C - x", "warning"),
        (f"{T},123 - worker - CRITICAL - x", "fatal"),
        (f"{T} | ERROR    | mod:f:3 - x", "error"),
        (f"{T} [error] 12#12: x", "error"),
        (f"{T} [Warning] [MY-1] x", "warning"),
        (f"{T}\tdebug\ta.go:1\tx", "debug"),
        (f"{T} UTC [12] LOG:  ready", "info"),
        (f"{T} UTC [12] FATAL:  no", "fatal"),
        (f"INFO {T} x", "info"),
        (f"[ERROR] {T} x", "error"),
        (f"{T}.123 SEVERE [main] x", "error"),
        (f"{T}.123 FINEST x", "trace"),
        (f"time={T.replace(' ', 'T')}Z level=warn msg=x", "warning"),
        ("W0301 10:00:00.000000 1 a.go:1] x", "warning"),
        ("03-01 10:00:00.000  1702  2395 E Tag: x", "error"),
        ("I [01/Mar/2026:10:00:00 +0100] x", "info"),
        ("<11>Mar  1 10:00:00 host a: x", "error"),
        ('{"time": 1772359200123, "level": 50, "msg": "x"}', "error"),
        ('{"ts": 1772359200.1, "severity": "NOTICE", "msg": "x"}', "info"),
        ('{"__REALTIME_TIMESTAMP": "1772359200123456", "PRIORITY": "2", "MESSAGE": "x"}', "fatal"),
        (f"{T} the error count is 0", None),
        (f"{T} information desk opened", None),
        (f"{T} x", None),
        ("ERROR: without a stamp", "error"),
    ],
)
def test_a_level_is_read_where_its_logger_writes_it(line: str, level: str | None) -> None:
    assert read(f"{line}\n").records["level"].to_list() == [level]
