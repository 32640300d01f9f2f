"""The terminal face: tables that fit, links where they work, and nothing that acts on the terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import islice

import pytest
from rich.cells import cell_len
from tests.commands import Built, runcase
from tests.report import hostile
from tests.report.page_samples import failed_run, index, with_texts

from runcase.report.index_value import RunLine
from runcase.report.terminal import MAX_RUN_ROWS, Screen, first_screen, run_list

PLAIN = Screen(color=False, width=80)


def many(count: int) -> tuple[RunLine, ...]:
    return tuple(
        RunLine(f"nightly-render-report-of-the-archive-{n:05d}", "f", "failed" if n < 40 else "succeeded", "job", 1,
                None, None, f"{n % 60}m 07s", "dependency.network" if n < 40 else None, "consistent",
                "connection to mirror.example port 443 was refused after 3 tries" if n < 40 else None, "s")
        for n in range(count)
    )  # fmt: skip


def test_five_hundred_runs_fit_eighty_columns_one_row_each() -> None:
    big = index()
    lines = run_list(type(big)({"failed": 40, "succeeded": 460}, many(500), big.groups, (), (), 1, 1, 1), PLAIN).split(
        "\n"
    )
    assert max(map(cell_len, lines)) <= 80
    rows = [line for line in lines if "nightly-render" in line]
    assert len(rows) == 500
    assert all(re.match(r"(failed|succeeded) +nightly-render-report\S* +\d+m 07s", line) for line in rows)
    assert "dependency.network: conn" in rows[0]


def test_what_is_beyond_the_rows_of_a_list_is_counted() -> None:
    big = index()
    text = run_list(type(big)({"failed": 40}, many(MAX_RUN_ROWS + 7), (), (), (), 1, 1, 1), PLAIN)
    assert text.endswith("... and 7 more; see index.html")


def test_causes_of_several_runs_stand_first_with_their_tickets() -> None:
    lines = run_list(index(), PLAIN).split("\n")
    assert re.match(r" *4 +writeback.upload_timeout +known STORE-41 +The upload", lines[3])


def test_a_run_links_to_its_page_only_where_the_terminal_has_links() -> None:
    linked = first_screen(failed_run(), Screen(color=True, width=80, base="file:///tmp/case"), "run 7")
    assert "\x1b]8;" in linked
    assert "file:///tmp/case/runs/run%207/dossier.html" in linked
    assert "\x1b]8" not in first_screen(failed_run(), Screen(color=True, width=80), "run 7")
    assert "\x1b" not in first_screen(failed_run(), PLAIN, "run 7")


@pytest.mark.parametrize("n", range(6))
def test_no_text_acts_on_the_terminal_or_breaks_the_table(n: int) -> None:
    from runcase.model.text import present_line

    texts = (present_line(t) for t in islice(hostile.strings(), n * 300, None))
    page = with_texts(index(), lambda slot, text: text if slot.endswith("status") or "counts" in slot else next(texts))
    for shown in (run_list(page, PLAIN), first_screen(with_texts(failed_run(), lambda _, __: next(texts)), PLAIN)):
        assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown) == []
    assert max(map(cell_len, run_list(page, PLAIN).split("\n"))) <= 80


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_what_the_shell_reads(shell: str) -> None:
    done = runcase("completion", shell)
    assert done.code == 0
    assert "_RUNCASE_COMPLETE" in done.out


def test_a_shell_is_offered_the_runs_of_the_case(story: Built) -> None:
    words = f"runcase show -c {story.root} run_"
    env = {**os.environ, "_RUNCASE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "4"}
    command = [sys.executable, "-c", "import sys; sys.argv[0] = 'runcase'; from runcase.cli import main; main()"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False)
    assert done.stdout.split() == ["plain,run_742"]
