"""Worker processes that end with the process that started them.

Ctrl-C in a terminal reaches every process of the group: workers hold it back, and
the parent ends them. A parent that was killed is noticed by its workers.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait

CONTEXT = multiprocessing.get_context("spawn")


@contextmanager
def pool(jobs: int, prepare: Callable[..., None], *given: object) -> Iterator[ProcessPoolExecutor]:
    """Processes that were prepared by `prepare(*given)`; an exception in the block ends them at once."""
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(jobs, CONTEXT, _begin, (prepare, given))
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()
        raise
    finally:
        executor.shutdown()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Holds Ctrl-C back until the end of the block; processes that are started inside never see it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(prepare: Callable[..., None], given: tuple[object, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare(*given)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
