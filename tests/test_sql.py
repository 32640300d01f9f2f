"""Questions to the tables of a case, by SQL and from Python."""

from __future__ import annotations

import csv
import io
import json

import polars as pl
from tests.commands import Built, runcase

import runcase as api
from runcase.model.tables import EVENTS


def test_a_query_counts_events_by_kind(story: Built) -> None:
    query = "SELECT kind, count(*) AS n FROM events WHERE kind = 'upload.started' GROUP BY kind"
    asked = runcase("sql", query, "-c", story.root, "--format", "json")
    assert json.loads(asked.out) == [{"kind": "upload.started", "n": 1}]


def test_without_a_query_every_table_is_listed_with_its_columns(story: Built) -> None:
    listed = {line.split(":")[0] for line in runcase("sql", "-c", story.root).out.splitlines() if line[0] != " "}
    assert listed == set(api.open(story.root).tables())


def test_a_query_that_cannot_be_answered_is_misuse(story: Built) -> None:
    ended = runcase("sql", "SELECT * FROM nowhere", "-c", story.root)
    assert (ended.code, "[bad_query]" in ended.err) == (2, True)


def test_csv_holds_lists_as_json_and_no_formula(story: Built) -> None:
    asked = runcase("sql", "SELECT '=1+1' AS f, refs FROM signals LIMIT 1", "-c", story.root, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(asked.out))
    assert row["f"] == "'=1+1"
    assert isinstance(json.loads(row["refs"]), list)


def test_text_cells_show_control_characters_as_marks(story: Built) -> None:
    asked = runcase("sql", "SELECT message FROM events", "-c", story.root)
    assert "\x1b" not in asked.out


def test_the_python_api_gives_every_declared_column(story: Built) -> None:
    case = api.open(story.root)
    assert case.events.collect_schema() == EVENTS.schema
    event = case.events.filter(pl.col("kind") == "upload.started").collect().row(0, named=True)
    ref = f"{event['source_id']}:{event['byte_start']}+{event['byte_len']}"
    assert b"upload" in (case.raw(ref) or b"")
