"""What a person asks of a finished case: where the time went, from where to rerun, what changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from runcase import finished
from runcase.analysis.compare import Comparison, Side, assigned, compare, counterpart
from runcase.analysis.critical import Chain, chain_of
from runcase.analysis.replay import replays, with_files
from runcase.intake.inputs import fingerprint
from runcase.model.case import Conclusions
from runcase.model.problems import RuncaseError
from runcase.report import rows as values
from runcase.report.dossier import Dossier, Replay


@dataclass(frozen=True, slots=True)
class Times:
    """Where the time of a run went: its dossier, and the critical path of its last attempt."""

    dossier: Dossier
    chain: Chain | None


@dataclass(frozen=True, slots=True)
class Checked:
    """A workspace of today against the claims of a run: how many of its artifacts were looked for and what differs."""

    looked_for: int
    found: int
    missing: tuple[str, ...]
    mismatch: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplayAnswer:
    """A replay plan; null with the reason why there is none."""

    run_id: str
    status: str
    plan: Replay | None
    why_none: str
    checked: Checked | None


def times(path: str, run: str) -> Times:
    """The windows of a run and its critical path.

    Raises:
        RuncaseError: `unknown_run`, `not_a_case`.
    """
    case, found = finished.open_case(path)
    run_id = finished.the_run(found, run, path)
    dossier = finished.dossier_of(case, found, run_id)
    last = int(found.attempts.filter(pl.col("run_id") == run_id)["attempt"].max() or 1)  # type: ignore[arg-type]
    return Times(dossier, chain_of(found.windows, found.attempts, found.edges, run_id, last))


# --- replay ---------------------------------------------------------------------------------------


def replay(path: str, run: str, workspace: str | None = None, rules: Sequence[str] = ()) -> ReplayAnswer:
    """From where a run can safely be rerun, as the case says or as a workspace of today allows.

    Raises:
        RuncaseError: `unknown_run`, `missing_path`, `pack_changed`, `unknown_pack`.
    """
    case, found = finished.open_case(path)
    run_id = finished.the_run(found, run, path)
    own = replace(found, runs=found.runs.filter(pl.col("run_id") == run_id))
    checked = None
    if workspace is not None:
        own, checked = _against(own, run_id, Path(workspace))
        own = replace(own, replay=replays(own, finished.case_packs(case, rules)))
    rows = own.replay.filter(pl.col("run_id") == run_id).to_dicts()
    plan = values.replay(rows[0]) if rows else None
    status = own.runs["status"][0]
    return ReplayAnswer(run_id, status, plan, "" if plan else _why_none(status), checked)


def _against(found: Conclusions, run_id: str, folder: Path) -> tuple[Conclusions, Checked]:
    if not folder.is_dir():
        raise RuncaseError("missing_path", f"no such folder: {folder}", "name the workspace as it is today")
    states = found.states.filter(pl.col("run_id") == run_id)
    claimed = states.filter(pl.col("path").is_not_null())["path"].to_list()
    files = dict(_files(folder, claimed))
    weighed = with_files(states, files)
    looked = weighed.filter(pl.col("path").is_not_null())
    odd = {s: tuple(looked.filter(pl.col("state") == s)["artifact_id"].to_list()) for s in ("missing", "mismatch")}
    checked = Checked(looked.height, len(files), odd["missing"], odd["mismatch"])
    return replace(found, states=weighed), checked


def _files(folder: Path, claimed: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Claimed path and SHA-256 of those claimed files that lie in the folder; nothing outside of it is opened."""
    root = folder.resolve()
    for path in sorted(set(claimed)):
        place = Path(os.path.normpath(root / path)) if "\0" not in path else root
        real = place.resolve() if place != root else root
        if root in place.parents and root in real.parents and real.is_file():
            yield path, fingerprint(real)[0]


def _why_none(status: str) -> str:
    if status == "succeeded":
        return "the run succeeded: nothing needs to be done again"
    if status == "running":
        return "the run may still be running: nothing is planned while it may write"
    return "no rule pack declares the stages of this run, so no start can be shown to be safe"


# --- comparison -----------------------------------------------------------------------------------


def comparison(path: str, first: str, second: str | None = None) -> Comparison:
    """Two attempts side by side; without a second one, the last good run of the same job, else the attempt before.

    Args:
        path: Folder of the case.
        first: `RUN` (its last attempt) or `RUN@ATTEMPT`.
        second: The same; None: chosen.

    Raises:
        RuncaseError: `unknown_run`; `no_counterpart` when there is nothing to compare with.
    """
    case, found = finished.open_case(path)
    a = _side(found, first, path)
    b = _side(found, second, path) if second is not None else counterpart(found, a)
    if b is None:
        what = f"{a.run_id} has one attempt, and the case has no good run of its job before it"
        raise RuncaseError("no_counterpart", what, "name the run to compare with: runcase compare A B")
    facts = finished.facts_of(case, found, [a.run_id, b.run_id])
    events, claims = assigned(facts.events, found), assigned(facts.artifacts, found)
    return compare(events, claims, facts.sources.collect(), found, a, b)


def _side(found: Conclusions, text: str, path: str) -> Side:
    """The attempt that `RUN` or `RUN@N` names."""
    known = set(found.runs["run_id"].to_list())
    name, mark, number = text.rpartition("@")
    if text in known or not mark or not number.isdigit():
        run_id = finished.the_run(found, text, path)
        tried = found.attempts.filter(pl.col("run_id") == run_id)["attempt"].to_list()
        return Side(run_id, max(tried))
    run_id = finished.the_run(found, name, path)
    tried = found.attempts.filter(pl.col("run_id") == run_id)["attempt"].to_list()
    if int(number) not in tried:
        raise RuncaseError("unknown_run", f"{run_id} has no attempt {number}", f"it has: {', '.join(map(str, tried))}")
    return Side(run_id, int(number))
