"""Rule packs for benchmarks: as many rules as asked for, a fifth with alternations and optional groups."""

from __future__ import annotations

import json
import random
from pathlib import Path

TOLD = (
    r"connection refused: (?P<host>\S+):(?P<port>\d+)",
    r"(?:upload|transfer) (?:timeout|failed) (?P<artifact>artifact_\d+)(?: after (?P<seconds>[\d.]+)s)?",
    r"disk full on (?P<volume>\S+): no space left",
    r"HTTP (?P<code>\d{3}) from (?P<host>\S+): giving up",
    r"OutOfMemoryError: (?:Java heap|GC overhead)(?: space)? in task (?P<task>\d+)",
    r"checksum mismatch for (?P<artifact>\S+): expected (?P<digest>[0-9a-f]{32})",
    r"permission denied: (?P<file>/\S+)",
    r"deadline exceeded while waiting for lease (?P<lease>lease_\d+)",
)
"""What the errors of the corpus say."""

NOUNS = (
    "broker catalog daemon engine filter gateway hopper ledger mirror nozzle oracle pacer quorum router sluice".split()
)
DEEDS = "stalled refused dropped expired overflowed diverged vanished flapped starved looped".split()


def patterns(count: int, seed: int = 11) -> list[str]:
    """The patterns of a ruleset; those of TOLD first, then some that no line matches."""
    r = random.Random(seed)
    made = list(TOLD)
    while len(made) < count:
        n = len(made)
        noun, deed = r.choice(NOUNS), r.choice(DEEDS)
        if n % 5 == 0:
            other = r.choice(DEEDS)
            made.append(rf"{noun}-{n} (?:{deed}|{other}) at (?P<place>\w+)(?: for (?P<seconds>\d+)s)?")
        else:
            made.append(rf"{noun}-{n} {deed}: code (?P<code>\d+)")
    return made[:count]


def write_pack(folder: Path, found: list[str]) -> None:
    """A pack of event rules, one a pattern."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pack.yaml").write_text(f'name: bench-{len(found)}\nversion: "1"\ndescription: For benchmarks.\n')
    rules = [f"  - id: r{n}\n    kind: error\n    match: {json.dumps(p)}\n" for n, p in enumerate(found)]
    (folder / "events.yaml").write_text("events:\n" + "".join(rules))
