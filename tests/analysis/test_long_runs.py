"""What concluding a long run and telling of it takes: the memory of a process does not grow with the events."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import polars as pl
from tests.factory import DAY, source

from runcase.ledger.store import Case
from runcase.model.tables import EVENTS, SOURCES

EVENTS_OF_A_RUN = 120_000
CHUNK = 30_000
LINE_BYTES = 300
SOURCE = "0123456789ab"

MOST_GROWN_KIB = 40 * 1024
"""What streamed queries read ahead differs by as much; the texts of the longer run alone take 140 MiB."""

CHILD = """
import sys
from pathlib import Path
from runcase.ledger.serving import one_thread
one_thread()
from runcase.concluding import by
from runcase.ledger.store import Case
from runcase.report.build import dossiers

case = Case.open(Path(sys.argv[1]))
found = by(case, None)(case.facts(), (), frozenset(), None)
(run,) = dossiers(case.facts(), found, case.raw)
assert run.dossier.failure is not None and run.dossier.failure.decisive
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def case_of_one_run(root: Path, events: int) -> Path:
    """A case with a log in which every tenth line is an error, none of them like another."""
    with Case.create(root).batch("b" * 16) as batch:
        last = DAY + timedelta(milliseconds=100 * events)
        told = source(SOURCE, lines=events, events=events, size_bytes=events * LINE_BYTES, first_ts=DAY, last_ts=last)
        batch.write(SOURCES, SOURCES.frame([told]))
        for begin in range(0, events, CHUNK):
            batch.write(EVENTS, lines(begin, min(CHUNK, events - begin)))
    return root


def lines(begin: int, count: int) -> pl.DataFrame:
    """EVENTS of a stretch of the log."""
    number = pl.int_range(begin, begin + count, dtype=pl.Int64)
    fails = number % 10 == 0
    said = pl.format("failed to open part-{} of {}", number, number.hash(1))
    spelled = pl.format("{}: {}", said, number.hash(2)).str.pad_end(LINE_BYTES - 1, ".")
    rows = pl.select(
        source_id=pl.lit(SOURCE),
        line=number + 1,
        byte_start=number * LINE_BYTES,
        byte_len=pl.lit(LINE_BYTES, pl.Int64),
        n_lines=pl.lit(1, pl.Int64),
        ts=pl.lit(DAY) + pl.duration(milliseconds=100 * number),
        ts_basis=pl.lit("explicit_zone"),
        kind=pl.when(fails).then(pl.lit("error")).otherwise(pl.lit("log")),
        level=pl.when(fails).then(pl.lit("error")).otherwise(pl.lit("info")),
        message=spelled,
        artifacts=pl.lit([], pl.List(pl.String)),
    )
    return EVENTS.fill(rows)


def peak_kib(case: Path) -> int:
    """Largest resident set of a process that concludes the case and makes its dossier."""
    done = subprocess.run([sys.executable, "-c", CHILD, str(case)], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_a_run_of_four_times_as_many_events_takes_no_more_memory_to_analyse(tmp_path: Path) -> None:
    short, long = (case_of_one_run(tmp_path / str(n), n * EVENTS_OF_A_RUN) for n in (1, 4))
    assert peak_kib(long) < peak_kib(short) + MOST_GROWN_KIB
