"""The mark that stands where a secret stood."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from functools import lru_cache

MARK = re.compile(r"\[secret:[a-z0-9_]+:[0-9]+\]")

_ROUNDS = 2000
_VALUES = 1 << 16

_UNGUESSED_BYTES = 24
_UNGUESSED_BITS = 72
_UNGUESSED_RUNS = 0.35
"""Of capitals, of small letters, or of digits, a byte: hexadecimal tokens have 0.47, phrases of words 0.3 and less."""
_RUN = re.compile(rb"[a-z]+|[A-Z]+|[0-9]+")


@lru_cache(maxsize=4096)
def mark_of(kind: str, secret: bytes) -> str:
    """`[secret:kind:n]`; equal secrets have equal marks in every case, on every machine.

    `n` is 16 bits of a slow digest: it lets a reader see that two places held the
    same value (of fifty different secrets, two share a mark in one case of fifty), and tells
    at most 16 bits about a value, at the price of 2000 rounds a guess. What nobody guesses
    takes one round: 0.8 ms each are minutes where every request of a log has a token of its
    own. A counter would tell nothing, but could not be the same whatever the order in which
    inputs are read.
    """
    rounds = 1 if is_beyond_guessing(secret) else _ROUNDS
    digest = hashlib.pbkdf2_hmac("sha256", secret, b"runcase mark " + kind.encode(), rounds)
    return f"[secret:{kind}:{int.from_bytes(digest[:8]) % _VALUES}]"


def is_beyond_guessing(secret: bytes) -> bool:
    """Whether a value looks drawn by a machine: long, of many different bytes, and of no words."""
    if len(secret) < _UNGUESSED_BYTES or len(_RUN.findall(secret)) < _UNGUESSED_RUNS * len(secret):
        return False
    return len(secret) * entropy(secret) >= _UNGUESSED_BITS


def entropy(value: bytes) -> float:
    """Bits a byte, by how often each byte stands in it."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
