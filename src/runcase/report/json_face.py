"""The JSON face: `dossier.json` as the contract spells it, and what the terminal commands print for scripts."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from runcase.report.dossier import SCHEMA, Dossier, Failure, Tests, Window
from runcase.report.index_value import Index
from runcase.report.raw_evidence import RawEvidence


def to_json(dossier: Dossier) -> str:
    """`runcase/dossier/1`: UTF-8 text with a newline at the end, keys in the order of the contract."""
    return _dumped(as_contract(dossier))


def index_json(index: Index) -> str:
    """Every run, failures first."""
    return _dumped({"schema": "runcase/index/1", **asdict(index)})


def raw_json(found: RawEvidence) -> str:
    """What a ref resolves to; `text` is UTF-8 with invalid bytes escaped, null when the bytes have expired."""
    text = None if found.data is None else found.data.decode("utf-8", "backslashreplace")
    state = "expired" if found.data is None else "kept"
    return _dumped({"ref": found.ref, "path": found.path, "state": state, "text": text, "known": found.known})


def as_contract(d: Dossier) -> dict[str, Any]:
    """The dossier as plain values under the names of the contract."""
    return {
        "schema": SCHEMA,
        "run": asdict(d.run),
        "failure": _failure(d.failure) if d.failure else None,
        "known_issue": asdict(d.known_issue) if d.known_issue else None,
        "windows": [_window(w) for w in d.windows],
        "stages": [_window(w) for w in d.stages],
        "tools": [_window(w) for w in d.tools],
        "gaps": [_window(w) for w in d.gaps],
        "signals": [asdict(s) for s in d.signals],
        "contradictions": [asdict(s) for s in d.contradictions],
        "artifacts": [asdict(a) for a in d.artifacts],
        "edges": [asdict(e) for e in d.edges],
        "replay": asdict(d.replay) if d.replay else None,
        "tests": _tests(d.tests) if d.tests else None,
        "next_actions": list(d.next_actions),
        "excerpts": [asdict(e) for e in d.excerpts],
        "events": [asdict(e) for e in d.events],
        "evidence_damage": [asdict(x) for x in d.evidence_damage],
        "sources": [asdict(s) for s in d.sources],
        "cited": [asdict(c) for c in d.cited],
        "coverage": asdict(d.coverage),
        "provenance": dict(d.provenance),
    }


def _tests(t: Tests) -> dict[str, Any]:
    """Earlier tries are told of where there are any."""
    return {name: value for name, value in asdict(t).items() if value or name != "earlier_tries"}


def _failure(f: Failure) -> dict[str, Any]:
    return {
        "class": f.failure_class,
        "confidence": f.confidence,
        "blocker": asdict(f.blocker),
        "evidence": [asdict(e) for e in f.evidence],
        "considered": [{"class": c.failure_class, "rejected_because": c.rejected_because} for c in f.considered],
        "signature": f.signature,
        "decisive": list(f.decisive),
    }


def _window(w: Window) -> dict[str, Any]:
    return {
        "name": w.name,
        "kind": w.kind,
        "attempt": w.attempt,
        "state": w.state,
        "start": w.start,
        "end": w.end,
        "duration_us": w.duration_us,
        "uncertainty_us": w.uncertainty_us,
        "reason": w.reason,
        "searched": w.searched,
        "detail": w.detail,
        "proof": list(w.proof),
    }


def _dumped(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n"
