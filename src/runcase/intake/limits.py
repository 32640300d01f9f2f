"""Bounds on what is held of a text at once; all are counts, so that a rerun cuts at the same place."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TextLimits:
    """Where a text is cut so that memory stays flat."""

    block_bytes: int = MIB
    """How much is worked on at once; no record depends on it."""
    line_bytes: int = MIB
    """A longer line is kept in fragments, each a record."""
    joined_lines: int = 5000
    """A record of more lines is ended, so that a source that never stamps again cannot grow one without bound."""
    joined_bytes: int = 2 * MIB
    """As `joined_lines`, for long lines."""
    segment_bytes: int = MIB
    """Lines of several writers are joined within stretches of this size of their source."""
    message_chars: int = 64 * 1024
    """Longer messages are cut; their bytes stay referenced."""


DEFAULT = TextLimits()
