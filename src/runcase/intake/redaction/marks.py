"""The mark that stands where a secret stood."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

MARK = re.compile(r"\[secret:[a-z0-9_]+:[0-9]+\]")

_ROUNDS = 2000
_VALUES = 1 << 16


@lru_cache(maxsize=4096)
def mark_of(kind: str, secret: bytes) -> str:
    """`[secret:kind:n]`; equal secrets have equal marks in every case, on every machine.

    `n` is 16 bits of a slow digest: it lets a reader see that two places held the
    same value (of fifty different secrets, two share a mark in one case of fifty), and tells
    at most 16 bits about a value, at the price of 2000 rounds a guess. A counter would tell
    nothing, but could not be the same whatever the order in which inputs are read.
    """
    digest = hashlib.pbkdf2_hmac("sha256", secret, b"runcase mark " + kind.encode(), _ROUNDS)
    return f"[secret:{kind}:{int.from_bytes(digest[:8]) % _VALUES}]"
