"""Kernels as Python calls them, which let go of what the compiler and other libraries loaded once they are loaded."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from numba import njit

from runcase.model.allocators import let_go

Given = ParamSpec("Given")
Made = TypeVar("Made")


def kernel(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """A kernel that Python calls. It is compiled, or loaded from numba's cache, by its first call for some types."""
    compiled = njit(cache=True)(function)

    @wraps(function)
    def call(*args: Given.args, **kwargs: Given.kwargs) -> Made:
        loaded = len(compiled.overloads)
        made: Made = compiled(*args, **kwargs)
        if len(compiled.overloads) > loaded:
            let_go()
        return made

    return call
