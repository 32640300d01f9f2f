"""One pack folder to a typed `Pack`: every file checked, every problem with file, line and column, all at once."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runcase.rules.build import pack_of
from runcase.rules.language import Pack, Place
from runcase.rules.patterns import PatternBudget
from runcase.rules.read import Keys, ReadPack
from runcase.rules.spelling import FileSpelled, PackSpelled
from runcase.rules.yaml_source import MAX_BYTES, MAX_DEFECTS, Defect, Document

Located = dict[Keys, yaml.Node]
SECTIONS = ("events", "identity", "expect", "failures", "replay", "redact", "formats")
"""Sections whose rules have ids."""


def read_pack(folder: Path, known: bool = False) -> ReadPack:
    """The pack of a folder: `pack.yaml` and any number of further `*.yaml` files, in the order of their names.

    Args:
        folder: Where it is.
        known: Whether its patterns are known to compile, which is most of what reading a pack costs.
    """
    read = ReadPack(None, [])
    digest = hashlib.sha256()
    head: PackSpelled | None = None
    parts: list[tuple[FileSpelled, dict[Keys, Place]]] = []
    for path in sorted(p for p in folder.glob("*.yaml") if p.is_file()):
        with path.open("rb") as f:
            data = f.read(MAX_BYTES + 1)
        digest.update(path.name.encode() + b"\0" + data + b"\0")
        document = Document(f"{folder.name}/{path.name}", data)
        spelled, located = checked(document, PackSpelled if path.name == "pack.yaml" else FileSpelled, known)
        read.documents[document.file] = document
        read.places[document.file] = _places(located, document.file)
        read.defects.extend(document.defects)
        if isinstance(spelled, FileSpelled):
            parts.append((spelled, read.places[document.file]))
        head = spelled if isinstance(spelled, PackSpelled) else head
    if head is None:
        return read
    pack = pack_of(head, parts, digest.hexdigest()[:12])
    return ReadPack(pack, [*read.defects, *_repeated(pack, read)], read.documents, read.places)


def checked(document: Document, model: type[BaseModel], known: bool = False) -> tuple[BaseModel | None, Located]:
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
        return model.model_validate(value, context=PatternBudget(known=known)), located
    except ValidationError as e:
        for error in e.errors(include_url=False, include_context=False)[:MAX_DEFECTS]:
            document.complain(_node(error, located), _message(error, model))
        if e.error_count() > MAX_DEFECTS:
            document.complain(None, f"{e.error_count() - MAX_DEFECTS:,} more problems in this file are not listed")
        return None, located


def _plain(node: yaml.Node, path: Keys, located: Located) -> object:
    """Plain values of a node tree; scalars stay text. `located` learns where each path stands."""
    located[path] = node
    if isinstance(node, yaml.MappingNode):
        found = {}
        for key, value in node.value:
            name = str(key.value)
            found[name] = _plain(value, (*path, name), located)
            located[(*path, name)] = key
            if name.startswith("fields."):
                located[(*path, "fields", name.removeprefix("fields."))] = key
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
    steps = [p for p in error["loc"] if isinstance(p, str) and p != "[key]"]
    where = ".".join(steps)
    if error["type"] == "extra_forbidden":
        key = str(error["loc"][-1])
        near = difflib.get_close_matches(key[:80], _keys(model, error["loc"][:-1]), 1)
        return f"unknown key {key[:80]!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    if error["type"] == "missing":
        return f"missing: {where}"
    if error["type"] == "literal_error":
        return f"{where}: {_literal(error)}"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"


def _literal(error: ErrorDetails) -> str:
    """A word that is not of a closed list, with the near one."""
    wanted = error["msg"].removeprefix("Input should be ")
    known = [w.strip().strip("'") for w in wanted.replace(" or ", ", ").split(",")]
    given = str(error["input"])[:80]
    near = difflib.get_close_matches(given, known, 1)
    return f"unknown {given!r}; " + (f"did you mean {near[0]!r}?" if near else f"it is one of {', '.join(known)}")


def _keys(model: type[BaseModel], loc: Keys) -> list[str]:
    """Keys that the model at `loc` has; found by the field names on the way."""
    here: type[BaseModel] | None = model
    for step in loc:
        if isinstance(step, str) and here is not None:
            here = _model_of(here, step)
    if here is None:
        return []
    return [declared.alias or name for name, declared in here.model_fields.items()]


def _model_of(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """The model inside the type of a field (`list[X]`, `X | None`), if there is one."""
    for name, declared in model.model_fields.items():
        if key in (name, declared.alias):
            waiting: list[object] = [declared.annotation]
            while waiting:
                found = waiting.pop()
                if isinstance(found, type) and issubclass(found, BaseModel):
                    return found
                waiting += get_args(found)
    return None


def _places(located: Located, file: str) -> dict[Keys, Place]:
    return {k: Place(file, n.start_mark.line + 1, n.start_mark.column + 1) for k, n in located.items()}


def _repeated(pack: Pack, read: ReadPack) -> Iterable[Defect]:
    """Ids that occur twice in one section."""
    for section in SECTIONS:
        first: dict[str, Place] = {}
        rules: Sequence[object] = getattr(pack, section)
        for rule in rules:
            name, place = getattr(rule, "id"), getattr(rule, "place")  # noqa: B009
            if name in first:
                where = read.at(place, "id")
                yield read.defect(where, f"the id {name!r} is taken already at {first[name]}")
            first.setdefault(name, place)
