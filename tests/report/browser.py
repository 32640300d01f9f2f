"""One headless Chromium for the pages, and a loopback host that serves them under a policy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()

JENKINS = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self'"
"""What Jenkins sends with archived HTML by default."""


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@dataclass
class Heard:
    """What a page said and asked for."""

    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def opened(browser: Browser, url: str, **context: Any) -> Iterator[tuple[Page, Heard]]:
    """A page in a context of its own, loaded and, where scripts run, ready."""
    heard = Heard()
    made = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | context))
    page = made.new_page()
    page.on("console", lambda m: heard.console.append(f"{m.type}: {m.text}"))
    page.on("pageerror", lambda e: heard.console.append(f"error: {e}"))
    page.on("request", lambda r: heard.requests.append(r.url))
    page.goto(url)
    yield page, heard
    made.close()


@contextmanager
def served(folder: Path, policy: str) -> Iterator[tuple[str, list[str]]]:
    """The address of a loopback host that serves `folder` under `policy`, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", policy)
            super().end_headers()

        def log_message(self, format: str, *args: object) -> None:
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
