"""The short form of a comparison, for every run that did not succeed: where it left the path of a good one."""

from __future__ import annotations

import polars as pl

from runcase.analysis.absences import PAIR, signals_of
from runcase.analysis.compare import Divergence, Side, divergence, frame_changes, shape_of, window_changes
from runcase.analysis.counterparts import counterparts
from runcase.analysis.marks import MOST_OF_A_KIND, QUIET_KINDS
from runcase.analysis.selection import of_kind
from runcase.analysis.view import CaseView
from runcase.analysis.wording import clip
from runcase.model.tables import SIGNALS

MOST_COMPARED = 500
"""Runs of a case that are compared; `runcase compare` does it for any."""

MOST_NAMED = 3
"""Windows and columns of the frame that the sentence names."""


def differences(view: CaseView, marks: pl.DataFrame) -> pl.DataFrame:
    """SIGNALS: one observation a run that did not succeed and has a good run of its job, or an earlier attempt."""
    pairs = counterparts(view.runs, view.attempts).head(MOST_COMPARED)
    told = marks.filter(~of_kind(pl.col("kind"), QUIET_KINDS)).select(
        "run_id", "kind", "ref", text="title", attempt=pl.col("in_attempt")
    )
    told = told.with_columns(shape=pl.format("{} {}", "kind", shape_of(pl.col("text").fill_null(""))))
    parts = told.partition_by(PAIR, as_dict=True, maintain_order=True)
    rows: list[dict[str, object]] = []
    for run, attempt, other, other_attempt, why in pairs.iter_rows():
        a, b = Side(run, attempt), Side(other, other_attempt)
        paths = [parts.get(key, told.clear()) for key in ((run, attempt), (other, other_attempt))]
        # of more some may be left out, and the paths would part where that begins
        parted = divergence(*paths) if max(p.height for p in paths) < 2 * MOST_OF_A_KIND else None
        said = [*_path(parted), *_changes(view, a, b)]
        if said:
            refs = [r for r in (parted.ref_a, parted.ref_b) if r] if parted else []
            name = f"attempt {other_attempt}" if other == run else f"{why} {other}"
            rows.append({"run_id": run, "attempt": attempt, "refs": refs, "_text": f"{name}: {'; '.join(said)}"})
    schema = pl.Schema({n: SIGNALS.schema[n] for n in (*PAIR, "refs")} | {"_text": pl.String()})
    frame = pl.DataFrame(rows, schema=schema).with_columns(
        verdict=pl.lit("observed"), searched=pl.lit("both attempts; runcase compare shows all of it")
    )
    return signals_of(frame, "differs_from", pl.col("_text"), "observation")


def _path(parted: Divergence | None) -> list[str]:
    if parted is None:
        return []
    if parted.text_a is None:
        return [f"ends where that goes on with `{clip(parted.text_b or '')}`"]
    if parted.text_b is None:
        return [f"goes on with `{clip(parted.text_a)}` where that had ended"]
    return [f"parts at `{clip(parted.text_a)}`, there `{clip(parted.text_b)}`"]


def _changes(view: CaseView, a: Side, b: Side) -> list[str]:
    """What took another time, and what else is not the same."""
    spent = [c for c in window_changes(view.windows, a, b) if c.a and c.b][:MOST_NAMED]
    frame = [c for c in frame_changes(view.attempts, a, b) if c.name != "status"][:MOST_NAMED]
    named = [(clip(c.name.removeprefix("window ")), c.a, c.b) for c in (*spent, *frame)]
    return [f"{name} {a or 'none'} (there {b or 'none'})" for name, a, b in named]
