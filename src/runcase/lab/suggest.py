"""`rules suggest`: templates of unknown records as ready rules, with examples that match and that do not."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from runcase.lab.case_view import opened
from runcase.lab.mining import Mined, mined
from runcase.rules.patterns import checked_pattern

MAX_EXAMPLE_CHARS = 500
_CALM = "an unrelated line"

_KINDS: tuple[tuple[str, str], ...] = (
    ("error", r"\b(?:error|fail(?:ed|ure|s)?|fatal|panic|exception|abort(?:ed|ing)?|denied|refused|cannot|unable)\b"),
    ("warning", r"\b(?:warn(?:ing)?|deprecated)\b"),
    ("retry", r"\b(?:retry(?:ing)?|retries|reattempt\w*|trying again)\b"),
    ("progress", r"<n> ?(?:of|/) ?<n>|<n><percent>|<percent>"),
    ("heartbeat", r"\b(?:heartbeat|keepalive|ping)\b"),
)
"""Kind -> what in a template's text suggests it; the first that is found."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule that is ready to be kept."""

    rule_id: str
    kind: str
    pattern: str
    mined: Mined
    no_match: str


def suggestions(path: str, rules: Sequence[str] = (), limit: int = 20) -> list[Suggestion]:
    """Rules for the most telling unknown templates of a case, at most `limit`.

    Raises:
        RuncaseError: `not_a_case`, `newer_case`, and those of packs.
    """
    case = opened(path, rules)
    return suggested(mined(case.facts.events, case.conclusions.runs, case.conclusions.members), limit)


def suggested(found: Sequence[Mined], limit: int) -> list[Suggestion]:
    """The first `limit` templates that make a sound rule."""
    made: list[Suggestion] = []
    lines = [m.examples[0] for m in found if m.examples]
    for one in found:
        if len(made) == limit:
            break
        pattern = one.template.pattern()
        examples = tuple(e for e in one.examples if len(e) <= MAX_EXAMPLE_CHARS and _matches(pattern, e))
        if not examples or not one.template.words or not _sound(pattern):
            continue
        other = next((e for e in lines if len(e) <= 200 and not _matches(pattern, e)), _CALM)
        kept = Mined(**{n: getattr(one, n) for n in Mined.__slots__ if n != "examples"}, examples=examples)
        made.append(Suggestion(rule_id(one), kind_of(one), pattern, kept, other))
    return made


def _sound(pattern: str) -> bool:
    try:
        checked_pattern(pattern)
    except ValueError:
        return False
    return True


def _matches(pattern: str, line: str) -> bool:
    return bool(pl.Series([line]).str.contains(pattern, strict=False)[0])


def rule_id(one: Mined) -> str:
    """A readable id that follows from the template alone."""
    words = [w for w in one.template.words if len(w) > 2][:4]
    return "-".join([*words, one.template.id[:8]])[:80]


def kind_of(one: Mined) -> str:
    """The event kind that level and words suggest; `log` where nothing does."""
    if one.level in ("error", "fatal"):
        return "error"
    text = one.template.shown.lower()
    for kind, words in _KINDS:
        if re.search(words, text):
            return kind
    return "warning" if one.level == "warning" else "log"


# --- as YAML --------------------------------------------------------------------------------------


def as_yaml(found: Sequence[Suggestion]) -> str:
    """The rules as the `events` section of a rule file, each with what it would explain."""
    if not found:
        return "events: []\n"
    return "events:\n" + "".join(_rule(s) for s in found)


def _rule(s: Suggestion) -> str:
    m = s.mined
    share = f"{m.time_share:.1%} of the unknown time, {m.failure_share:.1%} of the unknown failure"
    lines = [
        f"  # {_counted(m.events, 'record')}, {_counted(m.lines, 'line')}, {_counted(m.runs, 'run')}; {share}",
        f"  - id: {s.rule_id}",
        f"    kind: {s.kind}",
        f"    match: {scalar(s.pattern)}",
        *([f"    summary: {scalar(_summary(s))}"] if m.template.holes() else []),
        *([f'    duration: "{{{took}}}"'] if (took := _first(s, "took")) else []),
        *_progress(s),
        "    examples:",
        "      match:",
        *(f"        - {scalar(e)}" for e in m.examples),
        "      no_match:",
        f"        - {scalar(s.no_match)}",
    ]
    return "\n".join(lines) + "\n"


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _summary(s: Suggestion) -> str:
    """The template's text with its captures, cut to one readable line."""
    text, at, parts = s.mined.template.masked, 0, []
    names = [name for name, _ in s.mined.template.holes()]
    for name, hole in zip(names, re.finditer(r"\x02\w+\x03", text), strict=True):
        parts += [text[at : hole.start()].replace("{", "(").replace("}", ")"), f"{{{name}}}"]
        at = hole.end()
    parts.append(text[at:].replace("{", "(").replace("}", ")"))
    return "".join(parts).strip()


def _first(s: Suggestion, kind: str) -> str | None:
    return next((name for name, of in s.mined.template.holes() if of == kind), None)


def _progress(s: Suggestion) -> list[str]:
    """`done` and `total` of `17 of 42`."""
    names = [name for name, of in s.mined.template.holes() if of == "n"]
    if s.kind != "progress" or len(names) < 2:
        return []
    m = re.search(r"\x02n\x03 ?(?:of|/) ?\x02n\x03", s.mined.template.masked)
    if m is None:
        return []
    before = len(re.findall(r"\x02n\x03", s.mined.template.masked[: m.start()]))
    return [f'    fields: {{done: "{{{names[before]}}}", total: "{{{names[before + 1]}}}"}}']


def scalar(text: str) -> str:
    """Text as a YAML scalar in quotes."""
    if text.isprintable() and "'" not in text:
        return f"'{text}'"
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text)


def as_pack(found: Sequence[Suggestion], name: str) -> dict[str, str]:
    """The rules as a pack: file name -> text."""
    head = f'name: {name}\nversion: "1"\ndescription: Suggested from unknown records; look at kinds and summaries.\n'
    return {"pack.yaml": head, "suggested.yaml": as_yaml(found)}
