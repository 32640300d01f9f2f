"""What a page says, as text that a reviewer can read."""

from __future__ import annotations

import re
from collections.abc import Collection
from xml.etree.ElementTree import Element

import html5lib

_BLOCKS = {"p", "li", "h1", "h2", "h3", "tr", "dt", "dd", "summary", "figcaption", "title", "text", "desc", "span"}
_SILENT = re.compile(r"<(script|style)\b.*?</\1>", re.S)
_LINES = ("line", "line decisive")


def words(page: str, without: Collection[str] = ()) -> str:
    """One block a line, without script, style and packed data, and without the sections of these ids."""
    document = html5lib.parse(_SILENT.sub("", page), namespaceHTMLElements=False)
    for node in document.iter("section"):
        if node.get("id") in without:
            node.clear()
    found = ((_name(node), node) for node in document.iter())
    lines = ((name, " ".join("".join(node.itertext()).split())) for name, node in found if _told(name, node))
    return "".join(f"{name}: {text}\n" for name, text in lines if text)


def _name(node: Element) -> str:
    return str(node.tag).rsplit("}", 1)[-1]


def _told(name: str, node: Element) -> bool:
    """Whether it is a block of its own; items that hold paragraphs are told by these."""
    if name == "span":
        return node.get("class") in _LINES
    return name in _BLOCKS and not (name == "li" and any(_name(child) == "p" for child in node.iter()))
