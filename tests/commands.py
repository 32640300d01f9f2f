"""The command line as a real process, and the case that it leaves."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Built:
    """A case that a test looks at."""

    root: Path

    def dossiers(self) -> dict[str, dict[str, Any]]:
        """Run id -> dossier.json."""
        found = [json.loads(p.read_bytes()) for p in sorted(self.root.glob("runs/*/dossier.json"))]
        return {d["run"]["run_id"]: d for d in found}

    def markdown(self, run_id: str) -> str:
        """dossier.md of a run."""
        folders: dict[str, str] = json.loads((self.root / "case.json").read_bytes())["runs"]
        return (self.root / "runs" / folders[run_id] / "dossier.md").read_text()

    def tree(self) -> dict[str, bytes]:
        """Every file of the case and its bytes."""
        return {str(p.relative_to(self.root)): p.read_bytes() for p in sorted(self.root.rglob("*")) if p.is_file()}


def command(*args: object) -> list[str]:
    """The words that start the command line in a process of its own."""
    return [sys.executable, "-c", "from runcase.cli import main; main()", *map(str, args)]


def perturbed(**told: object) -> dict[str, str]:
    """An environment in which `tests/perturbed/sitecustomize.py` changes what surrounds a process."""
    path = os.pathsep.join(filter(None, (str(ROOT / "tests" / "perturbed"), os.environ.get("PYTHONPATH"))))
    return {**os.environ, **{name: str(value) for name, value in told.items()}, "PYTHONPATH": path}


def runcase(*args: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> Ended:
    """The command line in a process of its own."""
    done = subprocess.run(command(*args), capture_output=True, text=True, cwd=cwd, env=env, timeout=300, check=False)
    assert "Traceback (most recent call last)" not in done.stderr, done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that `make` fills once for all processes of a test run; the others wait for it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        make(folder := factory.mktemp(name))
        return folder
    folder = factory.getbasetemp().parent / f"{name}-{run}"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder


def build(case: Path, *inputs: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> Built:
    """A case built by the command line."""
    done = runcase("build", *inputs, "-o", case, cwd=cwd, env=env)
    assert done.code == 0, done.err
    return Built(case)
