"""The Markdown face: a first screen of at most 60 lines, then the detail; a ticket is cut to what its host takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runcase.report.decisive import decisive_lines
from runcase.report.dialects import GITHUB, Dialect, units
from runcase.report.dossier import Dossier, Replay, Window
from runcase.report.instants import micros
from runcase.report.markdown_sections import RUNGS, Section, sections
from runcase.report.words import clock, micros_words

FIRST_SCREEN = 60
"""Lines in which a reader must learn why the run failed and what to do."""

MAX_DECISIVE = 38
"""Of those, lines of raw evidence."""

LINE_CHARS = 200
"""What a line of evidence may take in a ticket that is short of room."""


def render(d: Dossier) -> str:
    """`dossier.md`: the first screen as a page of its own, so that `head -60` shows it alone, then the detail."""
    screen = first_screen(d, GITHUB)
    detail = [_spelled(s, GITHUB) for s in sections(d, GITHUB)]
    foot = ["", "---", f"The detail begins at line {FIRST_SCREEN + 1}."]
    if len(screen) + len(foot) <= FIRST_SCREEN:
        screen += foot
    page = [*screen, *[""] * (FIRST_SCREEN - len(screen))]
    return "\n".join(page) + "\n" + "\n\n".join(detail) + "\n"


def ticket(d: Dossier, m: Dialect, limit: int | None = None) -> str:
    """The dossier in the dialect of a host, at most `limit` long (by default what the host takes).

    Whole sections are dropped, the least telling first, and what is missing is
    said; of the verdict only lines of raw evidence are dropped, and never all words.
    """
    room = limit if limit is not None else m.limit
    parts = sections(d, m)
    screen = first_screen(d, m)
    for rung in ("", *RUNGS):
        kept = [s for s in parts if RUNGS.index(s.rung) > (RUNGS.index(rung) if rung else -1)]
        text = _joined(screen, kept, parts, m)
        if room is None or units(text) <= room:
            return text
    return _verdict_only(d, m, parts, room or 0)


def _joined(screen: Sequence[str], kept: Sequence[Section], parts: Sequence[Section], m: Dialect) -> str:
    gone = [s.title for s in parts if s not in kept]
    note = f"cut: {len(gone)} of {len(parts)} sections ({', '.join(gone)}), see the artifact" if gone else ""
    return "\n\n".join(x for x in ("\n".join(screen), *(_spelled(s, m) for s in kept), note) if x) + "\n"


def _spelled(s: Section, m: Dialect) -> str:
    return "\n".join([m.heading(2, s.title), "", *s.lines])


def _verdict_only(d: Dossier, m: Dialect, parts: Sequence[Section], room: int) -> str:
    """The first screen alone, with as many lines of evidence as fit."""
    text = ""
    for lines in (MAX_DECISIVE, 20, 10, 5, 2, 0):
        text = _joined(first_screen(d, m, lines, LINE_CHARS), (), parts, m)
        if units(text) <= room:
            return text
    screen = first_screen(d, m, 0, LINE_CHARS)
    note = "cut, see the artifact"
    while len(screen) > 1 and units("\n".join([*screen, note])) > room:
        screen.pop()
    return "\n".join([*screen, note]) + "\n"


# --- first screen ---------------------------------------------------------------------------------


def first_screen(d: Dossier, m: Dialect, most: int = MAX_DECISIVE, width: int | None = None) -> list[str]:
    """At most FIRST_SCREEN lines: frame, blocker with its decisive lines, windows, next actions."""
    head = [m.heading(1, f"{m.code(d.run.run_id)} {_verdict(d, m)}"), "", _frame(d, m)]
    head += [m.item(line) for line in _frame_rows(d, m)]
    why = ["", f"{m.strong('Why:')} {m.prose(d.failure.blocker.text)}"] if d.failure else []
    tail = _tail(d, m)
    room = min(most, FIRST_SCREEN - len(head) - len(why) - len(tail) - 3)
    lines = [line if width is None else _cut(line, width) for line in decisive_lines(d, room)]
    shown = ["", *m.fence(lines)] if lines else []
    return [*head, *why, *shown, *tail][:FIRST_SCREEN]


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[:width]} [...]"


def _verdict(d: Dossier, m: Dialect) -> str:
    if d.failure is None:
        return m.prose(d.run.status)
    return f"{m.prose(d.run.status)}: {m.prose(d.failure.failure_class)} ({m.prose(d.failure.confidence)})"


def _frame(d: Dossier, m: Dialect) -> str:
    run = d.run
    parts = [f"job {m.code(run.job)}"] if run.job else []
    parts += [f"attempts {len(run.attempts)}"] if len(run.attempts) > 1 else []
    if run.first_ts and run.last_ts:
        parts.append(f"{m.prose(run.first_ts[:10])} {_clock(run.first_ts, m)} to {_clock(run.last_ts, m)} UTC")
    elif not run.first_ts:
        parts.append("no times in the evidence")
    if run.claimed_status and run.claimed_status != run.status:
        parts.append(f"the record says {m.code(run.claimed_status)}")
    return ", ".join(parts)


def _frame_rows(d: Dossier, m: Dialect) -> Iterator[str]:
    windows = [w for w in d.windows if w.kind == "window" and (w.attempt in (None, len(d.run.attempts)))]
    if any(w.state != "absent" for w in windows):
        yield ", ".join(m.prose(window_words(w)) for w in windows)
    if d.tests:
        t = d.tests
        yield f"tests ({m.prose(t.tool)}): {t.run} run, {t.failed} failed, {t.skipped} skipped"
    damage = [x for x in d.evidence_damage if x.severity == "error"]
    if damage:
        yield f"{m.strong('evidence is incomplete')}: {len(damage)} problem(s), first {m.code(damage[0].text)}"


def window_words(w: Window) -> str:
    """`queue 51s`, `writeback open (no_status_writeback)`."""
    if w.state == "closed":
        return f"{w.name} {micros_words(w.duration_us)}"
    return f"{w.name} {w.state} ({w.reason})"


def _replay_action(r: Replay) -> str:
    if r.start:
        return f"replay from {r.start}: redo {', '.join(r.redo) or 'nothing'}"
    if r.commands and not r.blockers:
        return f"resume it with its engine, which knows what it can reuse: {r.commands[0]}"
    why = f": {r.blockers[0].text}" if r.blockers else ""
    return f"do not rerun it as it is, no start is safe{why}"


def _tail(d: Dossier, m: Dialect) -> list[str]:
    actions = list(d.next_actions[:4])
    if d.replay and not any("replay" in a for a in actions):
        actions.append(_replay_action(d.replay))
    if not actions:
        return []
    return ["", m.strong("Next:"), *(m.numbered(n, m.prose(a)) for n, a in enumerate(dict.fromkeys(actions), 1))]


def _clock(ts: str, m: Dialect) -> str:
    return clock(ts) if micros(ts) is not None else m.code(ts)
