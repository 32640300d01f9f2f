"""What follows from the program's own files is worked out once, and never trusted beyond them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runcase.model.kept import kept, kept_beside


def counted(values: list[str]) -> str:
    values.append("made")
    return f"value {len(values)}"


def test_a_value_is_made_once_for_a_key(tmp_path: Path) -> None:
    made: list[str] = []
    first = kept(tmp_path, "packs", "a", lambda: counted(made))
    assert [first, kept(tmp_path, "packs", "a", lambda: counted(made))] == ["value 1", "value 1"]


def test_another_key_replaces_the_value(tmp_path: Path) -> None:
    made: list[str] = []
    kept(tmp_path, "packs", "a", lambda: counted(made))
    assert kept(tmp_path, "packs", "b", lambda: counted(made)) == "value 2"
    assert kept(tmp_path, "packs", "a", lambda: counted(made)) == "value 3"
    assert [p.name for p in tmp_path.iterdir()] == ["packs"]


@pytest.mark.parametrize("content", [b"", b"\x80\x05no pickle", b"\x80\x05K\x01.", b"\x80\x05cno.such\nname\n."])
def test_a_damaged_file_is_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "packs").write_bytes(content)
    assert kept(tmp_path, "packs", "a", lambda: "made") == "made"
    assert kept(tmp_path, "packs", "a", lambda: "again") == "made"


def test_without_a_folder_nothing_is_kept() -> None:
    made: list[str] = []
    assert [kept(None, "packs", "a", lambda: counted(made)) for _ in range(2)] == ["value 1", "value 2"]


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    assert kept(tmp_path / "missing", "packs", "a", lambda: "made") == "made"


def test_nothing_is_kept_where_python_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert kept_beside(str(tmp_path / "module.py")) is None
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert kept_beside(str(tmp_path / "module.py")) == tmp_path / "__pycache__"
