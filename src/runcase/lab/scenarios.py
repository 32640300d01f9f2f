"""Scenario files of a pack: a tiny log in, and what must come of it out.

`scenarios/*.yaml` beside `pack.yaml` holds `files` (path -> text) and `expect`
(run -> status, failure, events, windows, signals, replay). Everything runs in
this process, on the stages that a build runs.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import yaml
from pydantic import BeforeValidator, Field

from runcase.analysis.conclude import conclude
from runcase.intake.read_plan import ReadPlan
from runcase.lab.testing import Verdict, difference
from runcase.ledger.ingest import IngestPlan, facts_of
from runcase.ledger.units import Unit
from runcase.model.case import Conclusions, Facts
from runcase.model.refs import event_id_of
from runcase.model.tables import ARTIFACTS, EVENTS, PROBLEMS, SOURCES, SPANS
from runcase.rules.compile import Ruleset
from runcase.rules.language import Pack
from runcase.rules.reading import checked
from runcase.rules.spelled_values import Spelled, Strings
from runcase.rules.yaml_source import Defect, Document

_EVENT_SHOWN = ("kind", "stage", "attempt", "summary", "level", "run_id", "duration_us", "tool_call_id", "rule")


def _text_lists(value: object) -> object:
    return value if isinstance(value, dict) else {}


class ExpectedRun(Spelled):
    """What must come of one run; only what is given is compared."""

    status: str | None = None
    attempts: int | None = None
    failure: str | None = Field(None, description="failure class of the verdict")
    confidence: str | None = None
    events: list[dict[str, str]] = Field(
        default_factory=list, description="events that must be there, in this order; others may lie between"
    )
    windows: dict[str, str] = Field(default_factory=dict, description="window of the last attempt -> its state")
    signals: Strings = Field(default_factory=list, description="codes that must be there")
    no_signals: Strings = Field(default_factory=list, description="codes that must not be there")
    replay: str | None = Field(None, description="stage from which to replay")


class ScenarioSpelled(Spelled):
    """A scenario: a tiny log in, and what must come of it."""

    name: str
    description: str = ""
    packs: Strings = Field(default_factory=list, description="further packs, by name")
    files: Annotated[dict[str, str], Field(min_length=1)]
    expect: Annotated[dict[str, ExpectedRun], Field(min_length=1), BeforeValidator(_text_lists)]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that was read, and where it stands."""

    spelled: ScenarioSpelled
    place: str


def read_scenarios(folder: Path) -> tuple[list[Scenario], list[Defect]]:
    """The scenarios of a pack's folder, in the order of their names."""
    found: list[Scenario] = []
    defects: list[Defect] = []
    for path in sorted((folder / "scenarios").glob("*.yaml")):
        document = Document(f"{folder.name}/scenarios/{path.name}", path.read_bytes()[: 1024 * 1024 + 1])
        spelled, _ = checked(document, ScenarioSpelled)
        defects += document.defects
        if isinstance(spelled, ScenarioSpelled):
            found.append(Scenario(spelled, f"{document.file}:1"))
    return found, defects


def tried_scenarios(scenarios: Sequence[Scenario], pack: Pack, packs: Sequence[Pack]) -> list[Verdict]:
    """A verdict a run that a scenario speaks of."""
    verdicts = []
    for scenario in scenarios:
        facts, conclusions = outcome(scenario.spelled.files, packs)
        for run_id, wanted in scenario.spelled.expect.items():
            failure = _compared(run_id, wanted, facts, conclusions)
            title = f"{scenario.spelled.name}: {run_id}"
            verdicts.append(Verdict(pack.name, "scenario", title, scenario.place, failure))
    return verdicts


# --- running --------------------------------------------------------------------------------------


def outcome(files: Mapping[str, str | bytes], packs: Sequence[Pack]) -> tuple[Facts, Conclusions]:
    """What a build makes of these files; nothing is left on disk."""
    with tempfile.TemporaryDirectory() as folder:
        return outcome_of(list(_units(files, Path(folder))), packs)


def outcome_of(units: Sequence[Unit], packs: Sequence[Pack]) -> tuple[Facts, Conclusions]:
    """What a build makes of these input files, read in this process."""
    formats = tuple(f for p in packs for f in p.formats)
    plan = IngestPlan(ReadPlan(formats=formats, keep_raw=False), tuple(packs))
    ruleset = Ruleset(packs)
    frames: dict[str, list[pl.DataFrame]] = {}
    for table, frame in facts_of(units, plan, ruleset):
        frames.setdefault(table.name, []).append(table.fill(frame.with_columns(batch=pl.lit("lab"))))
    facts = Facts(
        *(pl.concat([t.empty(), *frames.get(t.name, [])]).lazy() for t in (SOURCES, EVENTS, ARTIFACTS, SPANS, PROBLEMS))
    )
    whole = Facts(
        facts.sources,
        facts.events.with_columns(
            event_id=event_id_of(), ts_lo=pl.coalesce("ts_lo", "ts"), ts_hi=pl.coalesce("ts_hi", "ts")
        ),
        facts.artifacts,
        facts.spans,
        facts.problems,
    )
    return whole, conclude(whole, tuple(packs))


def _units(files: Mapping[str, str | bytes], folder: Path) -> Iterator[Unit]:
    for number, (name, text) in enumerate(sorted(files.items())):
        data = text.encode() if isinstance(text, str) else text
        path = folder / f"{number}"
        path.write_bytes(data)
        yield Unit(number, path, name, hashlib.sha256(data).hexdigest(), len(data))


# --- comparing ------------------------------------------------------------------------------------


def _compared(run_id: str, wanted: ExpectedRun, facts: Facts, made: Conclusions) -> str:
    """A diff from what is wanted of a run to what came; empty when they agree."""
    run = made.runs.filter(pl.col("run_id") == run_id)
    if run.is_empty():
        known = ", ".join(made.runs["run_id"].to_list()[:8]) or "none"
        return f"there is no run {run_id!r}; there are: {known}"
    asked = {k: v for k, v in wanted.model_dump(exclude_unset=True).items() if v is not None}
    actual = {k: _actual(k, v, run_id, facts, made) for k, v in asked.items()}
    return difference(_lines(asked), _lines(actual))


def _lines(value: object) -> list[str]:
    return yaml.safe_dump(json.loads(json.dumps(value, default=str)), sort_keys=True, allow_unicode=True).splitlines()


def _actual(key: str, wanted: Any, run_id: str, facts: Facts, made: Conclusions) -> object:
    """What came, spelled as it is wanted."""
    if key in ("status", "attempts"):
        return _of(made.runs, run_id)[key]
    if key in ("failure", "confidence"):
        verdict = made.diagnoses.filter((pl.col("run_id") == run_id) & (pl.col("rank") == 0))
        name = "class" if key == "failure" else key
        return verdict[name][0] if verdict.height else None
    if key == "replay":
        return _of(made.replay, run_id)["start"]
    if key == "windows":
        return _windows(wanted, run_id, made)
    codes = set(made.signals.filter(pl.col("run_id") == run_id)["code"])
    if key == "signals":
        return wanted if set(wanted) <= codes else sorted(codes)
    if key == "no_signals":
        return [c for c in wanted if c not in codes]
    return _events(wanted, run_id, facts, made)


def _of(frame: pl.DataFrame, run_id: str) -> dict[str, Any]:
    rows = frame.filter(pl.col("run_id") == run_id)
    return rows.row(0, named=True) if rows.height else dict.fromkeys(frame.columns)


def _windows(wanted: dict[str, str], run_id: str, made: Conclusions) -> dict[str, str | None]:
    mine = made.windows.filter((pl.col("run_id") == run_id) & (pl.col("kind") == "window")).sort("attempt")
    states = dict(zip(mine["name"], mine["state"], strict=True))
    return {name: states.get(name) for name in wanted}


def _events(wanted: list[dict[str, str]], run_id: str, facts: Facts, made: Conclusions) -> list[dict[str, str]]:
    """The wanted events as far as they came in order; then, for the first that did not, what came instead."""
    sources = made.members.filter(pl.col("run_id") == run_id).select("source_id").unique()
    mine = facts.events.filter((pl.col("run_id") == run_id) | pl.col("run_id").is_null())
    rows = mine.join(sources.lazy(), on="source_id", how="semi").sort("ts", "source_id", "byte_start").collect()
    left = iter(rows.iter_rows(named=True))
    found: list[dict[str, str]] = []
    for number, one in enumerate(wanted):
        if not any(_fits(one, row) for row in left):
            kinds = [r["kind"] for r in rows.iter_rows(named=True)]
            return [*found, {"not found in order": str(one)}, {"events there are": ", ".join(kinds[:40])}]
        found.append(wanted[number])
    return found


def _fits(wanted: dict[str, str], row: dict[str, Any]) -> bool:
    fields = json.loads(row["fields"]) if row["fields"] else {}
    return all(
        str(row.get(k) if k in _EVENT_SHOWN else fields.get(k.removeprefix("fields."))) == v for k, v in wanted.items()
    )
