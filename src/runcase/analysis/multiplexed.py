"""Lines of several programs in one log: what a multiplexer writes before each is no part of what the program said."""

from __future__ import annotations

import polars as pl

_TASK = r"(?:tests?|unit|e2e|build|lint|check|ci|coverage|typecheck|integration)[\w:-]*"
_BEFORE = (
    # docker-compose: `web_1  | `, `shop-web-1  | `
    r"[\w.-]+[_-]\d+ +\| ?"
    # turbo: `@acme/shop:test: `, `web:build: `
    rf"|(?:@[\w.-]+/)?[A-Za-z][\w.-]*:{_TASK}: ?"
    # pnpm of several packages: `packages/shop test: `
    rf"|(?:[\w@.-]+/)+[\w.-]+ {_TASK}: ?"
    # lerna: `@acme/shop: `
    r"|@[\w.-]+/[\w.-]+: ?"
    # Nix, and Haskell's stack: `python3.11-shop> `; a word in capitals is a mark, as pytest's `INTERNALERROR> `
    r"|(?:[a-z]|[A-Z][A-Z_]*[a-z\d.+-])[\w.+-]*> ?"
    # kubectl: `[pod/shop-5d9/app] `
    r"|\[pod/\S+\] ?"
    # the Open Build Service: `[  112s] `; Google Cloud Build: `Step #0 - "test": `; Netlify: `10:00:41 AM: `
    r"|\[ {0,4}\d+s\] ?|Step #\d+(?: - \"[^\"]+\")?: ?|\d{1,2}:\d\d:\d\d [AP]M: "
    # Earthly: `    +test | `; what a host prints while it builds what is pushed: `remote:        `
    r"|\s*\+[\w.-]+ +\| ?|remote: {2,8}(?:! +)?"
    # fastlane and xcpretty: `[10:02:31]: ▸ `
    r"|\[\d\d:\d\d:\d\d\]: (?:▸ ?)?|▸ "
    # CTest that is verbose: `1: `
    r"|\d{1,4}: "
    # concurrently
    r"|\[(?:tests?|unit|server|client|api|web)\] ?"
)
_STEP = r"#\d+ \d+\.\d+ ?"
"""BuildKit, before what a step of an image prints."""

_PROGRAM = f"^(?:{_BEFORE})"
_ANY = f"^(?:{_STEP}|{_BEFORE})"


_GO_EVENT = r'^\{"Time":"[^"]*","Action":"output",(?:"Package":"[^"]*",)?(?:"Test":"[^"]*",)?"Output":"'


def of_events(text: pl.Expr) -> pl.Expr:
    """What `go test -json` says inside its events; other text as it is."""
    is_event = text.str.contains(_GO_EVENT)
    told = text.str.replace(_GO_EVENT, "").str.replace(r'(?:\\n)?"\}\s*$', "")
    return pl.when(is_event).then(told).otherwise(text)


def own_words(text: pl.Expr, of_steps: bool = False) -> pl.Expr:
    """Lines as their programs wrote them.

    Args:
        text: Lines, or records, of which the first line counts.
        of_steps: Whether the number and time of an image's step go too.
    """
    return text.str.replace(_ANY if of_steps else _PROGRAM, "")
