"""Nothing that a log, a file name or an argument holds reaches the terminal as anything but text."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runcase.cli import commands

HOSTILE = "\x1b]0;owned\x07\x1b[31m\x9b2J\x7f\u202e\u2066\u200b\U000e0041\x08\x85"
_FORBIDDEN = {c for c in HOSTILE if not c.isprintable()}


def _quiet(text: str) -> bool:
    return not _FORBIDDEN & set(text) and all(c in "\n\t" or ord(c) >= 32 for c in text)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    log = folder / "a\x1b[2Jb\u202e.log"
    log.write_text(
        f"2026-03-01 10:00:00 INFO run_id=r{HOSTILE}1 started {HOSTILE}\n"
        f"2026-03-01 10:00:01 ERROR {HOSTILE} boom: disk full\n"
        f'Traceback (most recent call last):\n  File "{HOSTILE}", line 1, in f\nValueError: {HOSTILE}\n'
        "2026-03-01 10:00:02 INFO process exited with code 1\n"
    )
    made = _run("build", log, "-o", folder / "case")
    assert made.exit_code == 0, made.output
    assert _quiet(made.output)
    return folder / "case"


def _run(*args: object) -> Result:
    return CliRunner().invoke(commands, [str(a) for a in args])


@pytest.mark.parametrize(
    "words",
    [
        ["show"],
        ["show", "--format", "json"],
        ["show", "RUN"],
        ["show", "RUN", "--format", "json"],
        ["windows", "RUN"],
        ["windows", "RUN", "--format", "json"],
        ["graph", "RUN"],
        ["graph", "RUN", "--format", "json"],
        ["replay", "RUN"],
        ["replay", "RUN", "--format", "json"],
        ["sql", "SELECT message, path FROM events JOIN sources USING (source_id)"],
        ["sql", "SELECT message FROM events", "--format", "json"],
    ],
    ids=" ".join,
)
def test_what_a_command_prints_is_quiet(case: Path, words: list[str]) -> None:
    run = _first_run(case)
    got = _run(*(run if w == "RUN" else w for w in words), "-c", case)

    assert _quiet(got.output), [c for c in got.output if c in _FORBIDDEN]


@pytest.mark.parametrize(
    "words",
    [
        ["build", f"missing{HOSTILE}", "-o", "x"],
        ["show", f"missing{HOSTILE}", "-c", "CASE"],
        ["raw", f"missing{HOSTILE}", "-c", "CASE"],
        ["sql", f"SELECT {HOSTILE}", "-c", "CASE"],
        ["show", f"--{HOSTILE}"],
        [f"{HOSTILE}"],
        ["show", "--format", f"{HOSTILE}"],
        ["show", "-c", f"missing{HOSTILE}"],
    ],
    ids=str,
)
def test_what_is_said_of_a_wrong_argument_is_quiet(
    case: Path, words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from runcase.cli import main

    monkeypatch.setattr(sys, "argv", ["runcase", *(str(case) if w == "CASE" else w for w in words)])
    with pytest.raises(SystemExit) as ended:
        main()

    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.err
    assert _quiet(said.out + said.err), said.err


def _first_run(case: Path) -> str:
    import polars as pl

    return str(pl.read_parquet(case / "analysis" / "runs.parquet")["run_id"].sort()[0])
