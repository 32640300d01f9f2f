"""Lines that complete a statement: where in the project's own code, what differs, what stood last before the exit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from runcase.analysis.decisive.families import Family

REACH = 30
"""A failure's own details stand within so many lines after its title."""

TAIL_LINES = 6
"""Last lines before an exit that are shown when nothing stronger is known of a failure."""

LOCATION = Family("location", "", 60)
DIFFERENCE = Family("difference", "", 58)
TAIL = Family("tail", "", 46)
HEADING = Family("heading", "", 61)

_LOCATION = re.compile(
    r"^\s*(?:at |❯ |File \"|from |# \.?/|#\d+ +0x\w+ in |/|\w[\w./-]*\.\w+:\d+: ?in )\S*.*?[\w)\"]:? ?(?:line )?\d+"
)
_FOREIGN = re.compile(
    r"node_modules|node:internal|internal/|site-packages|dist-packages|/lib/python|<frozen|org\.junit|junit\.framework"
    r"|java\.(?:base|lang|util)|sun\.reflect|jdk\.internal|org\.(?:apache\.maven|gradle|testng|opentest4j)|/gems/|/vendor/"
    r"|/usr/lib|hostedtoolcache|\.cargo/registry|/rustc/|src/testing/|System\.|Microsoft\.|Xunit\.|NUnit\."
)
_DIFFERENCE = re.compile(r"^\s*(?:[-+] ?[^-+\s=].*|> ?\d+ \|.*|\d+ \| +>>>.*)$")
_FRAME = re.compile(r"^\s+at .*[:(]\d+(?::\d+)?\)?$|^\s*[\^~|]+$")
"""Of a stack trace the title above it says what happened."""

_IMAGE_STEP = re.compile(r"^#\d+ ")
_ENDING = re.compile(r"^(?:##\[|Post job cleanup|(?:\[\w+\] )?Tests? run:|PASS |FAIL |\s*✓|\s*✔|ok \d|travis_|//\S+ )")
_IDLE = re.compile(
    r"^\s*(?:##\[(?:group|endgroup|debug)|\[command\]|section_(?:start|end):\d|shell: |env:|with:"
    r"|['\"]?[a-z]\w*['\"]?: (?:false|undefined|null|None|''|\"\"),?$"
    r"|.*[━█]{6}|(?:\[\w+\] *)?(?:[-=*_~─]{3,}\s*|npm (?:ERR!|error)\s*)?$)"
)
_FINE = re.compile(r"(?i)\b(?:success\w*|succeeded|completed|finished|done|stored|saved|uploaded|passed)\b")
_NOT_FINE = re.compile(r"(?i)fail|error|not |n't|unable|abort|exit|cancel|time")
_ADVICE = re.compile(
    r"^(?:\[\w+\] *|npm (?:ERR!|error) *)?(?:\* (?:Try|Get more help)|>? ?Run with --\w|To see the full stack trace"
    r"|Re-run Maven|For more information about the errors|After correcting the problems|Please refer to |\[Help \d\]"
    r"|mvn <args>|-> \[Help|A complete log of this run|Node\.js v\d|note: run with `RUST_BACKTRACE"
    r"|(?:\[error\] )?stack trace is suppressed; run |You have skipped tests|Use \"--rerun-failed)"
)
"""What a tool adds to every failure: where to read on, which flag says more."""


def advises(text: str) -> bool:
    """Whether a line says what may be done about a failure, and nothing of it."""
    return bool(_ADVICE.match(text))


def details(place: int, texts: Mapping[int, str]) -> Iterator[tuple[int, str, Family]]:
    """Own places and differences of the statement that begins at `place`: at most two and eight."""
    places = differences = 0
    for at in range(place + 1, place + REACH + 1):
        text = texts.get(at)
        if text is None or _ENDING.match(text):
            return
        if places < 2 and _LOCATION.match(text) and not _FOREIGN.search(text):
            places += 1
            yield at, text, LOCATION
        elif differences < 8 and _DIFFERENCE.match(text):
            differences += 1
            yield at, text, DIFFERENCE


def opening(place: int, texts: Mapping[int, str], headed: bool) -> Iterator[tuple[int, str, Family]]:
    """What a statement began with: the step of an image (`#7 [build 2/4] RUN ...`), the file above indented rows."""
    step = _IMAGE_STEP.match(texts.get(place, ""))
    for at in range(place - 1, place - 12, -1) if step or headed else ():
        text = texts.get(at, "")
        if (step and text.startswith(f"{step[0]}[")) or (headed and text[:1].strip()):
            yield at, text, HEADING
            return


def origin(place: int, texts: Mapping[int, str]) -> Iterator[tuple[int, str, Family]]:
    """Places in a stack trace above the error that it led to (Python prints the error last): the nearest own one."""
    for at in range(place - 1, place - 12, -1):
        text = texts.get(at)
        if text is None or not (text.startswith((" ", "\t")) or _LOCATION.match(text)):
            return
        if _LOCATION.match(text) and not _FOREIGN.search(text):
            yield at, text, LOCATION
            return


def _says_nothing(text: str, known: bool) -> bool:
    if _IDLE.match(text) or _FRAME.match(text) or advises(text):
        return True
    return known and bool(_FINE.search(text)) and not _NOT_FINE.search(text)


def tail(end: int, texts: Mapping[int, str], count: int, known: bool) -> Iterator[tuple[int, str, Family]]:
    """The last lines that say something before an exit at `end`, nearest first.

    Args:
        end: The row of the exit.
        texts: Rows of the run near it.
        count: How many.
        known: Whether other lines tell the cause: what went well says nothing more then.
    """
    found = 0
    for at in range(end - 1, end - 3 * count - 4, -1):
        text = texts.get(at)
        if text is None or found == count or (found and text.startswith("##[endgroup]")):
            return
        if len(text.strip()) > 2 and not _says_nothing(text, known):
            found += 1
            yield at, text, TAIL
