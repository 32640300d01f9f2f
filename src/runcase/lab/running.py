"""All tests of some packs, in order."""

from __future__ import annotations

from collections.abc import Sequence

from runcase.lab.scenarios import read_scenarios, tried_scenarios
from runcase.lab.testing import Verdict, tried_examples
from runcase.model.problems import RuncaseError
from runcase.rules.language import Pack
from runcase.rules.pack import folder_of, load_packs, report


def run_tests(names: Sequence[str]) -> list[Verdict]:
    """Verdicts of all examples and scenarios of the packs of these names or paths.

    Raises:
        RuncaseError: `unknown_pack`, `invalid_pack`.
    """
    verdicts: list[Verdict] = []
    for name in names:
        packs = load_packs([name])
        pack, weaker = packs[-1], packs[:-1]
        verdicts += tried_examples(pack, weaker)
        verdicts += _scenarios(name, pack, packs)
    return verdicts


def _scenarios(name: str, pack: Pack, packs: Sequence[Pack]) -> list[Verdict]:
    scenarios, defects = read_scenarios(folder_of(name))
    if defects:
        raise RuncaseError("invalid_pack", report(defects), "a scenario has name, files and expect")
    verdicts = []
    for scenario in scenarios:
        beside = load_packs(scenario.spelled.packs) if scenario.spelled.packs else ()
        known = {p.name for p in packs}
        with_others = [*(p for p in beside if p.name not in known), *packs]
        verdicts += tried_scenarios([scenario], pack, with_others)
    return verdicts
