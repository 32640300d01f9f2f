"""Console logs of our own making and what is true of them, kept as text: one file a family of tools.

A file holds samples: `%%% name`, a header of `key: value` lines, `---`, and what the tools print.
In it `== title` begins a command (a step) and `== exit N` ends one. A frame puts it into the log of a CI service.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LOGS = Path(__file__).parent / "logs"
BARE = Path(__file__).parent / "bare"
"""Logs as they are, without a frame around them."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A log and the truth about it."""

    name: str
    frame: str
    body: tuple[str, ...]
    status: str
    failure: str | None
    tests: tuple[int, int, int] | None
    """Tests that ran, failed and were skipped."""
    failed_names: tuple[str, ...]
    never_failed: tuple[str, ...]
    """Names that are none of a test that failed."""
    shows: tuple[str, ...]
    """Lines that the first screen must hold."""
    hides: tuple[str, ...]
    """What it must not hold."""
    why: str
    """What the blocker says among other things."""


def samples(folder: Path = LOGS) -> Iterator[Sample]:
    """All samples of all files of a folder, in order."""
    for path in sorted(folder.glob("*.txt")):
        for part in path.read_text(encoding="utf-8").split("%%% ")[1:]:
            yield _sample(part)


def _sample(part: str) -> Sample:
    head, _, body = part.partition("\n---\n")
    name, *rows = head.splitlines()
    said: dict[str, list[str]] = {}
    for row in rows:
        key, _, value = row.partition(": ")
        said.setdefault(key, []).append(value)
    unknown = said.keys() - {"frame", "status", "class", "tests", "failed", "not failed", "shows", "hides", "why"}
    assert not unknown, f"{name}: {unknown}"
    run, failed, skipped = map(int, said["tests"][0].split()) if "tests" in said else (None, None, None)
    return Sample(
        name=name,
        frame=said.get("frame", ["github"])[0],
        body=tuple(body.rstrip("\n").split("\n")),
        status=said.get("status", ["failed"])[0],
        failure=said.get("class", [None])[0],
        tests=None if run is None or failed is None or skipped is None else (run, failed, skipped),
        failed_names=tuple(said.get("failed", [])),
        never_failed=tuple(said.get("not failed", [])),
        shows=tuple(said.get("shows", [])),
        hides=tuple(said.get("hides", [])),
        why=said.get("why", [""])[0],
    )
