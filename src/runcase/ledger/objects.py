"""Objects below a URL: the few things that a case asks of a storage, whatever storage it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from runcase.intake.remote import found_below, reaching, shown, storage_at
from runcase.model.problems import RuncaseError

AT_ONCE = 16
"""Requests under way together, where the storage's library can."""

Item = TypeVar("Item")
Found = TypeVar("Found")


class Objects:
    """What lies below a URL, by its name there.

    Raises:
        RuncaseError: `missing_extra`, and `unreachable` by every method for whatever the storage fails by.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.shown = shown(self.url)

    @cached_property
    def _reached(self) -> tuple[Any, str]:
        """The storage and the path in it; a process that asks nothing loads no library."""
        storage, root = storage_at(self.url)
        return storage, root.rstrip("/")

    @property
    def _storage(self) -> Any:
        return self._reached[0]

    @property
    def _at_once(self) -> int:
        return AT_ONCE if getattr(self._storage, "async_impl", False) else 1

    def __reduce__(self) -> tuple[type[Objects], tuple[str]]:
        return Objects, (self.url,)

    def sizes(self, below: str = "") -> dict[str, int]:
        """Name of every object -> its size; of those whose names begin with the folder `below`, where one is given."""
        with reaching(self.url):
            self._storage.invalidate_cache()
            try:
                found = found_below(self._storage, self._path(below).rstrip("/"))
            except FileNotFoundError:
                return {}
        inside = self._path("")
        return {p.removeprefix(inside): int(i.get("size") or 0) for p, i in found.items() if p.startswith(inside)}

    def read(self, name: str) -> bytes | None:
        """The bytes of an object; None when it is not there."""
        with reaching(self.url):
            try:
                return bytes(self._storage.cat_file(self._path(name)))
            except FileNotFoundError:
                return None

    def fetch(self, wanted: Sequence[tuple[str, Path]]) -> None:
        """Copies objects to files; for one that is not there, there is no file."""

        def fetched(pair: tuple[str, Path]) -> None:
            try:
                self._storage.get_file(self._path(pair[0]), str(pair[1]))
            except FileNotFoundError:
                pair[1].unlink(missing_ok=True)

        self._each(fetched, wanted)

    def write(self, name: str, data: bytes) -> None:
        """Makes or replaces an object."""
        with reaching(self.url):
            self._made(lambda: self._storage.pipe_file(self._path(name), data), name)

    def create(self, name: str, data: bytes) -> bool:
        """Makes an object; False when there is one already. `data` tells this writer from all others."""
        with reaching(self.url):
            try:
                self._made(lambda: self._storage.pipe_file(self._path(name), data, mode="create"), name)
            except (NotImplementedError, ValueError, TypeError) as e:
                raise not_exclusive(self.shown) from e
            except FileExistsError:
                # a library repeats a request whose answer was lost: then it is this writer's own that is there
                return self.read(name) == data
            return True

    def send(self, files: Sequence[tuple[Path, str]]) -> None:
        """Copies files to objects; each appears as a whole."""
        self._each(lambda f: self._made(lambda: self._storage.put_file(str(f[0]), self._path(f[1])), f[1]), files)

    def copy(self, pairs: Mapping[str, str]) -> None:
        """Makes or replaces each object of `pairs` by a copy, within the storage, of the one that it is mapped to."""
        self._each(
            lambda p: self._made(lambda: self._storage.cp_file(self._path(p[1]), self._path(p[0])), p[0]),
            list(pairs.items()),
        )

    def remove(self, names: Iterable[str]) -> None:
        """Removes objects; what is gone already is no matter."""
        paths = [self._path(n) for n in names]
        with reaching(self.url):
            try:
                if paths:
                    self._storage.rm(paths)
            except FileNotFoundError:
                for path in paths:
                    with contextlib.suppress(FileNotFoundError):
                        self._storage.rm_file(path)

    def _path(self, name: str) -> str:
        return f"{self._reached[1]}/{name}"

    def _made(self, make: Callable[[], object], name: str) -> None:
        """Makes an object, and its folder where the storage has such things."""
        try:
            make()
        except FileNotFoundError as e:
            if self._at_once > 1:
                hint = "make the bucket first, and check the spelling"
                raise RuncaseError("missing_path", f"nothing can be put at {self.shown}: {e}", hint) from e
            self._storage.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)
            make()

    def _each(self, do: Callable[[Item], Found], items: Sequence[Item]) -> None:
        """Several at once; the first error ends it."""
        with reaching(self.url):
            if self._at_once == 1 or len(items) < 2:
                for item in items:
                    do(item)
                return
            with ThreadPoolExecutor(self._at_once) as pool:
                tasks = [pool.submit(do, item) for item in items]
                try:
                    for task in tasks:
                        task.result()
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise


def not_exclusive(place: str) -> RuncaseError:
    """That a storage does not refuse to make an object twice, without which two builds could undo each other."""
    what = f"{place}: this storage cannot make an object only where there is none"
    return RuncaseError("unsupported_place", what, "keep the case in a folder, or on S3, Google Cloud Storage or Azure")
