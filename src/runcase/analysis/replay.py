"""Replay plans of all runs that did not succeed and whose pack declares their stages."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from runcase.analysis.replay_plan import Lack, Plan, StageFacts, plan
from runcase.model.case import Conclusions
from runcase.model.kinds import UNSUCCESSFUL
from runcase.model.tables import REPLAYS
from runcase.rules.language import Pack, ReplayRule, Stage

HARD_SIGNALS = ("input_drifted", "config_changed")
"""Signals that block any replay: what the run would read is not what it read."""

_LACKS = {
    "missing": ("artifact_missing", "{} is gone"),
    "mismatch": ("artifact_partial", "{} is not what was claimed: {}"),
    "expired": ("payload_expired", "{} has expired"),
}
_HOLE = re.compile(r"\{([a-z_]+)(?:\|([a-z-]+))?\}")
MAX_NAMED = 6
"""Artifacts of one stage that the reuse list names one by one."""

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Run:
    """Conclusions about one run, as plain rows."""

    frame: Row
    attempt: Row
    windows: Sequence[Row]
    states: Sequence[Row]
    signals: Sequence[Row]
    failure: str | None


def replays(found: Conclusions, packs: tuple[Pack, ...], engines: pl.DataFrame | None = None) -> pl.DataFrame:
    """REPLAYS: one row a run that did not succeed, and whose pack declares stages or knows how its engine resumes.

    Args:
        found: Conclusions so far.
        packs: All packs.
        engines: As `pack_choice.engines` yields them: packs that know commands, by run.
    """
    declared = {p.name: p for p in packs if p.stages}
    due = found.runs.filter(pl.col("status").is_in(UNSUCCESSFUL) & pl.col("pack").is_in(list(declared))).sort("run_id")
    rows = [_row(run, declared[str(run.frame["pack"])], _rules(packs, run.frame["pack"])) for run in _each(found, due)]
    return REPLAYS.frame([*rows, *_resumed(found, packs, due, engines)]).sort(REPLAYS.key)


def _rules(packs: tuple[Pack, ...], own: object) -> list[ReplayRule]:
    """The rules that may speak of a run: those of the pack that declares its stages, and of packs of a user's own.

    Commands of other engines are none of its business.
    """
    return [r for p in reversed(packs) if p.name == own or not p.shipped for r in p.replay]


def _resumed(
    found: Conclusions, packs: tuple[Pack, ...], planned: pl.DataFrame, engines: pl.DataFrame | None
) -> Iterable[dict[str, object]]:
    """Runs of unknown stages whose engine knows itself what it can reuse: only its commands are told."""
    if engines is None:
        return
    known = {p.name: p for p in packs}
    over = found.runs.filter(pl.col("status").is_in(UNSUCCESSFUL)).join(
        planned.select("run_id"), on="run_id", how="anti"
    )
    mine = over.join(engines, on="run_id", how="inner", suffix="_engine").sort("run_id")
    nowhere = Plan(None, (), (), ())
    lists = {n: [] for n in ("reuse", "redo", "not_redo", "counterfactuals")}  # type: dict[str, list[str]]
    names = dict(mine.select("run_id", "pack_engine").iter_rows())
    for run in _each(found, mine):
        fitting = [r for r in known[names[run.frame["run_id"]]].replay if r.commands and _fits(r, run, nowhere)]
        if fitting:
            commands = [_filled(c, run, nowhere) for c in fitting[0].commands]
            yield {"run_id": run.frame["run_id"], "start": None, **lists, "blockers": "[]", "commands": commands}


def with_files(states: pl.DataFrame, files: Mapping[str, str]) -> pl.DataFrame:
    """STATES of one run against a workspace as it is today.

    Args:
        states: STATES of the run.
        files: Path within the workspace -> SHA-256 in hex.
    """
    schema = {"path": pl.String, "_now": pl.String}
    known = pl.DataFrame({"path": list(files), "_now": list(files.values())}, schema=schema)
    joined = states.join(known, on="path", how="left", maintain_order="left")
    digest = pl.concat_str(pl.lit("sha256:"), "_now")
    named, there = pl.col("path").is_not_null(), pl.col("_now").is_not_null()
    differs = there & pl.col("checksum").str.starts_with("sha256:") & (pl.col("checksum") != digest)
    state = (
        pl.when(named & ~there)
        .then(pl.lit("missing"))
        .when(differs.fill_null(value=False))
        .then(pl.lit("mismatch"))
        .when(there)
        .then(pl.lit("verified"))
        .otherwise("state")
    )
    text = pl.when(named).then(pl.format("in the workspace today: {}", state)).otherwise("state_text")
    return joined.with_columns(state=state, state_text=text).select(states.columns)


def _each(found: Conclusions, due: pl.DataFrame) -> Iterable[_Run]:
    last = found.attempts.sort("run_id", "attempt").group_by("run_id", maintain_order=True).last()
    attempts = {r["run_id"]: r for r in last.iter_rows(named=True)}
    ids = due.select("run_id")
    frames = [f.join(ids, on="run_id", how="semi") for f in (found.windows, found.states, found.signals)]
    frames[0] = frames[0].filter(pl.col("kind") == "stage")
    windows, states, signals = (_by_run(f) for f in frames)
    classes = dict(found.diagnoses.filter(pl.col("rank") == 0).select("run_id", "class").iter_rows())
    for frame in due.iter_rows(named=True):
        run = frame["run_id"]
        of_run = (windows.get(run, []), states.get(run, []), signals.get(run, []))
        yield _Run(frame, attempts[run], *of_run, classes.get(run))


def _by_run(frame: pl.DataFrame) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {}
    for row in frame.iter_rows(named=True):
        rows.setdefault(str(row["run_id"]), []).append(row)
    return rows


def _row(run: _Run, pack: Pack, rules: Sequence[ReplayRule]) -> dict[str, object]:
    stages = [_facts(s, run, pack) for s in pack.stages]
    hard = [
        Lack(str(s["code"]), str(s["text"]), tuple(_texts(s["refs"]))) for s in run.signals if s["code"] in HARD_SIGNALS
    ]
    lacks = _lacks(run)
    known = {str(s["artifact_id"]) for s in run.states}
    for name in sorted({a for s in stages for a in s.inputs} - known):
        lacks[name] = Lack("artifact_missing", f"nothing of the run shows {name}")
    found = plan(stages, lacks, hard)
    rule = next((r for r in rules if _fits(r, run, found)), None)
    acts = {s.name: s.acts or (s.name,) for s in stages}
    return {
        "run_id": run.frame["run_id"],
        "start": found.start,
        "reuse": _reused(run, found) if found.start else [],
        "redo": [a for name in found.redo for a in acts[name]],
        "not_redo": list(found.not_redo),
        "blockers": json.dumps([{"code": b.code, "text": b.text, "refs": list(b.refs)} for b in found.blockers]),
        "counterfactuals": list(found.counterfactuals),
        "commands": [_filled(c, run, found) for c in rule.commands] if rule and found.start else [],
    }


# --- facts of one run -----------------------------------------------------------------------------


def _facts(stage: Stage, run: _Run, pack: Pack) -> StageFacts:
    last = run.attempt["attempt"]
    own = [w for w in run.windows if w["name"] == stage.name]
    latest = [w for w in own if w["attempt"] == last]
    failed = any(str(w["detail"] or "").startswith(("status failed", "status error", "error")) for w in latest)
    outputs = {str(s["artifact_id"]) for s in run.states if s["producer"] == stage.name} | _unseen(stage, run, pack)
    closed = bool(latest) and all(w["state"] == "closed" for w in latest[-1:])
    return StageFacts(
        name=stage.name,
        inputs=frozenset(_inputs(stage, run, pack) - outputs),
        outputs=frozenset(outputs),
        completed=closed and not failed,
        begun=bool(own),
        deterministic=stage.deterministic,
        side_effects=stage.side_effects,
        optional=stage.optional,
        acts=stage.redo,
    )


def _unseen(stage: Stage, run: _Run, pack: Pack) -> set[str]:
    """What the stage is declared to give and nothing of the run shows: roles that it writes, or all that it made."""
    kinds = {s["kind"] for s in run.states}
    roles = {w for w in stage.writes if w not in kinds and any(w in s.reads for s in pack.stages)}
    silent = not any(s["producer"] == stage.name for s in run.states)
    read_whole = any(stage.name in s.reads for s in pack.stages)
    return roles | ({_output_of(stage.name)} if silent and read_whole else set())


def _output_of(stage: str) -> str:
    return f"output of {stage}"


def _inputs(stage: Stage, run: _Run, pack: Pack) -> set[str]:
    """What the stage read by lineage, and what its declaration names: stages, roles, or artifacts by glob."""
    found = {str(s["artifact_id"]) for s in run.states if stage.name in _texts(s["consumers"])}
    names = {s.name for s in pack.stages}
    given = {u for s in pack.stages for u in _unseen(s, run, pack)}
    for wanted in stage.reads:
        by = "producer" if wanted in names else "kind"
        found |= {str(s["artifact_id"]) for s in run.states if s[by] == wanted}
        found |= {a for s in run.states if fnmatch.fnmatchcase(a := str(s["artifact_id"]), wanted)}
        found |= given & {wanted, _output_of(wanted)}
    return found


def _lacks(run: _Run) -> dict[str, Lack]:
    """Artifacts that cannot be reused; what is only claimed can, as long as its workspace is known."""
    found: dict[str, Lack] = {}
    for s in run.states:
        name, state = str(s["artifact_id"]), str(s["state"])
        refs = tuple(_texts(s["refs"]))[:3]
        older = s["attempt"] is not None and s["attempt"] != run.attempt["attempt"]
        if state in _LACKS:
            code, text = _LACKS[state]
            found[name] = Lack(code, text.format(name, s["state_text"]), refs)
        elif older:
            text = f"{name} was written by attempt {s['attempt']}, in its workspace"
            found[name] = Lack("workspace_missing", text, refs)
        elif state == "claimed" and s["producer"] is not None and run.attempt["workspace_id"] is None:
            found[name] = Lack("workspace_missing", f"{name} is only claimed, and no workspace is known", refs)
    return found


def _reused(run: _Run, found: Plan) -> list[str]:
    """Inputs from outside first, then the workspace, then artifacts by stage; many of one stage become a count."""
    by_stage: dict[str, list[str]] = {}
    outside: list[str] = []
    states = {str(s["artifact_id"]): s for s in run.states}
    for name in found.reuse:
        producer = states[name]["producer"] if name in states else None
        (by_stage.setdefault(str(producer), []) if producer else outside).append(name)
    bundle = run.frame["bundle"]
    first = [str(bundle)] if bundle and bundle not in outside else []
    workspace = run.attempt["workspace_id"]
    made = []
    for stage, names in by_stage.items():
        made += names if len(names) <= MAX_NAMED else [f"{len(names)} artifacts of {stage}"]
    kept = [f"workspace {workspace}"] if workspace and found.not_redo else []
    return [*first, *outside, *kept, *made]


# --- rules ----------------------------------------------------------------------------------------


def _fits(rule: ReplayRule, run: _Run, found: Plan) -> bool:
    """A rule speaks of this failure class (or any) and of this start (or any)."""
    failure = run.failure or ""
    by_class = rule.failure is None or failure == rule.failure or failure.startswith(f"{rule.failure}.")
    return by_class and rule.start in (None, found.start)


def _filled(command: str, run: _Run, found: Plan) -> str:
    """A command with the ids of the run, quoted for a shell: they come from logs.

    What is not known stays a hole, `<run-id>`, or the one that the pack names (`{run_id|execution-arn}`): also an id
    that a source was given for want of one, and one that a program would take for an option. Of an id in two parts,
    `namespace/name`, `{outer_id}` is the first and `{own_id}` the last.
    """
    own = str(run.frame["run_id"]) if run.frame["identity"] != "source" else None
    outer, _, last = (own or "").rpartition("/")
    values = {
        "run_id": own,
        "outer_id": outer or None,
        "own_id": last or None,
        "attempt": run.attempt["attempt"],
        "workspace_id": run.attempt["workspace_id"],
        "bundle": run.frame["bundle"],
        "job": run.frame["job"],
        "start": found.start,
    }

    def said(m: re.Match[str]) -> str:
        value = values.get(m[1])
        known = value is not None and not str(value).startswith("-")
        return shlex.quote(str(value)) if known else f"<{m[2] or m[1].replace('_', '-')}>"

    return _HOLE.sub(said, command)


def _texts(value: object) -> list[str]:
    return [str(v) for v in value] if isinstance(value, (list, tuple)) else []
