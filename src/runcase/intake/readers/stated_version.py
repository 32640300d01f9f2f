"""Where a source states the version of its format or producer, and what is said when its reader was not made for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runcase.model.problems import Problem

MAX_SEARCHED = 1024 * 1024
"""Versions stand near the begin of a source, or in each of its entries."""


@dataclass(frozen=True, slots=True)
class StatedVersion:
    """How a source states its version, and which ones the reader was made for."""

    stated: re.Pattern[bytes]
    """The version is its first group."""
    made: re.Pattern[bytes]
    """What the whole version looks like when it is one of those; words such as `development version` are none."""

    def misfits(self, data: bytes, versions: str) -> list[Problem]:
        """One problem for the first version that the reader was not made for, with its place.

        Args:
            data: The document, or the begin of a text.
            versions: The versions that the reader was made for, in words.
        """
        for found in self.stated.finditer(data, 0, MAX_SEARCHED):
            if found[1] and not self.made.fullmatch(found[1]):
                said = f"version {found[1].decode('utf-8', 'replace')[:40]}"
                return [
                    Problem(
                        "version_not_known",
                        "warning",
                        f"the source states {said}; its reader was made for {versions}, and read what it knows",
                        byte_start=found.start(1),
                        byte_len=len(found[1]),
                        line=data.count(b"\n", 0, found.start(1)) + 1,
                    )
                ]
        return []


def stated(pattern: bytes, made: bytes) -> StatedVersion:
    """A `StatedVersion` of two patterns."""
    return StatedVersion(re.compile(pattern), re.compile(made))
