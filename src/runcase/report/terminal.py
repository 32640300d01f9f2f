"""The terminal face: the run list and the first screen, in colour where the terminal has it."""

from __future__ import annotations

import io
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from runcase.model.text import present
from runcase.report.decisive import decisive_lines
from runcase.report.dossier import Dossier
from runcase.report.index_value import Index
from runcase.report.markdown import window_words
from runcase.report.words import clock

_STYLES = {"failed": "bold red", "timed_out": "bold red", "lost": "bold magenta", "cancelled": "yellow"}
_STYLES |= {"running": "cyan", "succeeded": "green"}
MAX_RUN_ROWS = 500


@dataclass(frozen=True, slots=True)
class RawEvidence:
    """What a ref resolves to; `data` is None when the bytes were not kept, and `known` says what remains."""

    ref: str
    path: str | None
    data: bytes | None
    known: str


def run_list(index: Index, color: bool, width: int) -> str:
    """One row a run, failures first."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, options in (
        ("status", {}),
        ("run", {"ratio": 3}),
        ("took", {"justify": "right"}),
        ("why", {"ratio": 4}),
    ):
        table.add_column(column, overflow="ellipsis", no_wrap=True, **options)
    for r in index.runs[:MAX_RUN_ROWS]:
        why = r.failure_class or ""
        table.add_row(Text(r.status, _STYLES.get(r.status, "")), Text(r.run_id), r.took or "-", Text(why))
    counts = ", ".join(f"{n} {status}" for status, n in index.counts.items()) or "no runs"
    left = len(index.runs) - MAX_RUN_ROWS
    more = [Text(f"... and {left} more; see index.html")] if left > 0 else []
    return _rendered([Text(counts, "bold"), table, *more], color, width)


def first_screen(d: Dossier, color: bool, width: int) -> str:
    """Why the run failed, on what lines, where the time went, what to do next."""
    run, failure = d.run, d.failure
    title = Text.assemble((run.run_id, "bold"), " ", (run.status, _STYLES.get(run.status, "")))
    if failure:
        title.append(f"  {failure.failure_class} ({failure.confidence})", "bold")
    parts: list[object] = [title]
    if run.first_ts:
        parts.append(Text(f"{run.first_ts[:10]} {clock(run.first_ts)} to {clock(run.last_ts)} UTC", "dim"))
    windows = [w for w in d.windows if w.kind == "window" and w.attempt in (None, len(run.attempts))]
    if any(w.state != "absent" for w in windows):
        parts.append(Text(", ".join(window_words(w) for w in windows)))
    if failure:
        parts += [Text(""), Text(failure.blocker.text, "bold")]
    lines = decisive_lines(d, 38)
    parts += [Text("  " + line, "red" if not line.startswith("[...") else "dim") for line in lines]
    if d.tests:
        t = d.tests
        parts += [Text(""), Text(f"tests ({t.tool}): {t.run} run, {t.failed} failed, {t.skipped} skipped")]
    if d.next_actions:
        parts += [Text(""), Text("next", "bold")]
        parts += [Text(f"  {n}. {a}") for n, a in enumerate(d.next_actions, 1)]
    return _rendered(parts, color, width)


def raw_view(found: RawEvidence) -> str:
    """The bytes of a ref as text that cannot act on the terminal, or what remains known of them."""
    if found.data is None:
        return f"{found.ref} expired: {found.known}"
    head = f"{found.ref}  {found.path or ''}\n"
    return head + present(found.data.decode("utf-8", "backslashreplace"), keep="\n\t")


def _rendered(parts: list[object], color: bool, width: int) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n")).rstrip("\n")
