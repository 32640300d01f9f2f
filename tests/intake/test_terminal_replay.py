"""A line reads as a terminal would leave it; its bytes stay as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.intake.texts import read

from runcase.intake.terminal import replayed


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (" 10%\r 50%\r100%", "100%"),
        ("downloading 99%\rdone\x1b[K", "done"),
        ("downloading\rdone", "doneloading"),
        ("abc\b\b\bxyz", "xyz"),
        ("|\b/\b-\b\\\bok", "ok"),
        ("\x1b[2K\rfetching 3/3", "fetching 3/3"),
        ("wrong\x1b[2K\rright", "right"),
        ("abcdef\x1b[3G\x1b[1KX", "  Xdef"),
        ("abc\x1b[2DX", "aXc"),
        ("a\x1b[3Cb", "a   b"),
        ("text\r", "text"),
        ("\x1b[1;31mred\x1b[0m plain", "red plain"),
        ("\x9b31mred\x9b0m plain", "red plain"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://h.invalid\x1b\\link\x1b]8;;\x1b\\ end", "link end"),
        ("\x1bPq#0\x1b\\text", "text"),
        ("\x1b(Btext\x1b=", "text"),
        ("\x1b]0;title without end", "0;title without end"),
        ("cut \x1b[3", "cut "),
        ("\x1b[99999999999999999999Gx", " " * 4095 + "x"),
    ],
)
def test_control_is_played_and_not_shown(printed: str, shown: str) -> None:
    got = read(f"{printed}\nnext\n")

    assert got.messages == [shown, "next"]
    assert got.records["byte_len"].sum() == len(f"{printed}\nnext\n".encode())


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("2024-05-02T10:00:00.1234567Z 10%\r20%", "2024-05-02T10:00:00.1234567Z 20%"),
        ("2024-05-02T10:00:00.123456Z 00O 10%\x1b[1Gok\x1b[K", "2024-05-02T10:00:00.123456Z 00O ok"),
        ("[2024-05-02T10:00:00.123Z] 10%\r20%", "[2024-05-02T10:00:00.123Z] 20%"),
        ("10:00:00  10%\r20%", "10:00:00  20%"),
        ("2024-05-02 10:00:00 10%\r2024-05-02 10:00:01 20%", "2024-05-02 10:00:01 20%"),
    ],
)
def test_what_a_program_redraws_begins_after_the_stamp_of_its_host(printed: str, shown: str) -> None:
    assert replayed(printed) == shown


@given(st.text(st.sampled_from("ab\r\b\x1b[KGDC012;m\x07]"), max_size=60))
def test_replay_never_fails_and_never_leaves_a_motion(text: str) -> None:
    assert not set(replayed(text)) & set("\r\b")
