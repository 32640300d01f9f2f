"""Answers of the terminal commands `windows`, `replay` and `compare`, as text and as plain values for JSON.

Everything that comes from a log passes through `present_line` here or when the dossier was built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from runcase.analysis.compare import Change, Comparison, Side, Template
from runcase.analysis.critical import Chain
from runcase.model.text import present_line
from runcase.report.dossier import Dossier, Replay, Window
from runcase.report.words import clock, micros_words

DIGEST_CHARS = 19
"""`sha256:` and 12 hex digits."""

MAX_ROWS = 60
"""Rows of one kind that a terminal shows; `--format json` has all."""

FOLDED_FROM = 3
"""More calls of one tool with the same end are one row."""

_KINDS = {"window": "windows", "stage": "stages", "tool": "tool calls", "invocation": "invocations", "gap": "gaps"}


# --- windows --------------------------------------------------------------------------------------


def windows_text(d: Dossier, chain: Chain | None, attempt: int | None) -> str:
    """Every window with its boundaries and proofs, the sum that explains the total, and the critical path."""
    lines = [f"{d.run.run_id} {d.run.status}, {_count(len(d.run.attempts), 'attempt')}"]
    shown = [w for w in (*d.windows, *d.stages, *d.tools, *d.gaps) if attempt in (None, w.attempt)]
    for kind, title in _KINDS.items():
        rows = [w for w in shown if w.kind == kind]
        if rows:
            folded = list(_folded(rows)) if kind == "tool" else [_window_row(w) for w in rows]
            lines += ["", title, *_aligned(folded[:MAX_ROWS])]
            lines += [f"  ... and {len(folded) - MAX_ROWS} more in --format json"] if len(folded) > MAX_ROWS else []
    sums = [w for w in shown if w.kind == "residual"]
    if sums:
        lines += ["", "total", *(f"  attempt {w.attempt}: {w.detail}" for w in sums)]
    return "\n".join([*lines, *_chain_lines(chain, attempt)])


def windows_value(d: Dossier, chain: Chain | None, windows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`runcase/windows/1`."""
    return {
        "schema": "runcase/windows/1",
        "run_id": d.run.run_id,
        "status": d.run.status,
        "windows": list(windows),
        "critical_path": asdict(chain) if chain else None,
    }


def _folded(calls: Sequence[Window]) -> Iterator[tuple[str, ...]]:
    """Many calls of one tool in an attempt as one row; what did not end well keeps a row of its own."""
    groups: dict[tuple[int | None, str, str], list[Window]] = {}
    for w in calls:
        key = w.detail or "" if w.state == "closed" else f"{w.state} {w.start}"
        groups.setdefault((w.attempt, w.name, key), []).append(w)
    for (attempt, name, _), found in groups.items():
        if len(found) <= FOLDED_FROM:
            yield from map(_window_row, found)
            continue
        spent = sorted(w.duration_us or 0 for w in found)
        words = f"each {micros_words(spent[0])} to {micros_words(spent[-1])}"
        note = "; ".join(x for x in (found[0].detail, words) if x)
        name = f"{name} ({len(found)} calls)"
        yield (str(attempt or "-"), name, micros_words(sum(spent)), clock(found[0].start), clock(found[-1].end), note)


def _window_row(w: Window) -> tuple[str, ...]:
    spent = micros_words(w.duration_us) if w.duration_us is not None else w.state
    unsure = f" +/- {micros_words(w.uncertainty_us)}" if w.uncertainty_us else ""
    why = [w.reason, w.searched, w.detail] if w.reason else [w.detail]
    proof = f"[{' '.join(w.proof)}]" if w.proof and w.kind == "window" else ""
    note = "; ".join(x for x in why if x)
    return (str(w.attempt or "-"), w.name, spent + unsure, clock(w.start), clock(w.end), f"{note} {proof}".strip())


def _chain_lines(chain: Chain | None, attempt: int | None) -> list[str]:
    if chain is None or not chain.steps or attempt not in (None, chain.attempt):
        return []
    lines = ["", f"critical path of attempt {chain.attempt}, which took {micros_words(chain.total_us)}"]
    rows = []
    for s in chain.steps:
        needed = f"needed {_few(s.needed)}" if s.needed else ""
        without = f"without it {micros_words(s.run_without_us)}"
        rows.append((present_line(s.name), micros_words(s.duration_us), without, present_line(needed)))
    lines += _aligned(rows)
    spare = [f"{present_line(name)} {micros_words(us)}" for name, us in chain.spare[:10]]
    return [*lines, f"  time to spare: {', '.join(spare)}"] if spare else lines


# --- replay ---------------------------------------------------------------------------------------


def replay_text(run_id: str, status: str, plan: Replay | None, why_none: str, checked: str) -> str:
    """The plan as a person would carry it out; nothing of it is run."""
    lines = [f"{present_line(run_id)} {status}"]
    lines += [checked] if checked else []
    if plan is None:
        return "\n".join([*lines, f"no replay plan: {why_none}"])
    lines.append(_start_line(plan))
    for title, items in (("reuse", plan.reuse), ("redo", plan.redo), ("do not redo", plan.not_redo)):
        if items and (plan.start or title != "redo"):
            lines += [f"{title}:", *(f"  - {x}" for x in items)]
    word = "why not later" if plan.start else "blocked by"
    if plan.blockers:
        lines += [f"{word}:", *(f"  - {b.text} [{b.code}] {' '.join(b.refs)}".rstrip() for b in plan.blockers)]
    if plan.counterfactuals:
        lines += ["what would change it:", *(f"  - {c}" for c in plan.counterfactuals)]
    if plan.commands:
        lines += ["commands (printed, never run):", *(f"  {c}" for c in plan.commands)]
    return "\n".join(lines)


def _start_line(plan: Replay) -> str:
    if plan.start:
        return f"start from: {plan.start}"
    if plan.commands and not plan.blockers:
        return "start from: what the engine itself can reuse; the stages of this run are not declared"
    return "start from: nowhere; the plan is blocked"


def checked_text(looked_for: int, found: int, missing: Sequence[str], mismatch: Sequence[str]) -> str:
    """How a workspace of today stands to the claims."""
    parts = [f"workspace: {found} of {_count(looked_for, 'artifact')} that have a path are there"]
    parts += [f"missing {_few(missing)}"] if missing else []
    parts += [f"changed {_few(mismatch)}"] if mismatch else []
    return present_line("; ".join(parts))


# --- comparison -----------------------------------------------------------------------------------


def comparison_text(c: Comparison) -> str:
    """Where two attempts part, what only one of them said, and what differs in time, artifacts and frame."""
    a, b = _side(c.a), _side(c.b)
    lines = [f"a: {a}", f"b: {b}"]
    if c.divergence is None:
        lines += ["", "no event tells them apart"]
    else:
        d = c.divergence
        lines += ["", f"they part at step {d.position + 1}"]
        lines += [_said("a", d.text_a, d.ref_a), _said("b", d.text_b, d.ref_b)]
    lines += _templates("only in a", c.only_a) + _templates("only in b", c.only_b)
    for title, changes in (("frame", c.frame), ("time", c.windows), ("artifacts", c.artifacts)):
        if changes:
            lines += ["", f"{title} (a, b)", *_aligned(_change_row(x) for x in changes)]
    return "\n".join(lines)


def comparison_value(c: Comparison) -> dict[str, Any]:
    """`runcase/comparison/1`; every text is presented."""
    shown: dict[str, Any] = _presented(asdict(c))
    return {"schema": "runcase/comparison/1", **shown}


def _presented(value: Any) -> Any:
    """Every text in a nest of plain values, made safe to show."""
    if isinstance(value, str):
        return present_line(value)
    if isinstance(value, dict):
        return {k: _presented(v) for k, v in value.items()}
    return [_presented(v) for v in value] if isinstance(value, (list, tuple)) else value


def _side(side: Side) -> str:
    return f"{present_line(side.run_id)}, attempt {side.attempt}"


def _said(name: str, text: str | None, ref: str | None) -> str:
    return f"  {name}: {present_line(text or '', 200)}  {ref}" if ref else f"  {name}: (nothing more)"


def _templates(title: str, found: Sequence[Template]) -> list[str]:
    rows = [(f"{t.count}x", present_line(t.text, 160), t.ref) for t in found]
    return ["", title, *_aligned(rows)] if rows else []


def _change_row(c: Change) -> tuple[str, ...]:
    return (present_line(c.name), *(_value(x) if x is not None else "-" for x in (c.a, c.b)))


def _value(text: str) -> str:
    """A value; of a digest as much as tells two apart."""
    return present_line(text[:DIGEST_CHARS] if text.startswith("sha256:") else text, 60)


# --- shared ---------------------------------------------------------------------------------------


def _aligned(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell; the last one is free."""
    found = [tuple(r) for r in rows]
    widths = [max(len(r[n]) for r in found) for n in range(len(found[0]) - 1)] if found else []
    for r in found:
        cells = [cell.ljust(w) for cell, w in zip(r, widths, strict=False)]
        yield ("  " + "  ".join([*cells, r[-1]])).rstrip()


def _few(names: Sequence[str]) -> str:
    """The first three, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
