"""Several writers in one text: prefixes that name them are taken off, so that each one's lines can be joined.

Known are `service_1  | text` of Docker Compose, `[pod/name/container] text` of
kubectl, `[task : step] text` of Tekton's tkn, and `[rank0]: text` of torchrun. CRI and Docker's json-file name the
stream instead; see `cri` and `json_lines`.
"""

from __future__ import annotations

import polars as pl

PREFIXES = {
    r"^(?P<writer>[A-Za-z0-9][\w.-]*[-_]\d+) *\| ?": "|",
    r"^\[(?P<writer>pod/[^\]/ ]+/[^\] ]+)\] ?": "[pod/",
    r"^\[(?P<writer>[\w.-]+ : [\w.-]+)\] ?": " : ",
    r"^\[(?P<writer>rank\d+)\]: ?": "[rank",
}
"""Patterns of prefixes, each with a text that every match holds."""

MIN_SHARE = 0.5
"""Of the lines of a source that must bear a prefix."""

_STREAM = r"^(stdout|stderr) ([FP])(?: |$)"


def prefix_of(lines: pl.Series) -> str | None:
    """The prefix that most lines bear; None when there is no such."""
    if not lines.len():
        return None
    bearing = {p: lines.filter(lines.str.contains(text, literal=True)) for p, text in PREFIXES.items()}
    hits = [(int(some.str.contains(p).sum()), p) for p, some in bearing.items() if some.len()]
    best = max(hits, default=(0, ""))
    return best[1] if best[0] >= max(1.0, MIN_SHARE * lines.len()) else None


def parted(text: pl.Expr, prefix: str | None) -> tuple[pl.Expr, pl.Expr]:
    """Who wrote a line (null without prefix), and the line without its prefix."""
    if prefix is None:
        return pl.lit(None, dtype=pl.String), text
    return text.str.extract(prefix), text.str.replace(prefix, "")


def cri(frame: pl.DataFrame) -> pl.DataFrame:
    """`stdout F text`, as container runtimes write it behind the stamp; `P` marks a part of a line that goes on."""
    if not frame["message"].str.contains(_STREAM).any():
        return frame
    shown = pl.col("stamped") & pl.col("message").str.contains(_STREAM)
    return frame.with_columns(
        stream=pl.when(shown).then(pl.col("message").str.extract(_STREAM, 1)).otherwise("stream"),
        partial=pl.when(shown).then(pl.col("message").str.extract(_STREAM, 2) == "P").otherwise("partial"),
        message=pl.when(shown).then(pl.col("message").str.replace(_STREAM, "")).otherwise("message"),
    )
