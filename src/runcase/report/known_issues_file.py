"""The file of known issues, `known_issues.yaml`, read and checked whole.

- signature: "writeback.upload_timeout: the upload of # timed out"
  ticket: STORE-41
  url: https://tracker.example/STORE-41
- class: dependency.network
  text: mirror.example
  ticket: NET-7
  note: the mirror is being replaced
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from runcase.model.text import present_line
from runcase.report.known_issues import KnownIssue
from runcase.rules.yaml_source import Document, settled

_KEYS = ("signature", "class", "text", "ticket", "url", "note")


def load(path: Path) -> tuple[KnownIssue, ...]:
    """The entries of a file, in its order.

    Raises:
        RuncaseError: `bad_known_issues` with every defect and its place; `missing_path`.
    """
    return settled(path, "bad_known_issues", lambda document: tuple(_entries(document)))


def _entries(document: Document) -> Iterator[KnownIssue]:
    root = document.root
    if root is None:
        return
    if not isinstance(root, yaml.SequenceNode):
        document.complain(root, "a list of entries is expected, each with a ticket")
        return
    for node in root.value:
        entry = _entry(node, document)
        if entry is not None:
            yield entry


def _entry(node: yaml.Node, document: Document) -> KnownIssue | None:
    if not isinstance(node, yaml.MappingNode):
        document.complain(node, "an entry is a mapping with a ticket and a signature or a class")
        return None
    given: dict[str, str] = {}
    for key, value in node.value:
        if key.value not in _KEYS:
            document.complain(key, f"unknown key {key.value!r}; known are {', '.join(_KEYS)}")
        elif not isinstance(value, yaml.ScalarNode) or not value.value.strip():
            document.complain(value, f"{key.value} is a text")
        else:
            given[key.value] = value.value
            if key.value == "url" and not value.value.startswith(("https://", "http://")):
                document.complain(value, "url begins with https:// or http://")
    if "ticket" not in given or not ({"signature", "class"} & given.keys()):
        document.complain(node, "an entry needs a ticket, and a signature or a class")
        return None
    shown = {k: present_line(given[k]) for k in ("ticket", "note") if k in given}
    return KnownIssue(
        shown["ticket"],
        given.get("signature"),
        given.get("class"),
        given.get("text"),
        given.get("url"),
        shown.get("note"),
    )
