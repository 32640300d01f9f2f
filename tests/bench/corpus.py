"""Writes a corpus of logs for benchmarks: application logs, JSON lines, traces, Kubernetes, CI; 5 % errors.

    python tests/bench/corpus.py FOLDER --mb 1024 [--seed 7]

Deterministic for a seed. Each archive is a `.tar.gz` of several files; `plain/`
holds the same files decompressed, for tools that cannot read archives.
"""

from __future__ import annotations

import argparse
import gzip
import io
import random
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)
ERROR_SHARE = 0.05
FILE_BYTES = 8 * 1024 * 1024
FILES_AN_ARCHIVE = 4

WORDS = (
    "accepted applied batch bucket cache chunk client closed commit config connection cursor delivered drained "
    "elected fetched flushed handler heartbeat index ingest joined lease loaded merged message offset opened "
    "partition peer planned pool queue rebalance received replica request resolved rotated scheduled segment "
    "session shard snapshot started stored stream synced task token topic updated upload validated worker written"
).split()

ERRORS = (
    "connection refused: {host}:{port}",
    "upload timeout {artifact} after {s}s",
    "disk full on /var/data{n}: no space left on device",
    "HTTP {status} from {host}: giving up after {n} tries",
    "OutOfMemoryError: Java heap space in task {n}",
    "checksum mismatch for {artifact}: expected {hex}",
    "permission denied: /srv/share/{artifact}",
    "deadline exceeded while waiting for lease lease_{n}",
)

Line = Callable[[random.Random, datetime], str]


def sentence(r: random.Random) -> str:
    words = " ".join(r.choices(WORDS, k=r.randint(3, 9)))
    return f"{words} id={r.randrange(10**6)} took={r.randrange(10**4)}ms"


def failure(r: random.Random) -> str:
    return r.choice(ERRORS).format(
        host=f"node-{r.randrange(90)}.internal",
        port=r.randrange(1024, 65535),
        artifact=f"artifact_{r.randrange(1000):03d}",
        s=round(r.uniform(1, 90), 1),
        n=r.randrange(100),
        status=r.choice((429, 500, 502, 503)),
        hex=f"{r.getrandbits(128):032x}",
    )


def body(r: random.Random) -> tuple[str, str]:
    """Level and message."""
    if r.random() < ERROR_SHARE:
        return "ERROR", failure(r)
    return r.choice(("INFO", "INFO", "INFO", "DEBUG", "WARN")), sentence(r)


def python_line(r: random.Random, t: datetime) -> str:
    level, message = body(r)
    return f"{t:%Y-%m-%d %H:%M:%S},{t.microsecond // 1000:03d} {level} app.{r.choice(WORDS)}: {message}\n"


def java_line(r: random.Random, t: datetime) -> str:
    level, message = body(r)
    stamp = f"{t:%Y-%m-%d %H:%M:%S}.{t.microsecond // 1000:03d}"
    line = (
        f"{stamp} {level:<5} [pool-{r.randrange(8)}-thread-{r.randrange(40)}] c.e.svc.{r.choice(WORDS)} - {message}\n"
    )
    if level == "ERROR" and r.random() < 0.2:
        line += "java.lang.IllegalStateException: " + message + "\n"
        line += "".join(f"\tat c.e.svc.{r.choice(WORDS)}.run(Svc.java:{r.randrange(900)})\n" for _ in range(8))
    return line


def json_line(r: random.Random, t: datetime) -> str:
    level, message = body(r)
    return (
        f'{{"timestamp":"{t:%Y-%m-%dT%H:%M:%S}.{t.microsecond:06d}Z","level":"{level.lower()}",'
        f'"logger":"{r.choice(WORDS)}","message":"{message}","trace_id":"{r.getrandbits(128):032x}"}}\n'
    )


def cri_line(r: random.Random, t: datetime) -> str:
    level, message = body(r)
    stream = "stderr" if level == "ERROR" else "stdout"
    return f"{t:%Y-%m-%dT%H:%M:%S}.{t.microsecond:06d}000Z {stream} F {level[0]} {message}\n"


def ci_line(r: random.Random, t: datetime) -> str:
    level, message = body(r)
    mark = "##[error]" if level == "ERROR" else ""
    return f"{t:%Y-%m-%dT%H:%M:%S}.{t.microsecond:06d}0Z {mark}{message}\n"


KINDS: dict[str, Line] = {"app": python_line, "svc": java_line, "events": json_line, "pod": cri_line, "ci": ci_line}


def text(line: Line, seed: int, size: int) -> Iterator[str]:
    r = random.Random(seed)
    t, written = START + timedelta(hours=seed % 700), 0
    while written < size:
        t += timedelta(milliseconds=r.randrange(200), microseconds=r.randrange(1000))
        one = line(r, t)
        written += len(one)
        yield one


def write(folder: Path, megabytes: int, seed: int) -> None:
    """Fills `folder/archives` and `folder/plain`."""
    (folder / "archives").mkdir(parents=True, exist_ok=True)
    (folder / "plain").mkdir(exist_ok=True)
    size = min(FILE_BYTES, max(1, megabytes * 1024 * 1024 // (FILES_AN_ARCHIVE * len(KINDS))))
    files = max(1, megabytes * 1024 * 1024 // size)
    for first in range(0, files, FILES_AN_ARCHIVE):
        packed = folder / "archives" / f"batch-{first // FILES_AN_ARCHIVE:04d}.tar.gz"
        with (
            packed.open("wb") as out,
            gzip.GzipFile("", "wb", 6, out, mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w|", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for n in range(first, min(first + FILES_AN_ARCHIVE, files)):
                kind = list(KINDS)[n % len(KINDS)]
                data = "".join(text(KINDS[kind], seed * 100_003 + n, size)).encode()
                (folder / "plain" / f"{kind}-{n:04d}.log").write_bytes(data)
                member = tarfile.TarInfo(f"{kind}-{n:04d}.log")
                member.size, member.mtime = len(data), int(START.timestamp())
                tar.addfile(member, io.BytesIO(data))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mb", type=int, default=1024)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    write(asked.folder, asked.mb, asked.seed)
