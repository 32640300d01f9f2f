from __future__ import annotations

import json

import polars as pl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.rules import reference

from runcase.intake.pieces import SourceContext
from runcase.ledger.classify import Classifier
from runcase.model.tables import RECORDS
from runcase.rules.compile import Ruleset
from runcase.rules.language import EventRule, Match, Pack, Place
from runcase.rules.literals import needed
from runcase.rules.patterns import ascii_borders

PATH = "case.tgz!/run_7/attempt-2/worker.log"
WORDS = ("upload", "timeout", "disk", "task", "404", "error:", "Ünïcode", "\u017ftage", "dis\u212a", "UPLOAD", "a", "")
PIECES = (
    *(
        "upload",
        "timeout",
        "disk",
        "task",
        "error:",
        r"\d+",
        r"(?P<code>\d{3})",
        r"(?P<word>\w+)",
        "(?i:stage)",
        "^",
        "$",
    ),
    *(
        "(?i:disk|task)",
        r"(?:upload|timeout) ",
        " ",
        ".*",
        r"[a-z]+",
        r"\bdisk\b",
        "(?P<what>upload)?",
        "Ü",
        r"\.",
        "(?s:.)",
    ),
)
PATTERNS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4, unique=True).map("".join)
FLAGGED = st.tuples(st.sampled_from(("", "(?i)", "(?m)")), PATTERNS).map("".join)
CONDITIONS = st.sampled_from((">=404", "<500", "exists", "absent", "in(a, 404)", "~^4", "upload"))

LEAVES = st.builds(
    Match,
    pattern=st.none() | FLAGGED,
    contains=st.lists(st.sampled_from(("upload", "DISK", "404", "ü", "xyz", "st")), max_size=2).map(tuple),
    on=st.sampled_from(("message", "message", "fields.note")),
    level=st.sampled_from(((), (), ("error",), ("error", "info"))),
    stream=st.sampled_from((None, None, "stdout", "std*")),
    source=st.sampled_from((None, None, "*run_7*", "*/attempt-{n}/*", "*.txt")),
    stage=st.sampled_from((None, None, "re*", "render")),
    fields=st.dictionaries(st.sampled_from(("status", "note")), CONDITIONS, max_size=1),
)
PARTS = st.lists(LEAVES, max_size=2).map(tuple)
MATCHES = LEAVES | st.builds(
    Match, pattern=st.none() | FLAGGED, all_of=PARTS, any_of=PARTS, none_of=st.lists(LEAVES, max_size=1).map(tuple)
)
RULES = st.lists(st.tuples(MATCHES, st.integers(-2, 2)), min_size=1, max_size=6)

TEXTS = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join) | st.text(max_size=12)
ROWS = st.fixed_dictionaries(
    {
        "message": TEXTS,
        "level": st.sampled_from((None, "error", "info")),
        "stream": st.sampled_from((None, "stdout")),
        "stage": st.sampled_from((None, "render", "writeback")),
        "fields": st.none()
        | st.fixed_dictionaries({"status": st.sampled_from((404, 200, "upload", "4x"))}).map(json.dumps)
        | st.fixed_dictionaries({"note": st.sampled_from(WORDS)}).map(lambda d: json.dumps(d, ensure_ascii=False)),
    }
)


def rules_of(drawn: list[tuple[Match, int]]) -> tuple[EventRule, ...]:
    place = Place("pack.yaml", 1, 1)
    return tuple(
        EventRule(f"r{n}", "log", match, place, priority, literals=tuple(needed(match)))
        for n, (match, priority) in enumerate(drawn)
    )


def frame_of(rows: list[dict[str, object]]) -> pl.DataFrame:
    placed = [
        {
            "source_id": "s",
            "byte_start": n,
            "byte_len": 1,
            "line": n + 1,
            "n_lines": 1,
            "ts_basis": "none",
            "artifacts": [],
        }
        | r
        for n, r in enumerate(rows)
    ]
    return RECORDS.frame(placed)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RULES, st.lists(ROWS, min_size=1, max_size=8))
@example([(Match(pattern="(?i)disk"), 0)], [{"message": "dis\u212a full"}])
@example([(Match(pattern="(?i)stage"), 0)], [{"message": "\u017ftage"}])
@example(
    [(Match(any_of=(Match(pattern=r"upload (?P<word>\w+)"), Match(pattern=r"task (?P<word>\w+)"))), 0)],
    [{"message": "task x"}],
)
def test_the_engine_gives_what_a_naive_reference_gives(
    drawn: list[tuple[Match, int]], rows: list[dict[str, object]]
) -> None:
    rules = rules_of(drawn)
    pack = Pack("p", "1", "d" * 12, events=rules)
    records = frame_of(rows).with_columns(source_id=pl.lit("s"))
    context = SourceContext("s", PATH, None)
    events = Classifier(Ruleset([pack])).feed(records, [context]).events
    assert Classifier(Ruleset([pack]), compiled=True).feed(records, [context]).events.equals(events)
    for row, event in zip(rows, events.iter_rows(named=True), strict=True):
        record = {"level": None, "stream": None, "stage": None, "fields": None, "path": PATH} | row
        wanted = reference.named(rules, record)
        assert event["rule"] == (pack.cite(wanted.id) if wanted else None)
        if wanted is not None:
            given_fields = json.loads(event["fields"] or "{}")
            for name, value in reference.captured(wanted.match, record).items():
                assert given_fields.get(name) == value


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_borders_of_ascii_words_are_borders_of_words_where_a_text_is_ascii(text: str) -> None:
    texts = pl.Series([text, f"error {text}", f"{text} errors: 3"])
    for pattern in (r"\berrors?\b", r"(?i)\b\w+:\s", r"[^\w]\B\d"):
        assert texts.str.contains(ascii_borders(pattern)).to_list() == texts.str.contains(pattern).to_list()


def test_a_backslash_before_a_b_is_no_border() -> None:
    assert ascii_borders(r"a\\b\b") == r"a\\b(?-u:\b)"
