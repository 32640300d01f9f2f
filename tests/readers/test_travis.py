"""Travis: what folds and timers say of a job's time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.readers.reading import Read, read_one

_BEGUN = 1_500_000_000


def mark(text: str) -> str:
    """A mark as travis-build writes it: a terminal erases it."""
    return f"{text}\r\x1b[0K"


def timed(timer: str, command: str, start: float, finish: float, output: str = "") -> str:
    """A command under a timer; seconds count from the begin of the job."""
    a, b = (int((_BEGUN + t) * 1e9) for t in (start, finish))
    end = mark(f"travis_time:end:{timer}:start={a},finish={b},duration={b - a}")
    return f"{mark(f'travis_time:start:{timer}')}$ {command}\n{output}\n{end}"


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(_BEGUN + seconds, UTC)


def fold(name: str, inside: str) -> str:
    return f"{mark(f'travis_fold:start:{name}')}{inside}{mark(f'travis_fold:end:{name}')}"


_JOB = (
    fold("worker_info", "Worker information\nhostname: worker-1\n")
    + "\n"
    + fold("git.checkout", timed("0a", "git clone x", 0, 2.5) + timed("0b", "git checkout y", 3, 4))
    + fold("install", timed("0c", "pip install -r requirements.txt", 5, 15))
    + "\n"
    + f'{timed("0d", "pytest", 16, 36, "1 failed")}\nThe command "pytest" exited with 1.\n'
    f"{mark('travis_fold:start:after_script')}{timed('0e', './report', 37, 38)}"
    f"{mark('travis_time:start:0f')}$ ./slow.sh\n"
)
_END = "Done. Your build exited with 1.\n"


def windows(seen: Read, kind: str) -> dict[str, list[Any]]:
    rows = seen.conclusions.windows.filter(kind=kind).select("name", "state", "start", "end", "reason", "detail")
    return {name: rest for name, *rest in rows.iter_rows()}


def test_a_fold_lasts_from_the_first_to_the_last_instant_that_is_timed_in_it() -> None:
    stages = windows(read_one(_JOB + _END, "job.log"), "stage")
    assert stages["git.checkout"] == ["closed", at(0), at(4), None, None]
    assert stages["install"] == ["closed", at(5), at(15), None, None]


def test_a_fold_in_which_nothing_is_timed_has_no_instants_and_one_that_never_closed_no_end() -> None:
    stages = windows(read_one(_JOB + _END, "job.log"), "stage")
    assert stages["worker_info"] == ["absent", None, None, "not_timed", None]
    assert stages["after_script"] == ["open", at(37), None, "no_end_event", "open"]
    assert stages.keys() == {"worker_info", "git.checkout", "install", "after_script"}


def test_every_timer_is_a_window_of_its_own_command_and_says_how_it_ended() -> None:
    tools = windows(read_one(_JOB + _END, "job.log"), "tool")
    assert tools["git checkout y"] == ["closed", at(3), at(4), None, None]
    assert tools["pytest"] == ["closed", at(16), at(36), None, "error"]
    assert tools["./report"] == ["closed", at(37), at(38), None, None]
    assert tools["./slow.sh"] == ["absent", None, None, "not_timed", "open"]
    assert len(tools) == 6


def test_a_timer_whose_begin_was_cut_away_is_read_from_its_end() -> None:
    cut = _JOB[_JOB.index("$ pip install") :] + _END
    assert windows(read_one(cut, "job.log"), "tool")["pip install -r requirements.txt"][:3] == ["closed", at(5), at(15)]


def test_a_job_read_in_small_blocks_reads_alike() -> None:
    padding = "a line of output that says nothing\n" * 40_000
    whole = _JOB.replace("1 failed", f"{padding}1 failed") + _END
    assert windows(read_one(whole, "job.log"), "stage") == windows(read_one(_JOB + _END, "job.log"), "stage")
