"""The HTML face: one file a run that needs no network and no script, and the index of all runs.

A page carries its style inline and also names a sibling file of the same
content, because hosts such as Jenkins block inline style and scripts. Every
value that a template prints goes through `present` and is escaped; nothing
else decides about escaping.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from runcase.model.kept import kept_beside, put
from runcase.model.text import present
from runcase.report import words
from runcase.report.dossier import Dossier
from runcase.report.event_table import EventTable
from runcase.report.index_value import Index
from runcase.report.page import Limits, dossier_page, index_page, searched_words

STYLESHEET = "runcase.css"
"""Name of the sibling file; see `stylesheet`."""

MAX_BYTES = 5_000_000


def render(dossier: Dossier, max_bytes: int | None = None, events: EventTable | None = None) -> str:
    """The page of one run, at most `max_bytes` long where less detail can achieve that; it says what it left out.

    Args:
        dossier: The run.
        max_bytes: Size budget of the page in UTF-8; MAX_BYTES if None.
        events: The run's events for the ledger view; without them it holds those that the dossier names.
    """
    page = ""
    for limits in Limits.ladder():
        page = _filled("dossier.html.j2", page=dossier_page(dossier, events, limits))
        if len(page.encode()) <= (max_bytes or MAX_BYTES):
            break
    return page


def render_index(index: Index) -> str:
    """The page of all runs, failures first; it links to `runs/<folder>/dossier.html`."""
    return _filled("index.html.j2", page=index_page(index))


def render_month(index: Index, month: str) -> str:
    """The page `index-<month>.html`: the runs of one of `older_months`, failures first."""
    return _filled("index.html.j2", page=index_page(index, month))


@cache
def stylesheet() -> str:
    """The style of all pages, to be written as `runcase.css` beside each."""
    return _asset("page.css")


@cache
def _asset(name: str) -> str:
    return files("runcase.report").joinpath("assets", name).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Inline:
    """A style or script that the policy of the page allows by its digest."""

    text: Markup
    digest: str


@cache
def _inline(name: str) -> _Inline:
    """One of our own assets, never text from the evidence."""
    text = _asset(name)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return _Inline(Markup(text), f"'sha256-{digest}'")


def _filled(template: str, **values: object) -> str:
    style, script = _inline("page.css"), _inline("page.js")
    policy = (
        f"default-src 'none'; style-src 'self' {style.digest}; script-src {script.digest}; "
        "base-uri 'none'; form-action 'none'"
    )
    found = _environment().get_template(template)
    return found.render(style=style, script=script, policy=policy, sibling=STYLESHEET, **values)


class _Compiled(BytecodeCache):
    """Templates as Python code beside this module: compiling them takes as long as filling them for a dozen runs."""

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fills the bucket where the code of its template is there; it knows the text that the code was made of."""
        path = self._path(bucket)
        if path is not None and path.is_file():
            bucket.bytecode_from_string(path.read_bytes())

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps the code where the folder can be written."""
        path = self._path(bucket)
        with suppress(OSError):
            put(path, bucket.bytecode_to_string()) if path is not None else None

    def _path(self, bucket: Bucket) -> Path | None:
        folder = kept_beside(__file__)
        return folder and folder / f"{bucket.key}.{sys.implementation.cache_tag}.template"


@cache
def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("runcase.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_Compiled(),
    )
    env.filters |= {
        "took": words.micros_words,
        "tries_words": words.tries_words,
        "state": words.state_words,
        "basis": words.basis_words,
        "reason": words.reason_words,
        "until": words.until,
        "size": words.bytes_words,
        "clock": words.clock,
        "minute": words.iso_minute,
        "number": lambda n: f"{n:,}",
        "keep": Markup,
        "html_time": _html_time,
        "searched": searched_words,
        "web": lambda url: url if url.startswith(("https://", "http://")) else "#",
        "segment": lambda name: quote(name, safe=""),
    }
    return env


def _html_time(ts: str) -> str:
    """An instant as HTML allows it: at most three digits of a second's fraction."""
    return f"{ts[:23]}Z" if len(ts) > 24 else ts


def _shown(value: object) -> object:
    """What every printed expression passes: text that cannot act, and never the word None."""
    if isinstance(value, Markup):
        return value
    if value is None:
        raise TypeError("a template printed a value that is absent")
    return present(value) if isinstance(value, str) else value
