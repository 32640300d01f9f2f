"""Blind spots: for each question that a debugger must answer, the signal that is missing and the stage that owes it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from runcase.analysis.absences import managed_runs, signals_of
from runcase.analysis.marks import is_failure
from runcase.analysis.selection import of_kind
from runcase.analysis.view import CaseView
from runcase.analysis.wording import clip
from runcase.model.kinds import UNSUCCESSFUL, WORK_KINDS
from runcase.rules.language import Stage

MOST_NAMED = 3
"""Stages that one sentence names."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a debugger must answer of a run; `kinds`: events that answer it; `missing`: the signal to ask for."""

    code: str
    asks: str
    kinds: tuple[str, ...]
    missing: str
    unfinished: bool = False
    """Asked only of runs that did not end well."""


QUESTIONS = (
    Question(
        "blind_spot_queue",
        "how long it waited",
        ("run.created", "attempt.claimed", "invocation"),
        "run.created and attempt.claimed with the run id",
    ),
    Question(
        "blind_spot_work",
        "what it worked on",
        WORK_KINDS,
        "stage.started and stage.finished",
    ),
    Question(
        "blind_spot_artifacts",
        "what it made and used",
        ("artifact",),
        "artifact.written and artifact.read with checksum",
    ),
    Question(
        "blind_spot_end",
        "how it ended",
        ("run.finished", "exit", "invocation.finished"),
        "exit and run.finished with the status",
    ),
    Question("blind_spot_cause", "why it failed", ("error", "exit"), "error with what failed", unfinished=True),
    Question(
        "blind_spot_replay",
        "what can be reused in a rerun",
        (),
        "workspace.ready with an id, or a checksum for what it writes",
        unfinished=True,
    ),
)


def blind_spots(view: CaseView, marks: pl.DataFrame) -> pl.DataFrame:
    """Questions that no source of a managed run answers; a plain log gets one line for all of them."""
    managed = managed_runs(view, marks)
    owed = _owed(view)
    single, parts = [], []
    for question in QUESTIONS:
        dark = view.runs.select("run_id", "status").join(_answered(view, marks, question), on="run_id", how="anti")
        if question.unfinished:
            dark = dark.filter(pl.col("status").is_in(UNSUCCESSFUL))
        named = dark.join(owed, on="run_id", how="left", maintain_order="left").select(
            "run_id", stage=pl.col(question.code)
        )
        own = named.join(managed, on="run_id", how="semi", maintain_order="left").sort("run_id")
        asks, missing = pl.lit(question.asks), pl.lit(question.missing)
        parts.append(_dark(own, question.code, pl.format("not known {}: {} should emit {}", asks, "stage", missing)))
        plain = named.join(managed, on="run_id", how="anti", maintain_order="left")
        single.append(plain.select("run_id", what=pl.format("{} ({}: {})", asks, "stage", missing)))
    joined = pl.concat(single).group_by("run_id", maintain_order=True).agg(what=pl.col("what").str.join("; "))
    parts.append(_dark(joined.sort("run_id"), "blind_spot_plain_log", pl.format("not known from this log: {}", "what")))
    return pl.concat(parts)


def _answered(view: CaseView, marks: pl.DataFrame, question: Question) -> pl.DataFrame:
    """`run_id` of the runs of which some evidence answers the question; why it failed is asked of those that worked."""
    if question.code == "blind_spot_replay":
        return _reusable(view)
    spoken = of_kind(pl.col("kind"), question.kinds)
    others = view.runs.clear().select("run_id")
    if question.code == "blind_spot_artifacts":
        others = view.states.select("run_id")
    if question.code == "blind_spot_cause":
        spoken |= is_failure(pl.col("kind"), pl.col("level"))
        others = view.runs.filter(pl.col("started_at").is_null()).select("run_id")
    return pl.concat([marks.filter(spoken).select("run_id"), others]).unique()


def _reusable(view: CaseView) -> pl.DataFrame:
    """Runs with a workspace, or of whose artifacts one at least has a checksum; and those that made none."""
    known = view.attempts.filter(pl.col("workspace_id").is_not_null()).select("run_id")
    made = view.states.filter(pl.col("producer").is_not_null())
    bare = made.filter(pl.col("checksum").is_null().all().over("run_id")).select("run_id")
    return pl.concat([known, view.runs.select("run_id").join(bare, on="run_id", how="anti")]).unique()


def _dark(rows: pl.DataFrame, code: str, text: pl.Expr) -> pl.DataFrame:
    made = rows.with_columns(
        verdict=pl.lit("not_observable"),
        searched=pl.lit("all sources of the run"),
        refs=pl.lit([], dtype=pl.List(pl.String)),
    )
    return signals_of(made, code, text, "observation")


# --- who owes it ----------------------------------------------------------------------------------


def _owed(view: CaseView) -> pl.DataFrame:
    """`run_id` and, by code of a question, the stages that should emit what is missing, as words."""
    seen = _seen_stages(view)
    declared = {p.name: p.stages for p in view.packs}
    rows = []
    for run_id, pack in view.runs.select("run_id", "pack").sort("run_id").iter_rows():
        begun, last = seen.get(run_id, ([], None))
        rows.append({"run_id": run_id, **_owners(begun, last, declared.get(pack, ()))})
    schema = {"run_id": pl.String} | {q.code: pl.String for q in QUESTIONS}
    return pl.DataFrame(rows, schema=schema)


def _owners(begun: list[str], last: str | None, stages: tuple[Stage, ...]) -> dict[str, str]:
    names = [s.name for s in stages]
    writers = [s.name for s in stages if s.writes and (s.name in begun or not begun)]
    reached = last or (names[0] if names else "active")
    return {
        "blind_spot_queue": _words(["queue"]),
        "blind_spot_work": _words(names or ["active"]),
        "blind_spot_artifacts": _words(writers or begun or ["active"]),
        "blind_spot_end": _words([last or (names[-1] if names else "writeback")]),
        "blind_spot_cause": _words([reached]),
        "blind_spot_replay": _words(["boot", *(writers or begun)]),
    }


def _words(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" * (len(names) > MOST_NAMED)
    return ("stage " if len(names) == 1 else "stages ") + ", ".join(clip(n) for n in names[:MOST_NAMED]) + more


def _seen_stages(view: CaseView) -> dict[str, tuple[list[str], str | None]]:
    """Of each run: its stages in the order in which they began, and the one that began last."""
    stages = view.windows.filter((pl.col("kind") == "stage") & pl.col("start").is_not_null())
    ordered = stages.sort("run_id", "start", "name").group_by("run_id", maintain_order=True)
    rows = ordered.agg(pl.col("name").unique(maintain_order=True), last=pl.col("name").last())
    return {run: (names, last) for run, names, last in rows.iter_rows()}
