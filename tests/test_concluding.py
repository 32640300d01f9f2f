"""What is concluded of a case does not depend on who concludes it."""

from __future__ import annotations

import os
import signal
from dataclasses import fields

import pytest
from tests.commands import build
from tests.report.nightly import night

from runcase import concluding
from runcase.analysis.conclude import conclude
from runcase.ledger.serving import Stage, Tell
from runcase.ledger.store import Case
from runcase.ledger.workers import Crew
from runcase.model.case import Conclusions, Facts
from runcase.rules.language import Pack
from runcase.rules.pack import load_packs
from runcase.settings import DEFAULT_PACKS

SHARE_EVENTS = 30
RUNS = 8


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Runs of four jobs, some of which failed."""
    folder = tmp_path_factory.mktemp("nightly")
    built = build(folder / "case", night(folder, 1, RUNS, lambda n: n % 3 if n % 2 else None))
    return Case.open(built.root)


@pytest.fixture(scope="module")
def packs() -> tuple[Pack, ...]:
    return load_packs(DEFAULT_PACKS)


def asked(case: Case) -> Facts:
    return case.facts(case.batches())


def same(a: Conclusions, b: Conclusions) -> bool:
    return all(getattr(a, f.name).equals(getattr(b, f.name)) for f in fields(a))


def test_one_process_concludes_share_by_share_what_it_concludes_at_once(case: Case, packs: tuple[Pack, ...]) -> None:
    whole = conclude(asked(case), packs)
    assert whole.runs.height == RUNS
    assert same(concluding.by(case, None, SHARE_EVENTS)(asked(case), packs, frozenset(), None), whole)


def test_several_processes_conclude_what_one_concludes(case: Case, packs: tuple[Pack, ...]) -> None:
    with Crew(2) as crew:
        found = concluding.by(case, crew, SHARE_EVENTS)(asked(case), packs, frozenset(), None)
    assert same(found, conclude(asked(case), packs))


def pid(ready: int, item: int, tell: Tell) -> int:
    return os.getpid()


def test_what_a_process_leaves_undone_that_the_system_took_away_is_concluded_here(
    case: Case, packs: tuple[Pack, ...]
) -> None:
    with Crew(2) as crew:
        for outcome in crew.each(Stage(int, (1,), pid), [1, 2]):
            assert outcome.value
            os.kill(outcome.value, signal.SIGKILL)
        found = concluding.by(case, crew, SHARE_EVENTS)(asked(case), packs, frozenset(), None)
    assert same(found, conclude(asked(case), packs))
