"""Where the program keeps what it worked out from its own files, as Python keeps compiled modules: in `__pycache__`.

Nothing of the user's inputs is ever kept there.
"""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any


def kept_beside(source: str) -> Path | None:
    """The folder for what follows from a module's own files; None where Python itself keeps nothing.

    Args:
        source: The module's `__file__`.
    """
    if sys.dont_write_bytecode:
        return None
    folder = Path(source).parent / "__pycache__"
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
    return folder if folder.is_dir() else None


def kept(folder: Path | None, name: str, key: str, make: Callable[[], Any]) -> Any:
    """What `make` returned for the same key before, or returns now.

    Args:
        folder: As `kept_beside` names it.
        name: Of the file; one that holds the value of another key is replaced.
        key: Tells values apart: a digest of everything that the value follows from.
        make: Makes the value, which must be one that pickle can write.
    """
    if folder is None:
        return make()
    with suppress(Exception):  # whatever a file of another version, or a damaged one, makes pickle raise
        known, value = pickle.loads((folder / name).read_bytes())
        if known == key:
            return value
    value = make()
    with suppress(OSError):
        put(folder / name, pickle.dumps((key, value), protocol=pickle.HIGHEST_PROTOCOL))
    return value


def put(path: Path, content: bytes) -> None:
    """Writes a file whole: readers see the old one or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
