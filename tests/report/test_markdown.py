"""Tickets: each dialect within its limit, whole sections at a time, and nothing in it comes to life."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import mistune
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from tests.commands import Built, runcase
from tests.report import hostile
from tests.report.page_samples import bare_run, busy_run, excerpts, failed_run, index, wide_lineage, with_texts

from runcase.report.dialects import DIALECTS, GITHUB, units
from runcase.report.dossier import Dossier
from runcase.report.index_markdown import render_index
from runcase.report.markdown import FIRST_SCREEN, first_screen, render, ticket
from runcase.report.mermaid import flowchart

MARKDOWN = ("github", "gitlab", "azure")

MARKS = (
    "@channel", "@octocat", "#123", "GH-123", "org/repo#1", "!42", "$7", "~bug", "%v1", "&3", "*iteration:x",
    "^alert#1", "/close", "/assign @x", "![x](http://h.invalid/x.png)", "[x](http://h.invalid)", "<http://h.invalid>",
    "http://h.invalid", "www.h.invalid", "x@h.invalid", "```", "````\n/close", "~~~", "<!-- x", "<details>", ":tada:",
    "{noformat}", "{{x}}", "{code}", "[~user]", "PROJ-123", "h1. x", "!x.png!", "||x||", "{color:red}", "\\{x\\}",
    "<!channel>", "<@U123>", "*x* _y_", "> x", "- x", "+ x", "1. x", "    x", "---", "===", "| a | b |", "[ ] x",
    "[^1]", "[x]: http://h.invalid", "0123456789abcdef0123456789abcdef01234567", "`x`", "``", "\\`",
    "&commat;x", "$$x$$", "||",
)  # fmt: skip


def strings() -> Iterator[str]:
    for a, b in zip(hostile.strings(), (m for _ in iter(int, 1) for m in MARKS), strict=False):
        yield b
        yield a
        yield f"{b} {a}"


STAYS = re.compile(r"(refs?|proof|decisive|event_id)$")


def changed(d: Dossier, texts: Iterator[str]) -> Dossier:
    """A copy with another text in every slot; lines of raw text stay lines."""
    one_line = re.compile(r"[\r\n\x85\u2028\u2029\x0b\x0c\x1c-\x1e\ud800]")
    return with_texts(d, lambda slot, text: text if STAYS.search(slot) else one_line.sub(" ", next(texts)))


def harmless() -> Iterator[str]:
    n = 0
    while True:
        n += 1
        yield f"`w{n}"


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DIALECTS)
def test_a_ticket_keeps_the_limit_of_its_host_and_the_verdict(name: str) -> None:
    m = DIALECTS[name]
    long = failed_run(excerpts=excerpts() * 400, artifacts=busy_run(2).artifacts * 300)
    for d in (failed_run(), busy_run(5000), bare_run(), long):
        text = ticket(d, m)
        assert m.limit is None or units(text) <= m.limit
        assert m.prose(d.run.status) in text.split("\n")[0]


@pytest.mark.parametrize("limit", [400, 700, 1500, 3000, 6000, 12_000])
@pytest.mark.parametrize("name", DIALECTS)
def test_sections_are_dropped_whole_from_the_raw_lines_up_and_it_is_said(name: str, limit: int) -> None:
    m = DIALECTS[name]
    whole = ticket(failed_run(), m, 10**9)
    text = ticket(failed_run(), m, limit)
    assert units(text) <= limit
    order = ("Decisive lines and where they stand", "Key events", "Artifacts", "Evidence", "Where the time went")
    held = [m.heading(2, title) in text for title in order]
    assert held == sorted(held)
    if units(whole) > limit:
        assert re.search(r"cut: \d+ of \d+ sections \(.*\), see the artifact|cut, see the artifact", text)
    kept = [part for part in whole.split("\n\n") if part in text]
    assert kept


def test_the_first_sixty_lines_hold_the_first_screen_and_nothing_else() -> None:
    for d in (failed_run(), failed_run(excerpts=excerpts() * 40), bare_run()):
        lines = render(d).split("\n")
        screen = first_screen(d, GITHUB)
        assert len(screen) <= FIRST_SCREEN
        assert lines[: len(screen)] == screen
        assert not [line for line in lines[:FIRST_SCREEN] if line.startswith("## ")]
        assert lines[FIRST_SCREEN].startswith("## ")


# --- nothing comes to life ------------------------------------------------------------------------


def tokens(found: list[Token]) -> Iterator[str]:
    for t in found:
        yield t.type
        yield from tokens(t.children or [])


def built(text: str) -> list[str]:
    """What markdown-it makes of it, with every extension that hosts use; code spans and text count alike."""
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
    return [t for t in tokens(parser.parse(text)) if t not in ("text", "code_inline", "softbreak")]


def html_tags(text: str) -> list[str]:
    """What mistune makes of it."""
    parser = mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "url", "footnotes", "task_lists"])
    return [t for t in re.findall(r"</?([a-z0-9]+)[^>]*>", str(parser(text))) if t != "code"]


@pytest.mark.parametrize("name", MARKDOWN)
def test_hostile_text_builds_the_same_tree_in_two_parsers(name: str) -> None:
    m = DIALECTS[name]
    sample = failed_run()
    expected = ticket(changed(sample, harmless()), m)
    texts = strings()
    for _ in range(6):
        text = ticket(changed(sample, texts), m)
        assert built(text) == built(expected)
        assert html_tags(text) == html_tags(expected)


def outside(text: str) -> list[str]:
    """The text of a ticket without fences and code spans."""
    rest = re.sub(r"^(`{3,})(?:text|mermaid)\n.*?\n\1$", "", text, flags=re.M | re.S)
    return [re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", line) for line in rest.split("\n")]


@pytest.mark.parametrize("name", MARKDOWN)
def test_no_mention_reference_link_or_quick_action_stands_outside_code(name: str) -> None:
    alive = re.compile(r"@|#\d|\bGH-\d|![\[\d]|https?:|www\.|<|\]\(|^/|\b[0-9a-f]{40}\b|:tada:|PROJ-\d|~bug|%v1|\$\d")
    texts = strings()
    for _ in range(12):
        text = ticket(changed(failed_run(), texts), DIALECTS[name])
        assert [line for line in outside(text) if alive.search(line)] == []
        assert [line for line in text.split("\n") if re.match(r"/[a-z_]+(\s|$)", line)] == []


def test_jira_markup_in_a_text_is_spelled_by_entities_and_no_block_ends_early() -> None:
    texts = strings()
    for _ in range(12):
        text = ticket(changed(failed_run(), texts), DIALECTS["jira"], 10**9)
        lines = text.split("\n")
        marks = [n for n, line in enumerate(lines) if "{noformat" in line]
        assert all(lines[n] == "{noformat}" for n in marks)
        inside = {x for a, b in zip(marks[::2], marks[1::2], strict=True) for x in range(a, b + 1)}
        rest = "\n".join(line for n, line in enumerate(lines) if n not in inside)
        assert re.findall(r"\[~|https?:|!\S+!|\{code|\{color|PROJ-\d|@", rest) == []


def test_slack_markup_in_a_text_is_escaped() -> None:
    texts = strings()
    for _ in range(12):
        text = ticket(changed(failed_run(), texts), DIALECTS["slack"], 10**9)
        assert re.findall(r"[<>]", text) == []
        fences = [line for line in text.split("\n") if "```" in line]
        assert set(fences) == {"```"}


def test_no_text_of_an_index_comes_to_life() -> None:
    clean = re.compile(r"[\r\n\x85\u2028\u2029\x0b\x0c\x1c-\x1e\ud800]")
    stays = re.compile(r"status$|[.](folder|signature|new|again|not_seen)$|(took|median|first_seen|_ts)$|counts")
    texts = strings()
    expected = render_index(with_texts(index(), lambda slot, text: text if stays.search(slot) else "`w"))
    for _ in range(20):
        page = with_texts(index(), lambda slot, text: text if stays.search(slot) else clean.sub(" ", next(texts)))
        assert built(render_index(page)) == built(expected)


# --- diagram --------------------------------------------------------------------------------------

BOX = re.compile(r'n\d+(\["([A-Za-z0-9 ]|#\d+;|<br/>)*"\]|\(\["([A-Za-z0-9 ]|#\d+;|<br/>)*"\]\))(:::(broken|unsure))?')
ARROW = re.compile(r"n\d+ -->(\|([A-Za-z0-9 ]|#\d+;)*\|)? n\d+")


@pytest.mark.parametrize("keep", [True, False])
def test_every_line_of_a_diagram_is_a_box_or_an_arrow_whatever_the_names_are(keep: bool) -> None:
    texts = strings()
    for _ in range(20):
        d = changed(failed_run() if keep else failed_run(edges=()), texts)
        head, *lines = flowchart(d)
        assert head in ("flowchart TD", "flowchart LR")
        assert [
            x for x in lines if not x.startswith("classDef ") and not BOX.fullmatch(x) and not ARROW.fullmatch(x)
        ] == []


def test_a_large_lineage_is_a_small_diagram_in_which_the_failed_branch_stands_apart() -> None:
    lines = flowchart(wide_lineage(300))
    assert len(lines) < 40
    assert any("align#91;7#93;" in x for x in lines)
    assert any("first broken" in x and x.endswith(":::broken") for x in lines)


def test_only_hosts_that_draw_diagrams_get_one() -> None:
    drawn = {name for name, m in DIALECTS.items() if "mermaid" in ticket(failed_run(), m, 10**9)}
    assert drawn == {"github", "gitlab"}
    assert "mermaid" not in ticket(bare_run(), GITHUB)


# --- command line ---------------------------------------------------------------------------------


def test_show_prints_a_ticket_and_appends_it_to_the_step_summary(story: Built, tmp_path: Path) -> None:
    slack = runcase("show", "run_742", "-c", story.root, "--format", "markdown", "--dialect", "slack")
    assert slack.code == 0
    assert units(slack.out) <= 3000
    assert "cut: " in slack.out
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    done = runcase(
        "show", "run_742", "-c", story.root, "--summary", env={**os.environ, "GITHUB_STEP_SUMMARY": str(summary)}
    )
    assert (done.code, done.out) == (0, "")
    assert summary.read_text().startswith("before\n# `run_742` failed")
    assert runcase("show", "run_742", "-c", story.root, "--summary").code == 2


def test_every_dialect_of_the_story_says_the_same_verdict(story: Built) -> None:
    dossier = story.dossiers()["run_742"]
    assert json.dumps(dossier["failure"]["blocker"]["text"])[1:-1] in story.markdown("run_742")
