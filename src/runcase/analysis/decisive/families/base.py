"""What a family of lines is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """Lines of one kind, by a linear-time pattern.

    The weight says how near to a cause such a line usually is: 90 and more names
    what broke (a test, a file and line, an exception, a missing thing), 40 to 80
    says that something broke (totals, general words), below 40 wraps what was said
    before.
    """

    name: str
    pattern: str
    weight: int
    failure: str | None = None
    """Failure class that such a line suggests."""
    after: int = 0
    """How many lines after it belong to the statement."""
    before: int = 0
    """How many lines before it belong to the statement."""
    unless: str | None = None
    """Lines that `pattern` finds and that are none of this family."""
    sure: bool = False
    """The shape alone tells, even where a word of the line is in QUIET."""
    total: bool = False
    """Counts what failed: one such line belongs to the statement of the cause."""
    headed: bool = False
    """The nearest line above that is not indented says where."""


def place(*endings: str) -> str:
    """A file name with one of these endings (a pattern), without any: any file name."""
    return r"[^\s:()\[\]\"']*[\w-]\." + (f"(?:{'|'.join(endings)})" if endings else r"[A-Za-z]\w{0,8}")


FILE = place()
