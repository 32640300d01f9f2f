"""Kubernetes objects as `kubectl get -o json|yaml` prints them and as must-gather and support bundles hold them.

A job is a run and its pods are invocations of it; a pod of nothing is a run.
What keeps a pod from starting, or ends it, is named where the cluster states it:
in container states, conditions and events (API v1, batch/v1; Kubernetes 1.19 to 1.33).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runcase.intake.json_spans import JsonText, Path, opens_only
from runcase.intake.readers import argo, kubernetes_events, kubernetes_pods
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, member, text_of
from runcase.intake.readers.kubernetes_pods import Cluster, Part, Thing
from runcase.intake.readers.stated_version import stated

if TYPE_CHECKING:
    from runcase.intake.yaml_spans import YamlText

_JSON = re.compile(rb'"apiVersion"\s*:\s*"[\w./-]+"')
_JSON_KIND = re.compile(rb'"kind"\s*:\s*"[A-Z]\w+"')
_YAML = re.compile(rb"(?m)^(?:- |  )?apiVersion: [\w./-]+\s*$")
_YAML_KIND = re.compile(rb"(?m)^(?:- |  )?kind: [A-Z]\w+\s*$")
_WORKFLOW = re.compile(
    rb"""argoproj\.io/v1(?s:.{0,200})["']?kind["']?\s*:\s*["']?Workflow(?:List)?\b"""
    rb"""|["']?kind["']?\s*:\s*["']?Workflow(?:List)?\b(?s:.{0,200})argoproj\.io/v1"""
)
_METADATA = re.compile(rb'(?m)"metadata"\s*:\s*\{|^(?:  )?metadata:')
_LIST_KIND = re.compile(rb'"kind"\s*:\s*"(\w+)List"|^kind: (\w+)List\s*$', re.MULTILINE)

_INNER = (
    ("status",),
    ("status", "containerStatuses"),
    ("status", "initContainerStatuses"),
    ("status", "conditions"),
    ("status", "nodes"),
)
_OPENS = opens_only((), *_INNER, ("items",), ("items", -1), *(("items", -1, *p) for p in _INNER))
_TELLERS: dict[str, Callable[[Cluster, Thing], None]] = {
    "Pod": kubernetes_pods.pod,
    "Job": kubernetes_pods.job,
    "Event": kubernetes_events.event,
    "Workflow": argo.workflow,
}


class Kubernetes(DocumentReader):
    """Pods, jobs, events and Argo workflows; other objects are listed."""

    name = "kubernetes"
    versions = "Kubernetes 1.19 to 1.33 objects and lists as JSON or YAML; Argo Workflows 3.x"
    stated_version = stated(
        rb'(?m)^\s*"?apiVersion"?\s*:\s*"?(?:argoproj\.io/)?(v[^\s"/,]+)"?,?\s*$', rb"v1(?:alpha1|beta1)?"
    )
    describes_run = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """An API version, a kind and metadata, as every object has them."""
        head = sniff.head.removeprefix(b"\xef\xbb\xbf").lstrip()
        first, second = (_JSON, _JSON_KIND) if head.startswith((b"{", b"[")) else (_YAML, _YAML_KIND)
        found = len(first.findall(head))
        if found and second.search(head) and _METADATA.search(head):
            return Taken(f"{found} objects with apiVersion, kind and metadata", 84)
        return None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """Records of the parts of each object that say what happened; spans of containers and of steps."""
        text = _text(data, path)
        listed = _LIST_KIND.search(data)
        of_list = (listed[1] or listed[2]).decode() if listed else ""
        things = [_named(t, of_list) for t in _things(text)]
        draft = Draft(data, problems=text.problems)
        cluster = Cluster(draft, kubernetes_pods.tries(things), kubernetes_events.settled(things))
        for thing in things:
            _TELLERS.get(thing.kind, _listed)(cluster, thing)
        return draft.facts()


class Argo(Kubernetes):
    """Argo workflows, whose own engine resumes them."""

    name = "argo_workflows"
    versions = "Argo Workflows 3.x objects and lists as JSON or YAML"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """An object of the kind Workflow, of Argo's API."""
        if super().recognises(sniff) and _WORKFLOW.search(sniff.head):
            return Taken("objects of Argo's API, a workflow among them", 85)
        return None


def _text(data: bytes, path: str) -> JsonText | YamlText:
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
        return JsonText(data, path)
    from runcase.intake.yaml_spans import YamlText  # loads what reads YAML, which most inputs need not

    return YamlText(data, path)


@dataclass(slots=True)
class _Growing:
    """Parts of an object as the walk finds them."""

    parts: dict[Path, Part] = field(default_factory=dict)


def _things(text: JsonText | YamlText) -> Iterator[Thing]:
    """Every object of a document with its parts; those that stand one over the other give their first place only."""
    found: dict[tuple[int, Path], _Growing] = {}
    end = 0
    for leaf in text.walk(_OPENS):
        where = leaf.path[:2] if leaf.path[:1] == ("items",) and len(leaf.path) > 1 else ()
        inner = leaf.path[len(where) :]
        if inner and leaf.start >= end:
            end = leaf.start + leaf.length
            thing = found.setdefault((text.roots, where), _Growing())
            thing.parts[inner] = Part(leaf.value, Place(leaf.start, leaf.length))
    yield from (Thing("", g.parts) for g in found.values())


def _named(thing: Thing, of_list: str) -> Thing:
    """The object with its kind; elements of a typed list do not repeat it."""
    kind = text_of(thing.value("kind"))
    if kind is None and thing.value("involvedObject") is not None:
        kind = "Event"
    return Thing(kind or of_list, thing.parts)


def _listed(cluster: Cluster, thing: Thing) -> None:
    """An object of another kind: what it is called, on its metadata."""
    part = thing.parts.get(("metadata",))
    if part is not None and thing.kind and not thing.kind.endswith("List"):
        name = text_of(member(part.value, "name"))
        cluster.draft.record(part.place, "log", f"{thing.kind} {name or 'without a name'}")
