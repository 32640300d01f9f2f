"""Cases by where they are kept: in a folder, or at a URL that a folder of this machine mirrors."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runcase.intake.remote import is_url
from runcase.ledger.lease import Lease
from runcase.ledger.mirror import Mirror
from runcase.ledger.objects import Objects
from runcase.ledger.store import Case
from runcase.model.problems import RENEWED

_FOLDER = "runcase-"


def opened(place: str | os.PathLike[str]) -> Case:
    """An existing case. What questions ask of one at a URL is copied to a folder that stays until this process ends.

    Raises:
        RuncaseError: `not_a_case`, `newer_case`; for a URL `missing_extra`, `unreachable`.
    """
    if not is_url(str(place)):
        return Case.open(Path(place))
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    mirror = Mirror(Objects(str(place)), folder)
    mirror.open()
    return Case.open(folder, mirror)


@contextmanager
def held(place: str | os.PathLike[str], make: bool = False) -> Iterator[Case]:
    """A case held for writing; to one at a URL, what was written is sent when the block ends well.

    Args:
        place: A folder or a URL.
        make: Whether a case is made where there is none.

    Raises:
        RuncaseError: `not_a_case`, `newer_case`, `busy`; for a URL `missing_extra`, `unreachable`, `unsupported_place`.
    """
    if not is_url(str(place)):
        case = Case.create(Path(place)) if make else Case.open(Path(place))
        with case.locked(), _noting(lambda: case.renewed):
            yield case
        return
    objects = Objects(str(place))
    with Lease(objects) as lease, tempfile.TemporaryDirectory(prefix=_FOLDER) as folder:
        mirror = Mirror(objects, Path(folder))
        mirror.prepare()
        case = Case.create(Path(folder), mirror) if make else Case.open(Path(folder), mirror)
        with case.locked():
            yield case
        with _noting(lambda: mirror.committed):
            mirror.send(lease)


@contextmanager
def _noting(renewed: Callable[[], bool]) -> Iterator[None]:
    """Notes on whatever ends the block early that the case is no longer the one before it."""
    try:
        yield
    except BaseException as e:
        if renewed():
            e.add_note(RENEWED)
        raise
