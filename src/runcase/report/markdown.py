"""The Markdown face: a first screen of at most 60 lines, then everything else.

Text from the evidence stands only inside fences that it cannot close, or in
code spans that it cannot close, so that nothing in it comes to life.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from runcase.report.decisive import decisive_lines
from runcase.report.dossier import Artifact, Dossier, Signal, Statement, Window
from runcase.report.index import FAILED, Index
from runcase.report.words import bytes_words, clock, micros_words

FIRST_SCREEN = 60
"""Lines in which a reader must learn why the run failed and what to do."""

MAX_DECISIVE = 38
"""Of those, lines of raw evidence."""

_LONGEST_TICKS = re.compile("`+")
_ALIVE = re.compile(r"[<>&\[\]@#*_|\\`$~^=!]|//|:\w+:|\bwww\.|^[/+-]")
"""Text with any of these might be markup in some dialect, and is shown as code."""


def render(dossier: Dossier) -> str:
    """The whole dossier as Markdown; its first screen comes first."""
    details = "\n\n".join("\n".join(s) for s in _details(dossier) if s)
    return "\n".join(_page(first_screen(dossier))) + "\n" + details + "\n"


def _page(screen: list[str]) -> list[str]:
    """The first screen as a page of its own: `head -60` shows it and nothing else; rendered, the blanks vanish."""
    return [*screen, *[""] * (FIRST_SCREEN - len(screen))]


def code(text: str) -> str:
    """`text` as a code span that it cannot close."""
    longest = max((len(m) for m in _LONGEST_TICKS.findall(text)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text.replace('|', '¦')}{pad}{ticks}" if text.strip() else "-"


def fence(lines: Iterable[str]) -> list[str]:
    """`lines` in a fence longer than any run of backticks inside."""
    body = list(lines)
    longest = max((len(m) for line in body for m in _LONGEST_TICKS.findall(line)), default=0)
    ticks = "`" * max(3, longest + 1)
    return [f"{ticks}text", *body, ticks]


# --- first screen ---------------------------------------------------------------------------------


def first_screen(d: Dossier) -> list[str]:
    """At most FIRST_SCREEN lines: frame, blocker with its decisive lines, windows, next actions."""
    head = [f"# {code(d.run.run_id)} {_verdict(d)}", "", _frame(d)]
    head += [f"- {line}" for line in _frame_rows(d)]
    why = ["", f"**Why:** {_prose(d.failure.blocker)}"] if d.failure else []
    tail = _tail(d)
    room = min(MAX_DECISIVE, FIRST_SCREEN - len(head) - len(why) - len(tail) - 3)
    lines = decisive_lines(d, room)
    shown = ["", *fence(lines)] if lines else []
    return [*head, *why, *shown, *tail][:FIRST_SCREEN]


def _verdict(d: Dossier) -> str:
    return f"{d.run.status}: {d.failure.failure_class} ({d.failure.confidence})" if d.failure else d.run.status


def _prose(s: Statement) -> str:
    return code(s.text) if _ALIVE.search(s.text) else s.text


def _frame(d: Dossier) -> str:
    run = d.run
    parts = [f"job {code(run.job)}"] if run.job else []
    parts += [f"attempts {len(run.attempts)}"] if len(run.attempts) > 1 else []
    if run.first_ts and run.last_ts:
        parts.append(f"{run.first_ts[:10]} {clock(run.first_ts)} to {clock(run.last_ts)} UTC")
    elif not run.first_ts:
        parts.append("no times in the evidence")
    if run.claimed_status and run.claimed_status != run.status:
        parts.append(f"the record says {code(run.claimed_status)}")
    return ", ".join(parts)


def _frame_rows(d: Dossier) -> Iterator[str]:
    windows = [w for w in d.windows if w.kind == "window" and (w.attempt in (None, len(d.run.attempts)))]
    if any(w.state != "absent" for w in windows):
        yield ", ".join(window_words(w) for w in windows)
    if d.tests:
        t = d.tests
        yield f"tests ({t.tool}): {t.run} run, {t.failed} failed, {t.skipped} skipped"
    damage = [x for x in d.evidence_damage if x.severity == "error"]
    if damage:
        yield f"**evidence is incomplete**: {len(damage)} problem(s), first {code(damage[0].text)}"


def window_words(w: Window) -> str:
    """`queue 51s`, `writeback open (no_status_writeback)`."""
    if w.state == "closed":
        return f"{w.name} {micros_words(w.duration_us)}"
    return f"{w.name} {w.state} ({w.reason})"


def _tail(d: Dossier) -> list[str]:
    actions = list(d.next_actions[:4])
    if d.replay and d.replay.start and not d.replay.blockers and not any("replay" in a for a in actions):
        actions.append(f"replay from {d.replay.start}: redo {', '.join(d.replay.redo) or 'nothing'}")
    if not actions:
        return []
    return ["", "**Next:**", *(f"{n}. {_prose(Statement(a))}" for n, a in enumerate(dict.fromkeys(actions), 1))]


# --- details --------------------------------------------------------------------------------------


def _details(d: Dossier) -> Iterator[list[str]]:
    yield _evidence(d)
    yield _attempts(d)
    yield _windows(d)
    yield _signals("## Contradictions", d.contradictions)
    yield _signals("## Absences and observations", d.signals)
    yield _artifacts(d.artifacts)
    yield _replay(d)
    yield _failed_tests(d)
    yield _considered(d)
    yield _damage(d)
    yield _raw(d)
    yield _coverage(d)


def _refs(refs: Sequence[str]) -> str:
    return " ".join(code(r) for r in refs[:4]) + (f" and {len(refs) - 4} more" if len(refs) > 4 else "")


def _evidence(d: Dossier) -> list[str]:
    if not d.failure or not d.failure.evidence:
        return []
    return ["## Evidence", "", *(f"- {_prose(e)} {_refs(e.refs)}".rstrip() for e in d.failure.evidence)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    body = ["| " + " | ".join(row) + " |" for row in rows]
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *body] if body else []


def _attempts(d: Dossier) -> list[str]:
    rows = [
        (
            str(a.attempt),
            a.status,
            clock(a.created_at),
            clock(a.claimed_at),
            clock(a.started_at),
            clock(a.finished_at),
            "-" if a.exit_code is None else str(a.exit_code),
            code(a.workspace_id or ""),
            code(a.host or ""),
        )
        for a in d.run.attempts
    ]
    head = ("attempt", "status", "created", "claimed", "started", "finished", "exit", "workspace", "host")
    return ["## Attempts", "", *_table(head, rows)]


def _windows(d: Dossier) -> list[str]:
    rows = [
        (
            w.kind,
            code(w.name),
            "-" if w.attempt is None else str(w.attempt),
            w.state,
            clock(w.start),
            clock(w.end),
            micros_words(w.duration_us) if w.duration_us is not None else "-",
            " ".join(x for x in (w.reason and code(w.reason), w.detail and code(w.detail)) if x) or "-",
        )
        for w in (*d.windows, *d.stages, *d.gaps, *d.tools[:40])
    ]
    if not rows:
        return []
    left = len(d.tools) - 40
    more = ["", f"{left} more tool calls are in dossier.json"] if left > 0 else []
    head = ("kind", "name", "attempt", "state", "start", "end", "took", "note")
    return ["## Where the time went", "", *_table(head, rows), *more]


def _signals(title: str, signals: Sequence[Signal]) -> list[str]:
    if not signals:
        return []
    lines = [f"- {code(s.code)} ({s.verdict}): {_prose(Statement(s.text))} {_refs(s.refs)}".rstrip() for s in signals]
    return [title, "", *lines]


def _artifacts(artifacts: Sequence[Artifact]) -> list[str]:
    rows = [
        (
            code(a.artifact_id),
            code(a.kind or ""),
            a.state,
            bytes_words(a.size_bytes) if a.size_bytes is not None else "-",
            code(a.producer or ""),
            code((a.checksum or "")[:23]),
            _prose(Statement(a.state_text)),
        )
        for a in artifacts[:60]
    ]
    if not rows:
        return []
    more = ["", f"{len(artifacts) - 60} more are in dossier.json"] if len(artifacts) > 60 else []
    head = ("artifact", "kind", "state", "size", "producer", "checksum", "because")
    return ["## Artifacts", "", *_table(head, rows), *more]


def _replay(d: Dossier) -> list[str]:
    r = d.replay
    if r is None:
        return []
    lines = [f"- start: {code(r.start)}" if r.start else "- start: no safe start is known"]
    lines += [f"- {title}: {', '.join(code(x) for x in items)}" for title, items in _replay_lists(d) if items]
    lines += [f"- blocked by {code(b.code)}: {_prose(Statement(b.text))} {_refs(b.refs)}".rstrip() for b in r.blockers]
    lines += [f"- {_prose(Statement(c))}" for c in r.counterfactuals]
    return ["## What can safely be rerun", "", *lines]


def _replay_lists(d: Dossier) -> Iterator[tuple[str, tuple[str, ...]]]:
    if d.replay:
        yield "reuse", d.replay.reuse
        yield "redo", d.replay.redo
        yield "do not redo", d.replay.not_redo
        yield "commands", d.replay.commands


def _failed_tests(d: Dossier) -> list[str]:
    if not d.tests or not d.tests.failed_names:
        return []
    return ["## Failed tests", "", *(f"- {code(n)}" for n in d.tests.failed_names[:100])]


def _considered(d: Dossier) -> list[str]:
    if not d.failure or not d.failure.considered:
        return []
    lines = [f"- {code(c.failure_class)}: {_prose(Statement(c.rejected_because))}" for c in d.failure.considered]
    return ["## Considered and rejected", "", *lines]


def _damage(d: Dossier) -> list[str]:
    if not d.evidence_damage:
        return []
    lines = [f"- {x.severity} {code(x.code)} in {code(x.path or '')}: {code(x.text)}" for x in d.evidence_damage]
    return ["## Damage of the evidence", "", *lines]


def _raw(d: Dossier) -> list[str]:
    lines: list[str] = []
    for e in d.excerpts:
        lines += ["", f"{code(e.path)} line {e.lines[0].line if e.lines else '?'}, {code('runcase raw ' + e.ref)}"]
        lines += fence(line.text for line in e.lines)
    return ["## Decisive lines and where they stand", *lines] if lines else []


def _coverage(d: Dossier) -> list[str]:
    c = d.coverage
    return [
        "## What this rests on",
        "",
        f"{c.sources} source(s), {c.bytes:,} bytes, {c.lines:,} lines, {c.events:,} events, "
        f"{c.unknown:,} of them unknown, {c.quarantined:,} bytes quarantined.",
        f"A ref such as {code(_example(d))} resolves with {code('runcase raw REF')}.",
    ]


def _example(d: Dossier) -> str:
    return d.failure.decisive[0] if d.failure and d.failure.decisive else "source_id:byte_start+byte_len"


# --- index ----------------------------------------------------------------------------------------


def render_index(index: Index) -> str:
    """All runs: what failed and why, then every run."""
    counts = ", ".join(f"{n} {status}" for status, n in index.counts.items()) or "no runs"
    lines = ["# Runs", "", f"{counts}. {index.sources} sources, {index.events:,} events.", ""]
    if index.groups:
        lines += ["## Failures", ""]
        rows = [
            (
                str(g.count),
                code(g.failure_class),
                code(g.blocker),
                clock(g.first_seen),
                clock(g.last_seen),
                code(g.runs[0]),
            )
            for g in index.groups
        ]
        lines += [*_table(("runs", "class", "why", "first seen", "for example"), rows), ""]
    rows = [
        (
            f"[{r.status}](runs/{r.folder}/dossier.md)",
            code(r.run_id),
            code(r.job or ""),
            str(r.attempts),
            r.took or "-",
            code(r.failure_class or "") if r.status in FAILED else "-",
        )
        for r in index.runs
    ]
    lines += ["## All runs", "", *_table(("status", "run", "job", "attempts", "took", "class"), rows)]
    if index.damage:
        lines += ["", "## Damaged evidence", "", *(f"- {code(x.path)}: {code(x.text)}" for x in index.damage)]
    if index.unassigned:
        lines += ["", "## Sources that belong to no run", "", *(f"- {code(p)}" for p in index.unassigned[:200])]
    return "\n".join(lines) + "\n"
