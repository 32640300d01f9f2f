"""Workflow Run RO-Crate: `ro-crate-metadata.json` with the actions that ran (RO-Crate 1.1, 1.2; profiles 0.1 to 0.5).

The action that the root data set mentions, or whose instrument is the main
entity, is the run; actions of its steps are stages. `object` was used, `result`
was made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from runcase.intake.instants import instant
from runcase.intake.json_spans import JsonText, Leaf, opens_only
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, member, number_of, text_of
from runcase.intake.readers.stated_version import stated

_CONTEXT = re.compile(rb"w3id\.org/ro/crate/\d\.\d")
_ACTIONS = frozenset({"CreateAction", "ActivateAction", "UpdateAction", "RunAction"})
_STATUS = {
    "CompletedActionStatus": "succeeded",
    "FailedActionStatus": "failed",
    "ActiveActionStatus": "running",
    "PotentialActionStatus": "running",
}
_DIGESTS = ("sha256", "sha512", "sha1", "md5")


class RoCrate(DocumentReader):
    """The metadata of one crate."""

    name = "rocrate"
    versions = "RO-Crate 1.1 and 1.2 with Process, Workflow or Provenance Run Crate 0.1 to 0.5"
    stated_version = stated(rb'"https?://w3id\.org/ro/crate/(\d[\w.-]*?)(?:/context|-DRAFT)?/?"', rb"1\.[0-2](?:\..*)?")

    def recognises(self, sniff: Sniff) -> Taken | None:
        """A graph in the context of RO-Crate."""
        if b'"@graph"' in sniff.head and _CONTEXT.search(sniff.head):
            return Taken("a graph in the context of RO-Crate", 88)
        return None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record an entity; actions with their spans and what they used and made."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        leaves = [leaf for leaf in text.walk(opens_only((), ("@graph",))) if leaf.path[:1] == ("@graph",)]
        entities = {i: leaf.members for leaf in leaves if (i := text_of(leaf.members.get("@id")))}
        main = _main_action(entities)
        for leaf in leaves:
            _tell(leaf, entities, main, draft)
        return draft.facts()


def _types(entity: Mapping[str, object]) -> set[str]:
    given = entity.get("@type")
    return {t for v in (given if isinstance(given, list) else [given]) if (t := text_of(v))}


def _ids(value: object) -> list[str]:
    """The ids that a property refers to: one object, or an array of them."""
    rows = value if isinstance(value, list) else [value]
    return [i for r in rows if (i := text_of(member(r, "@id")) or text_of(r))]


def _main_action(entities: Mapping[str, Mapping[str, object]]) -> str | None:
    """Id of the action that is the run."""
    root = next((e for i, e in entities.items() if i in ("./", ".")), {})
    actions = [i for i, e in entities.items() if _types(e) & _ACTIONS]
    wanted = _ids(root.get("mainEntity"))
    by_workflow = [i for i in actions if set(_ids(entities[i].get("instrument"))) & set(wanted)]
    mentioned = [i for i in _ids(root.get("mentions")) if i in actions]
    steps = {i for e in entities.values() if "ControlAction" in _types(e) for i in _ids(e.get("object"))}
    free = [i for i in actions if i not in steps]
    return next(iter([*by_workflow, *mentioned, *free, *actions]), None)


def _tell(leaf: Leaf, entities: Mapping[str, Mapping[str, object]], main: str | None, draft: Draft) -> None:
    entity, place = leaf.members, Place(leaf.start, leaf.length)
    own = text_of(entity.get("@id")) or ""
    if _types(entity) & _ACTIONS:
        _action(entity, own, place, entities, main, draft)
    else:
        words = f"{' '.join(sorted(_types(entity))) or 'entity'} {text_of(entity.get('name')) or own}"
        draft.record(place, "log.entity", words, run_id=main)


def _action(
    entity: Mapping[str, object], own: str, place: Place, entities: Mapping[str, Mapping[str, object]],
    main: str | None, draft: Draft,
) -> None:  # fmt: skip
    is_run = own == main
    tool = next((text_of(entities.get(i, {}).get("name")) or i for i in _ids(entity.get("instrument"))), None)
    name = tool or text_of(entity.get("name")) or own
    begun, ended = instant(entity.get("startTime")), instant(entity.get("endTime"))
    said = next(iter(_ids(entity.get("actionStatus"))), "").rsplit("/", 1)[-1]
    error = text_of(entity.get("error"))
    over = ended[0] is not None or error is not None
    status = _STATUS.get(said) or ("failed" if error else "succeeded" if over else None)
    running = status in (None, "running")
    known: dict[str, Any] = {"run_id": main, "stage": None if is_run else name}
    fields: dict[str, object] = {"job": name if is_run else None, "action_status": said or None}
    fields["error_name"] = "FailedActionStatus" if status == "failed" and error else None
    fields["status"] = None if running else status if is_run else {"succeeded": "ok"}.get(status or "", status)
    kind = ("run.finished" if is_run else "stage.finished") if not running else "log"
    level = "error" if status == "failed" else None
    words = f"{name} {status or 'without a status'}" + (f": {error.splitlines()[0]}" if error else "")
    draft.record(place, kind, words, ended if over else begun, (error,), fields, level=level, **known)
    spans = {"succeeded": "ok", "failed": "error"}
    draft.span(place, own or f"action-{place.start}", name, kind="other" if is_run else "stage",
               parent_span_id=None if is_run else main, start=begun[0], end=ended[0],
               status=spans.get(status or "", "open"), error=error, run_id=main)  # fmt: skip
    for key, action in (("object", "read"), ("result", "written")):
        for one in _ids(entity.get(key)):
            _claim(entities.get(one, {}), one, action, name, place, draft, main)


def _claim(
    entity: Mapping[str, object], own: str, action: str, stage: str, place: Place, draft: Draft, run_id: str | None
) -> None:
    digest = next((f"{n}:{d}" for n in _DIGESTS if (d := text_of(entity.get(n)))), None)
    file = bool(_types(entity) & {"File", "Dataset", "MediaObject"})
    role = ", ".join(_ids(entity.get("exampleOfWork"))) or None
    draft.artifact(place, own, action, path=own if file else None, size_bytes=number_of(entity.get("contentSize")),
                   checksum=digest, stage=stage, run_id=run_id, role=role)  # fmt: skip
