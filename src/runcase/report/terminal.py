"""The terminal face: the run list and the first screen, in colour where the terminal has it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from runcase.model.text import present
from runcase.report.decisive import decisive_lines
from runcase.report.dialects import DIALECTS
from runcase.report.dossier import Dossier
from runcase.report.first_screen import actions
from runcase.report.index_value import Index
from runcase.report.markdown import MAX_DECISIVE, frame_line, frame_rows
from runcase.report.raw_evidence import RawEvidence

_STYLES = {"failed": "bold red", "timed_out": "bold red", "lost": "bold magenta", "cancelled": "yellow"}
_STYLES |= {"running": "cyan", "succeeded": "green"}
_WORDS = DIALECTS["plain"]
MAX_RUN_ROWS = 500
MAX_CAUSES = 12


@dataclass(frozen=True, slots=True)
class Screen:
    """What a terminal can show. `base` is the address of the case where hyperlinks work, else None."""

    color: bool
    width: int
    base: str | None = None

    def linked(self, text: str, style: str, folder: str) -> Text:
        """`text`, leading to the page of a run where the terminal has hyperlinks (OSC 8)."""
        where = f" link {self.base}/runs/{quote(folder)}/dossier.html" if self.base and folder else ""
        return Text(text, f"{style}{where}".strip())


def run_list(index: Index, screen: Screen) -> str:
    """The causes of failure, then one row a run, failures first."""
    shown = index.runs[:MAX_RUN_ROWS]
    rows = [
        (
            Text(r.status, _STYLES.get(r.status, "")),
            screen.linked(r.run_id, "", r.folder),
            Text(r.took or "-", justify="right"),
            Text(": ".join(x for x in (r.failure_class, r.blocker) if x), "dim"),
        )
        for r in shown
    ]
    counts = ", ".join(f"{n} {status}" for status, n in index.counts.items()) or "no runs"
    left = len(index.runs) - MAX_RUN_ROWS
    more = [Text(f"... and {left} more; see index.html")] if left > 0 else []
    table = _table(("status", "run", "took", "why"), rows, screen.width)
    return _rendered([Text(counts, "bold"), *_causes(index, screen), table, *more], screen)


def _causes(index: Index, screen: Screen) -> list[object]:
    """Causes of more than one run, with what is known of each; nothing where every run has its own."""
    rows = [
        (
            Text(str(g.count), justify="right"),
            Text(g.failure_class),
            Text(" ".join(x for x in (g.known, g.ticket) if x) or "-", "bold red" if g.known == "new" else ""),
            Text(g.blocker, "dim"),
        )
        for g in index.groups
        if g.count > 1
    ][:MAX_CAUSES]
    return [Text(""), _table(("runs", "cause", "known", "why"), rows, screen.width), Text("")] if rows else []


def _table(head: Sequence[str], rows: Sequence[Sequence[Text]], width: int) -> Table:
    """Columns as wide as they need; the second gets at most two fifths of the line, the last one what is left."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    needed = [max([len(head[n]), *(row[n].cell_len for row in rows)]) for n in range(len(head))]
    needed[1] = min(needed[1], width * 2 // 5)
    needed[-1] = max(8, min(needed[-1], width - sum(needed[:-1]) - 2 * (len(head) - 1)))
    for name, cells in zip(head, needed, strict=True):
        table.add_column(name, overflow="ellipsis", no_wrap=True, width=cells)
    for row in rows:
        table.add_row(*row)
    return table


def first_screen(d: Dossier, screen: Screen, folder: str = "") -> str:
    """Why the run failed, on what lines, where the time went, what to do next."""
    title = Text.assemble(
        screen.linked(d.run.run_id, "bold", folder), " ", (d.run.status, _STYLES.get(d.run.status, ""))
    )
    if d.failure:
        title.append(f"  {d.failure.failure_class} ({d.failure.confidence})", "bold")
    parts: list[object] = [title, Text(frame_line(d, _WORDS), "dim")]
    parts += [Text(x, "yellow" if x.startswith("evidence is incomplete") else "") for x in frame_rows(d, _WORDS)]
    if d.failure:
        parts += [Text(""), Text(d.failure.blocker.text, "bold")]
    lines = decisive_lines(d, MAX_DECISIVE)
    parts += [_indented(line, "red" if not line.startswith("[...") else "dim") for line in lines]
    if found := actions(d):
        parts += [Text(""), Text("next", "bold"), *(_hanging(f"{n}.", a) for n, a in enumerate(found, 1))]
    return _rendered(parts, screen)


def _indented(line: str, style: str) -> Padding:
    """A line of evidence; where it is folded, its further lines stand below."""
    return Padding(Text(line, style, overflow="fold"), (0, 0, 0, 2), expand=False)


def _hanging(mark: str, text: str) -> Table:
    """An item whose further lines stand under its first word."""
    row = Table.grid(padding=(0, 1))
    row.add_column(width=4, justify="right")
    row.add_column(overflow="fold")
    row.add_row(mark, Text(text))
    return row


def raw_view(found: RawEvidence) -> str:
    """The bytes of a ref as text that cannot act on the terminal, or what remains known of them."""
    if found.data is None:
        return f"{found.ref} expired: {found.known}"
    head = f"{found.ref}  {found.path or ''}\n"
    return head + present(found.data.decode("utf-8", "backslashreplace"), keep="\n\t")


def _rendered(parts: list[object], screen: Screen) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        width=screen.width,
        force_terminal=screen.color,
        color_system="standard" if screen.color else None,
        no_color=not screen.color,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n")).rstrip("\n")
