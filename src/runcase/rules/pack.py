"""Rule packs by name: shipped ones and folders, those that they extend, and who overrides whom."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from runcase.model.kept import kept, kept_beside
from runcase.model.problems import RuncaseError
from runcase.rules.language import Pack
from runcase.rules.read import ReadPack

if TYPE_CHECKING:
    from runcase.rules.yaml_source import Defect


def shipped_packs() -> Path:
    """The folder of the packs that come with runcase: in the wheel, or in a checkout."""
    installed = Path(__file__).parent.parent / "packs"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "rules"


def shipped_names() -> list[str]:
    """Names of the shipped packs, sorted."""
    return sorted(p.parent.name for p in shipped_packs().glob("*/pack.yaml"))


def load_packs(names: Sequence[str]) -> tuple[Pack, ...]:
    """The packs of these names or paths, and those that they extend, each once, later ones stronger.

    Raises:
        RuncaseError: `unknown_pack`, or `invalid_pack` with all problems of all packs.
    """
    read = read_packs(names, known=True)
    defects = [d for r in read for d in r.defects]
    if defects:
        raise RuncaseError("invalid_pack", report(defects), "runcase rules check PACK shows the same list")
    return tuple(r.pack for r in read if r.pack is not None)


def read_packs(names: Sequence[str], known: bool = False) -> list[ReadPack]:
    """As `load_packs`, with the defects as values; a pack stands after those that it extends.

    Args:
        names: Names or paths.
        known: Whether shipped packs are taken as they are, without the places of what they hold: the tests compile
            their patterns.

    Raises:
        RuncaseError: `unknown_pack`, or `invalid_pack` when packs extend each other in a circle.
    """
    found: dict[str, ReadPack] = {}
    for name in names:
        _gather(name, found, (), known)
    return list(found.values())


def _gather(name: str, found: dict[str, ReadPack], below: tuple[str, ...], known: bool) -> None:
    folder = folder_of(name)
    shipped = folder.resolve().parent == shipped_packs().resolve()
    read = _known(folder) if known and shipped else _read(folder)
    own = read.pack.name if read.pack else str(folder)
    if own in below:
        circle = " extends ".join([*below[below.index(own) :], own])
        raise RuncaseError("invalid_pack", f"packs extend each other in a circle: {circle}")
    if own in found:
        return
    for wanted in read.pack.extends if read.pack else ():
        beside = folder.parent / wanted
        _gather(str(beside) if (beside / "pack.yaml").is_file() else wanted, found, (*below, own), known)
    if read.pack is not None and shipped:
        read = replace(read, pack=replace(read.pack, shipped=True))
    found[own] = read


def _read(folder: Path, known: bool = False) -> ReadPack:
    # what checks YAML costs a fifth of a second to load, and most builds need none of it
    from runcase.rules.reading import read_pack

    return read_pack(folder, known)


def _known(folder: Path) -> ReadPack:
    """A shipped pack without the places of what it holds."""
    pack = _all_known().get(folder.name)
    return ReadPack(pack, []) if pack else _read(folder, known=True)


@cache
def _all_known() -> dict[str, Pack]:
    """Folder -> shipped pack without defects; read once for their files, what reads them, and a version of Python."""
    own = Path(__file__).parent
    folders = [shipped_packs() / name for name in shipped_names()]
    digest = hashlib.sha256()
    for path in (*(p for f in folders for p in sorted(f.glob("*.yaml"))), *sorted(own.glob("*.py"))):
        digest.update(f"{path.parent.name}/{path.name}\0".encode() + path.read_bytes() + b"\0")

    def made() -> dict[str, Pack]:
        read = {f.name: _read(f, known=True) for f in folders}
        return {name: r.pack for name, r in read.items() if r.pack is not None and not r.defects}

    known: dict[str, Pack] = kept(
        kept_beside(__file__), f"packs.{sys.implementation.cache_tag}", digest.hexdigest(), made
    )
    return known


def report(defects: Iterable[Defect]) -> str:
    """All defects, each with its code frame."""
    found = in_order(defects)
    noun = "problem" if len(found) == 1 else "problems"
    return "\n".join([f"{len(found)} {noun} in rule packs", *(d.framed() for d in found)])


def in_order(defects: Iterable[Defect]) -> list[Defect]:
    """Each defect once, by file, line and column."""
    return sorted(set(defects), key=lambda d: (d.place.file, d.place.line, d.place.column, d.message))


def folder_of(name: str) -> Path:
    """The folder of a pack that is named by a path or as a shipped one.

    Raises:
        RuncaseError: `unknown_pack`.
    """
    given = Path(name)
    if (given / "pack.yaml").is_file():
        return given
    shipped = shipped_packs() / name
    if name.replace("-", "").replace("_", "").isalnum() and (shipped / "pack.yaml").is_file():
        return shipped
    known = ", ".join(shipped_names())
    if given.is_dir():
        raise RuncaseError("unknown_pack", f"{name} has no pack.yaml", "a pack is a folder with a pack.yaml")
    raise RuncaseError("unknown_pack", f"no rule pack {name!r}", f"shipped are: {known}; or name a folder")
