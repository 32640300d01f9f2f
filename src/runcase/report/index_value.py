"""Every run of a case as one typed value: failures first, grouped by what failed, and what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
    build: int = 0
    """Position of the build that the run came with, 0 for the earliest."""
    took_us: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Failed runs with the same signature. `known` is `new` or `known` against earlier builds, empty without any."""

    signature: str
    failure_class: str
    blocker: str
    count: int
    first_seen: str | None
    last_seen: str | None
    runs: tuple[str, ...]
    jobs: tuple[str, ...] = ()
    known: str = ""
    in_last_build: int = 0
    ticket: str | None = None
    url: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class StripRun:
    """One run of a job's strip; `share` is its duration against the longest of the strip, 0 to 1."""

    run_id: str
    status: str
    took: str | None
    share: float


@dataclass(frozen=True, slots=True)
class JobStrip:
    """A job's latest runs in order of time, and how often it failed over all its runs."""

    job: str
    runs: tuple[StripRun, ...]
    total: int
    failed: int
    last_status: str
    median: str | None


@dataclass(frozen=True, slots=True)
class Changes:
    """The latest build against all before it; groups by signature, jobs by name."""

    counts: Mapping[str, int]
    new: tuple[str, ...]
    again: tuple[str, ...]
    not_seen: tuple[str, ...]
    broke: tuple[str, ...]
    recovered: tuple[str, ...]


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
    builds: int = 1
    jobs: tuple[JobStrip, ...] = ()
    changes: Changes | None = None
