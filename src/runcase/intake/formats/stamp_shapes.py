"""Shapes of stamps: how loggers write an instant, as patterns with named parts.

A shape has two patterns. The strict one accepts possible values only and decides
what a source shows; the relaxed one also takes impossible values (month 13, year
0) behind a line's begin, so that such a line still begins a record and is told
as a problem instead of growing the record before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Place = Literal["tight", "announced", "loose"]
Order = Literal["mdy", "dmy", "ymd"]

PARTS = (
    "Y",
    "y",
    "m",
    "d",
    "b",
    "a",
    "c",
    "H",
    "M",
    "S",
    "f",
    "fm",
    "p",
    "z",
    "off",
    "bias",
    "e",
    "ef",
    "ed",
    "t",
    "tn",
)
"""Year, two-digit year, month, day, month name, first and second of two numbers whose order the source must tell,
hour, minute, second, fraction, milliseconds, AM/PM, zone, offset in minutes east, bias in minutes west, epoch seconds
and fraction (fixed, dotted), TAI64N seconds and nanoseconds."""

_MONTH_WORDS = (
    ("jan", "ene", "gen"),
    ("feb", "fév", "fev"),
    ("mar", "mär", "mrt"),
    ("apr", "abr", "avr"),
    ("may", "mai", "mei", "mag"),
    ("jun", "juin", "giu"),
    ("jul", "juil", "lug"),
    ("aug", "aoû", "aou", "ago"),
    ("sep", "set"),
    ("oct", "okt", "ott", "out"),
    ("nov",),
    ("dec", "dez", "déc", "dic"),
)
MONTHS = {word: n for n, words in enumerate(_MONTH_WORDS, 1) for word in words}
"""First letters of month names in English, German, French, Spanish, Italian, Portuguese and Dutch, lower case."""

ZONES = {"Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 60, "CET": 60, "CEST": 120, "EET": 120, "EEST": 180, "MSK": 180}
ZONES |= {"EST": -300, "EDT": -240, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540}
ZONES |= {"AKDT": -480, "HST": -600, "JST": 540, "KST": 540, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780}
"""Names that mean one offset, minutes east; CST, IST, BST and others mean several and stay unknown."""

_NAMES = "|".join(sorted((*ZONES, "CST", "IST", "BST"), key=len, reverse=True))
_MONTH = rf"(?P<b>(?i:{'|'.join(sorted(MONTHS, key=len, reverse=True))}))[A-Za-zÀ-ÿ]*\.?"
_WEEKDAY = r"(?:[A-Za-zÀ-ÿ]{2,4}\.?,? +)?"
_ZONE = rf"(?: ?(?P<z>(?:UTC|GMT)?[+-][0-9][0-9]:?[0-9][0-9]|{_NAMES}|z)\b|(?P<z_>[+-][0-9][0-9]|[A-Z]{{3,5}})\b)?"
_FRACTION = r"(?:[.,](?P<f>[0-9]{1,9})|:(?P<fm>[0-9]{3})\b)?"
_SEPARATOR = r"(?:[Tt _\t:;,|]|  +| ?- ?|, |\"?[;,]? ?\"| \| |\] ?\[?)"

_STRICT = {
    "Y": r"(?P<Y>19[7-9][0-9]|2[01][0-9][0-9])",
    "y": r"(?P<y>[0-9][0-9])",
    "mm": r"(?P<m>0[1-9]|1[0-2])",
    "m1": r"(?P<m>0?[1-9]|1[0-2])",
    "dd": r"(?P<d>0[1-9]|[12][0-9]|3[01])",
    "d1": r"(?P<d>0?[1-9]|[12][0-9]|3[01])",
    "a": r"(?P<a>0?[1-9]|[12][0-9]|3[01])",
    "c": r"(?P<c>0?[1-9]|[12][0-9]|3[01])",
    "HH": r"(?P<H>[01][0-9]|2[0-3])",
    "H1": r"(?P<H>[01]?[0-9]|2[0-3])",
    "MM": r"(?P<M>[0-5][0-9])",
    "M1": r"(?P<M>[0-5]?[0-9])",
    "SS": r"(?P<S>[0-5][0-9]|60)",
    "S1": r"(?P<S>[0-5]?[0-9])",
}
_RELAXED = _STRICT | {
    "Y": r"(?P<Y>[0-9]{4})",
    "mm": r"(?P<m>[0-9][0-9])",
    "m1": r"(?P<m>[0-9]{1,2})",
    "dd": r"(?P<d>[0-9][0-9])",
    "d1": r"(?P<d>[0-9]{1,2})",
    "a": r"(?P<a>[0-9]{1,2})",
    "c": r"(?P<c>[0-9]{1,2})",
    "HH": r"(?P<H>[0-9][0-9])",
    "H1": r"(?P<H>[0-9]{1,2})",
    "MM": r"(?P<M>[0-9][0-9])",
    "SS": r"(?P<S>[0-9][0-9])",
}
_FIXED = {
    "month": _MONTH,
    "wd": _WEEKDAY,
    "zone": _ZONE,
    "f": _FRACTION,
    "sep": _SEPARATOR,
    "p": r"(?: ?(?P<p>[AaPp])\.?[Mm]\b\.?)?",
    "dot": r"(?:[.,](?P<f>[0-9]{1,9}))?",
    "clock": "{H1}:{MM}:{SS}{f}{p}",
}
_TEMPLATES = {
    "iso": r"{Y}[-/.]{m1}[-/.]{d1}{sep}{clock}{zone}",
    "iso_packed": "{Y}-{mm}-{dd}[-T _]{HH}{MM}{SS}{dot}{zone}",
    "iso_dots": r"{Y}[-.]{mm}[-.]{dd}[-. T_]{HH}[.-]{MM}[.-]{SS}"
    r"(?:\.(?P<f>[0-9]{1,9})|:(?P<fm>[0-9]{3}))?(?P<off>[+-][0-9]{3}\b)?",
    "num_y4": r"{a}[-/.]{c}[-/.]{Y}{sep}{clock}{zone}",
    "num_y2": r"{a}[-/.]{c}[-/.]{y}{sep}{clock}{zone}",
    "dmy_text": r"{wd}{d1}[-/ .] ?{month}[-/ .]{Y},?(?:::?|T| +){clock}{zone}",
    "dmy2_text": r"{wd}{d1}[-/ .]{month}[-/ .]{y},?[: T]{clock}{zone}",
    "ymd_text": r"{Y}[-/ .]{month}[-/ ]{d1},?[: T]{clock}{zone}",
    "ctime": r"{wd}{month} +{d1},? {clock}(?: ?(?P<z>[A-Z]{3,5}|[+-][0-9]{4}))? {Y}\b",
    "mdy_text": r"{wd}{month}[ -]+{d1}(?:st|nd|rd|th)?,?[ -]{Y},?(?: at)?[ T]{clock}{zone}",
    "syslog": r"{wd}{month}(?:[ -]+|/){d1},? {clock}{zone}",
    "dm_text": r"{wd}{d1}[-/ .] ?{month},? {clock}{zone}",
    "sccm": r'time="{H1}:{MM}:{SS}{dot}(?P<bias>[+-][0-9]{1,4})?" date="{m1}-{d1}-{Y}"',
    "clock_iso": r"{clock}[ ,;\t]+{Y}[-/.]{mm}[-/.]{dd}",
    "klog_y": r"[IWEFD]{Y}{mm}{dd} {clock}",
    "klog_y2": r"[IWEFDC] {y}{mm}{dd} {HH}:{MM}:{SS}",
    "klog": r"[IWEFD]{m1}{dd} +{clock}",
    "keyed": r"date=\"?{Y}-{mm}-{dd}\"?[ ,;]+time=\"?{clock}",
    "chromium": r"(?:[0-9]+:){0,2}{mm}{dd}/{HH}{MM}{SS}{dot}",
    "condor": r"[0-9]{3} \([0-9]+(?:\.[0-9]+){2}\) {mm}/{dd} {clock}",
    "after_pid": "[0-9]+:{Y}{mm}{dd}:{HH}{MM}{SS}{dot}",
    "bar": r"{mm}-{dd}\|{clock}",
    "compact": "{Y}{mm}{dd}[-T _]?{HH}:?{MM}:?{SS}{f}{zone}",
    "compact_ms": r"{Y}{mm}{dd}[-T _:;,]{H1}:{M1}:{S1}(?::(?P<fm>[0-9]{1,3}))?",
    "compact_y2": "{y}{mm}{dd} +{H1}:?{MM}:?{SS}{dot}",
    "num": r"{a}[-/.]{c}[- T]{clock}",
    "iso_minute": r"{Y}[-/.]{mm}[-/.]{dd}[T ]{HH}:{MM}",
    "epoch": r"(?P<e>1[0-9]{9})(?:\.(?P<ed>[0-9]{1,9})|,?(?P<ef>[0-9]{3}|[0-9]{6}|[0-9]{9}))?",
    "tai64n": r"@(?P<t>4000[0-9a-f]{12})(?P<tn>[0-9a-f]{8})",
    "clock": "{clock}",
    "day": "{Y}-{mm}-{dd}",
}
"""Name -> template, the more telling shape first where two explain the same lines."""

_YEARLESS = frozenset({"syslog", "dm_text", "klog", "chromium", "condor", "bar", "num"})
_TIGHT_ONLY = frozenset(
    {"klog", "klog_y", "klog_y2", "compact_y2", "num", "iso_minute", "clock_iso", "clock", "tai64n"}
)
_TIGHT_ONLY |= {"chromium", "condor", "after_pid"}
_LOOSE_ONLY = frozenset({"sccm", "day"})

_OF_TIME = r"(?:time|date|stamp|zeit)(?:stamp|[-_ ]?time)?(?:utc|created)?"
_NAMES_TIME = rf"(?i:[@#]?(?:event|log|system|local)?[-_ ]?{_OF_TIME}|ts|when)"
_ANNOUNCES = (
    rf"(?i:[A-Za-zÀ-ÿ]*(?:start|begin|end)[-_ ]?(?:system|local)?[-_ ]?{_OF_TIME}"
    r"|start|end|run at|started(?: at| on)?|ended(?: at| on)?|finished(?: at| on)?|section start|section end"
    r"|begin logging(?: at)?|end logging(?: at)?|inizio del log"
    r"|log(?: file)? (?:created|opened|closed|started)(?: at| on)?|logging started)"
)
_TO_STAMP = r"[\"']?[ \t]?[:=>]*[ \t]*[\"'\[(]?"
_ANNOUNCED = (
    rf"^(?:[^0-9A-Za-z]{{0,8}}{_NAMES_TIME}{_TO_STAMP}"
    rf"|.*?[ \t<,;({{\[\"'*>-]{_NAMES_TIME}[\"']?[:=][\"']?"
    rf"|(?:.*?[ \t<,;({{\[\"'*>#-])?{_ANNOUNCES}{_TO_STAMP})"
)
"""A name of time that begins the line, or has its value right behind it (`Build time: ...` is about another time); or
words that say what happens now."""

_PLACES: dict[Place, str] = {
    "tight": r"^(?:<[0-9]{1,3}>(?:1 )?)?[ \t\[(<{|\"'*#:+=>~;-]{0,6}",
    "announced": _ANNOUNCED,
    "loose": r"^.*?[ \t\[(<|,;=\"':#@]",
}
_AFTER = r"(?:$|[^0-9A-Za-z_])"
DENSE = "[0-9]{2}[:.][0-9]{2}|[0-9]{1,2}:[0-9]{1,2}:[0-9]|[0-9]{6}|@4000|[0-9]{4}-[0-9]{2}-[0-9]{2}"
"""What every stamp shows."""

ANNOUNCED = _ANNOUNCED + r"(?:[A-Za-zÀ-ÿ]{2,9}\.?,? +){0,2}[0-9]"
"""What every announced stamp shows, and little else."""

LOOSE_HEAD_CHARS = 256
"""How far into a line a stamp that does not open it is looked for."""


@dataclass(frozen=True, slots=True)
class StampShape:
    """A shape at a place; `order` says how its two numbers are read, `also` how they may be read as well."""

    name: str
    place: Place
    order: Order = "mdy"
    also: tuple[Order, ...] = ()
    few: bool = False
    """Whether so few lines show it that what stands before it may well be text."""
    behind: str | None = None
    """The very text before the stamp (digits stand for any), where only such lines count."""

    @property
    def has_year(self) -> bool:
        """Whether the year is written."""
        return self.name not in _YEARLESS and self.has_day

    @property
    def has_day(self) -> bool:
        """Whether the day is written."""
        return self.name != "clock"

    @property
    def strict(self) -> str:
        """Pattern of possible stamps; captures the prefix as `pre`, the stamp as `at`, and its parts."""
        return _pattern(self, strict=True)

    @property
    def pattern(self) -> str:
        """Pattern that lines are read by."""
        return _pattern(self, strict=self.place != "tight")


@lru_cache(maxsize=1024)
def _pattern(shape: StampShape, strict: bool) -> str:
    known = _FIXED | (_STRICT if strict else _RELAXED)
    body = _TEMPLATES[shape.name]
    for _ in range(2):
        body = re.sub(r"\{([A-Za-z]\w*)\}", lambda m: known.get(m[1], m[0]), body)
    place = _PLACES[shape.place] if shape.behind is None else "^" + re.sub(r"[0-9]+", "[0-9]+", re.escape(shape.behind))
    return f"(?s)(?P<pre>{place})(?P<at>{body}){_AFTER}"


def shapes_at(place: Place) -> list[StampShape]:
    """Every shape that may stand at a place, in order of declaration."""
    barred = _LOOSE_ONLY if place == "tight" else _TIGHT_ONLY if place == "loose" else frozenset({"clock", "num"})
    return [StampShape(name, place) for name in _TEMPLATES if name not in barred]
