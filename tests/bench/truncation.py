"""Cuts every sample at every 512 bytes and says what share of the bytes before each cut came out.

    python -m tests.bench.truncation [--step 512] [FILE...]

The suite does the same at wider steps.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.commands import SAMPLES
from tests.intake.test_conservation import swept


def main() -> None:
    """Prints a line a sample; exits with 1 when a cut lost more than it must or went unnoticed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("files", nargs="*", type=Path, help="default: the samples")
    options.add_argument("--step", type=int, default=512)
    given = options.parse_args()
    wrong: list[str] = []
    for sample in given.files or [*sorted(SAMPLES.glob("*.tar.gz")), *sorted(SAMPLES.glob("*.zip"))]:
        with tempfile.TemporaryDirectory() as folder:
            found = swept(Path(folder), sample, given.step)
        cuts = len(range(1, sample.stat().st_size, given.step))
        print(f"{sample.name}: {cuts} cuts, {len(found)} of them wrong", *found, sep="\n  ")
        wrong += found
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
