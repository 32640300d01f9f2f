from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from tests.rules.packs import event, loaded, written

from runcase.cli import commands
from runcase.lab.checking import check
from runcase.lab.running import run_tests
from runcase.lab.schema import schema
from runcase.lab.testing import Verdict, tried_examples
from runcase.rules.pack import load_packs, read_packs, shipped_names, shipped_packs


def failures(verdicts: list[Verdict]) -> list[str]:
    return [f"{v.subject}: {v.failure}" for v in verdicts if not v.passed]


def test_a_shipped_pack_that_was_kept_is_the_one_that_its_files_say() -> None:
    """A build takes packs from where they were kept; the tests of rules read them anew, so both must be one."""
    names = shipped_names()
    assert [load_packs([name])[-1] for name in names] == [read_packs([name])[-1].pack for name in names]


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_pack_has_no_problem_and_passes_its_own_tests(name: str) -> None:
    found = check([name])
    assert [d.framed() for d in found.defects] == []
    assert failures(run_tests([name])) == []
    assert all(r.examples and r.counterexamples for p in found.packs for r in p.events)


def test_an_example_that_is_not_matched_says_how_far_the_pattern_came(tmp_path: Path) -> None:
    pack = loaded(
        tmp_path,
        "events:\n"
        + event(
            r"'upload (?P<what>\w+) failed'",
            examples=""" \
   examples: {match: 'upload march timed out', no_match: 'calm'}\n""",
        ),
    )
    (failure,) = failures(tried_examples(pack))
    assert "match.pattern" in failure
    assert "on 'upload march timed out'" in failure
    assert "is not found at 'timed out'" in failure


def test_examples_are_read_as_a_build_reads_them(tmp_path: Path) -> None:
    examples = """
    examples:
      match:
        - '2026-03-14T13:00:00Z ERROR store: boom'
        - {line: 'boom', level: error, stage: render, attempt: 2}
      no_match: ['2026-03-14T13:00:00Z INFO store: boom']
"""
    pack = loaded(tmp_path, "events:\n" + event("{pattern: boom$, level: error}", examples=examples))
    assert failures(tried_examples(pack)) == []


def test_what_a_rule_gives_is_compared_with_a_diff(tmp_path: Path) -> None:
    more = '    summary: "{what} took {took}"\n    duration: "{took}"\n    fields: {status: failed}\n'
    examples = """
    examples:
      match:
        - line: 'upload march took 1m 3s'
          source: case/run_7/a.log
          gives: {summary: march took 1m 3s, duration_us: "63000000", fields.status: failed, run: run_7}
        - {line: 'upload april took 2s', source: case/run_8/a.log, gives: {summary: april took 3s}}
      no_match: calm
"""
    match = r"{pattern: 'upload (?P<what>\w+) took (?P<took>.+)', source: '*/{run}/a.log'}"
    pack = loaded(tmp_path, "events:\n" + event(match, more=more, examples=examples))
    (failure,) = failures(tried_examples(pack))
    assert "-summary: april took 3s\n+summary: april took 2s" in failure


def test_an_example_that_an_earlier_rule_names_fails(tmp_path: Path) -> None:
    examples = "    examples: {match: [big boom, small boom], no_match: [calm]}\n"
    body = (
        "events:\n"
        + event("'big boom'", "first", examples=examples.replace("small", "really big"))
        + event("boom", "second", examples=examples)
    )
    (failure,) = failures(tried_examples(loaded(tmp_path, body)))
    assert "the earlier rule 'first' (mine/pack.yaml:4:5) names this example" in failure


def test_a_scenario_that_comes_out_otherwise_shows_a_diff_and_junit_tells_it(tmp_path: Path) -> None:
    pack = written(tmp_path, "events:\n" + event("boom"))
    (pack / "scenarios").mkdir()
    (pack / "scenarios" / "one.yaml").write_text(
        "name: it fails\nfiles:\n  a.log: |\n    2026-01-01T00:00:00Z boom\n    2026-01-01T00:00:01Z calm\n"
        "expect:\n  a.log: {status: succeeded, events: [{kind: error}, {kind: unknown}]}\n"
    )
    report = tmp_path / "junit.xml"
    done = CliRunner().invoke(commands, ["rules", "test", str(pack), "--junit", str(report)])
    assert done.exit_code == 2
    assert "-status: succeeded" in done.output
    suite = ET.parse(report).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    assert suite.find(".//failure") is not None


def test_the_schema_for_editors_accepts_every_shipped_file_and_refuses_what_the_check_refuses() -> None:
    schemas = {which: json.loads(schema(which)) for which in ("pack", "rules", "scenario")}
    for path in sorted(shipped_packs().rglob("*.yaml")):
        which = "pack" if path.name == "pack.yaml" else "scenario" if path.parent.name == "scenarios" else "rules"
        jsonschema.validate(yaml.safe_load(path.read_text()), schemas[which])
    wrong = yaml.safe_load("events: [{id: a, knd: error, match: x, examples: {match: x, no_match: y}}]")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schemas["rules"])
