"""Rule packs from disk: YAML files to one typed `Pack`, with every problem at once.

A pack is a folder with `pack.yaml` and any number of further `*.yaml` files,
read in the order of their names. Each error names file, line and column.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runcase.model.problems import RuncaseError
from runcase.rules.build import pack_of
from runcase.rules.language import Pack, Place
from runcase.rules.spelling import FileSpelled, PackSpelled
from runcase.rules.yaml_source import Defect, Document

Located = dict[tuple[str | int, ...], yaml.Node]


def shipped_packs() -> Path:
    """The folder of the packs that come with runcase: in the wheel, or in a checkout."""
    installed = Path(__file__).parent.parent / "packs"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "rules"


def load_packs(names: Sequence[str]) -> tuple[Pack, ...]:
    """The packs of these names or paths, and those that they extend, each once, later ones stronger.

    Raises:
        RuncaseError: `unknown_pack`, or `invalid_pack` with all problems of all packs.
    """
    packs: dict[str, Pack] = {}
    defects: list[Defect] = []
    waiting = list(reversed(names))
    while waiting:
        name = waiting.pop()
        pack, found = read_pack(_folder(name))
        defects += found
        if pack is None or pack.name in packs:
            continue
        missing = [p for p in pack.extends if p not in packs]
        if missing and pack.name not in missing:
            waiting += [name, *reversed(missing)]
            packs_needed = {*missing}
            if packs_needed & {n for n in waiting[:-1] if waiting.count(n) > 50}:
                raise RuncaseError("invalid_pack", f"packs extend each other in a circle: {', '.join(missing)}")
            continue
        packs[pack.name] = pack
    if defects:
        raise RuncaseError("invalid_pack", report(defects), "runcase rules check PACK shows the same list")
    return tuple(packs.values())


def report(defects: Iterable[Defect]) -> str:
    """All defects, each with its code frame."""
    found = sorted(set(defects), key=lambda d: (d.place.file, d.place.line, d.place.column, d.message))
    noun = "problem" if len(found) == 1 else "problems"
    return "\n".join([f"{len(found)} {noun} in rule packs", *(d.framed() for d in found)])


def _folder(name: str) -> Path:
    given = Path(name)
    if (given / "pack.yaml").is_file():
        return given
    shipped = shipped_packs() / name
    if name.replace("-", "").replace("_", "").isalnum() and (shipped / "pack.yaml").is_file():
        return shipped
    known = sorted(p.parent.name for p in shipped_packs().glob("*/pack.yaml"))
    raise RuncaseError("unknown_pack", f"no rule pack {name!r}", f"shipped are: {', '.join(known)}; or name a folder")


def read_pack(folder: Path) -> tuple[Pack | None, list[Defect]]:
    """One pack and its defects; None when pack.yaml itself has no usable head."""
    files = sorted(p for p in folder.glob("*.yaml") if p.is_file())
    digest = hashlib.sha256()
    head: PackSpelled | None = None
    parts: list[tuple[FileSpelled, Located, str]] = []
    defects: list[Defect] = []
    for path in files:
        data = path.read_bytes()
        digest.update(path.name.encode() + b"\0" + data + b"\0")
        document = Document(f"{folder.name}/{path.name}", data)
        is_head = path.name == "pack.yaml"
        spelled, located = _checked(document, PackSpelled if is_head else FileSpelled)
        defects += document.defects
        if isinstance(spelled, FileSpelled):
            parts.append((spelled, located, document.file))
        if isinstance(spelled, PackSpelled):
            head = spelled
    if head is None:
        return None, defects
    pack = pack_of(head, [(s, _places(n, f)) for s, n, f in parts], digest.hexdigest()[:12])
    return pack, [*defects, *_repeated(pack)]


def _checked(document: Document, model: type[BaseModel]) -> tuple[BaseModel | None, Located]:
    """The file as its model; the model's complaints become defects at the nodes that they are about."""
    located: Located = {}
    if document.root is None:
        if not document.defects:
            document.complain(None, "the file is empty")
        return None, located
    if not isinstance(document.root, yaml.MappingNode):
        document.complain(document.root, "a rule file is a mapping of sections")
        return None, located
    value = _plain(document.root, (), located)
    try:
        return model.model_validate(value), located
    except ValidationError as e:
        for error in e.errors():
            document.complain(_node(error, located), _message(error, model))
        return None, located


def _plain(node: yaml.Node, path: tuple[str | int, ...], located: Located) -> object:
    """Plain values of a node tree; scalars stay text. `located` learns where each path stands."""
    located[path] = node
    if isinstance(node, yaml.MappingNode):
        found = {}
        for key, value in node.value:
            name = str(key.value)
            found[name] = _plain(value, (*path, name), located)
            located[(*path, name)] = key
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(n, (*path, i), located) for i, n in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)
    return None if node.value == "" and not node.style else node.value


def _node(error: ErrorDetails, located: Located) -> yaml.Node | None:
    """The node that an error is about: the longest part of its path that the file has."""
    loc = tuple(error["loc"])
    while loc and loc not in located:
        loc = loc[:-1]
    return located.get(loc)


def _message(error: ErrorDetails, model: type[BaseModel]) -> str:
    where = ".".join(str(p) for p in error["loc"] if isinstance(p, str))
    if error["type"] == "extra_forbidden":
        key = str(error["loc"][-1])
        near = difflib.get_close_matches(key, _keys(model, error["loc"][:-1]), 1)
        return f"unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    if error["type"] == "missing":
        return f"missing: {where}"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"


def _keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """Keys that the model at `loc` has; found by the field names on the way."""
    here: type[BaseModel] | None = model
    for step in loc:
        if isinstance(step, str) and here is not None:
            here = _model_of(here, step)
    if here is None:
        return []
    return [field.alias or name for name, field in here.model_fields.items()]


def _model_of(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """The model inside the type of a field (`list[X]`, `X | None`), if there is one."""
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            waiting: list[object] = [field.annotation]
            while waiting:
                found = waiting.pop()
                if isinstance(found, type) and issubclass(found, BaseModel):
                    return found
                waiting += get_args(found)
    return None


def _places(located: Located, file: str) -> dict[tuple[str | int, ...], Place]:
    return {k: Place(file, n.start_mark.line + 1, n.start_mark.column + 1) for k, n in located.items()}


def _repeated(pack: Pack) -> list[Defect]:
    """Ids that occur twice in one section."""
    found = []
    for rules in (pack.events, pack.identity, pack.expect, pack.failures, pack.replay, pack.redact, pack.formats):
        first: dict[str, Place] = {}
        for rule in rules:
            if rule.id in first:
                found.append(Defect(rule.place, f"the id {rule.id!r} is taken already at {first[rule.id]}"))
            first.setdefault(rule.id, rule.place)
    return found


def overridden(packs: Sequence[Pack]) -> tuple[Pack, ...]:
    """Packs in which a rule that a later pack has too (same section, same id) is left out of the earlier one."""
    result: list[Pack] = []
    taken: dict[str, set[str]] = {}
    for pack in reversed(packs):
        kept: dict[str, Any] = {}
        for section in ("events", "identity", "expect", "failures", "replay", "redact"):
            ids = taken.setdefault(section, set())
            kept[section] = tuple(r for r in getattr(pack, section) if r.id not in ids)
            ids |= {r.id for r in kept[section]}
        result.append(replace(pack, **kept))
    return tuple(reversed(result))
