"""What became of the evidence: sources as they were exported, and which lines survived in them."""

from __future__ import annotations

import gzip
import random
from dataclasses import dataclass

from tests.simulator.knobs import Knobs
from tests.simulator.world import FINAL, Line, World, manifest_text, record_text


@dataclass(frozen=True, slots=True)
class Exported:
    """Path -> bytes of every exported source, and the lines that a reader can still find in them."""

    files: dict[str, bytes]
    lines: tuple[Line, ...]

    def has(self, attempt: int, mark: str) -> bool:
        """Whether the line that proves `mark` of an attempt survived."""
        return any(x.attempt == attempt and x.mark == mark for x in self.lines)


def exported(world: World, seed: int = 0) -> Exported:
    """The archive's files."""
    r = random.Random(seed)
    k = world.knobs
    kept = [x for x in world.lines if x.source not in k.dropped and not (k.loss and r.random() < k.loss)]
    files: dict[str, bytes] = {}
    found: list[Line] = []
    root = f"sim-{world.run}" if k.interleaved else world.run
    for source in ("queue", "worker", "stdout"):
        attempts = [0] if source == "queue" else range(1, k.attempts + 1)
        for attempt in attempts:
            mine = [x for x in kept if x.source == source and attempt in (0, x.attempt)]
            mine.sort(key=lambda x: x.at)
            folder = f"{world.run}/attempt-{attempt}" if attempt else root
            last = source == "worker" and attempt == k.attempts
            found += _written(files, f"{folder}/{source}.log", mine, k, last, r)
    _documents(files, world)
    return Exported(dict(sorted(files.items())), tuple(found))


def _written(
    files: dict[str, bytes], path: str, lines: list[Line], k: Knobs, last: bool, r: random.Random
) -> list[Line]:
    """Writes one log; returns the lines that stand in it."""
    if not lines:
        return []
    if last and k.cut:
        upto = r.randint(1, len(lines))
        if k.cut == "plain":
            lines = lines[:upto]
        else:
            files[f"{path}.gz"], lines = _packed_and_cut(lines, upto)
            return lines
    if last and k.rotated and len(lines) > 2:
        middle = len(lines) // 2
        files[f"{path}.1.gz"] = gzip.compress(_text(lines[:middle]), mtime=0)
        files[path] = _text(lines[middle:])
        return lines
    files[path] = _text(lines, _strangers(lines) if k.interleaved and path.endswith("queue.log") else [])
    return lines


def _packed_and_cut(lines: list[Line], upto: int) -> tuple[bytes, list[Line]]:
    """A gzip stream that ends in its middle: whole lines up to there, and no end of the stream."""
    head = _text(lines[:upto])
    data = gzip.compress(head, mtime=0, compresslevel=0)
    return data[:-8], lines[:upto]


def _text(lines: list[Line], others: list[tuple[int, str]] | None = None) -> bytes:
    texts = [x.text for x in lines]
    for place, text in reversed(others or []):
        texts.insert(place, text)
    return "".join(t + "\n" for t in texts).encode()


def _strangers(lines: list[Line]) -> list[tuple[int, str]]:
    """What the queue says of another run, between the lines."""
    stamp = lines[0].text.split(" ", 1)[0]
    said = (
        f"run created run=run_900 attempt=1 msg=msg_77 bundle=bundle_1 bundle_sha256={'0' * 64}",
        "message claimed run=run_900 attempt=1 msg=msg_77 worker=worker-90 lease=lease_77",
        "lease expired run=run_900 attempt=1 msg=msg_77 lease=lease_77",
    )
    return [(min(n + 1, len(lines)), f"{stamp} queue-1 broker[311]: {s}") for n, s in enumerate(said)]


def _documents(files: dict[str, bytes], world: World) -> None:
    k = world.knobs
    folder = f"{world.run}/attempt-{k.attempts}"
    if "record" not in k.dropped:
        files[f"{world.run}/run.json"] = record_text(world).encode()
    if "manifest" not in k.dropped and world.manifest:
        files[f"{folder}/manifest.jsonl"] = "".join(manifest_text(world)).encode()
    if k.workspace:
        for path, data in world.files.items():
            spoiled = k.spoiled and path.endswith(f"{FINAL}.pdf")
            files[f"{folder}/workspace/{path}"] = data[:-9] if spoiled else data
