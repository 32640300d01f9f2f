"""`runcase readers`: the list, and who takes what."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from click.testing import CliRunner

from runcase.cli import commands
from runcase.intake.readers.registry import READERS


def ask(*args: object) -> str:
    done = CliRunner().invoke(commands, ["readers", *map(str, args)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_every_reader_is_listed_with_the_versions_that_it_was_made_for() -> None:
    rows = json.loads(ask("--format", "json"))
    assert [r["reader"] for r in rows] == sorted(r.name for r in READERS)
    assert all(r["versions"] for r in rows)
    assert ask().count("\n") == len(READERS)


def test_names_of_readers_are_unique() -> None:
    assert len({r.name for r in READERS}) == len(READERS)


def test_each_member_of_an_archive_is_told_with_its_reader_and_the_reason(tmp_path: Path) -> None:
    history = b'{"events":[{"id":1,"previousEventId":0,"type":"ExecutionStarted","timestamp":1}]}'
    with tarfile.open(tmp_path / "logs.tar.gz", "w:gz") as tar:
        for name, data in (("a/history.json", history), ("b.log", b"hello\n"), ("c.bin", bytes(range(256)) * 4)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    rows = {r["path"]: r for r in json.loads(ask(tmp_path, "--format", "json"))}
    inside = [r for p, r in rows.items() if "!/" in p]
    assert [r["reader"] for r in inside] == ["stepfunctions", None, None]
    assert inside[0]["reason"] == "1 events that name their previous one"
    assert "plain text" in inside[1]["reason"]
    assert "no text" in inside[2]["reason"]


def test_a_path_that_is_not_there_is_misuse(tmp_path: Path) -> None:
    done = CliRunner().invoke(commands, ["readers", str(tmp_path / "no")])
    assert done.exit_code != 0


def test_a_hostile_name_is_drawn_and_not_sent_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31m.log").write_text("x\n")
    assert "\x1b" not in ask(tmp_path)
