"""What a worker process does: one stage after another, as the process that started it says."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import resource
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from runcase.model.allocators import give_back_soon

Ready = TypeVar("Ready")
Done = TypeVar("Done")

Tell = Callable[[int], None]
"""Is told how much of an item is through since the last call."""

TELL_BYTES = 256 * 1024
"""How much a worker lets pass before it says so."""


@dataclass(frozen=True, slots=True)
class Stage(Generic[Ready, Done]):
    """What workers do: `prepare(*given)` once a process, then `work(ready, item, tell)` for each item."""

    prepare: Callable[..., Ready]
    given: tuple[object, ...]
    work: Callable[[Ready, Any, Tell], Done]


def serve(pipe: Connection, loads: Sequence[str]) -> None:
    """Does what it is told, one message after another, until the parent is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    stage: Stage[Any, Any] | None = None
    ready: object = None
    try:
        one_thread()
        _load(loads)
        pipe.send(("begun", None))
        while True:
            kind, value = pipe.recv()
            if kind == "load":
                _load(value)
            elif kind == "stage":
                stage, ready = pickle.loads(value), None
            elif stage is not None:
                try:
                    ready = stage.prepare(*stage.given) if ready is None else ready
                    answer = ("done", stage.work(ready, value, _Teller(pipe)))
                except Exception as e:
                    answer = ("raised", _portable(e))
                pipe.send(answer)
    except (EOFError, OSError):  # the parent is gone, or the system refuses the pipe: the parent sees that it ended
        os._exit(1)


def one_thread() -> None:
    """For a process that is one of several: threads of its own would take turns with theirs."""
    give_back_soon()
    import pyarrow as pa

    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    # Arrow's own allocator keeps what it once had: 15 MB a process (measured 2026-11)
    pa.set_memory_pool(pa.system_memory_pool())
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _load(modules: Sequence[str]) -> None:
    for module in modules:
        import_module(module)


def _portable(e: Exception) -> Exception:
    """An exception that another process can read, with where it was raised."""
    place = f"in a worker process:\n{traceback.format_exc()}"
    try:
        pickle.loads(pickle.dumps(e))
    except Exception:  # whatever an exception's own constructor asks for
        e = RuntimeError(repr(e))
    e.add_note(place)
    return e


@dataclass(slots=True)
class _Teller:
    """Tells the parent how much is through, now and then."""

    pipe: Connection
    untold: int = 0

    def __call__(self, size: int) -> None:
        self.untold += size
        if self.untold >= TELL_BYTES:
            self.pipe.send(("passed", self.untold))
            self.untold = 0


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
