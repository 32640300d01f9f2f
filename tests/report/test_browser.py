"""The pages in a real browser: quiet, legible, accessible; without script, at 320 px, on paper, under Jenkins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from tests.commands import Built
from tests.report.browser import CHROMIUM, JENKINS, Heard, chromium, opened, served
from tests.report.page_samples import bare_run, busy_run, failed_run, index, wide_lineage

from runcase.report import html

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium on this machine")

A4_PIXELS = 718
"""The width of A4 within margins of a centimetre."""

NAMES = ("failed", "bare", "busy", "wide", "index", "story", "story-index", "ci", "ci-index")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, story: Built, ci_run: Built) -> dict[str, Path]:
    """Pages of hand-made dossiers, each with its style sheet, and of the samples."""
    root = tmp_path_factory.mktemp("pages")
    made = {
        "failed": html.render(failed_run()),
        "bare": html.render(bare_run()),
        "busy": html.render(busy_run(3000)),
        "wide": html.render(wide_lineage(300)),
        "index": html.render_index(index()),
    }
    (root / html.STYLESHEET).write_text(html.stylesheet())
    for name, text in made.items():
        (root / f"{name}.html").write_text(text)
    found = {name: root / f"{name}.html" for name in made}
    found |= {"story": story.root / "runs/run_742/dossier.html", "story-index": story.root / "index.html"}
    test_run = next(p for p in sorted(ci_run.root.glob("runs/*/dossier.html")) if "test" in p.parent.name)
    return found | {"ci": test_run, "ci-index": ci_run.root / "index.html"}


def url(path: Path) -> str:
    return path.as_uri()


def quiet(heard: Heard, path: Path) -> bool:
    """No message of the console, and no request but for the page and its style sheet."""
    sheet = path.parent / html.STYLESHEET
    return heard.console == [] and set(heard.requests) <= {url(path), url(sheet)}


def width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def open_details(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")


# --- quiet and accessible -------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_quiet_and_axe_finds_no_violation(
    name: str, scheme: str, pages: dict[str, Path], browser: Browser
) -> None:
    with opened(browser, url(pages[name]), color_scheme=scheme) as (page, heard):
        page.wait_for_selector("html[data-ready]")
        assert quiet(heard, pages[name])
        if name not in ("busy", "wide"):
            open_details(page)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        found: dict[str, Any] = Axe().run(page, options={"runOnly": tags}).response
        told = [(v["id"], n["html"][:120]) for v in found["violations"] for n in v["nodes"][:3]]
        assert told == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_320_pixels_without_scrolling_sideways(name: str, pages: dict[str, Path], browser: Browser) -> None:
    with opened(browser, url(pages[name]), viewport={"width": 320, "height": 800}) as (page, heard):
        assert quiet(heard, pages[name])
        assert width(page) <= 320


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_whole_without_script(name: str, pages: dict[str, Path], browser: Browser) -> None:
    with opened(browser, url(pages[name]), java_script_enabled=False) as (page, heard):
        assert quiet(heard, pages[name])
        assert page.locator("h1").inner_text() != ""
        assert page.locator("#ledger:visible").count() == 0
        if name == "story":
            assert "upload timeout artifact_087" in page.locator("#why").inner_text()
            assert page.locator("noscript table.events tr").count() > 10


@pytest.mark.parametrize("name", NAMES)
def test_a_page_prints_black_on_white_within_the_sheet(name: str, pages: dict[str, Path], browser: Browser) -> None:
    sheet = {"width": A4_PIXELS, "height": 1000}
    with opened(browser, url(pages[name]), color_scheme="dark", viewport=sheet) as (page, heard):
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.locator(".ledger:visible, .copy-button:visible").count() == 0
        assert width(page) <= A4_PIXELS
        assert quiet(heard, pages[name])


def test_a_browser_makes_a_document_of_the_printed_page(pages: dict[str, Path], browser: Browser) -> None:
    with opened(browser, url(pages["story"])) as (page, _):
        assert len(page.pdf(format="A4")) > 10_000


# --- under Jenkins --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_strictest_host_shows_a_page_by_its_sibling_style_sheet(
    name: str, pages: dict[str, Path], browser: Browser
) -> None:
    path = pages[name]
    with served(path.parent, JENKINS) as (address, asked):
        with opened(browser, f"{address}/{path.name}") as (page, _):
            assert page.locator(".shell").evaluate("e => getComputedStyle(e).display") == "grid"
            assert page.locator("#ledger:visible").count() == 0
            assert page.locator("h1").inner_text() != ""
        assert set(asked) == {f"/{path.name}", f"/{html.STYLESHEET}"}


# --- geometry -------------------------------------------------------------------------------------

OVERLAPS = """(pairs) => {
  const found = [];
  const box = (e) => e.getBoundingClientRect();
  for (const [a, b] of pairs) {
    const left = [...document.querySelectorAll(a)], right = [...document.querySelectorAll(b)];
    for (const x of left) for (const y of right) {
      if (x === y || x.contains(y) || y.contains(x)) continue;
      const p = box(x), q = box(y);
      const w = Math.min(p.right, q.right) - Math.max(p.left, q.left);
      const h = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
      if (w > 0.5 && h > 1.5) found.push([x.textContent, y.textContent || y.className.baseVal, w, h]);
    }
  }
  return found.slice(0, 5);
}"""


@pytest.mark.parametrize("pixels", [320, 1280])
@pytest.mark.parametrize("name", ["failed", "busy", "wide", "story", "ci"])
def test_no_label_of_the_timeline_touches_a_bar_or_another_label(
    name: str, pixels: int, pages: dict[str, Path], browser: Browser
) -> None:
    with opened(browser, url(pages[name]), viewport={"width": pixels, "height": 900}) as (page, _):
        pairs = [
            [".row-label", ".timeline .bar"],
            [".row-note", ".timeline .bar"],
            [".row-label", ".row-note"],
            [".tick", ".tick"],
        ]
        assert page.evaluate(OVERLAPS, pairs) == []
        over = """() => { const f = document.querySelector('.timeline-svg').getBoundingClientRect();
          return [...document.querySelectorAll('.timeline text')].filter(t => {
            const b = t.getBoundingClientRect(); return b.left < f.left - 1 || b.right > f.right + 1; }).length }"""
        assert page.evaluate(over) == 0


@pytest.mark.parametrize("name", ["failed", "wide", "story"])
def test_every_label_of_the_graph_lies_in_its_box_and_boxes_lie_apart(
    name: str, pages: dict[str, Path], browser: Browser
) -> None:
    with opened(browser, url(pages[name])) as (page, _):
        inside = """() => [...document.querySelectorAll('.lineage .box')].filter(g => {
          const face = [...g.querySelectorAll('.face')].pop().getBBox();
          return [...g.querySelectorAll('text')].some(t => { const b = t.getBBox();
            return b.x < face.x || b.x + b.width > face.x + face.width || b.y < face.y - 1
              || b.y + b.height > face.y + face.height + 1; }); }).map(g => g.textContent)"""
        assert page.evaluate(inside) == []
        assert page.evaluate(OVERLAPS, [[".box > .face:not(.shade)", ".box > .face:not(.shade)"]]) == []


# --- script ---------------------------------------------------------------------------------------


def test_the_ledger_filters_moves_by_keys_and_gives_each_event_an_address(
    pages: dict[str, Path], browser: Browser, story: Built
) -> None:
    events = story.dossiers()["run_742"]["coverage"]["events"]
    with opened(browser, url(pages["story"])) as (page, heard):
        page.wait_for_selector("html[data-ready]")
        assert page.locator("#ledger-count").inner_text() == f"{events} of {events} events"
        page.fill("#filter-text", "upload timeout")
        assert page.locator("#ledger-count").inner_text().startswith("1 of ")
        page.locator("#ledger-table").focus()
        page.keyboard.press("ArrowDown")
        assert "upload timeout artifact_087" in page.locator("#ledger-detail").inner_text()
        linked = page.evaluate("location.hash")
        assert linked.startswith("#evt_")
        assert heard.console == []
    with opened(browser, url(pages["story"]) + linked) as (page, _):
        page.wait_for_selector("html[data-ready]")
        assert "upload timeout artifact_087" in page.locator("#ledger-detail").inner_text()


def test_a_ref_opens_the_disclosure_in_which_its_bytes_stand(pages: dict[str, Path], browser: Browser) -> None:
    with opened(browser, url(pages["failed"])) as (page, _):
        page.wait_for_selector("html[data-ready]")
        page.locator("#signals a.ref").last.click()
        target = page.evaluate("location.hash.slice(1)")
        assert page.locator(f"[id='{target}']").is_visible()


def test_hostile_text_runs_nothing_and_asks_for_nothing(tmp_path: Path, browser: Browser) -> None:
    from tests.report import hostile
    from tests.report.test_html import with_figures

    strings = hostile.strings()
    for n, prefix in enumerate(("w", '"><script>document.title="owned"</script>')):
        path = tmp_path / f"{n}.html"
        path.write_text(html.render(with_figures(failed_run(), strings, prefix)), errors="backslashreplace")
        (tmp_path / html.STYLESHEET).write_text(html.stylesheet())
        with opened(browser, url(path)) as (page, heard):
            page.wait_for_selector("html[data-ready]")
            open_details(page)
            assert quiet(heard, path)
            assert page.title() != "owned"
            assert page.locator("script").count() == 2
