"""Kernels as Python calls them, which let go of the compiler's pages once they are loaded."""

from __future__ import annotations

import ctypes
import mmap
import re
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from numba import njit

Given = ParamSpec("Given")
Made = TypeVar("Made")

_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (r\S+) \S+ \S+ \S+ +(.*)")
"""Where a mapping begins and ends, what it allows, and its file."""


def kernel(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """A kernel that Python calls. It is compiled, or loaded from numba's cache, by its first call for some types."""
    compiled = njit(cache=True)(function)

    @wraps(function)
    def call(*args: Given.args, **kwargs: Given.kwargs) -> Made:
        loaded = len(compiled.overloads)
        made: Made = compiled(*args, **kwargs)
        if len(compiled.overloads) > loaded:
            let_go("libllvmlite")
        return made

    return call


def let_go(library: str) -> None:
    """Gives the unchanged pages of a mapped library back; those that are used again come back from its file.

    Of LLVM a process needs 66 MiB to load a kernel, and nothing to run it (measured 2026-11).
    """
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for begin, end in unchanged(library):
        advise(begin, end - begin, mmap.MADV_DONTNEED)


def unchanged(library: str) -> Iterator[tuple[int, int]]:
    """Where the mappings of a library begin and end that hold nothing but what its file does; none off Linux.

    Relocated pages lie in mappings of which some memory is the process's own: they would be lost.
    """
    maps = Path("/proc/self/smaps")
    begin, end, found = 0, 0, False
    for line in maps.read_text().splitlines() if maps.exists() else ():
        if mapping := _MAPPING.fullmatch(line):
            begin, end = int(mapping[1], 16), int(mapping[2], 16)
            found = library in mapping[4] and "w" not in mapping[3]
        elif line.startswith(("Anonymous:", "Swap:")) and line.split()[1] != "0":
            found = False
        elif line.startswith("VmFlags:") and found:
            yield begin, end
