from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.intake.texts import read

SAMPLES = Path(__file__).with_name("stamps.txt").read_text().split("\n== ")[1:]


@pytest.mark.parametrize("sample", [pytest.param(s, id=s.split("\n", 1)[0]) for s in SAMPLES])
def test_each_logger_s_stamps_are_read_to_the_microsecond(sample: str) -> None:
    rows = [line.split(" | ", 1) for line in sample.split("\n")[1:] if " |" in line]
    text = "".join(f"{_unescaped(r[1] if len(r) > 1 else '')}\n" for r in rows)

    got = read(text)

    begins = dict(zip(got.records["line"], got.times, strict=True))
    shown = [begins[n] or "-" if n in begins else "+" for n in range(1, len(rows) + 1)]
    assert shown == [r[0].removesuffix("|").strip() for r in rows]


def _unescaped(text: str) -> str:
    return re.sub(r"\\(t|\\|x..)", lambda m: {"t": "\t", "\\": "\\"}.get(m[1]) or chr(int(m[1][1:], 16)), text)


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("job nightly began at {} on host a\nit failed\n", ["job nightly began at {} on host a\nit failed"]),
        ("worker-3 said {} begin\nworker-3 said {} end\n", ["worker-3 said {} begin", "worker-3 said {} end"]),
        ("the upload of a part ended at {} with 0\n" * 8, ["the upload of a part ended at {} with 0"] * 8),
        ("[main] {} INFO begin\n[main] {} INFO end\n", ["INFO begin", "INFO end"]),
    ],
)
def test_a_message_keeps_the_words_before_a_stamp_that_stands_within_it(text: str, messages: list[str]) -> None:
    stamp = "2026-05-02T10:00:00Z"
    got = read(text.replace("{}", stamp))
    assert got.messages == [m.replace("{}", stamp) for m in messages]
    assert set(got.times) == {"2026-05-02T10:00:00"}
