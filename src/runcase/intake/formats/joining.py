"""Which lines begin a record and which go on with the one before.

In a source whose records are stamped, a line without stamp goes on, unless it
states how a process ended: somebody else says that. Elsewhere only what belongs
to a trace does: its frames, its causes, and the line that
names the error. A trace ends with its last known line, so that the next record
is never swallowed. Every rule looks back at most to the head of its trace and
ahead at most `LOOK_AHEAD` lines.
"""

from __future__ import annotations

import polars as pl

_END = (
    r"(?i)^(?:\S+ ){0,3}(?:process|script|command|job|build|task|program|container)(?: \S+){0,4} "
    r"(?:exited|finished|terminated|completed|ended) with (?:exit |return )?(?:code|status)\b"
    r"|^(?:exit|return) (?:code|status):? ?\d{1,3}\s*$"
    r"|^Exception in thread \""
)
"""What a shell, a runner or a virtual machine says behind the output of a program that stamped its lines."""

LOOK_AHEAD = 2
"""Lines behind a line that may decide whether it goes on; fewer are there at the end of a block only."""

HEAD_CHARS = 1024

_FRAME = (
    r"^[ \t]+at \S"  # Java, JavaScript, .NET
    r"|^[ \t]*\.\.\. \d+ (?:more|common frames)"
    r"|^[ \t]*(?:Caused by|Suppressed|Wrapped by): "
    r"|^[ \t]*(?:---> |--- End of )"  # .NET
    r"|^[ \t]+\[cause\]: "  # JavaScript
    r"|^[ \t]+from \S+:\d+"  # Ruby
    r"|^[ \t]+File \".*\", line \d+"  # Python
    r"|^(?:Stack trace:|\[stacktrace\])$|^#\d+ (?:\S+\(\d+\)|\{main\}|\[internal)|^[ \t]+thrown in "  # PHP
    r"|^\t\S+\.go:\d+|^created by \S|^goroutine \d+ .*\]:$|^\[signal "  # Go
    r"|^[ \t]+\d+: +\S|^stack backtrace:$|^note: (?:run with|[Ss]ome details)"  # Rust
    r"|^[ \t]+#\d+ 0x[0-9a-f]+"  # sanitizers, gdb
    r"|^[ \t]*[~^]*\^[~^]*[ \t]*$"  # carets
)
_GO_FILE = r"^\t\S+\.go:\d+"
_GO_NEXT = r"^(?:goroutine \d+ .*\]:|\[signal )"
_RUST_HEAD = r"^thread '.*' (?:\(\d+\) )?panicked at .*:\d+:\d+:$"
_CARETS = r"^[ \t]*[~^]*\^[~^]*[ \t]*$"
_PY_HEAD = r"^(?:[ \t|+]*|.*[.]{3} ?)(?:Exception Group )?Traceback \(most recent call last\):$"
_PY_BODY = r"^(?:[ \t]|$)|^\+-"
_PY_ERROR = r"^[A-Za-z_][\w.]*(?::|$)"
_PY_LINK = r"^(?:During handling of the above exception|The above exception was the direct cause)"
_SAN_HEAD = r"(?:ERROR|WARNING): \w+Sanitizer"
_SAN_BODY = (
    r"^[ \t]|^$|^=+$|^(?:READ|WRITE|freed|previously|allocated|Direct|Indirect|Address|Shadow|Thread|SUMMARY: |Uninit)"
    r"|^0x[0-9a-f]+ is located|^=>0x|^==\d+=="
)


def states_end(text: pl.Expr) -> pl.Expr:
    """Whether a line without stamp states how a process ended."""
    return text.str.slice(0, HEAD_CHARS).str.contains(_END)


def goes_on(text: pl.Expr) -> pl.Expr:
    """Whether a line of a source without stamps belongs to the trace before it; the begin of a long line tells."""
    text = text.str.slice(0, HEAD_CHARS)
    frame = text.str.contains(_FRAME)
    return frame | _python(text) | _body_of(text, _SAN_HEAD, _SAN_BODY) | _go(text) | _rust(text) | _shown(text)


def _since(head: pl.Expr, strange: pl.Expr) -> pl.Expr:
    """How many strange lines stand behind the last head, this line included; null before the first head."""
    seen = strange.cast(pl.Int32).cum_sum()
    return seen - pl.when(head).then(seen).forward_fill()


def _body_of(text: pl.Expr, head: str, body: str) -> pl.Expr:
    """Lines behind a head while they look like its body."""
    heads = text.str.contains(head)
    strange = ~text.str.contains(body) & ~heads
    return ((_since(heads, strange) == 0) & ~heads).fill_null(value=False)


def _python(text: pl.Expr) -> pl.Expr:
    """Frames behind `Traceback`, the line that names the error, and tracebacks chained to it."""
    heads = text.str.contains(_PY_HEAD)
    strange = ~text.str.contains(_PY_BODY) & ~heads
    count = _since(heads, strange)
    body = (count == 0) & ~heads & text.str.contains(r"\S")
    error = (count == 1) & strange & text.str.contains(_PY_ERROR)
    link = text.str.contains(_PY_LINK)
    near = link | link.shift(-1) | link.shift(1) | (link.shift(2) & heads)
    return (body | error).fill_null(value=False) | near.fill_null(value=False)


def _go(text: pl.Expr) -> pl.Expr:
    """Function lines above their file, and the blank line above a goroutine."""
    function = text.shift(-1).str.contains(_GO_FILE) & text.str.contains(r"^\S+\(.*\)?$")
    blank = (text == "") & text.shift(-1).str.contains(_GO_NEXT)
    return (function | blank).fill_null(value=False)


def _rust(text: pl.Expr) -> pl.Expr:
    return text.shift(1).str.contains(_RUST_HEAD).fill_null(value=False)


def _shown(text: pl.Expr) -> pl.Expr:
    """The line of source text above carets."""
    above = text.shift(-1).str.contains(_CARETS) & text.str.contains(r"^[ \t]")
    return above.fill_null(value=False)
