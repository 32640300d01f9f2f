from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.packs import event, loaded

from runcase.cli import commands
from runcase.lab import import_grok, import_lnav
from runcase.lab.checking import check
from runcase.lab.mutating import mutated
from runcase.lab.running import run_tests
from runcase.lab.sampling import sample_of
from runcase.lab.scenarios import outcome
from runcase.model.problems import RuncaseError
from runcase.rules.pack import load_packs

LNAV = {
    "my_log": {
        "title": "My log",
        "regex": {
            "std": {
                "pattern": r"^(?<timestamp>\d+-\d\d-\d\d [\d:]{8},\d{3}) (?<level>\w+) \[(?<tid>\w+)\] (?<body>.*)$"
            },
            "behind": {"pattern": r"^(?<=x)(?<timestamp>\d+) (?<body>.*)"},
        },
        "timestamp-format": ["%Y-%m-%d %H:%M:%S,%L"],
        "sample": [{"line": "2026-03-14 13:00:00,123 ERROR [main] boom"}],
    },
    "jsonish": {"json": True},
}

GROK = r"""
# building blocks
MYTIME %{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{TIME}
APPLOG %{MYTIME:timestamp} %{LOGLEVEL:level} \[%{DATA:thread}\] %{GREEDYDATA:message}
UPLOAD upload %{WORD:artifact} took %{NUMBER:took:float}s from %{IPORHOST:[client][ip]}
BEHIND (?<!x)%{NUMBER:n}
LOOP %{LOOP2:x}
LOOP2 %{LOOP}
NOPE %{NOTTHERE:x}
"""


def test_an_lnav_format_becomes_a_pack_that_reads_its_samples(tmp_path: Path) -> None:
    source = tmp_path / "my.json"
    source.write_text(json.dumps(LNAV))
    done = CliRunner().invoke(commands, ["rules", "import", "lnav", str(source), "-o", str(tmp_path / "pack")])
    assert done.exit_code == 0, done.output
    assert "left out: my_log.behind: look-around is not allowed" in done.output
    assert "left out: jsonish: JSON lines are read without a declared format" in done.output
    assert check([str(tmp_path / "pack")]).defects == ()
    assert [v.passed for v in run_tests([str(tmp_path / "pack")])] == [True]
    facts, _ = outcome({"a.log": "2026-03-14 13:00:00,123 ERROR [main] boom\n"}, load_packs([str(tmp_path / "pack")]))
    row = facts.events.collect().row(0, named=True)
    assert (row["level"], row["message"], row["ts"].isoformat()) == (
        "error",
        "boom",
        "2026-03-14T13:00:00.123000+00:00",
    )


def test_grok_patterns_become_formats_and_rules_and_say_what_is_left_out(tmp_path: Path) -> None:
    source = tmp_path / "mine.grok"
    source.write_text(GROK)
    done = CliRunner().invoke(commands, ["rules", "import", "grok", str(source), "-o", str(tmp_path / "pack")])
    assert done.exit_code == 0, done.output
    assert "left out: BEHIND: look-around is not allowed" in done.output
    assert "left out: LOOP: its blocks refer to each other without end" in done.output
    assert "left out: NOPE: there is no block %{NOTTHERE}" in done.output
    pack = load_packs([str(tmp_path / "pack")])[0]
    assert ([f.id for f in pack.formats], [e.id for e in pack.events]) == (["applog"], ["upload"])
    assert all(v.passed for v in run_tests([str(tmp_path / "pack")]))
    text = "2026-03-14 13:00:00 WARN [main] upload a7 took 3.5s from 10.0.0.1\n"
    event_row = outcome({"a.log": text}, [pack])[0].events.collect().row(0, named=True)
    assert event_row["level"] == "warning"
    assert json.loads(event_row["fields"])["client_ip"] == "10.0.0.1"


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[1]", b"{}", b"[" * 100_000, b"x" * 1000])
def test_what_is_no_such_file_is_refused_with_a_sentence(data: bytes) -> None:
    for read in (import_lnav.imported, lambda d: import_grok.imported(d, "x")):
        with pytest.raises(RuncaseError):
            read(data)


def test_every_block_that_grok_files_take_for_granted_is_sound() -> None:
    lines = "\n".join(f"P{n} %{{{name}:x}}" for n, name in enumerate(import_grok.BLOCKS))
    found = import_grok.imported(lines.encode(), "blocks")
    blank = f"P{list(import_grok.BLOCKS).index('SPACE')}"
    assert found.left_out == (f"{blank}: no line could be made that it matches",)


@settings(max_examples=40, deadline=None)
@given(st.from_regex(r"(?:[a-c]|\\d|\\w|[.]|\([a-c]\|x\)|a\{2\}|b\+|c\*|\[0-9\]){1,6}", fullmatch=True))
def test_a_sample_made_from_a_pattern_is_matched_by_it(pattern: str) -> None:
    made = sample_of(pattern)
    assert made is None or pl.Series([made]).str.contains(pattern)[0]


def test_a_change_that_no_example_notices_survives(tmp_path: Path) -> None:
    weak = "    examples: {match: [upload failed], no_match: [calm]}\n"
    body = "events:\n" + event("'^upload failed'", "weak", examples=weak)
    changes = {m.change: m.survived for m in mutated(loaded(tmp_path, body))}
    assert changes["pattern without ^"] is True
    strong = weak.replace("[calm]", "[calm, the upload failed, upload was failed]")
    changes = {m.change: m.survived for m in mutated(loaded(tmp_path, body.replace(weak, strong)))}
    assert changes["pattern without ^"] is False


def test_a_change_of_what_is_captured_is_noticed(tmp_path: Path) -> None:
    body = "events:\n" + event(
        r"'took (?P<took>\d+)s'", examples="    examples: {match: [took 12s], no_match: [took its time]}\n"
    )
    changes = {m.change: m.survived for m in mutated(loaded(tmp_path, body))}
    assert changes[r"pattern \d to . at 14"] is False  # `its` would be matched
