"""Logs of a night's runs, one file a run: a few jobs that fail now and then."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

JOBS = ("render-report", "sync-mirror", "build-index", "send-digest")
ERRORS = (
    "upload timeout artifact_{n:03d} after 30.0s: no response from object-store",
    "connection refused: mirror-{n} port 443",
    "No space left on device: /var/data",
)
START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def night(folder: Path, day: int, runs: int, fails: Callable[[int], int | None], lines: int = 8) -> Path:
    """`runs` logs in `folder/night-<day>`; `fails(n)` is the error of run `n`, None for a run that succeeds."""
    place = folder / f"night-{day}"
    place.mkdir(parents=True)
    for n in range(runs):
        run_id, job = f"{JOBS[n % len(JOBS)]}-{day}-{n}", JOBS[n % len(JOBS)]
        begin = START + timedelta(days=day, minutes=3 * n)
        texts = [("info", "run started"), *(("info", f"processing source {k} of {lines}") for k in range(lines))]
        error = fails(n)
        texts.append(
            ("error", ERRORS[error].format(n=n % 7)) if error is not None else ("info", "all sources processed")
        )
        texts.append(("info", f"process exited with code {0 if error is None else 1}"))
        rows = [
            json.dumps({
                "timestamp": (begin + timedelta(seconds=(5 + n % 4) * k)).isoformat().replace("+00:00", "Z"),
                "level": level, "message": text, "run_id": run_id, "job": job,
            })
            for k, (level, text) in enumerate(texts)
        ]  # fmt: skip
        (place / f"{run_id}.log").write_text("\n".join(rows) + "\n")
    return place
