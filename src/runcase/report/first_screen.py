"""What every face says first: windows, broken evidence, the ticket, and what to do."""

from __future__ import annotations

from runcase.report.damage import broken_places
from runcase.report.dossier import Dossier, Replay, Window
from runcase.report.words import micros_words

MAX_ACTIONS = 4


def frame_windows(d: Dossier) -> tuple[Window, ...]:
    """The windows of the run as a whole and of its last attempt; none when the evidence tells of none."""
    last = d.run.attempts[-1].attempt if d.run.attempts else None
    windows = tuple(w for w in d.windows if w.kind == "window" and w.attempt in (None, last))
    return windows if any(w.state != "absent" for w in windows) else ()


def window_words(w: Window) -> str:
    """`queue 51s`, `writeback open (no_status_writeback)`."""
    if w.state == "closed":
        return f"{w.name} {micros_words(w.duration_us)}"
    return f"{w.name} {w.state} ({w.reason})"


def incomplete_words(d: Dossier) -> tuple[str, str] | None:
    """In how many places the evidence is broken, and where first and how; None for whole evidence."""
    broken = broken_places(d.evidence_damage)
    if not broken:
        return None
    count = f"{len(broken)} {'place' if len(broken) == 1 else 'places'}"
    return count, f"{broken[0].path or 'the ledger'}: {broken[0].text}"


def actions(d: Dossier) -> tuple[str, ...]:
    """What to do, most useful first; the replay last unless an action says it already."""
    found = list(dict.fromkeys(d.next_actions[:MAX_ACTIONS]))
    if d.replay and not any("replay" in a for a in found):
        found.append(_replay_action(d.replay))
    return tuple(dict.fromkeys(found))


def _replay_action(r: Replay) -> str:
    if r.start:
        return f"replay from {r.start}: redo {', '.join(r.redo) or 'nothing'}"
    if r.commands and not r.blockers:
        return f"resume it with its engine, which knows what it can reuse: {r.commands[0]}"
    why = f": {r.blockers[0].text}" if r.blockers else ""
    return f"do not rerun it as it is, no start is safe{why}"
