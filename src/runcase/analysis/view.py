"""What the later stages of the analysis look at: facts with their runs assigned, and the conclusions so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from runcase.model.tables import EDGES, SIGNALS, STATES, WINDOWS
from runcase.rules.language import Pack


@dataclass(frozen=True, slots=True)
class CaseView:
    """All runs of a case at once.

    A stage of the analysis takes a view and returns one conclusion frame; the
    next stage sees it. Frames that their stage has not yielded yet are empty.
    """

    events: pl.LazyFrame
    """EVENTS without duplicate sources; `run_id` and `attempt` as assigned (null: no run; no single attempt)."""
    artifacts: pl.DataFrame
    """ARTIFACTS claims; `run_id` and `attempt` as assigned."""
    spans: pl.DataFrame
    """SPANS; `run_id` and `attempt` as assigned."""
    problems: pl.LazyFrame
    """PROBLEMS, as in the facts."""
    sources: pl.DataFrame
    """SOURCES, all of them, in the order of their names."""
    members: pl.DataFrame
    """MEMBERS."""
    run_packs: pl.DataFrame
    """`run_id, pack, cited`: packs (by name) whose rules named events of the run, and how many."""
    runs: pl.DataFrame
    """RUNS."""
    attempts: pl.DataFrame
    """ATTEMPTS."""
    packs: tuple[Pack, ...]
    """In the order of precedence: later packs are stronger."""
    windows: pl.DataFrame = field(default_factory=WINDOWS.empty)
    states: pl.DataFrame = field(default_factory=STATES.empty)
    edges: pl.DataFrame = field(default_factory=EDGES.empty)
    signals: pl.DataFrame = field(default_factory=SIGNALS.empty)
