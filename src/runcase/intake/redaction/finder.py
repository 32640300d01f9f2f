"""Where the secrets of a block of bytes are."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from runcase.intake.redaction.encoded import RUN, base64_cores, decoded_run, forms_of, percent_decoded
from runcase.intake.redaction.marks import mark_of
from runcase.intake.redaction.secrets import ANNOUNCED, KINDS, SecretKind, is_distinctive, is_secret, is_verdict
from runcase.rules.language import RedactRule

if TYPE_CHECKING:
    from runcase.intake.kernels.words import Automaton

_ASCII = bytes(range(128)) + b"?" * 128
_CONTROL = re.compile(rb"\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00\x08]")
"""ECMA-48 sequences, OSC strings, NULs and backspaces, which a reader of the text does not see."""

_PEM_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END = b"-----END "
_PEM_BODY = re.compile(rb"[A-Za-z0-9+/=]{12,}|[A-Za-z0-9+/=]+(?=\s*$)")
WORDS_AT_ONCE = 48
"""Up to some sixty words are searched with SIMD at 1 GB/s a core, more by an automaton at 0.2 (measured 2026-11)."""

SMALL_CHARS = 32 * 1024
"""Of a text in which words are looked for one by one: making an automaton of them costs more."""

_KEY_BEGIN = re.compile(rb"(?i:pass|pwd|secret|token|apikey|accesskey|privatekey|[_-]key|credential)")
MAX_PEM_LINES = 400
MAX_LEARNED = 256
"""Distinctive values that are looked for again, in their other forms, within one source."""

_ANCHORS = tuple((word, anchors) for anchors in dict.fromkeys(k.anchors for k in KINDS) for word in anchors)
"""Each word that may announce a secret, with those of the kinds that it stands for."""

_ENCODED_WORDS = tuple(
    word.encode()
    for word in (
        "ghp_ glpat- AKIA xoxb- sk_live_ password Password PASSWORD passwd secret SECRET token TOKEN api_key API_KEY "
        "Authorization"
    ).split()
)
"""Words whose base64 is looked for; what is encoded otherwise is found when its plain form was met before."""

_WORDS = sorted({a for k in KINDS for a in k.anchors})
_ENCODED = sorted(
    {a.replace("_", "%5f") for a in _WORDS if "_" in a} | {c.decode() for w in _ENCODED_WORDS for c in base64_cores(w)}
)


@dataclass(frozen=True, slots=True)
class Found:
    """A secret in a block: from `start` to `end`, and the mark that replaces it."""

    start: int
    end: int
    kind: str
    mark: str


class Finder:
    """Finds secrets block by block; remembers an open PEM block and the distinctive values of its source."""

    def __init__(self, rules: Sequence[RedactRule] = (), compiled: bool = False) -> None:
        self._rules = rules
        self._compiled = compiled
        self._learned: dict[bytes, tuple[str, str]] = {}
        self._since: dict[bytes, int] = {}
        self._pem_lines = 0

    def find(self, block: bytes) -> list[Found]:
        """Secrets in the order of their places; none overlaps another."""
        text, places = _seen(block)
        found = [*self._pem(text), *self._by_shape(text), *self._by_rule(text)]
        found += self._again(text)
        return [Found(_place(places, f.start), _place(places, f.end - 1) + 1, f.kind, f.mark) for f in _apart(found)]

    # --- by shape ---------------------------------------------------------------------------------

    def _by_shape(self, text: bytes) -> Iterator[Found]:
        for start, end in self._suspects(text):
            line = text[start:end]
            for at, to, kind, value in _in_line(line):
                yield Found(start + at, start + to, kind.name, self._marked(kind, value, start + at))

    def _suspects(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Lines that hold an anchor where it may announce a secret."""
        announcing, encoded = (_walked if self._compiled else _searched)(text)
        hits = [h for h in announcing if _announces(text, h)] + encoded
        done = 0
        for hit in sorted(hits):
            if hit >= done:
                start = text.rfind(b"\n", 0, hit) + 1
                end = text.find(b"\n", hit)
                done = len(text) if end < 0 else end
                yield start, done

    def _marked(self, kind: SecretKind, value: bytes, at: int) -> str:
        mark = mark_of(kind.name, value)
        room = len(self._learned) < MAX_LEARNED * 8
        if room and len(value) >= 8 and (kind.certain or is_distinctive(value)):
            for form in forms_of(value) - self._learned.keys():
                self._learned[form] = (kind.name, mark)
                self._since[form] = at
        return mark

    def _again(self, text: bytes) -> Iterator[Found]:
        """Values that were met before, wherever they stand from there on and in each of their forms."""
        for form, (kind, mark) in self._learned.items():
            at = text.find(form, self._since.get(form, 0))
            while at >= 0:
                yield Found(at, at + len(form), kind, mark)
                at = text.find(form, at + len(form))
        self._since.clear()

    # --- by rules of packs ------------------------------------------------------------------------

    def _by_rule(self, text: bytes) -> Iterator[Found]:
        """Matches of the packs' own patterns, by the engine that decides what a match is."""
        for rule in self._rules:
            shown = pl.Series([text.decode("utf-8", "replace")])
            at = 0
            for whole in shown.str.extract_all(rule.pattern)[0]:
                groups = pl.Series([whole]).str.extract_groups(rule.pattern).struct.unnest().row(0)
                secret = next((g for g in groups if g), whole).encode()
                at = text.find(secret, max(0, text.find(whole.encode(), at)))
                if at >= 0 and secret:
                    yield Found(at, at + len(secret), rule.kind, mark_of(rule.kind, secret))
                    at += len(secret)
                at = max(at, 0)

    # --- PEM --------------------------------------------------------------------------------------

    def _pem(self, text: bytes) -> Iterator[Found]:
        """Bodies of private keys: on one line with escaped ends, or line by line behind whatever stamps them."""
        at = 0
        while at < len(text):
            if not self._pem_lines:
                begin = _PEM_BEGIN.search(text, at)
                if begin is None:
                    return
                at, self._pem_lines = begin.end(), MAX_PEM_LINES
            end = text.find(b"\n", at) + 1 or len(text)
            closing = text.find(_PEM_END, at, end)
            yield from _pem_line(text, at, closing if closing >= 0 else end)
            self._pem_lines = 0 if closing >= 0 else self._pem_lines - 1
            at = closing + 1 if closing >= 0 else end


def _searched(text: bytes) -> tuple[list[int], list[int]]:
    """Where words stand that may announce a secret, and where encoded ones do."""
    shown = text.translate(_ASCII).decode("ascii")
    return _hits(shown, _WORDS, True), _hits(shown, _ENCODED, False)


def _walked(text: bytes) -> tuple[list[int], list[int]]:
    """As `_searched`, by one pass for both, which knows no case."""
    from runcase.intake.kernels.words import places

    at, which = places(text, _automaton())
    plain = which < len(_WORDS)
    encoded = zip(at[~plain].tolist(), (which[~plain] - len(_WORDS)).tolist(), strict=True)
    return at[plain].tolist(), [h for h, n in encoded if text.startswith(_ENCODED[n].encode(), h)]


@cache
def _automaton() -> Automaton:
    """One for a process: every source looks for the same words."""
    from runcase.intake.kernels.words import automaton

    return automaton([w.encode() for w in (*_WORDS, *_ENCODED)])


def _hits(shown: str, words: list[str], any_case: bool) -> list[int]:
    """Where words stand; a first pass only asks whether any does, because none is the rule and much cheaper."""
    if len(shown) <= SMALL_CHARS:
        lower = shown.lower() if any_case else shown
        words = [w for w in words if (w.lower() if any_case else w) in lower]
    hits: list[int] = []
    for at in range(0, len(words), WORDS_AT_ONCE):
        some, text = words[at : at + WORDS_AT_ONCE], pl.Series([shown])
        if text.str.contains_any(some, ascii_case_insensitive=any_case)[0]:
            hits += text.str.find_many(some, ascii_case_insensitive=any_case, overlapping=True)[0].to_list()
    return hits


def _announces(text: bytes, at: int) -> bool:
    """Whether the word at `at` may announce a secret: a key's word only with an assignment or as a flag."""
    if _KEY_BEGIN.match(text, at) is None:
        return True
    announced = ANNOUNCED.match(text, at)
    if announced is None:
        return False
    return announced[0][-1:] in b"=:dD" or b"-" in text[max(0, at - 24) : at].rpartition(b" ")[2][:2]


def _pem_line(text: bytes, start: int, end: int) -> Iterator[Found]:
    bodies = list(_PEM_BODY.finditer(text, start, end))
    if bodies:
        at, to = bodies[0].start(), bodies[-1].end()
        yield Found(at, to, "private_key", mark_of("private_key", text[at:to]))


def _in_line(line: bytes) -> Iterator[tuple[int, int, SecretKind, bytes]]:
    """Place, kind and value of each secret of a line, percent-encoded and base64 forms included."""
    yield from _plain(line)
    if b"%" in line:
        decoded, places = percent_decoded(line)
        for at, to, kind, value in _plain(decoded):
            yield places[at], places[to], kind, value
    for run in RUN.finditer(line):
        inner = next((i for part in decoded_run(run[0]) for i in _plain(part)), None)
        if inner is not None:
            yield run.start(), run.end(), inner[2], inner[3]


def _plain(line: bytes) -> Iterator[tuple[int, int, SecretKind, bytes]]:
    lower = line.lower().decode("latin-1")
    near = {anchors for word, anchors in _ANCHORS if word in lower}
    if not near:
        return
    for kind in KINDS:
        for match in kind.pattern.finditer(line) if kind.anchors in near else ():
            at, to = match.span("secret")
            spaced = line[at - 1 : at].isspace()
            if is_secret(kind, match["secret"], spaced) and not is_verdict(line[:at], match["secret"]):
                yield at, to, kind, match["secret"]


def _seen(block: bytes) -> tuple[bytes, tuple[list[int], list[int]] | None]:
    """The block as a reader of a terminal sees it, and how its places map back: begins of parts here and there."""
    if b"\x1b" not in block and b"\0" not in block and b"\b" not in block:
        return block, None
    parts: list[bytes] = []
    here, there, at, length = [0], [0], 0, 0
    for control in _CONTROL.finditer(block):
        if control.start() > at:
            parts.append(block[at : control.start()])
            length += control.start() - at
        at = control.end()
        if here[-1] == length:
            there[-1] = at
        else:
            here.append(length)
            there.append(at)
    return b"".join([*parts, block[at:]]), (here, there)


def _place(places: tuple[list[int], list[int]] | None, at: int) -> int:
    if places is None:
        return at
    part = bisect_right(places[0], at) - 1
    return places[1][part] + at - places[0][part]


def _apart(found: list[Found]) -> list[Found]:
    """Overlapping finds as one, named by the one that begins first; of those that begin together, by the first kind."""
    kept: list[Found] = []
    for f in sorted(found, key=lambda f: f.start):
        if kept and f.start < kept[-1].end:
            last = kept[-1]
            kept[-1] = Found(last.start, max(last.end, f.end), last.kind, last.mark)
        else:
            kept.append(f)
    return kept
