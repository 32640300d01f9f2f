"""Forms in which a secret travels: base64 and percent-encoding."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import quote_from_bytes

RUN = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def base64_cores(value: bytes, least: int = 4) -> list[bytes]:
    """What base64 makes of `value` whatever stands before and after it: one core for each of three alignments."""
    cores = []
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + value + b"\0\0\0")
        begin, end = -(-shift * 8 // 6), (shift + len(value)) * 8 // 6
        if end - begin >= least:
            cores.append(text[begin:end])
    return cores


def decoded_run(run: bytes) -> Iterator[bytes]:
    """What a run of base64 characters may hold, at each of the four alignments that it may have."""
    body = run.rstrip(b"=").translate(_URL_SAFE)
    for shift in range(4):
        part = body[shift:]
        try:
            yield base64.b64decode(part[: len(part) // 4 * 4] + _last(part))
        except binascii.Error:
            continue


def _last(part: bytes) -> bytes:
    """The incomplete group at the end, padded."""
    rest = part[len(part) // 4 * 4 :]
    return rest + b"=" * (-len(rest) % 4) if len(rest) > 1 else b""


def percent_decoded(text: bytes) -> tuple[bytes, list[int]]:
    """`text` with its escapes resolved, and the place in `text` where each byte (and the end) came from."""
    out = bytearray()
    places: list[int] = []
    at = 0
    for escape in _ESCAPE.finditer(text):
        out += text[at : escape.start()]
        places += range(at, escape.start())
        out.append(int(escape[1], 16))
        places.append(escape.start())
        at = escape.end()
    out += text[at:]
    places += range(at, len(text) + 1)
    return bytes(out), places


def forms_of(secret: bytes) -> set[bytes]:
    """The secret itself, its base64 cores in both alphabets, and its percent-encoding."""
    cores = base64_cores(secret, least=8)
    safe = {c.translate(bytes.maketrans(b"+/", b"-_")) for c in cores}
    return {secret, *cores, *safe, quote_from_bytes(secret, safe="").encode()}
