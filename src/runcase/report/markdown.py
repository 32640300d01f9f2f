"""The Markdown face: a first screen of at most 60 lines, then the detail; a ticket is cut to what its host takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runcase.report.decisive import decisive_lines
from runcase.report.dialects import GITHUB, Dialect, units
from runcase.report.dossier import Dossier
from runcase.report.first_screen import actions, frame_windows, incomplete_words, window_words
from runcase.report.instants import micros
from runcase.report.markdown_sections import RUNGS, Section, sections
from runcase.report.words import clock, tries_words

FIRST_SCREEN = 60
"""Lines in which a reader must learn why the run failed and what to do."""

MAX_DECISIVE = 38
"""Of those, lines of raw evidence."""

LINE_CHARS = 200
"""What a line of evidence may take in a ticket that is short of room."""


def render(d: Dossier) -> str:
    """`dossier.md`: the first screen as a page of its own, so that `head -60` shows nothing else, then the detail."""
    screen = [*first_screen(d, GITHUB), "", "---", f"The detail begins at line {FIRST_SCREEN + 1}."]
    page = [*screen[:FIRST_SCREEN], *[""] * (FIRST_SCREEN - len(screen))]
    detail = [_spelled(s, GITHUB) for s in sections(d, GITHUB)]
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
    head = [m.heading(1, f"{m.code(d.run.run_id)} {_verdict(d, m)}"), "", frame_line(d, m)]
    head += [m.item(line) for line in frame_rows(d, m)]
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


def frame_line(d: Dossier, m: Dialect) -> str:
    """Job, attempts, times, and what the record says otherwise."""
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


def frame_rows(d: Dossier, m: Dialect) -> Iterator[str]:
    """Windows, tests, ticket, damage: one line each, of what there is."""
    if windows := frame_windows(d):
        spans = window_words(windows)
        plain = all(w.state == "closed" for w in windows)
        yield (", " if plain else "; ").join(map(m.prose, spans))
    if d.tests:
        t = d.tests
        again = f"; {tries_words(t.earlier_tries)}" if t.earlier_tries else ""
        yield f"tests ({m.prose(t.tool)}): {t.run} run, {t.failed} failed, {t.skipped} skipped{again}"
    if d.known_issue:
        told = (m.code(d.known_issue.ticket), m.code(d.known_issue.url or ""), m.prose(d.known_issue.note or ""))
        yield f"{m.strong('known issue')}: {' '.join(x for x in told if x not in ('', '-'))}"
    if broken := incomplete_words(d):
        yield f"{m.strong('evidence is incomplete')} in {broken[0]}, first {m.code(broken[1])}"


def _tail(d: Dossier, m: Dialect) -> list[str]:
    found = actions(d)
    return ["", m.strong("Next:"), *(m.numbered(n, m.prose(a)) for n, a in enumerate(found, 1))] if found else []


def _clock(ts: str, m: Dialect) -> str:
    return clock(ts) if micros(ts) is not None else m.code(ts)
