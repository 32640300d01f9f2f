"""Inputs on object storage and other places that fsspec reaches, copied into the spool before they are read.

A copy has no time of its own: when an object was put somewhere dates none of its lines.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from runcase.intake.containers.names import visible_name
from runcase.model.problems import RuncaseError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://.+")
_COPY_BYTES = 4 << 20


def is_url(given: str) -> bool:
    """Whether an input is named by a URL and not by a path."""
    return _URL.fullmatch(given) is not None


def remote_files(urls: Sequence[str], spool: Path) -> Iterator[tuple[Path, str]]:
    """A copy of every object that the URLs name, or that lies below them, with its name in the case.

    Raises:
        RuncaseError: `missing_extra`, `missing_path`, `unreachable`.
    """
    for n, url in enumerate(urls):
        storage, root = _storage(url)
        try:
            found = sorted(storage.find(root))
            if not found:
                raise RuncaseError("missing_path", f"no object at {url}", "check the spelling")
            for k, path in enumerate(found):
                place = spool / f"remote-{n}-{k}"
                _copy(storage, path, place)
                yield place, visible_name(_name(root, path))
        except RuncaseError:
            raise
        except FileNotFoundError as e:
            raise RuncaseError("missing_path", f"no object at {url}", "check the spelling") from e
        except Exception as e:  # each storage has errors of its own, from a wrong key to a lost network
            raise RuncaseError("unreachable", f"{url} cannot be read: {type(e).__name__}: {e}") from e


def _storage(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it."""
    try:
        from fsspec.core import url_to_fs

        storage, root = url_to_fs(url)
    except ImportError as e:
        raise RuncaseError("missing_extra", f"{url} needs a library: {e}", "pip install 'runcase[remote]'") from e
    except Exception as e:
        raise RuncaseError("unreachable", f"{url} is not a place that can be read: {e}") from e
    return storage, str(root)


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
