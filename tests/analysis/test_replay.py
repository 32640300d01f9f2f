"""From where a run can safely be done again."""

from __future__ import annotations

import json
import shlex

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factory import Row, artifact, event, facts, source

from runcase.analysis.conclude import conclude
from runcase.analysis.replay import with_files
from runcase.analysis.replay_plan import Lack, StageFacts, plan, unmet
from runcase.model.tables import STATES
from runcase.rules.language import EventRule, Match, Pack, Place, ReplayRule, Stage
from runcase.rules.pack import load_packs
from runcase.settings import DEFAULT_PACKS

GONE = Lack("artifact_missing", "it is gone")


def chain(*done: bool) -> list[StageFacts]:
    """s0 -> a0 -> s1 -> a1 -> ...; each stage reads what the one before wrote."""
    return [
        StageFacts(f"s{n}", frozenset({f"a{n - 1}"} if n else {"in"}), frozenset({f"a{n}"}), completed=d, begun=d)
        for n, d in enumerate(done)
    ]


def test_a_replay_starts_at_the_first_unfinished_stage() -> None:
    found = plan(chain(True, True, False), {})
    assert (found.start, found.reuse, found.not_redo) == ("s2", ("a1",), ("s0", "s1"))


def test_a_missing_input_moves_the_start_back_and_the_counterfactual_says_so() -> None:
    found = plan(chain(True, True, False), {"a1": GONE})
    assert (found.start, found.redo) == ("s1", ("s1", "s2"))
    assert [b.code for b in found.blockers] == ["artifact_missing"]
    assert found.counterfactuals == ("restore a1 and the start moves to s2",)


def test_an_input_that_nothing_makes_and_that_is_gone_blocks_the_replay() -> None:
    assert plan(chain(False), {"in": GONE}).start is None


def test_drift_of_the_input_blocks_and_tells_what_would_be_without_it() -> None:
    found = plan(chain(True, False), {}, [Lack("input_drifted", "the bundle changed")])
    assert found.start is None
    assert found.counterfactuals == ("without this blocker (input_drifted) the start would be s1",)


def test_an_act_that_cannot_safely_be_done_twice_blocks_once_it_had_begun() -> None:
    publish = StageFacts("publish", frozenset({"a0"}), begun=True, side_effects="unsafe")
    found = plan([*chain(True), publish], {})
    assert (found.start, [b.code for b in found.blockers]) == (None, ["side_effect_unsafe"])


def test_a_stage_that_gives_other_bytes_takes_its_readers_with_it() -> None:
    first, second, third = chain(True, True, True)
    loose = StageFacts(first.name, first.inputs, first.outputs, completed=True, begun=True, deterministic=False)
    last = StageFacts("s3", frozenset({"a0"}))
    assert plan([loose, second, third, last], {"a0": GONE}).redo == ("s0", "s1", "s2", "s3")
    assert plan([first, second, third, last], {"a0": GONE}).redo == ("s0", "s3")


@st.composite
def lineages(draw: st.DrawFn) -> tuple[list[StageFacts], dict[str, Lack]]:
    """Random lineage: any stage may read any artifact, made before it, after it, or by nobody."""
    count = draw(st.integers(1, 7))
    names = [f"a{n}" for n in range(count * 2)]
    owners = draw(st.lists(st.integers(-1, count - 1), min_size=len(names), max_size=len(names)))
    stages = []
    for n in range(count):
        completed = draw(st.booleans())
        stages.append(
            StageFacts(
                f"s{n}",
                frozenset(draw(st.sets(st.sampled_from(names), max_size=3))),
                frozenset(a for a, o in zip(names, owners, strict=True) if o == n),
                completed=completed,
                begun=completed or draw(st.booleans()),
                deterministic=draw(st.booleans()),
                side_effects=draw(st.sampled_from(["none", "idempotent", "unsafe"])),
                optional=draw(st.booleans()),
            )
        )
    lacking = draw(st.sets(st.sampled_from(names), max_size=4))
    return stages, dict.fromkeys(lacking, GONE)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(lineages())
def test_every_redone_stage_has_its_inputs_among_what_is_reused_or_redone(
    lineage: tuple[list[StageFacts], dict[str, Lack]],
) -> None:
    stages, lacks = lineage
    found = plan(stages, lacks)
    assert unmet(stages, lacks, found) == []
    by_name = {s.name: s for s in stages}
    if found.start is not None:
        assert not any(by_name[n].side_effects == "unsafe" and by_name[n].begun for n in found.redo)
        assert all(s.name in found.redo for s in stages if not s.completed and not s.optional)
        assert not set(found.reuse) & set(lacks)


def pack() -> Pack:
    rule = EventRule("any", "log", Match(pattern="x"), Place("pack.yaml", 1, 1))
    stages = (
        Stage("extract", reads=("bundle",), writes=("intermediate",)),
        Stage("render", reads=("extract",), writes=("final",)),
        Stage("writeback", reads=("final",), side_effects="idempotent", redo=("upload", "status row")),
    )
    return Pack("pipeline", "1", "d" * 12, events=(rule,), stages=stages)


def run(*, upto: str = "writeback", final: bool = True) -> tuple[list[Row], list[Row]]:
    ids: Row = {"run_id": "r1", "attempt": 1, "workspace_id": "ws_1", "rule": pack().cite("any")}
    events: list[Row] = []
    for n, stage in enumerate(("extract", "render", "writeback")):
        events.append(event("stage.started", f"10:0{n}:00", **ids, stage=stage))
        if stage == upto:
            events.append(event("error", f"10:0{n}:30", **ids, stage=stage, level="error"))
            break
        events.append(event("stage.finished", f"10:0{n}:50", **ids, stage=stage))
    claims = [
        artifact("bundle_1", "read", role="bundle", stage="extract", run_id="r1", attempt=1),
        artifact("a1", role="intermediate", stage="extract", run_id="r1", attempt=1, path="w/a1", byte_start=20),
    ]
    if final:
        claims.append(artifact("a2", role="final", stage="render", run_id="r1", attempt=1, path="w/a2", byte_start=40))
    return events, claims


def test_a_failed_writeback_is_replayed_from_writeback_with_the_final_artifact() -> None:
    events, claims = run()
    row = conclude(facts(events, [], claims), (pack(),)).replay.row(0, named=True)
    assert row["start"] == "writeback"
    assert row["reuse"] == ["workspace ws_1", "a2"]
    assert row["redo"] == ["upload", "status row"]
    assert row["not_redo"] == ["extract", "render"]


def test_without_its_final_artifact_the_stage_that_makes_it_is_redone() -> None:
    events, claims = run(final=False)
    row = conclude(facts(events, [], claims), (pack(),)).replay.row(0, named=True)
    assert row["start"] == "render"
    assert [b["code"] for b in json.loads(row["blockers"])] == ["artifact_missing"]


def test_a_workspace_of_today_is_weighed_against_the_claims() -> None:
    claim = {"run_id": "r", "artifact_id": "a", "path": "out/a", "checksum": f"sha256:{'1' * 64}", "state": "claimed"}
    states = STATES.frame([claim | {"state_text": "", "consumers": [], "refs": []}])
    assert with_files(states, {"out/a": "1" * 64})["state"].to_list() == ["verified"]
    assert with_files(states, {"out/a": "2" * 64})["state"].to_list() == ["mismatch"]
    assert with_files(states, {})["state"].to_list() == ["missing"]


def test_a_run_that_succeeded_needs_no_replay() -> None:
    events, claims = run(upto="nothing")
    done = event("run.finished", "10:09:00", run_id="r1", attempt=1, fields={"status": "ok"})
    assert conclude(facts([*events, done], [], claims), (pack(),)).replay.filter(pl.col("run_id") == "r1").is_empty()


def test_an_engine_whose_stages_are_unknown_is_resumed_by_its_own_command_with_quoted_ids() -> None:
    rule = EventRule("any", "log", Match(pattern="x"), Place("pack.yaml", 1, 1))
    resume = ReplayRule("resume", Place("pack.yaml", 2, 1), commands=("engine resume {run_id} {workspace_id}",))
    engine = Pack("engine", "1", "d" * 12, events=(rule,), replay=(resume,))
    hostile = "r1; rm -rf ~"
    events = [event("exit", "10:00:00", run_id=hostile, rule=engine.cite("any"), fields={"exit_code": 1})]
    row = conclude(facts(events), (engine,)).replay.row(0, named=True)
    assert (row["start"], row["commands"]) == (None, ["engine resume 'r1; rm -rf ~' <workspace-id>"])


ENGINES = {
    "airflow": (
        "airflow tasks clear --only-failed --downstream --task-regex '^<task-id>$'"
        " --start-date <logical-date> --end-date <logical-date> <dag-id>"
    ),
    "argo_workflows": "argo retry --namespace <namespace> {}",
    "azure_pipelines": (
        "az rest --method patch --resource 499b84ac-1321-427f-aa17-267ca6975798 --uri"
        " 'https://dev.azure.com/<organization>/<project>/_apis/build/builds/<build-id>/stages/<stage>?api-version=7.1'"
        """ --body '{{"state": "retry"}}'"""
    ),
    "bazel_bep": "bazel <command> <targets>",
    "buildkite": "bk build rebuild <build-number>",
    "dagster": (
        "dagster-graphql --remote <webserver-url> --text 'mutation {{ launchRunReexecution(reexecutionParams:"
        """ {{parentRunId: "<run-id>", strategy: FROM_FAILURE}}) {{ __typename }} }}'"""
    ),
    "github_actions": "gh run rerun <run-id> --failed",
    "gitlab": "glab ci retry <job-id>",
    "jenkins": (
        "java -jar jenkins-cli.jar -s <jenkins-url> restart-from-stage"
        " --job <job> --number <build-number> --stage <stage>"
    ),
    "nextflow_log": "nextflow run <script> -resume {}",
    "pegasus_jobstate": "pegasus-run <submit-dir>",
    "prow": "gh pr comment <pull-request> --repo <owner>/<repository> --body /retest",
    "slurm_sacct": "scontrol requeue {}",
    "snakemake": "snakemake --cores <n> --rerun-incomplete",
    "stepfunctions": "aws stepfunctions redrive-execution --execution-arn {}",
    "temporal": (
        "temporal workflow reset --workflow-id <workflow-id> --run-id {} --type LastWorkflowTask --reason '<why>'"
    ),
    "travis": "travis restart <job-number>",
    "zuul": (
        "zuul-client enqueue --tenant <tenant> --pipeline <pipeline> --project <project> --change <change>,<patchset>"
    ),
}
"""Reader -> the documented command that resumes a failed run of its engine."""


@pytest.mark.parametrize("run_id", ["r-1", "$(reboot); 'x'\n", "--force"])
@pytest.mark.parametrize("reader", ENGINES)
def test_a_failed_run_names_the_command_of_the_engine_that_ran_it_with_its_id_as_one_word(
    reader: str, run_id: str
) -> None:
    events = [event("exit", "10:00:00", "s", run_id=run_id, attempt=1, fields={"exit_code": 1})]
    found = conclude(facts(events, [source("s", "a/log.txt", reader=reader)]), load_packs(DEFAULT_PACKS)).replay
    said = HOLES.get(reader, "<run-id>") if run_id.startswith("-") else shlex.quote(run_id)
    assert found["commands"].to_list() == [[ENGINES[reader].format(said)]]
    words = shlex.split(found["commands"].item()[0])
    assert ("{}" not in ENGINES[reader]) or (run_id in words) != run_id.startswith("-")


HOLES = {"argo_workflows": "<workflow>", "slurm_sacct": "<job-id>", "stepfunctions": "<execution-arn>"}
"""Reader -> what stands in its command for an id that is not known."""


def test_a_run_is_told_no_command_of_an_engine_that_did_not_run_it() -> None:
    events, claims = run(upto="nothing")
    found = conclude(facts(events, [], claims), (*load_packs(DEFAULT_PACKS), pack())).replay
    assert found["commands"].to_list() == [[]]


def test_an_id_in_two_parts_gives_a_command_each_of_them() -> None:
    events = [event("exit", "10:00:00", "s", run_id="shop/etl-1", attempt=1, fields={"exit_code": 1})]
    found = conclude(facts(events, [source("s", "a.json", reader="argo_workflows")]), load_packs(DEFAULT_PACKS))
    assert found.replay["commands"].to_list() == [["argo retry --namespace shop etl-1"]]


def test_a_run_that_is_named_after_its_source_gives_an_engine_no_id() -> None:
    events = [event("exit", "10:00:00", "s", fields={"exit_code": 1})]
    found = conclude(facts(events, [source("s", "a/log.txt", reader="slurm_sacct")]), load_packs(DEFAULT_PACKS))
    assert found.replay["commands"].to_list() == [["scontrol requeue <job-id>"]]
