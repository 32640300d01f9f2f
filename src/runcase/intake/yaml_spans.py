"""YAML with the lines of each value, read document by document; a twin of `json_spans` for the same callers.

Every scalar is text. Anchors and aliases are refused, since a few lines of them
unfold without bounds; so is nesting that no hand or tool writes.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from runcase.intake.json_spans import Leaf, Opens, Path
from runcase.model.problems import Problem

MAX_DEPTH = 64


class _RefusedError(Exception):
    """The document uses what is not read; says what."""


class YamlText:
    """The text of one or several YAML documents."""

    def __init__(self, data: bytes, path: str) -> None:
        self.problems: list[Problem] = []
        self.roots = 0
        self._path = path
        self._data = data
        self._starts = [0]
        for line in data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def walk(self, opens: Opens) -> Iterator[Leaf]:
        """The leaves in document order; `roots` counts the documents as they begin.

        A leaf's place is made of whole lines, from the one of its key.
        """
        try:
            self._refuse()
            text = self._data.decode("utf-8", "replace")
            for root in yaml.compose_all(text, Loader=yaml.CBaseLoader):
                self.roots += 1
                yield from self._value(root, (), opens, root.start_mark.line)
        except (_RefusedError, RecursionError) as error:
            self._problem("yaml_refused", str(error) or "is nested too deeply", 0)
        except (yaml.YAMLError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            what = str(getattr(error, "problem", None) or error).split("\n")[0]
            self._problem("yaml_malformed", f"is no YAML: {what}; the rest is not read", mark.line if mark else 0)

    def _refuse(self) -> None:
        depth = 0
        for event in yaml.parse(self._data.decode("utf-8", "replace"), Loader=yaml.CBaseLoader):
            if isinstance(event, yaml.AliasEvent):
                raise _RefusedError("uses an alias")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise _RefusedError(f"nests more than {MAX_DEPTH} levels")

    def _value(self, node: yaml.Node, path: Path, opens: Opens, line: int) -> Iterator[Leaf]:
        if isinstance(node, yaml.MappingNode) and opens(path):
            for key, value in node.value:
                yield from self._value(value, (*path, str(key.value)), opens, key.start_mark.line)
        elif isinstance(node, yaml.SequenceNode) and opens(path):
            for index, value in enumerate(node.value):
                yield from self._value(value, (*path, index), opens, value.start_mark.line)
        else:
            start = self._starts[min(line, len(self._starts) - 1)]
            yield Leaf(path, _plain(node), start, self._end(node, line) - start)

    def _end(self, node: yaml.Node, line: int) -> int:
        """Offset after the last line of a node; a block ends where the next token begins."""
        mark = node.end_mark
        last = mark.line + (1 if mark.column or mark.line == line else 0)
        return self._starts[min(last, len(self._starts) - 1)]

    def _problem(self, code: str, why: str, line: int) -> None:
        start = self._starts[min(line, len(self._starts) - 1)]
        message = f"line {line + 1} {why}"
        self.problems.append(Problem(code, "warning", message, self._path, None, start, 0, line + 1))


def _plain(node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return {str(k.value): _plain(v) for k, v in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(v) for v in node.value]
    return None if node.value in ("null", "~") else str(node.value)
