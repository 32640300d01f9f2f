"""Damage of the evidence, each place once."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from runcase.report.dossier import Damage


def damaged_once(problems: pl.DataFrame) -> pl.DataFrame:
    """PROBLEMS without those of a container that one of its members states in the same words; order kept."""
    of_members = problems.select(pl.col("path").str.extract("^(.*)!/"), "code", "message").unique()
    return problems.join(of_members, on=["path", "code", "message"], how="anti", maintain_order="left")


def broken_places(damage: Iterable[Damage]) -> tuple[Damage, ...]:
    """The first error of each source: how many places of the evidence are incomplete, and what is wrong there."""
    first: dict[str | None, Damage] = {}
    for x in damage:
        if x.severity == "error":
            first.setdefault(x.path, x)
    return tuple(first.values())
