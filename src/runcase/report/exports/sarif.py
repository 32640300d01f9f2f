"""SARIF 2.1.0 (OASIS): the blocker as an error, contradictions as warnings, absences as notes, each at its lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from runcase.model.kinds import FAILED
from runcase.report.build import Reported
from runcase.report.citations import parsed
from runcase.report.dossier import Dossier, Signal
from runcase.report.exports.base import Exported, as_json

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MAX_LOCATIONS = 20


def sarif(one: Reported) -> Exported:
    """One SARIF run for the dossier's run."""
    d = one.dossier
    results = [r for r in (_failure(d), *(_signal(s, d) for s in (*d.contradictions, *d.signals))) if r]
    rules = sorted({r["ruleId"] for r in results})
    for r in results:
        r["ruleIndex"] = rules.index(r["ruleId"])
    driver = {
        "name": "runcase",
        "semanticVersion": _semantic(d.provenance.get("runcase", "")),
        "rules": [{"id": rule, "shortDescription": {"text": rule}} for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": d.run.run_id},
        "invocations": [_invocation(d)],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    loss = ["times, windows, artifacts, lineage and the replay plan"]
    if any(not r["locations"] for r in results):
        loss.append("results whose evidence is no line of text have no location")
    return as_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, loss)


def _semantic(version: str) -> str:
    return version if version.count(".") == 2 else "0.0.0"


def _invocation(d: Dossier) -> dict[str, Any]:
    found: dict[str, Any] = {"executionSuccessful": d.run.status not in (*FAILED, "cancelled")}
    exits = [a.exit_code for a in d.run.attempts if a.exit_code is not None]
    if exits:
        found["exitCode"] = exits[-1]
    for name, at in (("startTimeUtc", d.run.created_at or d.run.first_ts), ("endTimeUtc", d.run.finished_at)):
        if at:
            found[name] = f"{at[:23]}Z"
    return found


def _failure(d: Dossier) -> dict[str, Any] | None:
    if d.failure is None:
        return None
    refs = (*d.failure.decisive, *d.failure.blocker.refs)
    return {
        "ruleId": d.failure.failure_class,
        "level": "error",
        "message": {"text": d.failure.blocker.text},
        "locations": _locations(refs, d),
        "partialFingerprints": {"runcase/signature/1": d.failure.signature},
        "properties": {"confidence": d.failure.confidence, "nextActions": list(d.next_actions)},
    }


def _signal(s: Signal, d: Dossier) -> dict[str, Any]:
    return {
        "ruleId": s.code,
        "level": "warning" if s in d.contradictions else "note",
        "message": {"text": s.text},
        "locations": _locations(s.refs, d),
        "properties": {"verdict": s.verdict, "searched": s.searched},
    }


def _locations(refs: Sequence[str], d: Dossier) -> list[dict[str, Any]]:
    found = []
    for ref in dict.fromkeys(refs):
        place = next(_places(ref, d), None)
        if place:
            found.append(place)
    return found[:MAX_LOCATIONS]


def _places(ref: str, d: Dossier) -> Iterator[dict[str, Any]]:
    at = parsed(ref)
    for c in d.cited:
        if c.ref == ref and c.path and c.line:
            yield _location(c.path, c.line, c.text, ref)
    for e in d.excerpts:
        for line in e.lines:
            here = parsed(line.ref)
            same = at is not None and here is not None and here.source_id == at.source_id
            if same and at is not None and here is not None and here.byte_start == at.byte_start:
                yield _location(e.path, line.line, line.text, ref)


def _location(path: str, line: int, text: str | None, ref: str) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": max(1, line)}
    if text:
        region["snippet"] = {"text": text}
    physical = {"artifactLocation": {"uri": quote(path, safe="/!", errors="backslashreplace")}, "region": region}
    return {"physicalLocation": physical, "message": {"text": ref}}
