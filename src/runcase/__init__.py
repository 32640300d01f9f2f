"""The run debugger for exported logs; `runcase.open(CASE)` gives a finished case as polars frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

    from runcase.ledger.opened import OpenCase

__all__ = ["__version__", "open"]

__version__ = "0.1.0"


def open(case: str | os.PathLike[str]) -> OpenCase:
    """The tables of a finished case, in a folder or at a URL.

    Of a case at a URL every table is copied to a temporary folder, which stays until the process ends; raw bytes are
    when they are asked for.

    polars and pyarrow are imported by this call and not before, so that the command line starts at once.

    Raises:
        RuncaseError: `not_a_case`, `newer_case`; for a URL `missing_extra`, `unreachable`.
    """
    from runcase.ledger.opened import opened

    return opened(case)
