"""Readable ids for runs that nothing but their source identifies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Set

_COMPRESSED = re.compile(r"\.(?:gz|bz2|xz|zst|zstd|lz4|Z)$")


def own_run_ids(paths: Mapping[str, str], taken: Set[str], names: Mapping[str, str]) -> dict[str, str]:
    """One id a source: the shortest end of its path that no other source of `paths` shares.

    Args:
        paths: source_id -> path through nested archives; each becomes a run of its own.
        taken: Run ids that evidence names already.
        names: source_id -> id that it has; it keeps it.

    Returns:
        source_id -> run id. Container names are left out unless nothing else tells two paths apart;
        where whole paths are equal, or the id is taken, `~2`, `~3` follow.
    """
    named = {sid: names[sid] for sid in paths if sid in names}
    paths = {sid: path for sid, path in paths.items() if sid not in named}
    inner = {sid: _inner_parts(path) for sid, path in paths.items()}
    whole = Counter(inner.values())
    parts = {sid: p if whole[p] == 1 else all_parts(paths[sid]) for sid, p in inner.items()}
    ends = Counter("/".join(p[-n:]) for p in parts.values() for n in range(1, len(p) + 1))
    used = {*taken, *named.values()}
    for sid in sorted(paths, key=lambda s: (paths[s], s)):
        name = _shortest(parts[sid], ends)
        named[sid] = _free(name, used)
        used.add(named[sid])
    return named


def leaf_folder(path: str) -> tuple[str, ...]:
    """The folder of a source as parts, through containers; a compressed file stands in its own folder."""
    return tuple(all_parts(path)[:-1])


def all_parts(path: str) -> tuple[str, ...]:
    """Every part of a path through archives; the name of a compressed file and of its content count once."""
    parts: list[str] = []
    for segment in path.split("!/"):
        inner = [p for p in segment.split("/") if p not in ("", ".")]
        if parts and len(inner) == 1 and _COMPRESSED.sub("", parts[-1]) == inner[0]:
            parts.pop()
        parts += inner
    return tuple(parts) or (path,)


def _inner_parts(path: str) -> tuple[str, ...]:
    """As `all_parts`, without the names of the containers themselves."""
    segments = path.split("!/")
    if len(segments) == 1:
        return all_parts(path)
    inner: list[str] = []
    for n, segment in enumerate(segments):
        parts = [p for p in segment.split("/") if p not in ("", ".")]
        inner += parts if n == len(segments) - 1 else parts[:-1]
    return tuple(inner) or all_parts(path)


def _shortest(parts: tuple[str, ...], ends: Counter[str]) -> str:
    for n in range(1, len(parts)):
        end = "/".join(parts[-n:])
        if ends[end] == 1:
            return end
    return "/".join(parts)


def _free(name: str, used: Set[str]) -> str:
    if name not in used:
        return name
    n = 2
    while f"{name}~{n}" in used:
        n += 1
    return f"{name}~{n}"
