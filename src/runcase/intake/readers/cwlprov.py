"""CWLProv: the PROV-JSON of a CWL workflow's run (CWLProv 0.3 to 0.6 as cwltool writes it).

Activities are the run and its steps; `used` and `wasGeneratedBy` tie them to
data that is named by its SHA-1.
"""

from __future__ import annotations

import re
from typing import Any

from runcase.intake.instants import NOWHEN, Instant, instant
from runcase.intake.json_spans import JsonText, Leaf, Path
from runcase.intake.readers.base import DocumentFacts, DocumentReader, Sniff, Taken
from runcase.intake.readers.draft import Draft, Place, member, text_of

_SECTIONS = ("activity", "used", "wasGeneratedBy", "wasStartedBy", "wasEndedBy", "wasAssociatedWith")
_RUN_OF = re.compile(r"^Run of [^#]*#(?:main/)?")
_MARK = re.compile(rb'"(?:wasGeneratedBy|wasEndedBy|wasStartedBy|activity)"\s*:\s*\{')
_PREFIX = re.compile(rb"w3id\.org/cwl|purl\.org/wf4ever|cwlprov")


class CwlProv(DocumentReader):
    """One provenance document."""

    name = "cwlprov"
    versions = "CWLProv 0.3 to 0.6, PROV-JSON"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """PROV-JSON with the prefixes of CWLProv."""
        if sniff.head.lstrip().startswith(b"{") and b'"prefix"' in sniff.head and _PREFIX.search(sniff.head):
            return Taken("PROV-JSON with the prefixes of CWLProv", 88)
        found = len(_MARK.findall(sniff.head))
        return Taken(f"{found} sections of PROV-JSON", 70) if found >= 2 and b'"prov:' in sniff.head else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record an activity and a relation; claims of what was used and made."""
        text = JsonText(data, path)
        draft = Draft(data, problems=text.problems)
        leaves = [leaf for leaf in text.walk(_opens) if len(leaf.path) > 1]
        document = _Document(leaves, _research_object(path))
        for leaf in leaves:
            document.tell(leaf, draft)
        return draft.facts()


def _opens(path: Path) -> bool:
    return not path or (len(path) == 1 and path[0] in _SECTIONS)


class _Document:
    """What relations say of activities, and which activity is the run."""

    def __init__(self, leaves: list[Leaf], folder: str | None) -> None:
        self._known: dict[str, Any] = {"workspace_id": folder}
        self._begun: dict[str, Instant] = {}
        self._ended: dict[str, Instant] = {}
        self._names: dict[str, str] = {}
        parents: dict[str, str] = {}
        activities: list[str] = []
        for leaf in leaves:
            section, own = str(leaf.path[0]), str(leaf.path[1])
            about = text_of(member(leaf.value, "prov:activity")) or own
            when = instant(member(leaf.value, "prov:time"))
            if section == "activity":
                activities.append(own)
                self._names[own] = _label(leaf.value) or own
                for known, key in ((self._begun, "prov:startTime"), (self._ended, "prov:endTime")):
                    stated = instant(member(leaf.value, key))
                    known[own] = stated if stated[0] else known.get(own, NOWHEN)
            elif section == "wasStartedBy":
                self._begun[about] = when if when[0] else self._begun.get(about, NOWHEN)
                parents[about] = text_of(member(leaf.value, "prov:starter")) or ""
            elif section == "wasEndedBy":
                self._ended[about] = when if when[0] else self._ended.get(about, NOWHEN)
        roots = [a for a in activities if parents.get(a, "") not in activities]
        self._makers = {text_of(member(x.value, "prov:activity")) for x in leaves if str(x.path[0]) == "wasGeneratedBy"}
        typed = [str(x.path[1]) for x in leaves if x.path[0] == "activity" and "WorkflowRun" in str(x.value)]
        self._run = next((a for a in (*typed, *roots, *activities) if a in roots or not roots), None)

    def tell(self, leaf: Leaf, draft: Draft) -> None:
        """The record of an activity or relation."""
        section, own = str(leaf.path[0]), str(leaf.path[1])
        place = Place(leaf.start, leaf.length)
        activity = text_of(member(leaf.value, "prov:activity"))
        known = self._known | {"run_id": self._run}
        if section == "activity":
            self._activity(own, place, draft)
        elif section in ("used", "wasGeneratedBy"):
            data = text_of(member(leaf.value, "prov:entity")) or "?"
            action = "read" if section == "used" else "written"
            stage = self._names.get(activity or "", activity) if activity != self._run else None
            when = instant(member(leaf.value, "prov:time"))
            draft.record(place, f"artifact.{action}", f"{data} {section} {stage or 'the run'}", when, stage=stage,
                         artifacts=[data], **known)  # fmt: skip
            role = text_of(member(leaf.value, "prov:role")) or text_of(member(leaf.value, "prov:role", "$"))
            digest = re.search(r"(?:^|:)([0-9a-f]{40})$", data)
            draft.artifact(place, data, action, stage=stage or self._names.get(self._run or ""), role=role,
                           checksum=f"sha1:{digest[1]}" if digest else None, ts=when[0], run_id=self._run)  # fmt: skip
        else:
            draft.record(place, "log.relation", f"{section} {activity or own}", **known)

    def _activity(self, own: str, place: Place, draft: Draft) -> None:
        begun, ended = self._begun.get(own, NOWHEN), self._ended.get(own, NOWHEN)
        is_run, over = own == self._run, ended[0] is not None
        name = self._names[own]
        # the end says not how; what the run made says that it went through
        told = over and (not is_run or own in self._makers)
        kind = ("run.finished" if is_run else "stage.finished") if told else "log"
        stage = None if is_run else name
        fields = {"job": name if is_run else None}
        words = f"{name} {'ended' if over else 'began and has no end'}"
        draft.record(place, kind, words, ended if over else begun, fields=fields, stage=stage, run_id=self._run,
                     **self._known)  # fmt: skip
        status = "unset" if told else "ended" if over else "open"
        draft.span(place, own, name, kind="other" if is_run else "stage", parent_span_id=None if is_run else self._run,
                   start=begun[0], end=ended[0], status=status, run_id=self._run)  # fmt: skip


def _research_object(path: str) -> str | None:
    """The folder of the research object that a document lies in."""
    return path.rpartition("/metadata/provenance/")[0] or None


def _label(activity: object) -> str | None:
    """The label; of `Run of workflow/packed.cwl#main/sort` the step, as the engine calls it."""
    label = text_of(member(activity, "prov:label")) or text_of(member(activity, "prov:label", "$"))
    return _RUN_OF.sub("", label) if label else None
