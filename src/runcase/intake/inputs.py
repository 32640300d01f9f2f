"""What the command line names, as files to read: folders searched, pipes spooled, links recorded.

A link inside a folder is evidence that it is there; it is never followed. What
is named directly is what the user wants read, link or not.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from runcase.intake.containers.names import visible_name
from runcase.intake.readers.github_files import is_step
from runcase.model.problems import RuncaseError

STDIN = "stdin"
"""What standard input is called in a case."""

MAX_SPOOLED_BYTES = 64 << 30
_COPY_BYTES = 1 << 20
_BEGIN_BYTES = 200
"""Of a file that may be a step's."""


def input_files(inputs: Sequence[Path], case: Path, spool: Path) -> Iterator[tuple[Path, str]]:
    """Every file, link and device of the inputs with its name in the case: `file` or `folder/path/file`.

    Args:
        inputs: As the command line names them; `-` is standard input.
        case: The case being built, which is no input even where it lies in one.
        spool: Folder for what can be read only once.

    Raises:
        RuncaseError: `input_too_large`.
    """
    own = case.resolve()
    steps = _steps(inputs)
    for given in inputs:
        if str(given) == "-":
            yield _spooled(sys.stdin.buffer, spool, STDIN), STDIN
        elif given.is_fifo():
            with given.open("rb") as pipe:
                yield _spooled(pipe, spool, given.name), visible_name(given.name)
        elif given.is_dir():
            root = given.resolve()
            for path in sorted(root.rglob("*")):
                if (path.is_symlink() or not path.is_dir()) and own not in path.parents:
                    yield path, visible_name(f"{root.name}/{path.relative_to(root).as_posix()}")
        else:
            path = given.resolve()
            yield path, visible_name(f"{path.parent.name}/{path.name}" if path in steps else path.name)


def _steps(inputs: Sequence[Path]) -> set[Path]:
    """Of files that are named one by one, steps of a job: only the folder that several lie in says what they are of."""
    beside: dict[Path, list[Path]] = {}
    for given in inputs:
        path = given.resolve()
        if path.parent.name and path.is_file() and is_step(path.name, partial(_begin, path)):
            beside.setdefault(path.parent, []).append(path)
    return {path for paths in beside.values() if len(set(paths)) > 1 for path in paths}


def _begin(path: Path) -> bytes:
    try:
        with path.open("rb") as f:
            return f.read(_BEGIN_BYTES)
    except OSError:
        return b""


def fingerprint(path: Path) -> tuple[str, int]:
    """SHA-256 and size of an input; of a link's target, or of nothing, where there is no content to read."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            with path.open("rb") as f:
                return hashlib.file_digest(f, "sha256").hexdigest(), path.stat().st_size
        told = os.readlink(os.fsencode(path)) if stat.S_ISLNK(mode) else b""
    except OSError:
        told = b""
    return hashlib.sha256(told).hexdigest(), 0


@contextmanager
def spooling(spool: Path) -> Iterator[Path]:
    """A folder for spooled inputs, made when needed and removed at the end; what a killed build left goes first."""
    shutil.rmtree(spool, ignore_errors=True)
    try:
        yield spool
    finally:
        shutil.rmtree(spool, ignore_errors=True)


def _spooled(pipe: IO[bytes], spool: Path, name: str) -> Path:
    """The bytes of a pipe as a file: they are digested first and read then, and they may be larger than memory."""
    spool.mkdir(exist_ok=True)
    path = spool / name
    copied = 0
    with path.open("wb") as out:
        while data := pipe.read(_COPY_BYTES):
            copied += len(data)
            if copied > MAX_SPOOLED_BYTES:
                message = f"{name} yields more than {MAX_SPOOLED_BYTES:,} bytes"
                raise RuncaseError("input_too_large", message, "write it to a file and name that")
            out.write(data)
    os.utime(path, (0, 0))  # it has no time of its own that could date its lines
    return path
