"""Every place of many words in a block of bytes, by one pass of an automaton (A. Aho, M. Corasick, 1975)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runcase.intake.kernels.loading import kernel

_PER_HIT = 64
"""Bytes for which room for one hit is made at first."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """States as rows of a flat table, one column a class of bytes.

    An entry is the row of the next state, negative where a word ends there.
    `said` holds, from `first` of a state to `first` of the next, the words that end in it.
    """

    classes: np.ndarray
    table: np.ndarray
    first: np.ndarray
    said: np.ndarray
    lengths: np.ndarray


def automaton(words: Sequence[bytes]) -> Automaton:
    """Of words in ASCII; both cases of a letter are one class."""
    folded = [w.lower() for w in words]
    alphabet = sorted({c for w in folded for c in w})
    classes = np.zeros(256, dtype=np.int32)
    for n, c in enumerate(alphabet, start=1):
        classes[c] = n
        classes[ord(chr(c).upper())] = n
    width = len(alphabet) + 1
    children, said = _trie(folded)
    table = np.zeros((len(children), width), dtype=np.int32)
    back = [0] * len(children)
    waiting = deque([0])
    while waiting:
        state = waiting.popleft()
        said[state] += said[back[state]] if state else []
        table[state] = table[back[state]] if state else 0
        for c, child in children[state].items():
            back[child] = int(table[back[state], classes[c]]) if state else 0
            table[state, classes[c]] = child
            waiting.append(child)
    first = np.cumsum([0, *(len(s) for s in said)]).astype(np.int32)
    ends = np.array([bool(s) for s in said])
    flat = np.where(ends[table], -table * width, table * width).astype(np.int32).ravel()
    listed = np.array([n for s in said for n in s], dtype=np.int32)
    return Automaton(classes, flat, first, listed, np.array([len(w) for w in folded], dtype=np.int64))


def _trie(words: Sequence[bytes]) -> tuple[list[dict[int, int]], list[list[int]]]:
    """Children of each state by byte, in the order in which states were made, and the words that end in each."""
    children: list[dict[int, int]] = [{}]
    said: list[list[int]] = [[]]
    for n, word in enumerate(words):
        state = 0
        for c in word:
            if c not in children[state]:
                children[state][c] = len(children)
                children.append({})
                said.append([])
            state = children[state][c]
        said[state].append(n)
    return children, said


def places(data: bytes | np.ndarray, of: Automaton) -> tuple[np.ndarray, np.ndarray]:
    """Where words stand, in the order of their ends, and which: indices of the words that the automaton was made of."""
    block = np.frombuffer(data, dtype=np.uint8)
    room = len(data) // _PER_HIT + 64
    while True:
        at, which = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int32)
        width = int(of.classes.max()) + 1
        n = _walk(block, of.classes, of.table, width, of.first, of.said, of.lengths, at, which)
        if n <= room:
            return at[:n], which[:n]
        room = n


@kernel
def _walk(
    data: np.ndarray,
    classes: np.ndarray,
    table: np.ndarray,
    width: int,
    first: np.ndarray,
    said: np.ndarray,
    lengths: np.ndarray,
    at: np.ndarray,
    which: np.ndarray,
) -> int:
    """Fills `at` and `which` as far as they reach; returns how many hits there are."""
    row = 0
    n = 0
    for i in range(data.size):
        row = table[row + classes[data[i]]]
        if row < 0:
            row = -row
            state = row // width
            for k in range(first[state], first[state + 1]):
                if n < at.size:
                    at[n] = i + 1 - lengths[said[k]]
                    which[n] = said[k]
                n += 1
    return n
