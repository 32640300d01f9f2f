"""Why each run failed: the first failure rule whose evidence holds, else what its decisive lines say."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from runcase.analysis.advice import advice
from runcase.analysis.conditions import Evaluator
from runcase.analysis.counterparts import good_runs_before
from runcase.analysis.decisive.classes import named_class, purpose, why_cancelled
from runcase.analysis.decisive.details import DIFFERENCE, LOCATION, TAIL
from runcase.analysis.decisive.novelty import masked
from runcase.analysis.decisive.select import EXITS, Decision
from runcase.analysis.decisive.statements import Told, decisions
from runcase.analysis.decisive.weighing import Candidate
from runcase.analysis.stated import Stated, stated_causes
from runcase.analysis.structure import Ending, Shape, endings, last_silences, of_last_attempts, shapes
from runcase.analysis.view import CaseView
from runcase.model.kinds import EXIT_CLASSES, UNSUCCESSFUL
from runcase.model.tables import DIAGNOSES
from runcase.rules.language import FailureRule

MAX_CONSIDERED = 5
SPEAKING = 55
"""Families from this weight on say that something failed, in general words at least."""

MAX_LINES = 3
"""Lines that stand beside a cause which the evidence states."""
_QUOTED = re.compile(r'"[^"]*"')
_LIMIT_CODES = ("124", "137", "143")
_LIMITED = re.compile(r"(?:^|[\s;&|(\"])(g?timeout (?:-\S+ (?:[A-Z]+ )?)*\d[\d.]*[smhd]? \S[^\n\"]*)")
"""A command under GNU timeout."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A failure rule that holds for a run, with its refs."""

    rule: FailureRule
    refs: list[str]
    evidence: list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class _Known:
    """What speaks of one run: rules that hold, a cause that is stated, its shape, lines, its end, its last silence."""

    rules: Sequence[_Held]
    stated: Stated | None
    shape: Shape | None
    told: Told | None
    end: Ending | None
    silence: tuple[str, str] | None


def diagnose(view: CaseView) -> pl.DataFrame:
    """DIAGNOSES of runs that did not succeed, and of running ones with a rule that holds or a stated cause."""
    held = _held(view)
    unsuccessful = view.runs.filter(pl.col("status") != "succeeded")["run_id"]
    goods = good_runs_before(view.runs)
    looked_at = pl.concat([unsuccessful, goods["other"]]).unique(maintain_order=True)
    told = decisions(of_last_attempts(view, looked_at), unsuccessful, goods)
    formed, stated = shapes(view), stated_causes(of_last_attempts(view), view.sources)
    ends = endings(view, {r for r in unsuccessful if r not in told or told[r].decision.best is None})
    silences = last_silences(view)
    rows: list[dict[str, object]] = []
    for run in view.runs.sort("run_id").iter_rows(named=True):
        run_id, status = run["run_id"], run["status"]
        rules = held.get(run_id, [])
        if status in UNSUCCESSFUL or ((rules or run_id in stated) and status != "succeeded"):
            spoken = (stated.get(run_id), formed.get(run_id), told.get(run_id), ends.get(run_id))
            rows += _diagnosis(run, _Known(rules, *spoken, silences.get(run_id)))
    return DIAGNOSES.frame(rows).sort(DIAGNOSES.key)


# --- failure rules of packs -----------------------------------------------------------------------


def _held(view: CaseView) -> dict[str, list[_Held]]:
    """Failure rules that hold, by run, strongest first: priority, then stronger packs, then their order."""
    rules = [r for p in reversed(view.packs) for r in p.failures]
    rules.sort(key=lambda r: -r.priority)
    conditions = [c for r in rules for c in (r.when, *(e.condition for e in r.evidence))]
    if not rules:
        return {}
    evaluator = Evaluator(view, conditions)
    found: dict[str, list[_Held]] = {}
    for rule in rules:
        holds = evaluator.holds(rule.when)
        proofs = [(e.text, _by_run(evaluator.holds(e.condition))) for e in rule.evidence]
        for run_id, refs in holds.select("run_id", "refs").iter_rows():
            evidence: list[dict[str, object]] = [
                {"text": text, "refs": proof[run_id]} for text, proof in proofs if run_id in proof
            ]
            found.setdefault(run_id, []).append(_Held(rule, refs, evidence))
    return found


def _by_run(holds: pl.DataFrame) -> dict[str, list[str]]:
    return dict(zip(holds["run_id"].to_list(), holds["refs"].to_list(), strict=True))


# --- the verdict ----------------------------------------------------------------------------------


def _diagnosis(run: dict[str, object], known: _Known) -> list[dict[str, object]]:
    told = known.told
    decision = told.decision if told else Decision((), None, ())
    refs = told.refs if told else {}
    if known.rules:
        return _by_rule(run, known.rules, decision, refs)
    failure = _failure_class(run, decision, told)
    if known.stated is not None and run["status"] != "cancelled":
        return _by_statement(run, known, failure, decision, refs)
    if known.shape is not None:
        return _by_shape(run, known.shape, decision, told)
    # errors of a run that was told to stop are its echo, and those of a lost one did not end it
    ended = _ended(known, failure, decision) or _by_limit(run, told)
    best = None if ended else decision.best
    text = ended.text if ended else told.cause if told and best else _without_lines(run)
    usual = told is not None and best is not None and best.shared > 0
    sure = "consistent" if best and run["status"] == "failed" and not usual else "conjecture"
    said: list[dict[str, object]] = [
        {"text": _sentence(c), "refs": [refs[c.place]]} for c in _distinct(decision.candidates)
    ]
    evidence = [*said[:1], *_against_good_runs(best, told, refs), *said[1:]]
    verdict = {
        "run_id": run["run_id"],
        "rank": 0,
        "class": failure,
        "confidence": ended.confidence if ended else sure,
        "text": text,
        "refs": list(ended.refs) if ended else [refs[best.place]] if best else list(_strings(run["status_refs"])),
        "evidence": json.dumps(evidence, ensure_ascii=False),
        "next_actions": list(advice(failure)),
        "decisive": list(dict.fromkeys([*(ended.refs if ended else ()), *(refs[p] for p in decision.places)])),
        "signature": _signature(failure, text),
    }
    return [verdict, *_others(run, failure, decision, refs)]


def _by_rule(
    run: dict[str, object], rules: Sequence[_Held], decision: Decision, refs: dict[int, str]
) -> list[dict[str, object]]:
    first = rules[0]
    proofs = [str(r) for e in first.evidence for r in _strings(e["refs"])[:1]]
    decisive = list(dict.fromkeys(proofs or first.refs[:6]))
    text = first.rule.blocker or f"the evidence of {first.rule.failure} holds"
    rows: list[dict[str, object]] = [
        {
            "run_id": run["run_id"],
            "rank": 0,
            "class": first.rule.failure,
            "confidence": first.rule.confidence,
            "text": text,
            "refs": first.refs,
            "evidence": json.dumps(first.evidence, ensure_ascii=False),
            "next_actions": list(first.rule.next_actions or advice(first.rule.failure)),
            "decisive": decisive or [refs[p] for p in decision.places],
            "signature": _signature(first.rule.failure, text),
        }
    ]
    for n, other in enumerate(rules[1 : MAX_CONSIDERED + 1], 1):
        why = f"its evidence holds too, but {first.rule.failure} comes first"
        rows.append(_considered(run, n, other.rule.failure, why, other.refs))
    return rows


def _by_statement(
    run: dict[str, object], known: _Known, suggested: str, decision: Decision, refs: dict[int, str]
) -> list[dict[str, object]]:
    """The cause that the producer itself names; what lines suggest gives a class only where it gave none."""
    stated = known.stated
    if stated is None:
        return []
    failure = stated.failure or suggested
    cited = list(stated.refs)
    said = [{"text": stated.text, "refs": cited}]
    silence = known.silence if failure.startswith("timeout") else None
    said += [{"text": silence[0], "refs": [silence[1]]}] if silence else []
    shown = [*cited, *([silence[1]] if silence else [])]
    lines = [refs[c.place] for c in decision.candidates[:MAX_LINES]]
    verdict = {
        "run_id": run["run_id"],
        "rank": 0,
        "class": failure,
        "confidence": "proven" if stated.failure else "consistent",
        "text": f"{stated.text}; {silence[0]}" if silence else stated.text,
        "refs": shown,
        "evidence": json.dumps(said, ensure_ascii=False),
        "next_actions": list(advice(failure)),
        "decisive": list(dict.fromkeys([*shown, *lines])),
        "signature": _signature(failure, stated.text),
    }
    return [verdict, *_others(run, failure, decision, refs)]


def _by_shape(run: dict[str, object], shape: Shape, decision: Decision, told: Told | None) -> list[dict[str, object]]:
    """The shape names the class; the line that says most stands behind it, and its own class is considered."""
    best, refs = decision.best, told.refs if told else {}
    evidence = [dict(e) for e in shape.evidence]
    if best is not None:
        said: dict[str, object] = {"text": _sentence(best), "refs": [refs[best.place]]}
        evidence = [said, *_against_good_runs(best, told, refs), *evidence]
    proofs = list(dict.fromkeys([*(refs[p] for p in decision.places), *shape.refs]))
    verdict = {
        "run_id": run["run_id"],
        "rank": 0,
        "class": shape.failure,
        "confidence": shape.confidence,
        "text": shape.text if best is None else f"{shape.text}: {told.cause if told else ''}",
        "refs": [refs[best.place]] if best is not None else list(shape.refs),
        "evidence": json.dumps(evidence, ensure_ascii=False),
        "next_actions": list(advice(shape.failure)),
        "decisive": proofs,
        "signature": _signature(shape.failure, shape.text),
    }
    return [verdict, *_others(run, shape.failure, decision, refs)]


def _failure_class(run: dict[str, object], decision: Decision, told: Told | None) -> str:
    if run["status"] == "cancelled":
        return why_cancelled(decision)
    if run["pack"] is not None and run["status"] in ("lost", "timed_out"):
        return "lost" if run["status"] == "lost" else "timeout.run"
    if _by_limit(run, told):
        return "timeout.command"
    command = told.command if told else ""
    named = named_class(decision, command, told.inside if told else None)
    if named:
        return named
    codes = told.codes if told else ()
    by_code = next((EXIT_CLASSES[c] for c in codes if c in EXIT_CLASSES), None)
    if by_code:
        return by_code
    by_command = purpose(command) if run["status"] == "failed" else None
    if by_command:
        return by_command
    if run["status"] == "timed_out":
        return "timeout.run"
    if run["status"] == "failed" and _reported(decision):
        return "crash.reported"
    return "lost" if run["status"] == "lost" else "unknown_failure"


def _ended(known: _Known, failure: str, decision: Decision) -> Ending | None:
    """What the end of a run itself says, where it is the cause or nothing else is."""
    if known.end is None or decision.best is None:
        return known.end
    if failure == "lost" and not known.end.decides and known.told is not None:
        speaks = decision.best.family.weight >= SPEAKING
        said = f"{known.end.text}; it says of a failure: {known.told.cause}"
        ref = known.told.refs[decision.best.place]
        return replace(known.end, text=said, refs=(*known.end.refs, ref)) if speaks else known.end
    return known.end if failure in ("cancelled", "timeout.run", "lost") and known.end.decides else None


def _by_limit(run: dict[str, object], told: Told | None) -> Ending | None:
    """The command that failed was ended because its time was up: what it printed before is no cause.

    GNU timeout exits with 124; with 137 or 143 where it kills, or hands the status of the command on.
    """
    if told is None or run["status"] != "failed":
        return None
    code = next((c for c in told.codes if c != "0"), None)
    limited = _LIMITED.search(told.command)
    if code not in _LIMIT_CODES or (code != "124" and not limited) or _starved(told.decision):
        return None
    what = f"`{limited[1].strip()[:200]}`" if limited else "a command"
    text = f"{what} was ended when its time was up (exit code {code})"
    return Ending(text, tuple(_strings(run["status_refs"])), "proven" if limited and code == "124" else "consistent")


def _starved(decision: Decision) -> bool:
    """Whether a line says that memory ran out; `Killed` alone does not."""
    return any(c.family.name in ("oom", "oom_heap") for c in decision.candidates)


def _reported(decision: Decision) -> bool:
    """Whether a command of which a CI service says that it failed speaks of an error, in whatever words."""
    best = decision.best
    if best is None or best.family in (TAIL, LOCATION, DIFFERENCE):
        return False
    ended = any(c.family.name in EXITS for c in decision.candidates)
    return best.family.name == "annotation" or (best.family.weight >= SPEAKING and ended)


def _without_lines(run: dict[str, object]) -> str:
    if run["status"] == "lost":
        return "the evidence ends without any verdict on the run"
    return f"the run is {run['status']}, and no line says why"


def _against_good_runs(best: Candidate | None, told: Told | None, refs: dict[int, str]) -> list[dict[str, object]]:
    """Whether the good runs of the job have the line of the cause too."""
    if best is None or told is None or not told.good_runs:
        return []
    n = told.good_runs
    runs = "1 good run of this job does" if n == 1 else f"{n} good runs of this job do"
    text = f"its line {best.against}" if best.shared else f"{runs} not have this line"
    return [{"text": text, "refs": [refs[best.place]]}]


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The strongest candidate of each family, at most eight; no place twice."""
    families: dict[str, Candidate] = {}
    places: set[int] = set()
    for c in candidates:
        if c.place not in places and c.family.name not in families:
            families[c.family.name] = c
            places.add(c.place)
    return list(families.values())[:8]


def _sentence(c: Candidate) -> str:
    return c.text.strip().split("\n", 1)[0][:300]


def _others(run: dict[str, object], failure: str, decision: Decision, refs: dict[int, str]) -> list[dict[str, object]]:
    """Other classes that lines suggest, and why they were not chosen."""
    seen = {failure}
    rows: list[dict[str, object]] = []
    best = decision.best
    for c in decision.candidates:
        if c.family.failure and c.family.failure not in seen and len(rows) < MAX_CONSIDERED and best:
            seen.add(c.family.failure)
            where = c.against or ("comes later" if c.place > best.place else "is weaker")
            why = f"its line {where}: {_sentence(c)}"
            rows.append(_considered(run, len(rows) + 1, c.family.failure, why, [refs[c.place]]))
    return rows


def _considered(run: dict[str, object], rank: int, failure: str, why: str, refs: list[str]) -> dict[str, object]:
    return {
        "run_id": run["run_id"],
        "rank": rank,
        "class": failure,
        "confidence": "conjecture",
        "text": why,
        "refs": refs,
        "evidence": "[]",
        "next_actions": [],
        "decisive": [],
        "signature": "",
    }


def _signature(failure: str, text: str) -> str:
    """Equal for the same cause in the same place: the class, and the text with its variable parts masked."""
    return f"{failure}: {_QUOTED.sub('#', masked(text))}"[:200]


def _strings(value: object) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else []
