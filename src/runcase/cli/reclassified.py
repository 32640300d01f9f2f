"""`runcase build --reclassify`: new rules on an old case, and what they changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import TYPE_CHECKING

from runcase.model.text import present

if TYPE_CHECKING:
    from runcase.pipeline import Progress
    from runcase.reclassify import Reclassified
    from runcase.settings import Settings

Bar = Callable[[], AbstractContextManager[Callable[["Progress"], None]]]
MOST = 40
"""Changes and runs that the text lists; JSON has all."""


def told(settings: Settings, face: str, bar: Bar) -> str:
    """Renews the case and says what changed.

    Raises:
        RuncaseError: `not_a_case`, `busy`, and those of packs.
    """
    from runcase.reclassify import reclassify

    with bar() as report:
        found = reclassify(settings, report)
    return json.dumps(asdict(found), indent=2) if face == "json" else present(_text(found), keep="\n")


def _text(found: Reclassified) -> str:
    lines = [f"{found.changed:,} of {found.events:,} events have another verdict"]
    lines += [f"  {c.events:>9,}  {c.before} -> {c.after}, such as {c.ref}" for c in found.changes[:MOST]]
    lines += _more(len(found.changes), "kinds of change")
    lines.append(f"{len(found.runs)} runs are judged otherwise")
    lines += [f"  {r.run_id}: {r.before or 'not there'} -> {r.after or 'not there'}" for r in found.runs[:MOST]]
    lines += _more(len(found.runs), "runs")
    if found.not_read:
        lines.append(f"{found.not_read} sources were left as they were: their bytes are not kept")
    return "\n".join(lines)


def _more(count: int, what: str) -> list[str]:
    return [f"  and {count - MOST} more {what}; --format json has all"] if count > MOST else []
