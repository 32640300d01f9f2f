"""Compiled passes over blocks of bytes; imported only for inputs that are large enough to repay numba's start."""
