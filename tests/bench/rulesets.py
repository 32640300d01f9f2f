"""Rule packs for benchmarks: as many rules as asked for, a fifth with alternations and optional groups."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

TOLD = (
    (r"connection refused: (?P<host>\S+):(?P<port>\d+)", "connection refused: node:80"),
    (
        r"(?:upload|transfer) (?:timeout|failed) (?P<artifact>artifact_\d+)(?: after (?P<seconds>[\d.]+)s)?",
        "upload timeout artifact_1 after 3s",
    ),
    (r"disk full on (?P<volume>\S+): no space left", "disk full on /var: no space left on device"),
    (r"HTTP (?P<code>\d{3}) from (?P<host>\S+): giving up", "HTTP 500 from node: giving up"),
    (
        r"OutOfMemoryError: (?:Java heap|GC overhead)(?: space)? in task (?P<task>\d+)",
        "OutOfMemoryError: Java heap space in task 3",
    ),
    (
        r"checksum mismatch for (?P<artifact>\S+): expected (?P<digest>[0-9a-f]{32})",
        f"checksum mismatch for a: expected {'0' * 32}",
    ),
    (r"permission denied: (?P<file>/\S+)", "permission denied: /srv"),
    (
        r"deadline exceeded while waiting for lease (?P<lease>lease_\d+)",
        "deadline exceeded while waiting for lease lease_1",
    ),
)
"""What the errors of the corpus say: patterns, and a text for each."""

NOUNS = (
    "broker catalog daemon engine filter gateway hopper ledger mirror nozzle oracle pacer quorum router sluice".split()
)
DEEDS = "stalled refused dropped expired overflowed diverged vanished flapped starved looped".split()


def rules(count: int, seed: int = 11) -> list[tuple[str, str]]:
    """Patterns of a ruleset with a text that each matches; those of TOLD first, then some that no line matches."""
    r = random.Random(seed)
    made = list(TOLD)
    while len(made) < count:
        n = len(made)
        noun, deed = r.choice(NOUNS), r.choice(DEEDS)
        if n % 5 == 0:
            pattern = rf"{noun}-{n} (?:{deed}|{r.choice(DEEDS)}) at (?P<place>\w+)(?: for (?P<seconds>\d+)s)?"
            made.append((pattern, f"{noun}-{n} {deed} at dock for 3s"))
        else:
            made.append((rf"{noun}-{n} {deed}: code (?P<code>\d+)", f"{noun}-{n} {deed}: code 7"))
    return made[:count]


def plain(pattern: str) -> str:
    """The pattern without names, for tools that take a list of patterns as one."""
    return re.sub(r"\(\?P<\w+>", "(", pattern)


def write_pack(folder: Path, found: list[tuple[str, str]]) -> None:
    """A pack of event rules, one a pattern."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pack.yaml").write_text(f'name: bench-{len(found)}\nversion: "1"\ndescription: For benchmarks.\n')
    made = []
    for n, (pattern, text) in enumerate(found):
        made.append(f"  - id: r{n}\n    kind: error.bench\n    match: {json.dumps(pattern)}\n")
        made.append(f"    examples:\n      match: [{json.dumps(text)}]\n      no_match: ['all is well']\n")
    (folder / "events.yaml").write_text("events:\n" + "".join(made))
