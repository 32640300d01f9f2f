"""The right to write to a case at a URL: an object that its holder renews, and that others leave alone while it does.

No clocks are compared. Who finds the object watches it: when it changes, somebody is
at work; when it does not for `SILENT_SECONDS`, its holder was killed and it is taken
over. Two that take over at once may both believe that they hold it: the commit, which
makes an object that must not be there, lets only one of them pass.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from secrets import token_hex
from types import TracebackType

from runcase.ledger.objects import Objects, not_exclusive
from runcase.model.problems import RuncaseError

LOCK = ".runcase/lock"
BEAT_SECONDS = 10.0
SILENT_SECONDS = 60.0
_LOOK_SECONDS = 1.0


class Lease:
    """Holds the case at a URL for writing, within a `with` block."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._who = {"holder": token_hex(8), "host": socket.gethostname(), "process": os.getpid()}
        self._beats = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Lease:
        while not self._objects.create(LOCK, self._body()):
            self._await_silence()
        if self._objects.create(LOCK, self._body(-1)):
            self._objects.remove([LOCK])
            raise not_exclusive(self._objects.shown)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if self._is_mine():
            self._objects.remove([LOCK])

    def assure(self) -> None:
        """Nothing when the case is still held.

        Raises:
            RuncaseError: `busy` when another build took it over.
        """
        if not self._is_mine():
            raise self._busy("another build took the place of this one, which did not answer for long")

    def _await_silence(self) -> None:
        """Returns when the lock is free, or removed because nobody renewed it.

        Raises:
            RuncaseError: `busy` when somebody does.
        """
        found = self._objects.read(LOCK)
        until = time.monotonic() + SILENT_SECONDS
        while (now := self._objects.read(LOCK)) is not None:
            if now != found:
                raise self._busy(f"another build{_named(now)} is writing to {self._objects.shown}")
            if time.monotonic() >= until:
                self._objects.remove([LOCK])
                return
            time.sleep(min(_LOOK_SECONDS, SILENT_SECONDS / 4))

    def _busy(self, what: str) -> RuncaseError:
        return RuncaseError("busy", what, "wait for it, then retry; builds that were killed are no hindrance")

    def _renew(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            try:
                if not self._is_mine():
                    return
                self._beats += 1
                self._objects.write(LOCK, self._body())
            except RuncaseError:
                continue  # a storage that does not answer now may do so at the next beat; the commit looks again

    def _is_mine(self) -> bool:
        return _parsed(self._objects.read(LOCK)).get("holder") == self._who["holder"]

    def _body(self, beats: int | None = None) -> bytes:
        return json.dumps(self._who | {"beats": self._beats if beats is None else beats}).encode()


def _parsed(body: bytes | None) -> dict[str, object]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _named(body: bytes) -> str:
    told = _parsed(body)
    return f" (process {told['process']} on {told['host']})" if {"process", "host"} <= told.keys() else ""
