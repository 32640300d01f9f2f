"""Everything known about one run as one typed value; `dossier.json` is this value, spelled out.

The field names are the contract of `runcase/dossier/1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SCHEMA = "runcase/dossier/1"


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence and the raw refs that prove it."""

    text: str
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of the run; instants are ISO 8601 in UTC with microseconds, or null."""

    attempt: int
    status: str
    workspace_id: str | None
    trace_id: str | None
    bundle: str | None
    host: str | None
    created_at: str | None
    claimed_at: str | None
    started_at: str | None
    finished_at: str | None
    exit_code: int | None
    events: int


@dataclass(frozen=True, slots=True)
class Run:
    """The frame: identity, status and instants."""

    run_id: str
    status: str
    status_basis: str
    status_refs: tuple[str, ...]
    claimed_status: str | None
    parent_run_id: str | None
    job: str | None
    bundle: str | None
    workspace_id: str | None
    trace_id: str | None
    created_at: str | None
    claimed_at: str | None
    started_at: str | None
    finished_at: str | None
    first_ts: str | None
    last_ts: str | None
    identity: str
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Considered:
    """A failure class that was weighed and not chosen."""

    failure_class: str
    rejected_because: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The verdict. Spelled `class` in JSON; null for a run that did not fail."""

    failure_class: str
    confidence: str
    blocker: Statement
    evidence: tuple[Statement, ...]
    considered: tuple[Considered, ...]
    signature: str
    decisive: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a list of known issues says of this failure."""

    ticket: str
    url: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A window, stage, tool call, gap or residual of an attempt (null: the run as a whole)."""

    name: str
    kind: str
    attempt: int | None
    state: str
    start: str | None
    end: str | None
    duration_us: int | None
    uncertainty_us: int | None
    reason: str | None
    searched: str | None
    detail: str | None
    proof: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signal:
    """A typed observation: an absence, a contradiction, an observation."""

    code: str
    verdict: str
    text: str
    searched: str
    refs: tuple[str, ...]
    attempt: int | None = None

    @property
    def blind(self) -> bool:
        """A question that no evidence answers; a section of its own."""
        return self.code.startswith("blind_spot")


@dataclass(frozen=True, slots=True)
class Artifact:
    """An artifact and how far its claims hold."""

    artifact_id: str
    kind: str | None
    path: str | None
    size_bytes: int | None
    checksum: str | None
    state: str
    state_text: str
    producer: str | None
    attempt: int | None
    consumers: tuple[str, ...]
    written_at: str | None
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge of lineage."""

    subject: str
    relation: str
    object: str
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Blocker:
    """Why a replay may not start."""

    code: str
    text: str
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """From where the run can be rerun; text, never executed."""

    start: str | None
    reuse: tuple[str, ...]
    redo: tuple[str, ...]
    not_redo: tuple[str, ...]
    blockers: tuple[Blocker, ...]
    counterfactuals: tuple[str, ...]
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tests:
    """Results of a test tool, as its report or console output states them."""

    tool: str
    run: int
    passed: int
    failed: int
    skipped: int
    failed_names: tuple[str, ...]
    earlier_tries: int
    """Tries of a command that was tried again; none of their tests is counted."""


@dataclass(frozen=True, slots=True)
class ExcerptLine:
    """One displayed line: its ref, number in the source, text (through `present`), and whether it decides."""

    ref: str
    line: int
    text: str
    decisive: bool
    ts: str | None = None
    level: str | None = None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of raw lines around decisive ones; `ref` covers all of it."""

    ref: str
    path: str
    lines: tuple[ExcerptLine, ...]


@dataclass(frozen=True, slots=True)
class Damage:
    """Evidence that is incomplete, and where."""

    code: str
    severity: str
    path: str | None
    text: str
    ref: str | None


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """An event that the timeline and the ledger view name."""

    event_id: str
    ref: str
    ts: str | None
    ts_basis: str
    attempt: int | None
    kind: str
    stage: str | None
    level: str | None
    summary: str
    rule: str | None


@dataclass(frozen=True, slots=True)
class Cited:
    """A record that a statement rests on and that no excerpt shows: where it stands and its first line."""

    ref: str
    path: str | None
    line: int | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Source:
    """A source of the run; the first part of every ref is its `source_id`."""

    source_id: str
    path: str
    size_bytes: int
    sha256: str | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the dossier rests on, in bytes, lines and events."""

    sources: int
    bytes: int
    lines: int
    events: int
    unknown: int
    quarantined: int
    overhead: int


@dataclass(frozen=True, slots=True)
class Dossier:
    """One run."""

    run: Run
    failure: Failure | None
    windows: tuple[Window, ...]
    stages: tuple[Window, ...]
    tools: tuple[Window, ...]
    gaps: tuple[Window, ...]
    signals: tuple[Signal, ...]
    contradictions: tuple[Signal, ...]
    artifacts: tuple[Artifact, ...]
    edges: tuple[Edge, ...]
    replay: Replay | None
    tests: Tests | None
    next_actions: tuple[str, ...]
    excerpts: tuple[Excerpt, ...]
    events: tuple[KeyEvent, ...]
    evidence_damage: tuple[Damage, ...]
    sources: tuple[Source, ...]
    coverage: Coverage
    provenance: Mapping[str, str]
    cited: tuple[Cited, ...] = ()
    known_issue: Ticket | None = None
