"""Writes `ledger-v<N>`: a tiny case of the current schema version, kept so that later versions go on reading it.

    python tests/golden/make.py

To be run once for each new schema version; what is there already is not made again.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from runcase import pipeline, settings
from runcase.ledger.store import SCHEMA_VERSION

HERE = Path(__file__).parent
LOG = (
    '{"ts": "2026-03-14T10:00:00Z", "level": "info", "message": "run started", "run_id": "golden-1", "job": "render"}\n'
    '{"ts": "2026-03-14T10:00:09Z", "level": "error", "message": "password=hunter2-golden was refused", '
    '"run_id": "golden-1"}\n'
    '{"ts": "2026-03-14T10:00:10Z", "level": "info", "message": "process exited with code 3", "run_id": "golden-1"}\n'
)
KEPT = ("case.json", "ledger", "analysis")


def main() -> None:
    place = HERE / f"ledger-v{SCHEMA_VERSION}"
    with tempfile.TemporaryDirectory() as tmp:
        log = Path(tmp) / "golden.log"
        log.write_text(LOG)
        pipeline.build(settings.resolve((str(log),), str(Path(tmp) / "case")))
        place.mkdir()
        for name in KEPT:
            shutil.move(Path(tmp) / "case" / name, place / name)


if __name__ == "__main__":
    main()
