"""Inputs on object storage and other places that fsspec reaches, copied into the spool before they are read.

A copy has no time of its own: when an object was put somewhere dates none of its lines.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runcase.intake.containers.names import visible_name
from runcase.model.problems import RuncaseError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://.+")
_SECRET_PARTS = re.compile(r"(?<=://)[^/@]*@|[?#].*")
_FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the disk of this machine says, and no storage."""

_COPY_BYTES = 4 << 20


def is_url(given: str) -> bool:
    """Whether an input or a case is named by a URL and not by a path."""
    return _URL.fullmatch(given) is not None


def shown(given: str) -> str:
    """A path as it is; a URL without what may be secret in it: user, password, query."""
    return _SECRET_PARTS.sub("", given) if is_url(given) else given


def remote_files(urls: Sequence[str], spool: Path, case: str = "") -> Iterator[tuple[Path, str]]:
    """A copy of every object that the URLs name, or that lies below them, with its name in the case.

    Args:
        urls: Of objects and of what they lie below.
        spool: Folder for the copies.
        case: Place of the case being built, which is no input even where it lies below one.

    Raises:
        RuncaseError: `missing_extra`, `missing_path`, `unreachable`.
    """
    own = storage_at(case) if is_url(case) and urls else None
    for n, url in enumerate(urls):
        storage, root = storage_at(url)
        try:
            with reaching(url):
                found = [path for path in sorted(found_below(storage, root)) if not _below(own, storage, path)]
                if not found:
                    raise FileNotFoundError(root)
                for k, path in enumerate(found):
                    place = spool / f"remote-{n}-{k}"
                    _copy(storage, path, place)
                    yield place, visible_name(_name(root, path))
        except FileNotFoundError as e:
            raise RuncaseError("missing_path", f"no object at {shown(url)}", "check the spelling") from e


def storage_at(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it.

    Raises:
        RuncaseError: `missing_extra`, `unreachable`.
    """
    try:
        from fsspec.core import url_to_fs

        storage, root = url_to_fs(url)
    except ImportError as e:
        hint = "pip install 'runcase[remote]', and the library of the storage: s3fs, gcsfs, adlfs, ..."
        raise RuncaseError("missing_extra", f"{shown(url)} needs a library: {_told(e, url)}", hint) from e
    except Exception as e:
        message = f"{shown(url)} is not a place that can be reached: {_told(e, url)}"
        raise RuncaseError("unreachable", message) from e
    return storage, str(root)


def found_below(storage: Any, root: str) -> dict[str, dict[str, Any]]:
    """What a storage knows of every object at or below a path, by its path.

    Raises:
        FileNotFoundError: When there is none.
    """
    found: dict[str, dict[str, Any]] = storage.find(root, detail=True)
    if not found:
        storage.ls(root)  # some storages find nothing in what they cannot list: this says why
    return found


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Says in one way what storages fail by; that something is missing or there already is an answer and passes.

    Raises:
        RuncaseError: `unreachable`.
    """
    try:
        yield
    except (RuncaseError, FileNotFoundError, FileExistsError):
        raise
    except Exception as e:  # each storage has errors of its own, from a wrong key to a lost network
        if isinstance(e, OSError) and e.errno in _FULL:
            raise
        message = f"{shown(url)} cannot be reached: {type(e).__name__}: {_told(e, url)}"
        raise RuncaseError("unreachable", message) from e


def _told(error: Exception, url: str) -> str:
    """What an error says, without the secrets that it may repeat."""
    from runcase.intake.redaction.redactor import redacted_text

    return redacted_text(str(error).replace(url, shown(url)))


def _below(own: tuple[Any, str] | None, storage: Any, path: str) -> bool:
    """Whether an object is part of the case."""
    return own is not None and type(own[0]) is type(storage) and path.startswith(own[1].rstrip("/") + "/")


def _name(root: str, path: str) -> str:
    """The last part of what was named, and what follows below it."""
    base = root.rstrip("/")
    below = path.removeprefix(base).strip("/")
    last = base.rpartition("/")[2]
    return f"{last}/{below}" if below else last


def _copy(storage: Any, path: str, place: Path) -> None:
    place.parent.mkdir(exist_ok=True)
    with storage.open(path, "rb") as source, place.open("wb") as out:
        while data := source.read(_COPY_BYTES):
            out.write(data)
    os.utime(place, (0, 0))
