"""The texts that a pattern cannot match without: none may be missing from what it matches."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runcase.analysis.decisive.families import FAMILIES
from runcase.rules.literals import FOLDED, MAX_CHOICES, required, required_of

PATTERNS = sorted({f.pattern for f in FAMILIES if required(f.pattern)})
WORDS = (
    "Error",
    "fail",
    "[Ff]ailed",
    "time-?out",
    "(?:a|bc) of",
    "x{2,3}",
    r"\d+ ",
    ".*",
    "(?:no|not)?",
    r"\bat",
    "^",
    "k+",
)
DRAWN = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map("".join) | st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map("".join), min_size=2, max_size=3
).map(lambda parts: f"(?:{'|'.join(parts)}) end")


def folded(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.data())
def test_one_of_the_texts_occurs_in_whatever_a_pattern_matches(data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(PATTERNS) | DRAWN)
    texts = required(pattern)
    matching = data.draw(st.from_regex(pattern.replace("(?<", "(?P<")))
    assert not texts or any(t in folded(matching) for t in (*texts, *FOLDED))


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("[Cc]onnection (?:refused|reset)", ["connection refused", "connection reset"]),
        (r"\[(?:info|error)\] done", ["[error] done", "[info] done"]),
        ("uploads? failed", ["upload failed", "uploads failed"]),
        (r"took \d+ seconds", [" seconds"]),
        ("(?:ab|cd)?foo", ["foo"]),
        (r"^\s*Traceback\b", ["traceback"]),
        ("ab|longer", []),
        (r"\w+", []),
        ("(?=x", []),
    ],
)
def test_texts_are_as_long_as_the_pattern_allows(pattern: str, texts: list[str]) -> None:
    assert required(pattern) == texts


def test_a_pattern_of_many_branches_gives_one_text_a_branch() -> None:
    names = [f"{chr(97 + n % 26)}{n:02d} (?:is|was)" for n in range(MAX_CHOICES)]
    assert len(required("|".join(names))) == MAX_CHOICES
    assert required("|".join([*names, "one more"])) == []


def test_patterns_are_read_as_the_engine_reads_them() -> None:
    """Python's parser stands in for the engine's: what it cannot read says nothing."""
    assert required("(?P<name>upload)") == required("(?<name>upload)") == ["upload"]
    with pytest.raises(re.error):
        re.compile("a**")
    assert required("a**") == []


def test_what_is_kept_of_a_modules_patterns_is_worked_out_anew_when_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    module = str(tmp_path / "module.py")
    for patterns in (["upload failed", r"\w+"], ["upload failed", r"\w+"], ["disk full"]):
        assert required_of(patterns, module) == [required(p) for p in patterns]
    assert len(list((tmp_path / "__pycache__").iterdir())) == 1


def test_no_two_families_have_one_name() -> None:
    assert len({f.name for f in FAMILIES}) == len(FAMILIES)
