"""How much memory stays with a process that it does not use: what was freed, and pages of libraries."""

from __future__ import annotations

import ctypes
import mmap
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_M_MMAP_THRESHOLD = -3
"""As `malloc.h` has it."""

_POLARS = {
    # jemalloc keeps what is freed for 0.1 s and not for as long as the system lets it:
    # 25 MiB of a share of conclusions, at no processor time that could be measured (2026-11)
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:100,muzzy_decay_ms:0,narenas:1",
    # row groups that a scan fetches ahead; 128 by itself, which is 30 MiB of a pass over 3 million events (2026-11)
    "POLARS_ROW_GROUP_PREFETCH_SIZE": "8",
}


_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (r\S+) \S+ \S+ \S+ +(.*)")
"""Where a mapping begins and ends, what it allows, and its file."""


def give_back_soon() -> None:
    """Lets polars and the C library give back what they free; before they are loaded. What the user set stays."""
    for name, value in _POLARS.items():
        os.environ.setdefault(name, value)
    # the C library by itself unmaps less and less of what is large: 15 MiB a process, at no time (measured 2026-11)
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 128 * 1024)


def let_go() -> None:
    """Gives the unchanged pages of mapped libraries back; those that are used again come back from their files.

    Of LLVM a process needs 66 MiB to load a kernel, and nothing to run it; of all its libraries a process that reads
    needs 26 MiB less than it touched while it started (measured 2026-11).
    """
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for begin, end in _unchanged():
        advise(begin, end - begin, mmap.MADV_DONTNEED)


def _unchanged() -> Iterator[tuple[int, int]]:
    """Where the mappings of libraries begin and end that hold nothing but what their files do; none off Linux.

    Relocated pages lie in mappings of which some memory is the process's own: they would be lost.
    """
    maps = Path("/proc/self/smaps")
    begin, end, found = 0, 0, False
    for line in maps.read_text().splitlines() if maps.exists() else ():
        if mapping := _MAPPING.fullmatch(line):
            begin, end = int(mapping[1], 16), int(mapping[2], 16)
            found = ".so" in mapping[4] and "w" not in mapping[3]
        elif line.startswith(("Anonymous:", "Swap:")) and line.split()[1] != "0":
            found = False
        elif line.startswith("VmFlags:") and found:
            yield begin, end
