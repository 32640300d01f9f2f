"""The files of a case: local, or brought from elsewhere; replaced by renames, and held by one writer."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence, Set
from pathlib import Path
from typing import Protocol

from runcase.model.problems import RuncaseError


class Elsewhere(Protocol):
    """Where the files of a case are kept when its folder only mirrors them."""

    name: str
    """The place as messages name it."""

    def bring(self, names: Iterable[str]) -> None:
        """Makes files of the case local that are not yet."""

    def bring_all(self) -> list[str]:
        """Makes every file local; returns those that are not as they were written."""

    def withholds(self, name: str) -> bool:
        """Whether a file is there and has not been made local."""

    def inside(self, folder: str) -> Sequence[str]:
        """Names of the files that lie in a folder of the case, local or not."""


class CaseFiles:
    """The folder of a case.

    Args:
        root: The folder.
        elsewhere: Where its files come from when they are asked for; None when the folder is the case.
    """

    def __init__(self, root: Path, elsewhere: Elsewhere | None = None) -> None:
        self.root = root
        self.name = elsewhere.name if elsewhere is not None else str(root)
        self.renewed = False
        """Whether what a reader is told of it has been replaced through this object."""
        self._elsewhere = elsewhere
        self._held = False

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the case for writing; the lock goes with the process, so a kill leaves none behind.

        Raises:
            RuncaseError: `busy` when another build holds it.
        """
        fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as e:
                raise RuncaseError("busy", f"another build is writing to {self.name}", "wait for it, then retry") from e
            self._held = True
            yield
        finally:
            self._held = False
            os.close(fd)

    def write_text(self, name: str, text: str, durable: bool = False) -> None:
        """Replaces one text file of the case atomically; unchanged content is left alone.

        Faces are not synced: they are made anew from the ledger, and `verify` names one that a power cut took.
        """
        path = self.root / name
        data = text.encode("utf-8", "backslashreplace")
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size == len(data) and path.read_bytes() == data:
                return
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_name(f".{path.name}.new")
        staged.write_bytes(data)
        if durable:
            sync(staged)
        staged.replace(path)

    def has(self, name: str) -> bool:
        """Whether the case has this file."""
        return os.path.isfile(f"{self.root}/{name}") or self._withheld(name)

    def bring_all(self) -> list[str]:
        """Makes every file local; returns those that are known not to be as they were written."""
        return self._elsewhere.bring_all() if self._elsewhere is not None else []

    def _withheld(self, name: str) -> bool:
        return self._elsewhere is not None and self._elsewhere.withholds(name)

    def remove_runs_except(self, folders: set[str]) -> None:
        """Drops dossiers of runs that the conclusions no longer know."""
        runs = self.root / "runs"
        for name in sorted(set(os.listdir(runs)) - folders) if runs.is_dir() else []:
            shutil.rmtree(runs / name)

    def remove_pages_except(self, pattern: str, names: Set[str]) -> None:
        """Drops pages beside the index that it no longer links to."""
        for page in self.root.glob(pattern):
            if page.name not in names:
                page.unlink()


def sync(path: Path) -> None:
    """Waits until a file or folder is on the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_tree(folder: Path) -> None:
    """`sync` of the files of a folder, then of the folder."""
    for path in sorted(folder.iterdir()):
        sync(path)
    sync(folder)
