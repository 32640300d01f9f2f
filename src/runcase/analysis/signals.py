"""All signals of a case: absences, contradictions and observations."""

from __future__ import annotations

import polars as pl

from runcase.analysis.absences import absences
from runcase.analysis.announcements import announced
from runcase.analysis.basis import Basis
from runcase.analysis.blind_spots import blind_spots
from runcase.analysis.contradictions import contradictions
from runcase.analysis.differences import differences
from runcase.analysis.expectations import expectations
from runcase.analysis.observability import Reach
from runcase.analysis.observations import observations
from runcase.analysis.skew_reports import skew_signals
from runcase.analysis.view import CaseView
from runcase.model.tables import SIGNALS

SIGNAL_CODES: dict[str, str] = {
    "no_claim": "the run was requested, and no worker claimed it",
    "no_first_work_event": "a worker took the attempt, and no work event followed",
    "no_first_stdout": "the attempt began, and nothing was written to stdout",
    "no_status_writeback": "the last attempt began, and no event says how the run finished",
    "no_final_artifact": "artifacts are due or were made, and none of them is the final one",
    "manifest_row_missing": "an artifact exists, and the manifest that covers its attempt has no row for it",
    "artifact_file_missing": "an artifact is claimed, and the archive holds its folder but not its file",
    "announced_never_seen": "something was announced (an artifact, `17 of 42`) and never came",
    "stage_never_finished": "the last stage that began has no end",
    "trace_without_spans": "events carry a trace id, and no span of that trace was found",
    "spans_without_run": "spans name no run, and nothing else joins them to one",
    "green_but_failed": "the attempt counts as succeeded, and its process or the end of its log says otherwise",
    "exit_zero_after_oom": "exit code 0 after the memory ran out",
    "status_running_after_exit": "a status row says running, and the run is over",
    "claimed_status_denied": "a status row says one thing, and the evidence another",
    "checksum_differs": "an artifact's bytes, or two claims of one attempt, differ in checksum or size",
    "negative_duration": "something ends before it begins",
    "stated_duration_differs": "a stated duration is not what lies between begin and end",
    "two_attempts_alive": "an attempt still worked after the next one had been claimed",
    "input_drifted": "an input of the run differs between its attempts",
    "config_changed": "the configuration differs between attempts",
    "impossible_clocks": "no skew of the clocks makes the order of the events possible",
    "clock_skew": "a source's clock stands off, by causal evidence",
    "clock_not_bounded": "a long window lies between two clocks, and nothing tells whether the second is ahead",
    "retry_succeeded": "the run succeeded on a retry",
    "retried": "the run was retried, and did not succeed",
    "redelivered": "the queue handed a message over again",
    "duplicate_source": "sources hold text that others hold too, and were counted once",
    "not_made": "stages that never began, and what they would have written",
    "may_still_run": "nothing shows that the run has ended",
    "child_runs": "runs that this one started, and how they went",
    "child_not_supplied": "this run started another, and no source of that was supplied",
    "differs_from": "where the run left the path of the last good one of its job, or of its attempt before",
    "critical_path": "the stage that decided most of how long the run took",
    "blind_spot_queue": "nothing tells how long the run waited",
    "blind_spot_work": "nothing tells what the run worked on",
    "blind_spot_artifacts": "nothing tells what the run made and used",
    "blind_spot_end": "nothing tells how the run ended",
    "blind_spot_cause": "the run failed, and nothing tells why",
    "blind_spot_replay": "nothing shows that what the run made can be reused: no workspace, no checksum",
    "blind_spot_plain_log": "questions that a log without a pack leaves open",
}
"""Code of a signal -> what it means. Packs add codes of their own through `expect`."""


def signals(view: CaseView, basis: Basis, able: Reach) -> pl.DataFrame:
    """SIGNALS of all runs; `view` has their windows and artifact states, `able` what its sources can carry."""
    marks = basis.marks
    found = pl.concat(
        [
            absences(view, marks, able),
            announced(view, marks, able),
            expectations(view),
            contradictions(view, marks, basis.clocks.doubt),
            observations(view, marks, basis.duplicates),
            blind_spots(view, marks),
            differences(view, marks),
            skew_signals(view, basis.clocks),
        ]
    )
    once = found.unique(["run_id", "attempt", "code", "text"], keep="first", maintain_order=True)
    return once.sort(SIGNALS.key, nulls_last=True)
