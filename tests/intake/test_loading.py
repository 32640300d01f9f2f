"""A process gives the compiler's pages back, and nothing that it has changed of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="the system tells nothing of mappings")

LOADING = """
from pathlib import Path
from runcase.intake.kernels.words import automaton, places

assert places(b"an error", automaton([b"error"]))[0].tolist() == [3]
held, size = False, 0
for line in Path("/proc/self/smaps").read_text().splitlines():
    if "-" in line.split(" ")[0]:
        held = "libllvmlite" in line
    elif held and line.startswith("Rss:"):
        size += int(line.split()[1])
print(size)
"""

COMPILING = """
from numba import njit
from runcase.model.allocators import let_go

assert njit(lambda n: n - 1)(41) == 40
let_go()
assert njit(lambda n: n + 1)(41) == 42
"""


def told(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout


def test_a_process_holds_little_of_the_compiler_once_a_kernel_is_loaded() -> None:
    assert int(told(LOADING)) < 8 * 1024  # KiB, of 68,000


def test_the_compiler_works_after_its_pages_were_let_go() -> None:
    assert told(COMPILING) == ""
