"""Python in other surroundings, for processes that a test starts.

`SHIFTED_CLOCK` is seconds that the clock is off, `REVERSED_LISTING` turns listings round, and `SIGNALLED_BEFORE`
(`KILL:rename:case.json`) signals the whole process group before a file of such a name is renamed or replaced.
Python imports a module of this name from its path by itself, in worker processes too.
"""

from __future__ import annotations

import datetime as dates
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

SHIFT = int(os.environ.get("SHIFTED_CLOCK", "0"))


class _AnyDate(type):
    def __instancecheck__(cls, it: object) -> bool:
        return isinstance(it, date)


class _AnyDatetime(type):
    def __instancecheck__(cls, it: object) -> bool:
        return isinstance(it, datetime)


class _Date(date, metaclass=_AnyDate):
    @classmethod
    def today(cls) -> Any:
        return _Datetime.now().date()


class _Datetime(datetime, metaclass=_AnyDatetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime.now(tz) + timedelta(seconds=SHIFT)


def _shift_clock() -> None:
    now, now_ns, local, utc = time.time, time.time_ns, time.localtime, time.gmtime
    time.time = lambda: now() + SHIFT
    time.time_ns = lambda: now_ns() + SHIFT * 10**9
    time.localtime = lambda at=None: local(time.time() if at is None else at)
    time.gmtime = lambda at=None: utc(time.time() if at is None else at)
    dates.datetime = _Datetime  # type: ignore[misc]
    dates.date = _Date  # type: ignore[misc]


class _Reversed:
    """What `os.scandir` gives, from its end."""

    def __init__(self, found: Any) -> None:
        self._found = found
        self._entries = iter(list(found)[::-1])

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Reversed:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._found.close()


def _reverse_listings() -> None:
    names: Callable[..., list[Any]] = os.listdir
    entries: Callable[..., Any] = os.scandir
    os.listdir = lambda *a: names(*a)[::-1]
    os.scandir = lambda *a: _Reversed(entries(*a))  # type: ignore[assignment]


def _signal_before(name: str, call: str, prefix: str) -> None:
    made: Callable[..., None] = getattr(os, call)

    def struck(source: Any, target: Any, **given: Any) -> None:
        if os.path.basename(os.fspath(source)).startswith(prefix):
            os.killpg(0, getattr(signal, f"SIG{name}"))
            time.sleep(60)
        made(source, target, **given)

    setattr(os, call, struck)


if os.environ.get("SIGNALLED_BEFORE"):
    _signal_before(*os.environ["SIGNALLED_BEFORE"].split(":"))
if SHIFT:
    _shift_clock()
if os.environ.get("REVERSED_LISTING"):
    _reverse_listings()
