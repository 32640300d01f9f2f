"""The pages as documents: valid, self-contained, honest about what they leave out, deaf to their input."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import islice
from typing import TypeVar

import html5lib
import polars as pl
import pytest
from tests.report import hostile
from tests.report.page_samples import bare_run, busy_run, failed_run, index, texts, wide_lineage, with_texts

from runcase.report import html
from runcase.report.dossier import Dossier
from runcase.report.event_table import of_frame

PAGES: dict[str, Callable[[], str]] = {
    "failed": lambda: html.render(failed_run()),
    "bare": lambda: html.render(bare_run()),
    "busy": lambda: html.render(busy_run(3000)),
    "wide": lambda: html.render(wide_lineage(300)),
    "index": lambda: html.render_index(index()),
}


class Tags(HTMLParser):
    """The elements of a page in order: name, attributes, depth of the text apart."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.found.append((f"/{tag}", ()))

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", ()))


FREE_TEXT = {"title", "datetime", "aria-label"}
"""Attributes whose value may be text of the evidence."""


def shape(page: str) -> list[tuple[str, tuple[tuple[str, str | None], ...]]]:
    """The page's elements and attributes without text."""
    return [(tag, tuple((k, None if k in FREE_TEXT else v) for k, v in attrs)) for tag, attrs in Tags(page).found]


def tree(page: str) -> list[str]:
    """Element names in document order, as a browser's parser builds them."""
    document = html5lib.parse(page, namespaceHTMLElements=False)
    return [str(node.tag) for node in document.iter()]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_valid_html(name: str) -> None:
    parser = html5lib.HTMLParser(strict=True)
    parser.parse(PAGES[name]())


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_nothing_outside_but_its_sibling_and_uses_no_style_attribute(name: str) -> None:
    addresses = [
        value
        for _, attrs in Tags(PAGES[name]()).found
        for key, value in attrs
        if key in {"src", "href", "action", "data", "poster", "xlink:href", "srcset"}
    ]
    ticket = r"https://tracker\.invalid/STORE-41"
    local = re.compile(r"#[\w-]+|runcase\.css|runs/[\w.-]+/dossier\.html|" + ticket)
    assert [a for a in addresses if not local.fullmatch(a or "")] == []
    assert [
        attrs for _, attrs in Tags(PAGES[name]()).found if any(k == "style" or k.startswith("on") for k, _ in attrs)
    ] == []


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_allows_the_inline_style_and_script_by_digest_and_nothing_else(name: str) -> None:
    page = PAGES[name]()
    policy = next(
        dict(a)["content"]
        for t, a in Tags(page).found
        if t == "meta" and ("http-equiv", "Content-Security-Policy") in a
    )
    inline = [re.search(rf"<{tag}>(.*?)</{tag}>", page, re.S) for tag in ("style", "script")]
    digests = [base64.b64encode(hashlib.sha256(m[1].encode()).digest()).decode() for m in inline if m]
    assert policy == (
        f"default-src 'none'; style-src 'self' 'sha256-{digests[0]}'; script-src 'sha256-{digests[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("name", PAGES)
def test_ids_are_unique_and_every_local_link_has_its_target(name: str) -> None:
    found = Tags(PAGES[name]()).found
    ids = Counter(v for _, attrs in found for k, v in attrs if k == "id")
    assert [i for i, n in ids.items() if n > 1] == []
    pointed = {(v or "")[1:] for _, attrs in found for k, v in attrs if k == "href" and (v or "").startswith("#")}
    spoken = {p for _, attrs in found for k, v in attrs if k == "aria-labelledby" for p in (v or "").split()}
    assert (pointed | spoken) - set(ids) == set()


def test_every_ref_of_a_statement_leads_to_its_line_or_to_the_list_of_cited_bytes() -> None:
    page = html.render(failed_run())
    assert '<a class="ref" href="#raw-a1b2c3d4e5f6-2200-100" title="a1b2c3d4e5f6:2200+100">worker.log:216</a>' in page
    assert 'id="raw-0f0e0d0c0b0a-50-80"' in page


def test_the_page_answers_the_questions_in_order() -> None:
    found = Tags(html.render(failed_run())).found
    order = [dict(attrs).get("id") for tag, attrs in found if tag == "section"]
    assert order == ["why", "signals", "time", "artifacts", "replay", "events", "raw", "basis"]


def test_the_same_dossier_gives_the_same_bytes() -> None:
    assert html.render(wide_lineage(40)) == html.render(wide_lineage(40))


def test_the_style_sheet_is_the_inline_style() -> None:
    assert f"<style>{html.stylesheet()}</style>" in html.render(bare_run())


# --- size -----------------------------------------------------------------------------------------


def test_a_page_stays_within_its_budget_and_says_what_it_left_out() -> None:
    whole = html.render(busy_run(20_000))
    small = html.render(busy_run(20_000), max_bytes=120_000)
    assert len(small.encode()) <= 120_000 < len(whole.encode()) <= html.MAX_BYTES
    assert "19,015 more spans are in dossier.json" in whole
    assert "more spans are in dossier.json" in small


def test_more_events_than_a_page_carries_are_counted_and_leave_it_in_its_budget() -> None:
    rows = 130_000
    n = pl.int_range(rows, eager=True)
    events = (
        pl.DataFrame({"byte_start": n * 80}).with_columns(
            ts=pl.lit(1_772_000_000_000_000, pl.Int64).add(n * 1000).cast(pl.Datetime("us", "UTC")),
            kind=pl.when(n % 1000 == 0).then(pl.lit("error")).otherwise(pl.lit("log")),
            text=pl.format("line {} of the log {}", n, n * 7919 % 10007),
            source_id=pl.lit("a1b2c3d4e5f6"), line=n + 1, byte_len=pl.lit(80), level=pl.lit("info"),
            stage=pl.lit(None, pl.String),
        )
    )  # fmt: skip
    page = html.render(failed_run(), events=of_frame(events.lazy(), {"a1b2c3d4e5f6": "x/worker.log"}))
    assert len(page.encode()) <= html.MAX_BYTES
    assert "30,000 more of the run are in the ledger of the case" in page


# --- hostile text ---------------------------------------------------------------------------------

CLOSED = re.compile(r"[.](status|state|kind|relation|confidence|verdict|severity|level|key)$")
"""Slots with a closed list of values; the builder puts no evidence there, but a page must not rely on it."""

KEYS = re.compile(r"edges[.](subject|object)$|artifacts[.]artifact_id$|[.]name$|[.]folder$|run_id$|[.]runs$")
"""Slots whose order and equality decide about the page's structure; they get one prefix for all."""

T = TypeVar("T")


def filled(value: T, strings: Iterator[str], prefix: str) -> T:
    """`value` with another string in every slot; in slots that name things the old one stays, behind `prefix`."""

    def change(slot: str, text: str) -> str:
        if KEYS.search(slot):
            sort, colon, rest = text.partition(":")
            return f"{sort}{colon}{prefix}{rest}" if colon and "edges" in slot else prefix + text
        return next(strings)

    return with_texts(value, change)


def with_figures(value: Dossier, strings: Iterator[str], prefix: str) -> Dossier:
    """Like `filled`, with instants, refs and states as they were, so that figures and links are drawn."""
    stays = re.compile(r"(_at|_ts|[.]ts|[.]start|[.]end|ref|refs|proof|decisive|event_id)$")

    def change(slot: str, text: str) -> str:
        if stays.search(slot) or CLOSED.search(slot):
            return text
        if KEYS.search(slot):
            sort, colon, rest = text.partition(":")
            return f"{sort}{colon}{prefix}{rest}" if colon and "edges" in slot else prefix + text
        return next(strings)

    return with_texts(value, change)


def harmless() -> Iterator[str]:
    n = 0
    while True:
        n += 1
        yield f"w{n}"


def test_no_text_of_a_dossier_changes_the_structure_of_its_page() -> None:
    sample = failed_run()
    slots = len(list(texts(sample)))
    expected = shape(html.render(filled(sample, harmless(), "w")))
    drawn = shape(html.render(with_figures(sample, harmless(), "w")))
    strings = hostile.strings()
    prefixes = hostile.strings()
    for _ in range(12):
        assert shape(html.render(filled(sample, strings, next(prefixes)))) == expected
        assert shape(html.render(with_figures(sample, strings, next(prefixes)))) == drawn
    assert slots * 12 > 3000


def test_no_text_of_an_index_changes_the_structure_of_its_page() -> None:
    sample = index()
    expected = shape(html.render_index(filled(sample, harmless(), "w")))
    strings = hostile.strings()
    for prefix in islice(hostile.strings(), 0, 90, 5):
        found = shape(html.render_index(filled(sample, strings, prefix)))
        assert [t for t, _ in found] == [t for t, _ in expected]
        links = [v for _, attrs in found for k, v in attrs if k == "href" and "dossier.html" in (v or "")]
        assert all(re.fullmatch(r"runs/[^:/]*/dossier\.html", (v or "").replace("%", "")) for v in links)


def test_a_browsers_parser_builds_the_same_tree_for_hostile_text() -> None:
    sample = failed_run()
    expected = tree(html.render(with_figures(sample, harmless(), "w")))
    strings = hostile.strings()
    for prefix in (hostile.ALL[0], '"><b>', "</title></svg>"):
        assert tree(html.render(with_figures(sample, strings, prefix))) == expected


def test_characters_that_hide_or_turn_text_are_drawn() -> None:
    page = html.render(filled(failed_run(), hostile.strings(), "\u202e"))
    assert (
        re.findall("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2028\u2029\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]", page) == []
    )
    assert "⟨U+202E⟩" in page
