"""The index as a nightly report: what failed, what is new, which jobs broke, which ticket knows it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.commands import Built, runcase
from tests.report.nightly import night

from runcase.finished import case_index
from runcase.ledger.store import Case
from runcase.model.problems import RuncaseError
from runcase.report.history import builds_of_runs, changes, job_strips
from runcase.report.index_value import Index, RunLine
from runcase.report.known_issues import KnownIssue, as_values, of_values
from runcase.report.known_issues_file import load

KNOWN = """\
- class: timeout
  text: object-store
  ticket: STORE-41
  url: https://tracker.invalid/STORE-41
  note: the object store is being moved
"""


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Two nights, each a build: in the second one two jobs break and send-digest recovers."""
    root = tmp_path_factory.mktemp("nights")
    (root / "known.yaml").write_text(KNOWN)
    first = night(root, 1, 8, lambda n: 0 if n in (0, 3, 7) else None)
    second = night(root, 2, 8, lambda n: {0: 0, 4: 0, 2: 2, 6: 2}.get(n))
    assert runcase("build", first, "-o", root / "case", "--jobs", 1).code == 0
    assert runcase("build", second, "-o", root / "case", "--jobs", 1, "--known-issues", root / "known.yaml").code == 0
    return Built(root / "case")


@pytest.fixture(scope="module")
def page(nights: Built) -> Index:
    return case_index(str(nights.root))


def test_failures_are_grouped_by_cause_and_new_ones_come_first(page: Index) -> None:
    found = [(g.failure_class, g.known, g.count, g.in_last_build) for g in page.groups]
    assert [g[1] for g in found] == ["new", "known"]
    assert [(g[2], g[3]) for g in found] == [(2, 2), (5, 2)]
    assert sum(g.count for g in page.groups) == page.counts["failed"]


def test_what_changed_names_the_jobs_that_broke_and_recovered(page: Index) -> None:
    assert page.changes is not None
    assert (page.changes.broke, page.changes.recovered) == (
        ("build-index", "render-report"),
        ("send-digest",),
    )
    assert dict(page.changes.counts) == {"failed": 4, "succeeded": 4}


def test_a_ticket_stands_beside_the_failure_that_it_knows_and_stays_in_the_case(page: Index, nights: Built) -> None:
    assert [g.ticket for g in page.groups] == [None, "STORE-41"]
    html = (nights.root / "index.html").read_text()
    assert '<a class="tag" href="https://tracker.invalid/STORE-41">STORE-41</a>' in html
    assert "`STORE-41`" in (nights.root / "index.md").read_text()
    assert json.loads((nights.root / "case.json").read_bytes())["known_issues"][0]["ticket"] == "STORE-41"


def test_a_dossier_of_an_earlier_night_names_the_ticket_that_a_later_build_brought(nights: Built) -> None:
    run = next(r for r, d in nights.dossiers().items() if "-1-" in r and d["failure"])
    assert nights.dossiers()[run]["known_issue"]["ticket"] == "STORE-41"
    assert "**known issue**: `STORE-41` `https://tracker.invalid/STORE-41`" in nights.markdown(run)
    assert "known issue: STORE-41" in runcase("show", run, "-c", nights.root).out
    (page,) = nights.root.glob(f"runs/{run}/dossier.html")
    assert '<a href="https://tracker.invalid/STORE-41">STORE-41</a>' in page.read_text()


def test_a_strip_shows_a_jobs_runs_oldest_first(page: Index, nights: Built) -> None:
    strip = next(j for j in page.jobs if j.job == "build-index")
    assert [r.status for r in strip.runs] == ["succeeded", "succeeded", "failed", "failed"]
    assert max(r.share for r in strip.runs) == 1
    assert "| `build-index` | `..FF` | 2 | 4 |" in (nights.root / "index.md").read_text()


def test_a_case_of_one_build_claims_no_change(story: Built) -> None:
    alone = case_index(str(story.root))
    assert alone.changes is None
    assert {g.known for g in alone.groups} == {""}
    assert "Since the last build" not in (story.root / "index.html").read_text()


# --- order of builds ------------------------------------------------------------------------------


def test_builds_stand_in_the_order_of_their_evidence_whatever_their_names() -> None:
    sources = pl.DataFrame(
        {"source_id": ["a", "b", "c"], "batch": ["z", "y", "x"], "last_ts": [1, 2, None]},
        schema_overrides={"last_ts": pl.Int64},
    )
    members = pl.DataFrame({"source_id": ["a", "b", "c", "a"], "run_id": ["r1", "r2", "r3", "r2"]})
    positions, count = builds_of_runs(sources, members, [["w", "x"]])
    assert (positions, count) == ({"r1": 1, "r2": 2, "r3": 0}, 3)


def test_the_batches_of_one_build_count_as_one() -> None:
    sources = pl.DataFrame({"source_id": ["a", "b", "c"], "batch": ["z", "y", "x"], "last_ts": [1, 3, 2]})
    members = pl.DataFrame({"source_id": ["a", "b", "c"], "run_id": ["r1", "r2", "r3"]})
    assert builds_of_runs(sources, members, [["x"], ["y", "z"]]) == ({"r1": 1, "r2": 1, "r3": 0}, 2)


def test_a_case_knows_which_batches_came_together(nights: Built) -> None:
    case = Case.open(nights.root)
    assert [len(build) for build in case.builds()] == [1, 1]
    assert sorted(b for build in case.builds() for b in build) == case.batches()


LINES = st.lists(
    st.builds(
        RunLine,
        run_id=st.uuids().map(str),
        folder=st.just("f"),
        status=st.sampled_from(["failed", "succeeded", "lost", "running"]),
        job=st.sampled_from(["a", "b", None]),
        attempts=st.just(1),
        first_ts=st.sampled_from([None, "2026-03-01T00:00:00.000000Z", "2026-03-02T00:00:00.000000Z"]),
        last_ts=st.none(),
        took=st.none(),
        failure_class=st.none(),
        confidence=st.none(),
        blocker=st.none(),
        signature=st.none(),
        build=st.integers(0, 2),
        took_us=st.one_of(st.none(), st.integers(0, 10**9)),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(LINES, st.randoms(use_true_random=False))
def test_strips_and_changes_do_not_depend_on_the_order_of_runs(lines: list[RunLine], random: object) -> None:
    shuffled = sorted(lines, key=lambda r: hash((r.run_id, str(random))))
    assert job_strips(lines) == job_strips(shuffled)
    assert changes(lines, (), 3) == changes(shuffled, (), 3)
    assert sum(j.total for j in job_strips(lines)) == sum(r.job is not None for r in lines)


# --- known_issues.yaml ----------------------------------------------------------------------------


def test_a_class_means_itself_and_what_is_below_it_and_nothing_beside_it() -> None:
    issue = KnownIssue("T-1", failure_class="dependency")
    assert issue.means("s", "dependency.network", "x")
    assert issue.means("s", "dependency", "x")
    assert not issue.means("s", "dependency_injection", "x")
    assert not dataclasses.replace(issue, text="mirror").means("s", "dependency.dns", "no such host")
    assert KnownIssue("T-1", signature="s").means("s", "any", "x")
    assert not KnownIssue("T-1", signature="s").means("t", "any", "x")


def test_every_defect_of_a_file_of_known_issues_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    path.write_text("- ticket: A-1\n- class: x\n  ticket: A-2\n  url: javascript:alert(1)\n  colour: red\n- [1]\n")
    with pytest.raises(RuncaseError) as told:
        load(path)
    assert told.value.code == "bad_known_issues"
    assert [line.split(": ", 1)[0] for line in told.value.message.split("\n") if line.startswith("known.yaml")] == [
        "known.yaml:1:3",
        "known.yaml:4:8",
        "known.yaml:5:3",
        "known.yaml:6:3",
    ]


def test_what_is_kept_of_known_issues_comes_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    path.write_text(KNOWN)
    issues = load(path)
    assert of_values(as_values(issues)) == issues
    assert of_values(None) == ()
