"""Text that acts or hides is drawn: on any face, whoever wrote it."""

from __future__ import annotations

import json
import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from runcase.model.text import json_quiet, present, present_line

HOSTILE = (
    *map(chr, range(32)),
    "\x7f",
    *map(chr, range(0x80, 0xA0)),
    *map(chr, (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))),  # direction
    *map(chr, (0x00AD, 0x180E, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF)),  # no width
    *map(chr, (0x2028, 0x2029, 0x115F, 0x3164, 0xFFA0, 0x2800, 0xE0001, *range(0xE0020, 0xE0080))),  # no ink
    *map(chr, (0xE000, 0xF8FF, 0x10FFFD, 0xFFFE, 0xD800)),  # no meaning
)


def test_every_character_that_acts_or_hides_becomes_a_visible_mark() -> None:
    for char in HOSTILE:
        shown = present(f"a{char}b")
        assert char not in shown, hex(ord(char))
        assert len(shown) > 2, hex(ord(char))


def test_marks_of_different_characters_differ() -> None:
    assert len({present(c) for c in HOSTILE}) == len(HOSTILE)


def test_no_character_of_a_control_category_survives() -> None:
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
            assert chr(code) not in present(chr(code))


def test_letters_of_every_script_stay_as_they_are() -> None:
    text = "Grüße, 日本語, العربية, עברית, हिन्दी, 😀, ─│┌ 10 % → \u00a0x"

    assert present(text) == text


def test_a_terminal_sequence_is_shown_and_not_obeyed() -> None:
    assert present("\x1b[31mred\x1b[0m\x07") == "␛[31mred␛[0m␇"


def test_bytes_that_are_no_text_are_shown_by_value() -> None:
    assert present(b"a\xff\x1bb") == "a\\xff␛b"


def test_layout_is_kept_where_it_is_asked_for() -> None:
    assert present("a\n\tb\r", keep="\n\t") == "a\n\tb␍"


def test_a_heap_of_accents_does_not_leave_its_line() -> None:
    assert present("e\u0301" + "\u0301" * 40).count("\u0301") <= 4
    assert present("e\u0301\u0323") == "e\u0301\u0323"


def test_what_a_long_line_leaves_out_is_counted() -> None:
    assert present_line("x" * 500, 400).endswith("x [... 100 more]")


@given(st.one_of(st.text(), st.text(st.sampled_from(HOSTILE)), st.binary()))
def test_presenting_twice_is_presenting_once(text: str | bytes) -> None:
    shown = present(text)

    assert present(shown) == shown
    assert not any(c in shown for c in HOSTILE)
    assert shown.isprintable() or all(unicodedata.category(c) in ("Zs", "Cn") for c in shown if not c.isprintable())


@given(st.text(), st.text(st.sampled_from(HOSTILE)))
def test_json_for_a_terminal_says_the_same_with_nothing_that_acts(a: str, b: str) -> None:
    document = json.dumps({"a": a, "b": b}, ensure_ascii=False, indent=1)
    quiet = json_quiet(document)

    assert json.loads(quiet) == json.loads(document)
    assert not any(c in quiet for c in HOSTILE if c != "\n")
