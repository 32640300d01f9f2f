"""What a ticket says after the first screen, section by section, in any dialect.

Text from the evidence is printed through the dialect's `code`, `prose` or `fence` and in no other way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from runcase.report.dialects import Dialect
from runcase.report.dossier import Dossier, Signal
from runcase.report.instants import micros
from runcase.report.mermaid import flowchart
from runcase.report.words import bytes_words, clock, micros_words

MAX_ROWS = 60
MAX_TOOLS = 40

RUNGS = ("raw", "key events", "graph", "evidence", "windows")
"""What goes first when there is too much; the verdict before them goes never."""


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part; `rung` says how early it is dropped."""

    title: str
    rung: str
    lines: tuple[str, ...]


def sections(d: Dossier, m: Dialect) -> list[Section]:
    """Every part that has something to say, in reading order."""
    found = ((title, rung, tuple(part(d, m))) for title, rung, part in _PARTS)
    return [Section(title, rung, lines) for title, rung, lines in found if lines]


def _time(ts: str | None, m: Dialect) -> str:
    return clock(ts) if ts is None or micros(ts) is not None else m.code(ts)


def _refs(refs: Sequence[str], m: Dialect) -> str:
    return " ".join(m.code(r) for r in refs[:4]) + (f" and {len(refs) - 4} more" if len(refs) > 4 else "")


def _evidence(d: Dossier, m: Dialect) -> Iterator[str]:
    for e in d.failure.evidence if d.failure else ():
        yield m.item(f"{m.prose(e.text)} {_refs(e.refs, m)}".rstrip())


def _attempts(d: Dossier, m: Dialect) -> list[str]:
    rows = [
        (
            str(a.attempt),
            m.prose(a.status),
            *(_time(ts, m) for ts in (a.created_at, a.claimed_at, a.started_at, a.finished_at)),
            "-" if a.exit_code is None else str(a.exit_code),
            m.code(a.workspace_id or ""),
            m.code(a.host or ""),
        )
        for a in d.run.attempts
    ]
    return m.table(
        ("attempt", "status", "created", "claimed", "started", "finished", "exit", "workspace", "host"), rows
    )


def _windows(d: Dossier, m: Dialect) -> list[str]:
    rows = [
        (
            m.prose(w.kind),
            m.code(w.name),
            "-" if w.attempt is None else str(w.attempt),
            m.prose(w.state),
            _time(w.start, m),
            _time(w.end, m),
            micros_words(w.duration_us) if w.duration_us is not None else "-",
            " ".join(m.code(x) for x in (w.reason, w.detail) if x) or "-",
        )
        for w in (*d.windows, *d.stages, *d.gaps, *d.tools[:MAX_TOOLS])
    ]
    left = len(d.tools) - MAX_TOOLS
    more = ["", f"{left} more tool calls are in dossier.json"] if left > 0 else []
    return [*m.table(("kind", "name", "attempt", "state", "start", "end", "took", "note"), rows), *more]


def _signals(signals: Sequence[Signal], m: Dialect) -> Iterator[str]:
    for s in signals:
        searched = f" ({m.prose(s.searched)})" if s.searched and s.verdict != "observed" else ""
        said = f"{m.code(s.code)} ({m.prose(s.verdict)}): {m.prose(s.text)}{searched}"
        yield m.item(f"{said} {_refs(s.refs, m)}".rstrip())


def _artifacts(d: Dossier, m: Dialect) -> list[str]:
    rows = [
        (
            m.code(a.artifact_id),
            m.code(a.kind or ""),
            m.prose(a.state),
            bytes_words(a.size_bytes) if a.size_bytes is not None else "-",
            m.code(a.producer or ""),
            m.code((a.checksum or "")[:23]),
            m.prose(a.state_text),
        )
        for a in d.artifacts[:MAX_ROWS]
    ]
    left = len(d.artifacts) - MAX_ROWS
    more = ["", f"{left} more are in dossier.json"] if left > 0 else []
    return [*m.table(("artifact", "kind", "state", "size", "producer", "checksum", "because"), rows), *more]


def _picture(d: Dossier, m: Dialect) -> list[str]:
    lines = flowchart(d) if m.diagrams else []
    return ["```mermaid", *lines, "```"] if lines else []


def _replay(d: Dossier, m: Dialect) -> Iterator[str]:
    r = d.replay
    if r is None:
        return
    yield m.item(f"start: {m.code(r.start)}" if r.start else "start: no safe start is known")
    for title, items in (("reuse", r.reuse), ("redo", r.redo), ("do not redo", r.not_redo), ("commands", r.commands)):
        if items:
            yield m.item(f"{title}: {', '.join(m.code(x) for x in items)}")
    for b in r.blockers:
        how = "not later, for" if r.start else "blocked by"
        yield m.item(f"{how} {m.code(b.code)}: {m.prose(b.text)} {_refs(b.refs, m)}".rstrip())
    for c in r.counterfactuals:
        yield m.item(m.prose(c))


def _failed_tests(d: Dossier, m: Dialect) -> Iterator[str]:
    for name in d.tests.failed_names[:100] if d.tests else ():
        yield m.item(m.code(name))


def _considered(d: Dossier, m: Dialect) -> Iterator[str]:
    for c in d.failure.considered if d.failure else ():
        yield m.item(f"{m.code(c.failure_class)}: {m.prose(c.rejected_because)}")


def _damage(d: Dossier, m: Dialect) -> Iterator[str]:
    for x in d.evidence_damage:
        yield m.item(f"{m.prose(x.severity)} {m.code(x.code)} in {m.code(x.path or '')}: {m.code(x.text)}")


def _key_events(d: Dossier, m: Dialect) -> list[str]:
    rows = [(_time(e.ts, m), m.code(e.kind), m.code(e.summary), m.code(e.ref)) for e in d.events[:MAX_ROWS]]
    left = len(d.events) - MAX_ROWS
    more = ["", f"{left} more are in dossier.json"] if left > 0 else []
    return [*m.table(("time", "kind", "event", "ref"), rows), *more]


def _raw(d: Dossier, m: Dialect) -> Iterator[str]:
    for n, e in enumerate(d.excerpts):
        if n:
            yield ""
        yield f"{m.code(e.path)} line {e.lines[0].line if e.lines else '?'}, {m.code('runcase raw ' + e.ref)}"
        yield from m.fence(line.text for line in e.lines)


def _coverage(d: Dossier, m: Dialect) -> Iterator[str]:
    c = d.coverage
    example = d.failure.decisive[0] if d.failure and d.failure.decisive else "source_id:byte_start+byte_len"
    yield (
        f"{c.sources} source(s), {c.bytes:,} bytes, {c.lines:,} lines, {c.events:,} events, "
        f"{c.unknown:,} of them unknown, {c.quarantined:,} bytes quarantined."
    )
    yield f"A ref such as {m.code(example)} resolves with {m.code('runcase raw REF')}."


Part = Callable[[Dossier, Dialect], Sequence[str] | Iterator[str]]

_PARTS: tuple[tuple[str, str, Part], ...] = (
    ("Evidence", "evidence", _evidence),
    ("Attempts", "windows", _attempts),
    ("Where the time went", "windows", _windows),
    ("Contradictions", "evidence", lambda d, m: _signals(d.contradictions, m)),
    ("Absences and observations", "evidence", lambda d, m: _signals([s for s in d.signals if not s.blind], m)),
    ("Blind spots", "evidence", lambda d, m: (m.item(m.prose(s.text)) for s in d.signals if s.blind)),
    ("What can safely be rerun", "windows", _replay),
    ("Failed tests", "evidence", _failed_tests),
    ("Considered and rejected", "evidence", _considered),
    ("From input to output", "graph", _picture),
    ("Artifacts", "graph", _artifacts),
    ("Key events", "key events", _key_events),
    ("Decisive lines and where they stand", "raw", _raw),
    ("Damage of the evidence", "evidence", _damage),
    ("What this rests on", "evidence", _coverage),
)
