"""Names are data: how names from archives become paths that every face and Parquet can hold."""

from __future__ import annotations

import hashlib
import re

MAX_NAME_CHARS = 4096
"""Longer names are cut and marked with a digest; Linux' PATH_MAX."""

_ESCAPE_LIKE = re.compile(r"\\(?=x[0-9a-f]{2})")
_SUFFIXES = {
    "gz": (".gz", ".gzip", ".z"),
    "bz2": (".bz2", ".bz"),
    "xz": (".xz",),
    "zst": (".zst", ".zstd"),
    "lz4": (".lz4",),
}
_TAR_SUFFIXES = {
    "gz": (".tgz", ".taz"),
    "bz2": (".tbz2", ".tbz", ".tb2"),
    "xz": (".txz",),
    "zst": (".tzst", ".tzs"),
    "lz4": (".tlz4",),
}
_CONTAINER_NAME = re.compile(r"\.(gz|tgz|bz2|tbz2?|xz|txz|zst|zstd|tzst|lz4|zip|7z|tar)$", re.IGNORECASE)


def visible_name(raw: bytes | str) -> str:
    r"""A name as valid UTF-8: each byte that is not becomes `\xHH`, and a literal `\xHH` becomes `\x5cxHH`.

    The mapping can be undone, except for names over MAX_NAME_CHARS, which end
    in `~` and 8 hex digits of their digest.
    """
    data = raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else raw
    text = data.decode("utf-8", "surrogateescape")
    text = _ESCAPE_LIKE.sub(lambda _: r"\x5c", text)
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if len(text) > MAX_NAME_CHARS:
        text = f"{text[: MAX_NAME_CHARS - 9]}~{hashlib.sha256(data).hexdigest()[:8]}"
    return text


def content_name(name: str, format_name: str) -> str:
    """What the content of a compressed file is called: the name without its suffix (`a.tgz` holds `a.tar`)."""
    lower = name.lower()
    for suffix in _SUFFIXES[format_name]:
        if lower.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    for suffix in _TAR_SUFFIXES[format_name]:
        if lower.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)] + ".tar"
    return name


def promises_container(name: str) -> bool:
    """Whether the name says that this is a container."""
    return _CONTAINER_NAME.search(name) is not None


def last_part(path: str) -> str:
    """The last part of a path through nested archives."""
    return path.rpartition("!/")[2].rpartition("/")[2]
