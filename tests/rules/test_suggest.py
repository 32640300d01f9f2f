from __future__ import annotations

import json
from pathlib import Path

import polars as pl
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.commands import Built

from runcase.cli import commands
from runcase.lab.checking import check
from runcase.lab.mining import mined
from runcase.lab.running import run_tests
from runcase.lab.scenarios import outcome
from runcase.lab.suggest import as_pack, suggested, suggestions
from runcase.lab.templates import masked, template_of
from runcase.rules.pack import load_packs

LINES = [
    "2026-03-14T13:00:00Z fetched run=r1 3 of 9 parts from /srv/a/b.txt in 3.5s",
    "2026-03-14T13:00:30Z fetched run=r2 4 of 9 parts from /srv/a/c.txt in 4s",
    "2026-03-14T13:00:31Z ledger 3fa85f64-5717-4562-b3fc-2c963f66afa6 refused 'the key' at 10.0.0.1:80",
    "2026-03-14T13:00:32Z process exited with code 3",
]


def templates(lines: list[str]) -> list[str]:
    texts = pl.Series(lines).to_frame("message").select(masked(pl.col("message"))).to_series()
    return [template_of(t, False).id for t in texts]


def test_what_varies_becomes_a_typed_hole() -> None:
    texts = (
        pl.Series([line[21:] for line in LINES[:3]]).to_frame("message").select(masked(pl.col("message"))).to_series()
    )
    first, second, third = (template_of(t, False) for t in texts)
    assert first.shown == "fetched run=<value> <n> of <n> parts from <path> in <took>"
    assert first.id == second.id
    assert third.shown == "ledger <uuid> refused <quoted> at <ip>"
    assert [name for name, _ in first.holes()] == ["run", "n", "n_2", "path", "took"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(LINES) | st.text(max_size=30), min_size=1, max_size=8), st.integers(0, 8))
def test_the_id_of_a_template_never_changes_as_more_lines_come(lines: list[str], cut: int) -> None:
    assert templates(lines)[:cut] == templates(lines[:cut] or [""])[: len(lines[:cut])]


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\x02\x03"), max_size=60))
def test_the_pattern_of_a_template_matches_the_line_that_it_came_from(line: str) -> None:
    text = pl.Series([line]).to_frame("message").select(masked(pl.col("message")))[0, 0]
    assert pl.Series([line]).str.contains(template_of(text, False).pattern())[0]


def test_suggested_rules_pass_their_own_tests_and_leave_fewer_unknowns(tmp_path: Path) -> None:
    files = {"app.log": "\n".join(LINES) + "\n"}
    facts, made = outcome(files, load_packs(["generic"]))
    found = suggested(mined(facts.events, made.runs, made.members), 10)
    pack = tmp_path / "suggested"
    pack.mkdir()
    for name, text in as_pack(found, "suggested").items():
        (pack / name).write_text(text)
    assert all(v.passed for v in run_tests([str(pack)]))
    after, _ = outcome(files, load_packs(["generic", str(pack)]))
    before = facts.events.filter(pl.col("kind") == "unknown").collect().height
    assert (before, after.events.filter(pl.col("kind") == "unknown").collect().height) == (3, 0)
    assert found[0].kind == "progress"  # it takes 30 of the 32 seconds


def test_the_suggestions_of_a_case_are_ready_rules(story: Built, tmp_path: Path) -> None:
    found = suggestions(str(story.root), (), 5)
    assert [s.mined.template.id for s in found] == [s.mined.template.id for s in suggestions(str(story.root), (), 5)]
    done = CliRunner().invoke(commands, ["rules", "suggest", str(story.root), "-o", str(tmp_path / "new-pack")])
    assert done.exit_code == 0, done.output
    assert all(v.passed for v in run_tests([str(tmp_path / "new-pack")]))


def test_coverage_counts_lines_bytes_and_time_dead_rules_and_overlaps(story: Built) -> None:
    done = CliRunner().invoke(commands, ["rules", "coverage", str(story.root), "--format", "json"])
    told = json.loads(done.output)
    assert 0.7 < told["lines"]["explained"] < 1
    assert told["bytes"]["total"] == sum(told["bytes"][k] for k in ("rules", "readers")) + round(
        (1 - told["bytes"]["explained"]) * told["bytes"]["total"]
    )
    assert any(r.endswith("#out-of-memory") for r in told["dead"])
    pairs = {(o["named_by"].split("#")[1], o["also_matched"].split("#")[1]): o["events"] for o in told["overlaps"]}
    assert pairs["source-progress", "progress-of"] == 84


def test_why_not_names_the_first_condition_that_failed_and_the_text(story: Built) -> None:
    import runcase

    event = (
        runcase.open(story.root)
        .events.filter(pl.col("message").str.contains("upload timeout"))
        .collect()
        .row(0, named=True)
    )
    ref = f"{event['source_id']}:{event['byte_start']}+{event['byte_len']}"

    def asked(rule: str) -> dict[str, str]:
        done = CliRunner().invoke(commands, ["rules", "why-not", ref, rule, "-c", str(story.root), "--format", "json"])
        found: dict[str, str] = json.loads(done.output)
        return found

    assert asked("upload-timeout")["code"] == "named"
    failed = asked("upload-finished")
    assert (failed["code"], failed["where"]) == ("condition_failed", "match.pattern")
    assert "it matches up to '\\bupload: upload '" in failed["detail"]
    beaten = asked("generic#error-level")
    assert beaten["code"] == "earlier_rule"
    assert "upload-timeout" in beaten["text"]


def test_init_writes_a_pack_that_passes_its_tests_and_finds_the_ids_of_the_sample(tmp_path: Path) -> None:
    sample = tmp_path / "app.log"
    sample.write_text("\n".join(LINES) + "\n")
    done = CliRunner().invoke(commands, ["init", str(sample), "-o", str(tmp_path / "my Pack")])
    assert done.exit_code == 0, done.output
    assert "ids found: run_id" in done.output
    assert check([str(tmp_path / "my Pack")]).defects == ()
    assert all(v.passed for v in run_tests([str(tmp_path / "my Pack")]))
    text = (tmp_path / "my Pack" / "pack.yaml").read_text()
    assert "name: my-pack" in text
    assert all(f"# {section}:" in text for section in ("stages", "windows", "expect", "failures", "replay", "redact"))
