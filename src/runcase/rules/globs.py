"""Globs on paths and names: `*` any text, `**` likewise, `?` one character, `[ab]` a set, `{name}` a capture.

`{name}` stands for one or more characters of one path segment and is kept as a
capture, so `*/{run_id}/attempt-{attempt}/*.log` tells the ids of a path.
"""

from __future__ import annotations

import re

_PART = re.compile(r"\*+|\?|\[!?[^\]]+\]|\{([A-Za-z_]\w*)\}|.", re.DOTALL)
_SPECIAL = re.compile(r"[\\^&~\[]")
_ESCAPED = r"\\\g<0>"


def glob_pattern(glob: str) -> str:
    """The glob as a pattern of the rule language, anchored at both ends."""
    return f"(?s)^{''.join(_piece(m) for m in _PART.finditer(glob))}$"


def _piece(part: re.Match[str]) -> str:
    text = part[0]
    if part[1]:
        return rf"(?P<{part[1]}>[^/]+?)"
    if text[0] == "*":
        return ".*"
    if text == "?":
        return "."
    if text[0] == "[" and len(text) > 2:
        negated, inner = ("^", text[2:-1]) if text[1] == "!" else ("", text[1:-1])
        return f"[{negated}{_SPECIAL.sub(_ESCAPED, inner)}]"
    return re.escape(text)
