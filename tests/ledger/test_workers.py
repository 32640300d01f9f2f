"""Processes that serve several stages, and what is left when one of them dies or raises."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runcase.ledger.serving import TELL_BYTES, Stage, Tell
from runcase.ledger.workers import Crew, Outcome


def kept(factor: int) -> tuple[int, int]:
    """What a stage prepares: its factor, and which process prepared it."""
    return factor, os.getpid()


def times(ready: tuple[int, int], number: int, tell: Tell) -> tuple[int, int]:
    tell(TELL_BYTES)
    return ready[0] * number, ready[1]


def dies_at_two(ready: tuple[int, int], number: int, tell: Tell) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def full(ready: tuple[int, int], number: int, tell: Tell) -> int:
    raise OSError(errno.ENOSPC, "no space")


class UnportableError(Exception):
    def __init__(self, one: str, other: str) -> None:
        super().__init__(one)


def unportable(ready: tuple[int, int], number: int, tell: Tell) -> int:
    raise UnportableError("odd", "one")


def test_the_same_processes_serve_one_stage_after_the_other() -> None:
    with Crew(2, ("json",)) as crew:
        crew.start()
        first = list(crew.each(Stage(kept, (2,), times), [1, 2, 3, 4]))
        second = list(crew.each(Stage(kept, (3,), times), [1, 2, 3, 4]))
    assert sorted(o.value[0] for o in first if o.value) == [2, 4, 6, 8]
    assert sorted(o.value[0] for o in second if o.value) == [3, 6, 9, 12]
    processes = {o.value[1] for o in [*first, *second] if o.value}
    assert len(processes) <= 2


def test_a_process_that_dies_costs_the_item_that_it_was_at() -> None:
    with Crew(2) as crew:
        found = sorted(crew.each(Stage(kept, (1,), dies_at_two), [0, 1, 2, 3, 4]), key=lambda o: o.number)
    assert found == [Outcome(0, 0), Outcome(1, 1), Outcome(2, None, died=True), Outcome(3, 3), Outcome(4, 4)]


def told_by(ready: Path, number: int, tell: Tell) -> int:
    """Tells which process did it, and that some process began."""
    ready.touch()
    return os.getpid()


def awaits(place: Path) -> None:
    deadline = time.monotonic() + 60
    while not place.exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def test_this_process_takes_part_as_one_of_the_jobs(tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    def here(number: int) -> int:
        awaits(begun)
        return os.getpid()

    with Crew(2) as crew:
        found = dict(crew.shared(Stage(Path, (begun,), told_by), list(range(20)), here))
    assert sorted(found) == list(range(20))
    assert len(set(found.values())) == 2
    assert os.getpid() in found.values()


def test_a_crew_of_one_is_this_process() -> None:
    with Crew(1) as crew:
        assert dict(crew.shared(Stage(kept, (1,), times), [3, 4], lambda n: (n, 0))) == {0: (3, 0), 1: (4, 0)}


def dies(ready: Path, number: int, tell: Tell) -> int:
    ready.touch()
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_this_process_does_what_another_was_at_that_died(tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    def here(number: int) -> int:
        awaits(begun)
        return number

    with Crew(2) as crew:
        found = dict(crew.shared(Stage(Path, (begun,), dies), [5, 6, 7], here))
    assert found == {0: 5, 1: 6, 2: 7}


def slowly(number: int) -> int:
    time.sleep(0.01)
    return number


def test_what_the_work_of_others_raises_reaches_a_caller_that_takes_part() -> None:
    with Crew(2) as crew, pytest.raises(OSError, match="no space"):
        list(crew.shared(Stage(kept, (1,), full), list(range(10_000)), slowly))


def test_a_caller_that_takes_part_and_stops_early_leaves_no_process_behind(tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    def stops(number: int) -> int:
        awaits(begun)
        raise KeyboardInterrupt

    with Crew(2) as crew:
        with pytest.raises(KeyboardInterrupt):
            list(crew.shared(Stage(Path, (begun,), told_by), list(range(20)), stops))
        assert multiprocessing.active_children() == []


def test_what_the_work_raises_reaches_the_caller_with_its_place() -> None:
    with Crew(1) as crew, pytest.raises(OSError, match="no space") as raised:
        list(crew.each(Stage(kept, (1,), full), [1]))
    assert raised.value.errno == errno.ENOSPC
    assert "test_workers.py" in raised.value.__notes__[0]


def test_an_exception_that_no_other_process_can_read_is_told_by_its_words() -> None:
    with Crew(1) as crew, pytest.raises(RuntimeError, match=r"UnportableError\('odd'\)"):
        list(crew.each(Stage(kept, (1,), unportable), [1]))


def test_the_parent_is_told_how_much_of_an_item_is_through() -> None:
    told: list[tuple[int, int]] = []
    with Crew(1) as crew:
        list(crew.each(Stage(kept, (1,), times), [5, 6], lambda n, size: told.append((n, size))))
    assert told == [(0, TELL_BYTES), (1, TELL_BYTES)]


def test_no_process_is_left_behind() -> None:
    with Crew(2) as crew:
        pids = {o.value[1] for o in crew.each(Stage(kept, (1,), times), [1, 2]) if o.value}
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_script_without_a_guard_is_told_of_it_and_no_input_is_blamed(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("2026-03-14T10:00:00Z INFO start\n")
    script = tmp_path / "script.py"
    script.write_text(
        "from runcase import pipeline, settings\n"
        f"pipeline.build(settings.resolve(({str(log)!r},), {str(tmp_path / 'case')!r}, jobs=1))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=120)
    assert "__name__ == '__main__'" in done.stderr
    assert not list((tmp_path / "case" / "ledger").glob("*/events.parquet"))
