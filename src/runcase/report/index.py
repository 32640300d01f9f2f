"""Every run of a case as one typed value: failures first, grouped by what failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from runcase.model.case import Conclusions, Facts
from runcase.model.text import present_line
from runcase.report.words import duration_words, iso

FAILED = ("failed", "timed_out", "lost")

_ORDER = {"failed": 0, "timed_out": 1, "lost": 2, "cancelled": 3, "running": 4, "succeeded": 5}


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run as a list shows it."""

    run_id: str
    folder: str
    status: str
    job: str | None
    attempts: int
    first_ts: str | None
    last_ts: str | None
    took: str | None
    failure_class: str | None
    confidence: str | None
    blocker: str | None
    signature: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Failed runs with the same signature."""

    signature: str
    failure_class: str
    blocker: str
    count: int
    first_seen: str | None
    last_seen: str | None
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DamagedSource:
    """A source whose evidence is incomplete."""

    path: str
    verdict: str
    text: str


@dataclass(frozen=True, slots=True)
class Index:
    """All runs of a case."""

    counts: Mapping[str, int]
    runs: tuple[RunLine, ...]
    groups: tuple[Group, ...]
    damage: tuple[DamagedSource, ...]
    unassigned: tuple[str, ...]
    sources: int
    bytes: int
    events: int


def index(facts: Facts, conclusions: Conclusions, folders: Mapping[str, str]) -> Index:
    """The index of a case; `folders` maps run ids to folders under runs/."""
    verdicts = conclusions.diagnoses.filter(pl.col("rank") == 0).select(
        "run_id", "class", "confidence", "text", "signature"
    )
    runs = conclusions.runs.join(verdicts, on="run_id", how="left", maintain_order="left").sort(
        pl.col("status").replace_strict(_ORDER, default=9), "last_ts", "run_id", descending=[False, True, False]
    )
    lines = tuple(_line(r, folders) for r in runs.iter_rows(named=True))
    sources = facts.sources.collect()
    counts = runs["status"].value_counts().sort(pl.col("status").replace_strict(_ORDER, default=9))
    return Index(
        counts=dict(zip(counts["status"].to_list(), counts["count"].to_list(), strict=True)),
        runs=lines,
        groups=_groups(lines),
        damage=_damage(facts),
        unassigned=_unassigned(sources, conclusions),
        sources=sources.height,
        bytes=int(sources.filter(pl.col("parent_id").is_null())["size_bytes"].sum() or 0),
        events=int(sources["events"].sum() or 0),
    )


def _line(r: dict[str, object], folders: Mapping[str, str]) -> RunLine:
    begin, end = r["created_at"] or r["first_ts"], r["finished_at"] or r["last_ts"]
    return RunLine(
        run_id=present_line(str(r["run_id"])),
        folder=folders.get(str(r["run_id"]), ""),
        status=str(r["status"]),
        job=present_line(str(r["job"])) if r["job"] else None,
        attempts=int(str(r["attempts"])),
        first_ts=iso(r["first_ts"]),
        last_ts=iso(r["last_ts"]),
        took=duration_words(begin, end),
        failure_class=str(r["class"]) if r["class"] else None,
        confidence=str(r["confidence"]) if r["confidence"] else None,
        blocker=present_line(str(r["text"])) if r["text"] else None,
        signature=str(r["signature"]) if r["signature"] else None,
    )


def _groups(lines: tuple[RunLine, ...]) -> tuple[Group, ...]:
    by_signature: dict[str, list[RunLine]] = {}
    for line in lines:
        if line.status in FAILED:
            by_signature.setdefault(line.signature or line.failure_class or "unknown_failure", []).append(line)
    groups = [
        Group(
            signature=signature,
            failure_class=found[0].failure_class or "unknown_failure",
            blocker=found[0].blocker or "",
            count=len(found),
            first_seen=min((r.first_ts for r in found if r.first_ts), default=None),
            last_seen=max((r.last_ts for r in found if r.last_ts), default=None),
            runs=tuple(r.run_id for r in found),
        )
        for signature, found in by_signature.items()
    ]
    return tuple(sorted(groups, key=lambda g: (-g.count, g.failure_class, g.signature)))


def _damage(facts: Facts) -> tuple[DamagedSource, ...]:
    worst = facts.problems.filter(pl.col("severity") == "error").sort("path", "byte_start", "code", nulls_last=True)
    return tuple(
        DamagedSource(present_line(p["path"] or ""), p["code"], present_line(p["message"]))
        for p in worst.head(200).collect().iter_rows(named=True)
    )


def _unassigned(sources: pl.DataFrame, conclusions: Conclusions) -> tuple[str, ...]:
    """Paths of text and documents that belong to no run."""
    alone = sources.filter(
        ~pl.col("source_id").is_in(conclusions.members["source_id"].implode()) & (pl.col("kind") == "file")
    )
    return tuple(present_line(p) for p in alone.sort("path", "ordinal")["path"].to_list())
