"""Parsed lines to records: lines that go on are joined to the line that begins, writer by writer.

A record's bytes are one stretch of its source. Where the lines of several
writers alternate, the first stretch of a record holds the whole message; each
further stretch is a record with an empty message whose `fields` name the line
that it goes on with, so that every byte still lies in exactly one record.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from runcase.intake.formats.joining import LOOK_AHEAD
from runcase.intake.limits import TextLimits


def bounded(parsed: pl.DataFrame, interleaved: bool, limits: TextLimits) -> pl.DataFrame:
    """Lines with `begins` also where a record would grow too long; the first line begins one, and so does a fragment.

    Cuts depend on the record's own lines only, so that they fall at the same place however the bytes arrive; where
    writers alternate, no record reaches from one segment into the next.
    """
    begins = (parsed["begins"] | ~parsed["fresh"]).to_numpy()
    if interleaved:
        begins = begins | np.append(True, np.diff(parsed["segment"].to_numpy()) != 0)[: begins.size]
    cut = cuts(begins, parsed["start"].to_numpy(), parsed["length"].to_numpy(), limits)
    return parsed.with_columns(begins=pl.Series(cut, dtype=pl.Boolean))


def cuts(begins: np.ndarray, starts: np.ndarray, lengths: np.ndarray, limits: TextLimits) -> np.ndarray:
    """As `bounded`, over arrays."""
    begins = begins.copy()
    begins[:1] = True
    heads = np.append(np.flatnonzero(begins), begins.size)
    ends = np.append(starts, starts[-1:] + lengths[-1:])
    long = (np.diff(heads) > limits.joined_lines) | (ends[heads[1:]] - ends[heads[:-1]] > limits.joined_bytes)
    for head, end in zip(heads[:-1][long].tolist(), heads[1:][long].tolist(), strict=True):
        at = head
        while (cut := _cut(starts, at, limits)) < end:
            begins[cut] = True
            at = cut
    return begins


def _cut(starts: np.ndarray, head: int, limits: TextLimits) -> int:
    """The first line that does not fit into the record that begins at `head`."""
    by_bytes = int(np.searchsorted(starts, starts[head] + limits.joined_bytes, side="left"))
    return max(head + 1, min(head + limits.joined_lines, by_bytes))


def settled(parsed: pl.DataFrame, interleaved: bool) -> int:
    """How many of the first lines belong to records that no later line can change.

    Args:
        parsed: Lines from the begin of a record.
        interleaved: Whether several writers alternate.
    """
    if interleaved:
        return int((parsed["segment"] < parsed["segment"][-1]).sum())
    fragments = parsed.select((~pl.col("fresh")).arg_true().last()).item()
    return max(last_sure(parsed["begins"].to_numpy()), fragments or 0)


def last_sure(begins: np.ndarray) -> int:
    """The last line that surely begins a record: those behind it may look ahead to lines that are not there yet."""
    sure = np.flatnonzero(begins[: max(0, begins.size - LOOK_AHEAD)])
    return int(sure[-1]) if sure.size else 0


def joined(parsed: pl.DataFrame, interleaved: bool, limits: TextLimits) -> pl.DataFrame:
    """One row a record: the first line's columns, `byte_len` and `n_lines` of its stretch, messages joined.

    Needs `number`, the line's number in its source.
    """
    rows = parsed.with_row_index("row").with_columns(record=_record(interleaved))
    new = (pl.col("record") != pl.col("record").shift(1)).fill_null(value=True)
    head = pl.col("row") == pl.col("row").first().over("record")
    glue = pl.when(head | pl.col("after_partial")).then(pl.lit("")).otherwise(pl.lit("\n"))
    rows = rows.with_columns(stretch=new.cum_sum(), piece=pl.concat_str(glue, "message"))
    stretches = rows.group_by("stretch", maintain_order=True).agg(
        pl.exclude("length", "marks", "piece").first(),
        byte_len=pl.col("length").sum(),
        n_lines=pl.col("fresh").sum().clip(1),
        marks=pl.col("marks").drop_nulls().str.join(" ").replace("", None),
    )
    if not interleaved:
        texts = rows.group_by("stretch", maintain_order=True).agg(pl.col("piece").str.join(""))["piece"]
        return stretches.with_columns(message=texts.str.slice(0, limits.message_chars))
    wholes = rows.group_by("record", maintain_order=True).agg(
        whole=pl.col("piece").str.join(""), head_row=pl.col("row").first(), head_line=pl.col("number").first()
    )
    full = stretches.join(wholes, on="record", how="left", maintain_order="left")
    further = pl.col("row") != pl.col("head_row")
    place = pl.concat_str(pl.lit('{"continues_line": '), "head_line", pl.lit("}"))
    return full.with_columns(
        message=pl.when(further).then(pl.lit("")).otherwise(pl.col("whole").str.slice(0, limits.message_chars)),
        fields=pl.when(further).then(place).otherwise("fields"),
        level=pl.when(~further).then("level"),
    )


def _record(interleaved: bool) -> pl.Expr:
    """What is equal for the lines of one record."""
    if not interleaved:
        return pl.col("begins").cum_sum()
    own = (pl.col("stream").fill_null(""), pl.col("segment"))
    return pl.concat_str(*own, pl.col("begins").cum_sum().over(*own), separator="\0")
