"""The sifted search for decisive lines says what the plain one says."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from runcase.analysis.decisive.families import FAMILIES, Family
from runcase.analysis.decisive.naming import could_say, families
from runcase.analysis.decisive.quiet import QUIET
from runcase.analysis.decisive.records import told_lines
from runcase.analysis.decisive.statements import decisions
from runcase.model.tables import EVENTS

_WORDS = (
    *(
        "FAILED tests/a.py::test_b",
        "E   assert 1 == 2",
        "___ ERROR at setup ___",
        "● works",
        "  1) Works in time",
        "ok",
    ),
    *(
        "error: no",
        "Error: timed out",
        "KILLED",
        "fatal: no such file or directory",
        "java.lang.X: y",
        "warning: error",
    ),
    *(
        "##[error]Process completed with exit code 1",
        "exit status 2",
        "Caused by: b",
        "1) A::b",
        "src/a.c:3:4: error: x",
    ),
    *(
        "a.py:3:1: E501 too long",
        "\u017fegmentation fault",
        "\u212aILLED",
        "0 errors",
        "cannot find",
        "panic: x",
        "  Failed a [3 ms]",
    ),
)
TEXTS = st.lists(st.sampled_from(_WORDS) | st.text(max_size=12), min_size=1, max_size=4).map(" ".join)


def plain(text: str) -> str | None:
    """Family by family, the strongest first."""
    frame = pl.DataFrame({"t": [text]})

    def says(pattern: str) -> bool:
        return bool(frame.select(pl.col("t").str.contains(pattern)).item())

    def named(f: Family) -> bool:
        return says(f.pattern) and not (f.unless and says(f.unless)) and (f.sure or not says(QUIET))

    return next((f.name for f in sorted(FAMILIES, key=lambda f: -f.weight) if named(f)), None)


@settings(max_examples=30, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_a_line_is_named_as_if_every_family_looked_at_it(texts: list[str]) -> None:
    assert families(pl.Series(texts)).to_list() == [plain(t) for t in texts]


@settings(max_examples=30, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_no_line_that_a_family_names_is_sifted_out(texts: list[str]) -> None:
    series = pl.Series(texts)
    left = series.filter(~could_say(series))
    assert [plain(t) for t in left.to_list()] == [None] * left.len()


def spoken_by_one_run(messages: list[str]) -> pl.DataFrame:
    """EVENTS of a run `r` that nothing classified."""
    rows = len(messages)
    return EVENTS.fill(
        pl.DataFrame(
            {
                "run_id": ["r"] * rows,
                "source_id": ["s"] * rows,
                "byte_start": list(range(0, rows * 40, 40)),
                "byte_len": [40] * rows,
                "kind": ["unknown"] * rows,
                "message": messages,
            }
        )
    )


def test_a_cause_amid_thousands_of_repeated_errors_is_found() -> None:
    messages = [f"level=error retrying request {n}: connection refused" for n in range(9000)]
    messages[4500] = "--- FAIL: TestTwice (0.00s)"
    told = decisions(spoken_by_one_run(messages).lazy(), pl.Series(["r"]))["r"]
    assert told.decision.best is not None
    assert told.decision.best.place == 4500


def test_what_is_held_of_a_run_does_not_grow_with_its_errors() -> None:
    rows = 20_000
    events = spoken_by_one_run([f"error: no such thing {n}" for n in range(rows)]).with_columns(kind=pl.lit("error"))
    told = decisions(events.lazy(), pl.Series(["r"]))["r"]
    assert len(told.decision.candidates) <= 2 * 200
    assert told.decision.best is not None
    assert told.decision.places


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), TEXTS), min_size=1, max_size=30))
def test_what_decides_a_run_does_not_depend_on_the_runs_concluded_beside_it(lines: list[tuple[str, str]]) -> None:
    frame = pl.DataFrame(lines, schema=["run_id", "message"], orient="row").with_row_index("byte_start")
    events = EVENTS.fill(frame.with_columns(source_id=pl.lit("s"), byte_len=pl.lit(1), kind=pl.lit("unknown"))).lazy()
    together = decisions(events, pl.Series(["a", "b"]))
    for run in ("a", "b"):
        assert decisions(events, pl.Series([run])).get(run) == together.get(run)


def test_of_an_object_of_many_lines_the_members_that_say_what_happened_are_shown() -> None:
    rows = ['"eventId": "9",', '"eventType": "TaskTimedOut",', '"taskId": "7",', '"details": {', '"source": "Server",']
    rows += ['"message": "no worker",', '"type": "",', '"stack": "at x",', '"encoded": "aGk=",', "}"]
    record = ["{", *(f"  {row}" for row in rows), "}"]
    assert [record[n].strip() for n in told_lines(record)] == [
        "{",
        '"eventType": "TaskTimedOut",',
        '"message": "no worker",',
        "}",
    ]
