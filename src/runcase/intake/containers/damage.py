"""What evidence is worth, and damage as an exception that ends one stream of bytes and no more."""

from __future__ import annotations

from typing import Literal

Verdict = Literal["ok", "empty", "over_budget", "unsupported", "encrypted", "truncated", "corrupt"]

_RANK: tuple[Verdict, ...] = ("ok", "empty", "over_budget", "unsupported", "encrypted", "truncated", "corrupt")


def worse(a: Verdict, b: Verdict) -> Verdict:
    """The graver of two verdicts."""
    return max(a, b, key=_RANK.index)


class DamageError(Exception):
    """Decoding cannot go on; what was yielded before stands.

    Args:
        code: A code of PROBLEM_CODES.
        verdict: What the source that is being decoded is worth.
        at: Offset in the container where it went wrong.
        message: What was found and what was expected.
    """

    def __init__(self, code: str, verdict: Verdict, at: int, message: str) -> None:
        super().__init__(message)
        self.code, self.verdict, self.at, self.message = code, verdict, at, message
