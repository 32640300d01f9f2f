"""Identities that are equal on every machine: sources, events, and refs to raw bytes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import polars as pl

from runcase.model.problems import RuncaseError

_REF = re.compile(r"([0-9a-f]{12}):([0-9]{1,18})\+([0-9]{1,18})")


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """`source_id:byte_start+byte_len`: bytes of evidence."""

    source_id: str
    byte_start: int
    byte_len: int

    def __str__(self) -> str:
        return f"{self.source_id}:{self.byte_start}+{self.byte_len}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        """The ref that `text` spells.

        Raises:
            RuncaseError: code `bad_ref`.
        """
        m = _REF.fullmatch(text.strip())
        if m is None:
            raise RuncaseError("bad_ref", f"not a raw ref: {text!r}", "a ref looks like 0123456789ab:4711+80")
        return cls(m[1], int(m[2]), int(m[3]))


def source_id(input_sha256: str, path: str, ordinal: int) -> str:
    """12 hex digits for a source: digest of the input file, path (through nested archives) and ordinal."""
    return hashlib.sha256(f"{input_sha256}\0{path}\0{ordinal}".encode("utf-8", "surrogateescape")).hexdigest()[:12]


def ref_of() -> pl.Expr:
    """The ref of each row that has `source_id`, `byte_start` and `byte_len`; null where one of them is null."""
    return pl.format("{}:{}+{}", pl.col("source_id"), pl.col("byte_start"), pl.col("byte_len"))


def event_id_of() -> pl.Expr:
    """`event_id` of each row that has `source_id` and `byte_start`."""
    return pl.format("evt_{}_{}", pl.col("source_id"), pl.col("byte_start"))
