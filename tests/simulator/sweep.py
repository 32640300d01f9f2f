"""From a seed to what is wrong with the conclusions on its run; `tests/bench/simulated.py` asks for many."""

from __future__ import annotations

from pathlib import Path

from tests.simulator.damage import exported
from tests.simulator.judge import complaints
from tests.simulator.knobs import drawn
from tests.simulator.reading import seen
from tests.simulator.world import simulated


def judged(seed: int, folder: Path) -> list[str]:
    """Complaints about the conclusions on the run of a seed."""
    world = simulated(drawn(seed))
    left = exported(world, seed)
    return complaints(world, left, seen(left.files, folder).found) if left.files else []
