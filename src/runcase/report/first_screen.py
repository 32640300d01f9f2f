"""What every face says first: windows, broken evidence, the ticket, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from runcase.report.damage import broken_places
from runcase.report.dossier import Dossier, Replay, Window
from runcase.report.words import micros_words, reason_words, state_words

MAX_ACTIONS = 4


def frame_windows(d: Dossier) -> tuple[Window, ...]:
    """The windows of the run as a whole and of its last attempt; none when the evidence tells of none."""
    last = d.run.attempts[-1].attempt if d.run.attempts else None
    windows = tuple(w for w in d.windows if w.kind == "window" and w.attempt in (None, last))
    return windows if any(w.state != "absent" for w in windows) else ()


def window_words(windows: Sequence[Window]) -> list[str]:
    """`queue 51s`, `active: end not seen (no final artifact was seen)`, `boot, active: not seen`: neighbours as one.

    What follows a window whose end was not seen is absent for that reason, which is said once.
    """
    told: list[str] = []
    before = "closed"
    for state, group in groupby(windows, key=lambda w: w.state):
        same = list(group)
        if state == "closed":
            told += [f"{w.name} {micros_words(w.duration_us)}" for w in same]
        elif state == "absent" and (len(same) > 1 or before == "open"):
            told.append(f"{', '.join(w.name for w in same)}: {state_words(state)}")
        else:
            told += [f"{w.name}: {state_words(state)} ({reason_words(w.reason)})" for w in same]
        before = state
    return told


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


def start_words(r: Replay) -> str:
    """From where a run can be rerun, in one sentence."""
    if r.start:
        return f"Start at {r.start}"
    if r.commands and not r.blockers:
        return "What can be reused is known to its engine alone: the stages of this run are not declared"
    return "No start is known to be safe"


def _replay_action(r: Replay) -> str:
    if r.start:
        return f"replay from {r.start}: redo {', '.join(r.redo) or 'nothing'}"
    if r.commands and not r.blockers:
        return f"rerun it with its engine: {r.commands[0]}"
    why = f": {r.blockers[0].text}" if r.blockers else ""
    return f"do not rerun it as it is, no start is safe{why}"
