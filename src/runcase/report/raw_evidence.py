"""The answer to `runcase raw`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawEvidence:
    """What a ref resolves to; `data` is None when the bytes were not kept, and `known` says what remains."""

    ref: str
    path: str | None
    data: bytes | None
    known: str
