"""Worker processes that serve all stages of a build, and end with the process that started them.

They are started before the caller loads its own libraries, and load theirs
meanwhile. Each has a pipe of its own, without threads, locks or semaphores that
a process could leave behind: a process that dies costs the item that it was at,
and nobody else waits for it.

Ctrl-C in a terminal reaches every process of the group: workers hold it back, and
the parent ends them. A parent that was killed is noticed by its workers.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Generic

from runcase.ledger.serving import Done, Ready, Stage, serve
from runcase.model.problems import RuncaseError

_NOT_BEGUN = (
    "a process that should help ended while it started; what it printed says why"
    " (a script that builds cases does so under: if __name__ == '__main__')"
)

_CONTEXT = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Done]):
    """What became of an item: its index, and what its work returned; a process that died returned nothing."""

    number: int
    value: Done | None = None
    died: bool = False


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection


class Crew:
    """Up to `jobs` processes, each of which loads some modules as soon as it is started."""

    def __init__(self, jobs: int, loads: Sequence[str] = ()) -> None:
        self.jobs = jobs
        self._loads = tuple(loads)
        self._workers: list[_Worker] = []
        self._begun: set[_Worker] = set()

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def start(self, most: int | None = None) -> None:
        """Starts processes, `most` at most, that are not there yet."""
        resource_tracker.ensure_running()  # it lets Ctrl-C through again where it is started within the block
        with _interrupts_held():
            while len(self._workers) < min(self.jobs, self.jobs if most is None else most):
                ours, theirs = _CONTEXT.Pipe()
                process = _CONTEXT.Process(target=serve, args=(theirs, self._loads), daemon=True)
                process.start()
                theirs.close()
                self._workers.append(_Worker(process, ours))

    def end(self, keep: int = 0) -> None:
        """Ends all processes but the first few at once, whatever they are at."""
        ended, self._workers = self._workers[keep:], self._workers[:keep]
        for worker in ended:
            worker.process.kill()
        for worker in ended:
            worker.process.join()
            worker.pipe.close()
        self._begun.difference_update(ended)

    def load(self, *modules: str) -> None:
        """Lets the processes load modules while the caller goes on."""
        self._loads += modules
        for worker in self._workers:
            with suppress(OSError):  # one that is gone is told of when it should work
                worker.pipe.send(("load", modules))

    def each(
        self,
        stage: Stage[Ready, Done],
        items: Sequence[object],
        tell: Callable[[int, int], None] = lambda _number, _size: None,
    ) -> Iterator[Outcome[Done]]:
        """What became of each item, in the order in which they end.

        Args:
            stage: What is done to them.
            items: Given to the processes in this order, one at a time each.
            tell: Is told the index of an item, and how much of it is through since the last call.

        Raises:
            RuncaseError: `no_worker`: a process ended before any work reached it, so no input is to blame.
            Exception: What the work raised; all processes are ended then, as when the caller stops early.
        """
        return self._deal(stage, items, deque(range(len(items))), self.jobs, tell)

    def shared(
        self, stage: Stage[Ready, Done], items: Sequence[object], own: Callable[[Any], Done]
    ) -> Iterator[tuple[int, Done]]:
        """The index of each item and what its work returned, in the order in which they end.

        This process takes part and is one of the `jobs`: it does one item after the other, and what a process was at
        that died, while a thread deals out the rest.

        Args:
            stage: What the other processes do.
            items: Each is done once.
            own: Does the same here.

        Raises:
            Exception: What the work raised; all processes are ended then, as when the caller stops early.
        """
        if self.jobs < 2:
            yield from ((number, own(item)) for number, item in enumerate(items))
            return
        left = deque(range(len(items)))
        ended: SimpleQueue[Outcome[Done] | BaseException | None] = SimpleQueue()
        dealing = threading.Thread(target=self._deal_apart, args=(stage, items, left, ended), daemon=True)
        dealing.start()
        try:
            while True:
                number = _next_of(left)
                if number is not None:
                    yield number, own(items[number])
                    if ended.empty():
                        continue
                found = ended.get()
                if found is None:
                    return
                if isinstance(found, BaseException):
                    raise found
                yield found.number, own(items[found.number]) if found.value is None else found.value
        except BaseException:
            left.clear()
            for worker in list(self._workers):
                worker.process.kill()  # the thread sees it, and ends
            dealing.join()
            self.end()
            raise

    def _deal_apart(
        self,
        stage: Stage[Ready, Done],
        items: Sequence[object],
        left: deque[int],
        ended: SimpleQueue[Outcome[Done] | BaseException | None],
    ) -> None:
        """Deals out items by all processes but this one; what becomes of them, and at last None, goes into `ended`."""
        try:
            for outcome in self._deal(stage, items, left, self.jobs - 1, lambda _number, _size: None):
                ended.put(outcome)
        except BaseException as e:
            ended.put(e)
        ended.put(None)

    def _deal(
        self,
        stage: Stage[Ready, Done],
        items: Sequence[object],
        left: deque[int],
        most: int,
        tell: Callable[[int, int], None],
    ) -> Iterator[Outcome[Done]]:
        """As `each`, of the items `left`, which others may take from as well, by so many processes at most."""
        at: dict[_Worker, int] = {}
        prepared: set[_Worker] = set()
        asked = pickle.dumps(stage)
        try:
            while left or at:
                self.start(min(most, len(at) + len(left)))
                for worker in [w for w in self._workers[:most] if w not in at]:
                    number = _next_of(left)
                    if number is None:
                        break
                    at[worker] = number
                    if not _sent(worker.pipe, None if worker in prepared else asked, items[number]):
                        worker.process.kill()  # its pipe tells the end below
                    prepared.add(worker)
                if not at:  # others took what was left
                    break
                heard = wait([w.pipe for w in at])
                for worker in [w for w in at if w.pipe in heard]:
                    said, value = _received(worker.pipe)
                    if said == "begun":
                        self._begun.add(worker)
                        continue
                    if said == "passed":
                        tell(at[worker], value)
                        continue
                    if said == "died" and worker not in self._begun:
                        raise RuncaseError("no_worker", _NOT_BEGUN)
                    number = at.pop(worker)
                    if said == "raised":
                        raise value
                    if said == "died":
                        self._bury(worker)
                    yield Outcome(number, value, said == "died")
        except BaseException:
            self.end()
            raise

    def _bury(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()


def _next_of(left: deque[int]) -> int | None:
    """The next item; None where there is none, of which only the attempt tells for certain while others take some."""
    try:
        return left.popleft()
    except IndexError:
        return None


def _sent(pipe: Connection, stage: bytes | None, item: object) -> bool:
    """Whether a process could be given an item, and its stage where it does not have it yet."""
    try:
        if stage is not None:
            pipe.send(("stage", stage))
        pipe.send(("item", item))
    except OSError:
        return False
    return True


def _received(pipe: Connection) -> tuple[str, Any]:
    """What a process says next; `died` when it cannot say anything any more."""
    try:
        said: tuple[str, Any] = pipe.recv()
    except (EOFError, OSError):
        return "died", None
    return said


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Holds Ctrl-C back until the end of the block; processes that are started inside never see it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
