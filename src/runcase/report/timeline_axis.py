"""The axis of a timeline: which instants it spans, where an instant stands on it, and its marks."""

from __future__ import annotations

from dataclasses import dataclass

from runcase.report.dossier import Dossier
from runcase.report.instants import micros
from runcase.report.words import micros_words


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis, relative to its begin."""

    x: float
    label: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Axis:
    """Microseconds since 1970 at the left and at the right end."""

    low: int
    high: int
    first: int | None = None
    """Begin of the attempt that is drawn, where an open end stops; None when it was not seen."""
    last: int | None = None
    """End of that attempt."""

    def at(self, instant: int) -> float:
        """Per cent of the axis."""
        return round(min(100.0, max(0.0, (instant - self.low) * 100 / (self.high - self.low))), 3)

    def share(self, micros_: int) -> float:
        """Per cent of the axis that a duration takes."""
        return round(min(100.0, micros_ * 100 / (self.high - self.low)), 3)


def axis_of(d: Dossier) -> Axis | None:
    """From the first to the last instant that the dossier knows; None when it knows fewer than two."""
    run = d.run
    stated = [run.created_at, run.claimed_at, run.started_at, run.finished_at, run.first_ts, run.last_ts]
    for a in run.attempts:
        stated += [a.created_at, a.claimed_at, a.started_at, a.finished_at]
    for w in (*d.windows, *d.stages, *d.tools, *d.gaps):
        stated += [w.start, w.end]
    known = [m for m in map(micros, stated) if m is not None]
    return Axis(min(known), max(known)) if known and max(known) > min(known) else None


_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_UNITS = [s * 1000 for s in _STEPS] + [
    s * 1_000_000
    for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800)
]


def ticks(axis: Axis) -> tuple[Tick, ...]:
    """At most six marks at round distances from the begin."""
    span = axis.high - axis.low
    step = next((u for u in _UNITS if span / u <= 5), 0) or max(1, -(-span // (5 * 86_400_000_000))) * 86_400_000_000
    if span < 1000:
        step = max(1, span)
    found = []
    for n in range(span // step + 1):
        x = axis.share(n * step)
        anchor = "start" if n == 0 else "end" if x > 90 else "middle"
        found.append(Tick(x, "0" if n == 0 else f"+{micros_words(n * step)}", anchor))
    return tuple(found)
