"""Grok pattern files (`NAME pattern`, one a line) to line formats and event rules of a pack.

A pattern with a time becomes a line format, one with other captures an event
rule; patterns without captures are building blocks. The blocks that every file
takes for granted are here, spelled without look-around and atomic groups.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runcase.lab.imported import NAMES, Format, Imported, Rule, slug
from runcase.lab.sampling import sample_of
from runcase.model.problems import RuncaseError
from runcase.rules.patterns import checked_pattern

MAX_DEPTH = 40
_REF = re.compile(r"%\{(?P<name>\w+)(?::(?P<field>[^:}]+))?(?::\w+)?\}")

BLOCKS: dict[str, str] = {
    "USERNAME": r"[a-zA-Z0-9._-]+",
    "USER": "%{USERNAME}",
    "EMAILADDRESS": r"[a-zA-Z0-9._%+-]+@%{HOSTNAME}",
    "INT": r"[+-]?\d+",
    "BASE10NUM": r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)",
    "NUMBER": "%{BASE10NUM}",
    "BASE16NUM": r"(?:0[xX])?[0-9A-Fa-f]+",
    "POSINT": r"\b[1-9]\d*\b",
    "NONNEGINT": r"\b\d+\b",
    "WORD": r"\b\w+\b",
    "NOTSPACE": r"\S+",
    "SPACE": r"\s*",
    "DATA": r".*?",
    "GREEDYDATA": r".*",
    "QUOTEDSTRING": r"(?:\"(?:\\.|[^\\\"])*\"|'(?:\\.|[^\\'])*')",
    "QS": "%{QUOTEDSTRING}",
    "UUID": r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
    "MAC": r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}",
    "IPV4": r"\d{1,3}(?:\.\d{1,3}){3}",
    "IPV6": r"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:%\w+)?",
    "IP": "(?:%{IPV6}|%{IPV4})",
    "HOSTNAME": r"\b[0-9A-Za-z][0-9A-Za-z-]{0,62}(?:\.[0-9A-Za-z][0-9A-Za-z-]{0,62})*\.?",
    "IPORHOST": "(?:%{IP}|%{HOSTNAME})",
    "HOSTPORT": "%{IPORHOST}:%{POSINT}",
    "UNIXPATH": r"(?:/[^\s/]*)+",
    "WINPATH": r"(?:[A-Za-z]+:|\\)(?:\\[^\\?*\s]*)+",
    "PATH": "(?:%{UNIXPATH}|%{WINPATH})",
    "URIPROTO": r"[A-Za-z][A-Za-z0-9+.-]+",
    "URIHOST": "%{IPORHOST}(?::%{POSINT})?",
    "URIPATH": r"(?:/[^\s?#]*)+",
    "URIPARAM": r"\?\S*",
    "URIPATHPARAM": "%{URIPATH}(?:%{URIPARAM})?",
    "URI": r"%{URIPROTO}://(?:%{USER}(?::[^@\s]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?",
    "MONTH": r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b",
    "MONTHNUM": r"(?:0?[1-9]|1[0-2])",
    "MONTHDAY": r"(?:0[1-9]|[12]\d|3[01]|[1-9])",
    "DAY": r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\b",
    "YEAR": r"(?:\d\d){1,2}",
    "HOUR": r"(?:2[0-3]|[01]?\d)",
    "MINUTE": r"[0-5]\d",
    "SECOND": r"(?:[0-5]?\d|60)(?:[:.,]\d+)?",
    "TIME": "%{HOUR}:%{MINUTE}(?::%{SECOND})?",
    "DATE_US": r"%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}",
    "DATE_EU": r"%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}",
    "DATE": "(?:%{DATE_US}|%{DATE_EU})",
    "ISO8601_TIMEZONE": r"(?:Z|[+-]%{HOUR}:?%{MINUTE})",
    "ISO8601_SECOND": "%{SECOND}",
    "TIMESTAMP_ISO8601": r"%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE}?",
    "DATESTAMP": r"%{DATE}[- ]%{TIME}",
    "TZ": r"[A-Z]{3,4}",
    "DATESTAMP_RFC822": "%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}",
    "SYSLOGTIMESTAMP": "%{MONTH} +%{MONTHDAY} %{TIME}",
    "PROG": r"[\x21-\x5a\x5c\x5e-\x7e]+",
    "SYSLOGPROG": r"%{PROG:program}(?:\[%{POSINT:pid}\])?",
    "SYSLOGHOST": "%{IPORHOST}",
    "HTTPDATE": "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}",
    "LOGLEVEL": (
        r"(?i:trace|debug|notice|info(?:rmation)?|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|alert|emerg\w*)"
    ),
    "JAVACLASS": r"(?:[a-zA-Z$_][a-zA-Z$_0-9]*\.)*[a-zA-Z$_][a-zA-Z$_0-9]*",
    "JAVAFILE": r"[a-zA-Z$_0-9. -]+",
    "JAVAMETHOD": r"(?:<init>|<clinit>|[a-zA-Z$_][a-zA-Z$_0-9]*)",
}
"""Blocks of logstash's `grok-patterns`, in linear time."""


def imported(data: bytes, name: str) -> Imported:
    """The formats and rules of one pattern file.

    Raises:
        RuncaseError: `bad_value` when no line is a pattern.
    """
    own = dict(_lines(data.decode("utf-8", "replace")))
    if not own:
        raise RuncaseError("bad_value", "no grok pattern file", "each line is NAME, a blank, and a pattern")
    formats: list[Format] = []
    rules: list[Rule] = []
    left: list[str] = []
    for key, pattern in own.items():
        if not re.search(r"%\{\w+:|\(\?P?<[A-Za-z_]", pattern):
            continue
        try:
            made = _made(key, pattern, own)
        except ValueError as e:
            left.append(f"{key}: {e}")
            continue
        if isinstance(made, Format):
            formats.append(made)
        else:
            rules.append(made)
    return Imported(slug(name), f"Imported from the grok patterns {name}.", tuple(formats), tuple(rules), tuple(left))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        m = re.fullmatch(r"([A-Za-z_]\w*)[ \t]+(\S.*)", line.rstrip())
        if m and not line.lstrip().startswith("#"):
            yield m[1], m[2]


def _made(key: str, pattern: str, own: dict[str, str]) -> Format | Rule:
    """A line format if the pattern captures a time, else an event rule.

    Raises:
        ValueError: Why the pattern cannot be taken.
    """
    spelled = checked_pattern(_expanded(pattern, own, set(), 0))
    example = sample_of(spelled)
    if "(?P<ts>" in spelled:
        return Format(slug(key), f"^{spelled.removeprefix('^')}", (example,) if example else ())
    if example is None:
        raise ValueError("no line could be made that it matches")
    return Rule(slug(key), spelled, example)


def _expanded(pattern: str, own: dict[str, str], taken: set[str], depth: int) -> str:
    """The pattern with its blocks written out and its captures named our way."""
    if depth > MAX_DEPTH or len(pattern) > 20_000:
        raise ValueError("its blocks refer to each other without end")

    def block(m: re.Match[str]) -> str:
        inner = _block(m["name"], own)
        if inner is None:
            raise ValueError(f"there is no block %{{{m['name']}}}")
        text = _expanded(inner, own, taken, depth + 1)
        return f"(?P<{_capture(m['field'], taken)}>{text})" if m["field"] else f"(?:{text})"

    named = re.sub(r"\(\?P?<([A-Za-z_]\w*)>", lambda m: f"(?P<{_capture(m[1], taken)}>", pattern)
    return _REF.sub(block, named)


def _block(name: str, own: dict[str, str]) -> str | None:
    """The file's own spelling of a block, unless it looks around and ours does not."""
    mine = own.get(name)
    if mine is not None and not (name in BLOCKS and re.search(r"\(\?<?[=!]|\(\?>", mine)):
        return mine
    return BLOCKS.get(name)


def _capture(field: str, taken: set[str]) -> str:
    """A capture's name: `[http][status]` is `http_status`; names are unique."""
    base = re.sub(r"\W+", "_", field).strip("_") or "value"
    base = NAMES.get(field, NAMES.get(base, base if not base[0].isdigit() else f"f_{base}"))
    name, n = base, 1
    while name in taken:
        n += 1
        name = f"{base}_{n}"
    taken.add(name)
    return name
