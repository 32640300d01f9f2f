"""Places of nodes within ordered layers, near their neighbours and apart from each other.

One layer at a time is the least squares problem of staying near the neighbours
while keeping distance, solved by isotonic regression (pooling).
"""

from __future__ import annotations

from collections.abc import Sequence

PLACING_SWEEPS = 25
"""Odd, so that the last one goes down and puts every node below what it comes from."""


def placed(order: list[list[int]], up: list[list[int]], down: list[list[int]], widths: Sequence[float]) -> list[float]:
    """Centres, the leftmost node beginning at 0."""
    x = [0.0] * len(widths)
    for row in order:
        at = 0.0
        for n in row:
            x[n] = at + widths[n] / 2
            at += widths[n]
    for sweep in range(PLACING_SWEEPS):
        for row in order if sweep % 2 == 0 else order[::-1]:
            sides = up if sweep % 2 == 0 else down
            wanted = []
            for n in row:
                near = sides[n] or up[n] + down[n]
                wanted.append(sum(x[m] for m in near) / len(near) if near else x[n])
            for n, at in zip(row, _apart(wanted, [widths[n] for n in row]), strict=True):
                x[n] = at
    left = min((x[n] - widths[n] / 2 for n in range(len(widths))), default=0.0)
    return [round(at - left, 2) for at in x]


def _apart(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Places nearest to `wanted` (least squares) in the same order with no overlap."""
    offsets, at = [], 0.0
    for i, width in enumerate(widths):
        at += (widths[i - 1] + width) / 2 if i else 0.0
        offsets.append(at)
    blocks: list[tuple[float, int]] = []
    for target, offset in zip(wanted, offsets, strict=True):
        total, size = target - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / size:
            before, members = blocks.pop()
            total, size = total + before, size + members
        blocks.append((total, size))
    levels = [total / size for total, size in blocks for _ in range(size)]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]
