"""The markup languages of tickets: how each writes a heading, a table, and text that must not come to life.

Text from the evidence stands only in fences and code spans that it cannot close, or
(Jira, which has no such span) with every mark spelled as an entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runcase.model.problems import RuncaseError

_TICKS = re.compile("`+")
_QUICK_ACTION = re.compile(r"/[a-z_]+(?:\s|$)")
_ALIVE = re.compile(
    r"[<>&\[\]@#*_|\\`$~^=!%{}]|//|:\w+:|\bwww\.|^[/+\-\s]|^\d+[.)]"
    r"|\b[A-Za-z][A-Za-z0-9]+-\d|\b[0-9a-f]{7,40}\b"
)
"""Text with any of these might be markup, a mention, an issue key or a commit in some dialect, and is shown as code."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """GitHub flavoured Markdown; others say where they differ. `limit` is in UTF-16 units, None for none."""

    name: str
    limit: int | None
    diagrams: bool = False
    """Whether the host draws a fenced block of Mermaid."""

    def code(self, text: str) -> str:
        """`text` as a code span that it cannot close; a dash for nothing."""
        longest = max((len(m) for m in _TICKS.findall(text)), default=0)
        ticks = "`" * (longest + 1)
        pad = " " if text.startswith("`") or text.endswith("`") else ""
        return f"{ticks}{pad}{text}{pad}{ticks}" if text.strip() else "-"

    def prose(self, text: str) -> str:
        """`text` as a sentence where nothing in it can be markup, else as code."""
        return self.code(text) if _ALIVE.search(text) else text

    def fence(self, lines: Iterable[str]) -> list[str]:
        """`lines` in a fence longer than any run of backticks inside.

        What could be a quick action gets a space before it: GitLab looks for them with
        a pattern that takes a shorter fence inside for the end of ours.
        """
        body = [f" {line}" if _QUICK_ACTION.match(line) else line for line in lines]
        longest = max((len(m) for line in body for m in _TICKS.findall(line)), default=0)
        ticks = "`" * max(3, longest + 1)
        return [f"{ticks}text", *body, ticks]

    def strong(self, text: str) -> str:
        """Our own words, emphasised."""
        return f"**{text}**"

    def heading(self, level: int, text: str) -> str:
        """A heading of already marked text."""
        return f"{'#' * level} {text}"

    def item(self, text: str) -> str:
        """An item of a list."""
        return f"- {text}"

    def numbered(self, number: int, text: str) -> str:
        """An item of a numbered list."""
        return f"{number}. {text}"

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
        """A table of already marked cells; nothing without rows."""
        body = ["| " + " | ".join(_cell(c) for c in row) + " |" for row in rows]
        return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *body] if body else []


def _cell(text: str) -> str:
    """A cell; a bar in it is drawn broken, because no escape of it holds in every dialect."""
    return text.replace("|", "¦")


class Jira(Dialect):
    """Jira's wiki markup."""

    __slots__ = ()

    def code(self, text: str) -> str:
        """Marks as entities, in fixed width."""
        return f"{{{{{_entities(text)}}}}}" if text.strip() else "-"

    def prose(self, text: str) -> str:
        """Marks as entities; issue keys and addresses lose what would link them."""
        return _entities(text)

    def fence(self, lines: Iterable[str]) -> list[str]:
        """A block that only its own closing tag ends; that tag is broken wherever it stands inside."""
        tag = re.compile(r"\{(?=noformat|code|quote|panel)", re.IGNORECASE)
        return ["{noformat}", *(tag.sub("{ ", line) for line in lines), "{noformat}"]

    def strong(self, text: str) -> str:
        """Bold."""
        return f"*{text}*"

    def heading(self, level: int, text: str) -> str:
        """`h2. ` and the like."""
        return f"h{level}. {text}"

    def item(self, text: str) -> str:
        """An item of a list."""
        return f"* {text}"

    def numbered(self, number: int, text: str) -> str:
        """An item of a list that Jira numbers."""
        return f"# {text}"

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
        """`||head||` and `|cell|`."""
        body = ["|" + "|".join(c or " " for c in row) + "|" for row in rows]
        return ["||" + "||".join(head) + "||", *body] if body else []


def _entities(text: str) -> str:
    return re.sub(r"[^\w\s.,;'\"()]|_", lambda m: f"&#{ord(m[0])};" if m[0].isascii() else m[0], text)


class Slack(Dialect):
    """Slack's mrkdwn: no headings, no tables, spans that cannot be lengthened."""

    __slots__ = ()

    def code(self, text: str) -> str:
        """A span; a backtick inside is drawn as an acute accent."""
        return f"`{_slack(text)}`" if text.strip() else "-"

    def fence(self, lines: Iterable[str]) -> list[str]:
        """A block; backticks inside are drawn as acute accents."""
        return ["```", *(_slack(line) for line in lines), "```"]

    def strong(self, text: str) -> str:
        """Bold."""
        return f"*{text}*"

    def heading(self, level: int, text: str) -> str:
        """A line of its own; text that is code stays so."""
        return text if "`" in text else f"*{text}*"

    def item(self, text: str) -> str:
        """A bullet."""
        return f"• {text}"

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
        """One line a row."""
        return [
            "• " + ", ".join(f"{name} {c}" for name, c in zip(head, row, strict=True) if c not in ("", "-"))
            for row in rows
        ]


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "´")


class Plain(Dialect):
    """Text without markup, for fields that render none."""

    __slots__ = ()

    def code(self, text: str) -> str:
        """As it is."""
        return text if text.strip() else "-"

    def prose(self, text: str) -> str:
        """As it is."""
        return text

    def fence(self, lines: Iterable[str]) -> list[str]:
        """Indented, so that it stands apart."""
        return [f"    {line}" for line in lines]

    def strong(self, text: str) -> str:
        """As it is."""
        return text

    def heading(self, level: int, text: str) -> str:
        """In capitals below the title."""
        return text if level == 1 else text.upper()

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
        """Columns as wide as their widest cell."""
        found = [tuple(head), *(tuple(r) for r in rows)]
        widths = [max(len(r[n]) for r in found) for n in range(len(head))]
        lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in found]
        return lines if len(found) > 1 else []


GITHUB = Dialect("github", 65_536, diagrams=True)

DIALECTS: dict[str, Dialect] = {
    d.name: d
    for d in (
        GITHUB,
        Dialect("gitlab", 1_000_000, diagrams=True),
        Jira("jira", 32_767),
        Dialect("azure", 150_000),
        Slack("slack", 3_000),
        Plain("plain", None),
    )
}
"""Hard limits: GitHub comment, GitLab note, Jira field, Azure DevOps comment, Slack section."""


def dialect(name: str) -> Dialect:
    """The dialect of that name.

    Raises:
        RuncaseError: `bad_value`.
    """
    if name not in DIALECTS:
        raise RuncaseError("bad_value", f"no dialect {name!r}", f"it is one of: {', '.join(DIALECTS)}")
    return DIALECTS[name]


def units(text: str) -> int:
    """UTF-16 units, in which these hosts count."""
    return len(text) + sum(c > "\uffff" for c in text)
