"""The automaton finds words where a search for each of them does."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from runcase.intake.kernels.words import automaton, places

ALPHABET = st.text("aAbB_-é", max_size=40).map(str.encode)
WORDS = st.lists(st.text("ab_-", min_size=1, max_size=4).map(str.encode), min_size=1, max_size=8, unique=True)


@settings(max_examples=200, deadline=None)
@given(ALPHABET, WORDS)
@example(b"aabAB", [b"a", b"aa", b"ab", b"b", b"aab"])
@example(b"", [b"a"])
@example(b"a" * 500, [b"a", b"aa", b"aaa"])
def test_every_place_of_every_word_is_found_letter_case_aside(data: bytes, words: list[bytes]) -> None:
    at, which = places(data, automaton(words))
    lower = data.lower()
    naive = [(i, n) for n, w in enumerate(words) for i in range(len(data)) if lower.startswith(w, i)]
    assert sorted(zip(at.tolist(), which.tolist(), strict=True)) == sorted(naive)
