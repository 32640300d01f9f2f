"""Contradictions: what a run claims of itself against what its bytes show."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from runcase.analysis.absences import PAIR, signals_of
from runcase.analysis.clocks import doubted
from runcase.analysis.marks import OOM_WORDS, is_failure
from runcase.analysis.selection import of_kind
from runcase.analysis.status import claims, errors_at_end, exits
from runcase.analysis.view import CaseView
from runcase.model.refs import ref_of

INPUT_ROLES = ("bundle", "input")
CONFIG_ROLES = ("config", "configuration")
"""Roles of artifacts that must be the same for every attempt."""

STATED_SLACK = timedelta(seconds=5)
STATED_SHARE = 0.2
"""A stated duration contradicts the measured one when it is off by more than both of these."""


def contradictions(view: CaseView, marks: pl.DataFrame, doubt: pl.DataFrame) -> pl.DataFrame:
    """SIGNALS of family `contradiction`."""
    return pl.concat(
        [
            _green_but_failed(view, marks),
            _zero_after_oom(view, marks),
            _claim_against_status(view, marks),
            _checksums(view),
            _negative(view),
            _stated_durations(view, marks),
            _two_alive(marks, doubt),
            *_drifted(view, marks),
        ]
    )


def contradiction(rows: pl.DataFrame, code: str, text: pl.Expr) -> pl.DataFrame:
    """SIGNALS of rows that have `run_id, refs` and may have `attempt`."""
    made = rows.with_columns(verdict=pl.lit("observed"), searched=pl.lit("the evidence that both sides cite"))
    return signals_of(made, code, text, "contradiction")


def _green_but_failed(view: CaseView, marks: pl.DataFrame) -> pl.DataFrame:
    """A run that counts as succeeded although its process failed, or its log ends in an error."""
    green = view.attempts.filter(pl.col("status") == "succeeded").select(*PAIR, "status_refs")
    failed = exits(marks).filter((pl.col("code") != 0) & ~pl.col("kind").str.starts_with("exit."))
    ended = errors_at_end(marks).with_columns(code=pl.lit(None, dtype=pl.Int64))
    both = pl.concat([failed, ended.select(failed.columns)]).select(
        "run_id", "title", "code", "ref", "order", attempt=pl.col("in_attempt")
    )
    last = both.sort("run_id", "attempt", "order").group_by(PAIR, maintain_order=True).last()
    rows = green.join(last, on=PAIR, how="inner", maintain_order="left")
    rows = rows.with_columns(refs=pl.concat_list("status_refs", "ref").list.unique(maintain_order=True))
    what = (
        pl.when(pl.col("code").is_not_null())
        .then(pl.format("its process exited with {}", "code"))
        .otherwise(pl.format("its log ends in an error: {}", "title"))
    )
    return contradiction(rows, "green_but_failed", pl.format("the attempt counts as succeeded, and {}", what))


def _zero_after_oom(view: CaseView, marks: pl.DataFrame) -> pl.DataFrame:
    zero = exits(marks).filter(pl.col("code") == 0)
    zero = zero.select("run_id", "order", _exit="ref", attempt=pl.col("in_attempt"))
    told = _kills(view, zero["run_id"].unique().sort().to_list())
    named = of_kind(pl.col("kind"), ["error", "warning"]) | pl.col("level").is_in(["error", "fatal"])
    oom = pl.col("title").str.contains(OOM_WORDS) | (pl.col("f_failure") == "resource.oom") | pl.col("ref").is_in(told)
    kills = marks.filter((named & oom).fill_null(value=False)).select(
        "run_id", "title", _at="order", _kill="ref", attempt=pl.col("in_attempt")
    )
    first = kills.group_by(PAIR, maintain_order=True).first()
    rows = zero.join(first, on=PAIR, how="inner", maintain_order="left").filter(pl.col("_at") < pl.col("order"))
    rows = rows.group_by(PAIR, maintain_order=True).last().with_columns(refs=pl.concat_list("_kill", "_exit"))
    return contradiction(rows, "exit_zero_after_oom", pl.format("exit code 0 after `{}`", "title"))


def _kills(view: CaseView, runs: list[str]) -> list[str]:
    """Refs of errors of these runs that speak of memory in their text, also below its first line."""
    if not runs:
        return []
    failed = is_failure(pl.col("kind"), pl.col("level")) & pl.col("run_id").is_in(runs)
    found = view.events.filter(failed & pl.col("message").str.contains(OOM_WORDS)).select(ref=ref_of()).collect()
    return found["ref"].sort().to_list()


def _claim_against_status(view: CaseView, marks: pl.DataFrame) -> pl.DataFrame:
    """A status row against the evidence: still `running` after the end, or an end that the bytes deny."""
    last = claims(marks).group_by("run_id", maintain_order=True).agg(_row=pl.col("ref").last())
    rows = view.runs.filter(pl.col("claimed_status").is_not_null() & (pl.col("claimed_status") != pl.col("status")))
    rows = rows.filter(pl.col("status") != "lost").join(last, on="run_id", how="left", maintain_order="left")
    rows = rows.with_columns(
        refs=pl.concat_list(pl.concat_list("_row").list.drop_nulls(), "status_refs").list.unique(maintain_order=True)
    )
    running = pl.col("claimed_status") == "running"
    stale = contradiction(
        rows.filter(running),
        "status_running_after_exit",
        pl.format("the status row says running, and the evidence says {}", "status"),
    )
    denied = contradiction(
        rows.filter(~running),
        "claimed_status_denied",
        pl.format("the status row says {}, and the evidence says {}", "claimed_status", "status"),
    )
    return pl.concat([stale, denied])


def _checksums(view: CaseView) -> pl.DataFrame:
    rows = view.states.filter(pl.col("state") == "mismatch")
    return contradiction(rows, "checksum_differs", pl.format("{}: {}", "artifact_id", "state_text"))


def _negative(view: CaseView) -> pl.DataFrame:
    """Windows whose end lies before their begin, at any reading of both clocks."""
    rows = view.windows.filter(pl.col("state") == "contradictory")
    rows = rows.with_columns(refs=pl.concat_list("start_ref", "end_ref").list.drop_nulls()).drop("searched")
    return contradiction(rows, "negative_duration", pl.format("{} {} ends before it begins", "kind", "name"))


def _stated_durations(view: CaseView, marks: pl.DataFrame) -> pl.DataFrame:
    """A stage or tool that states another duration than lies between its begin and its end."""
    stated = marks.filter(pl.col("duration_us").is_not_null()).select("ref", _stated="duration_us")
    closed = view.windows.filter(pl.col("kind").is_in(["stage", "tool"]) & (pl.col("state") == "closed"))
    rows = closed.filter(pl.col("start_ref") != pl.col("end_ref")).drop("searched")
    rows = rows.join(stated.unique("ref"), left_on="end_ref", right_on="ref", how="inner", maintain_order="left")
    off = (pl.col("duration_us") - pl.col("_stated")).abs() - pl.col("uncertainty_us")
    slack = STATED_SLACK / timedelta(microseconds=1)
    rows = rows.filter((off > slack) & (off > pl.max_horizontal("duration_us", "_stated") * STATED_SHARE))
    rows = rows.with_columns(refs=pl.concat_list("start_ref", "end_ref"))
    text = pl.format(
        "{} {} states {} s, and {} s lie between its begin and its end",
        "kind",
        "name",
        (pl.col("_stated") / 1e6).round(1),
        (pl.col("duration_us") / 1e6).round(1),
    )
    return contradiction(rows, "stated_duration_differs", text)


def _short(value: pl.Expr) -> pl.Expr:
    """Of a digest as much as tells two apart; of anything else its begin."""
    return value.str.replace(r"^(?:sha256:)?([0-9a-f]{12})[0-9a-f]{52}$", "sha256:${1}").str.slice(0, 80)


def _two_alive(marks: pl.DataFrame, doubt: pl.DataFrame) -> pl.DataFrame:
    """An attempt that still works after the next one was claimed, at any reading of both clocks."""
    work = marks.filter(of_kind(pl.col("kind"), ["stage", "tool", "artifact.written", "progress", "upload"]))
    own = work.filter(pl.col("own_attempt").is_not_null() & pl.col("ts_lo").is_not_null()).sort("ts_lo", "order")
    last = own.group_by("run_id", attempt=pl.col("own_attempt"), maintain_order=True)
    alive = last.agg(_alive=pl.col("ts_lo").last(), _ref=pl.col("ref").last())
    starts = marks.filter(of_kind(pl.col("kind"), ["attempt.claimed", "attempt.started"]))
    first = starts.sort("order").group_by("run_id", attempt=pl.col("in_attempt"), maintain_order=True)
    claimed = first.agg(_claim=pl.col("ts_hi").first(), _claim_ref=pl.col("ref").first())
    earlier = claimed.with_columns(_next=pl.col("attempt"), attempt=pl.col("attempt") - 1)
    pairs = alive.join(earlier, on=PAIR, how="inner", maintain_order="left")
    pairs = doubted(pairs.with_columns(start_ref="_claim_ref", end_ref="_ref"), doubt)
    certain = pl.col("_alive") - pl.col("_claim") > pl.duration(
        microseconds=pl.col("_start_late") + pl.col("_end_early")
    )
    rows = pairs.filter(certain).with_columns(refs=pl.concat_list("_claim_ref", "_ref"))
    text = pl.format("attempt {} still worked after attempt {} had been claimed", "attempt", "_next")
    return contradiction(rows, "two_attempts_alive", text)


def _drifted(view: CaseView, marks: pl.DataFrame) -> list[pl.DataFrame]:
    """Inputs and configuration that differ between attempts: by name, by stated digest, or by their artifact's."""
    stated = marks.select("run_id", "ref", "f_bundle", "f_bundle_sha256", attempt=pl.col("in_attempt"))
    named = stated.filter(pl.col("f_bundle").is_not_null()).select(
        *PAIR, "ref", what=pl.lit("bundle"), value="f_bundle", config=pl.lit(value=False)
    )
    digests = stated.filter(pl.col("f_bundle_sha256").is_not_null()).select(
        *PAIR, "ref", what=pl.lit("checksum of the bundle"), value="f_bundle_sha256", config=pl.lit(value=False)
    )
    roles = view.artifacts.filter(
        pl.col("role").is_in([*INPUT_ROLES, *CONFIG_ROLES]) & pl.col("checksum").is_not_null()
    )
    roles = roles.filter(pl.col("run_id").is_not_null() & pl.col("attempt").is_not_null())
    files = roles.select(
        *PAIR,
        ref=ref_of(),
        what=pl.format("checksum of {}", "artifact_id"),
        value="checksum",
        config=pl.col("role").is_in(CONFIG_ROLES),
    )
    seen = pl.concat([named, digests, files]).sort("run_id", "what", "attempt", "ref")
    rows = seen.group_by("run_id", "what", "config", maintain_order=True).agg(
        refs=pl.col("ref").first().over("value").unique(maintain_order=True).head(4),
        _values=pl.col("value").n_unique(),
        _first=_short(pl.col("value").first()),
        _last=_short(pl.col("value").last()),
    )
    rows = rows.filter(pl.col("_values") > 1)
    # the same two digests by the name of the artifact and by that of the field are one drift
    rows = rows.unique(["run_id", "_first", "_last"], keep="first", maintain_order=True)
    text = pl.format("the {} differs between attempts: {}, then {}", "what", "_first", "_last")
    inputs, config = rows.filter(~pl.col("config")), rows.filter(pl.col("config"))
    return [contradiction(inputs, "input_drifted", text), contradiction(config, "config_changed", text)]
