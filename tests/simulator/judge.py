"""What the conclusions on a simulated run may say, given what survived of its evidence; all else is a complaint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import polars as pl
from tests.simulator.damage import Exported
from tests.simulator.knobs import STAGES, Cause
from tests.simulator.world import FINAL, PAGES, World, bundle_sha

from runcase.model.case import Conclusions

WINDOWS = (
    ("queue", "created", "claimed", "no_run_created", "no_claim"),
    ("boot", "claimed", "ready", "no_claim", "no_workspace_ready"),
    ("active", "ready", "final", "no_workspace_ready", "no_final_artifact"),
    ("writeback", "final", "finished", "no_final_artifact", "no_status_writeback"),
)
"""Name, marks of both boundaries, and codes of their absence, as the pack declares them."""

VAGUE = ("unknown_failure", "lost")


def complaints(world: World, left: Exported, found: Conclusions) -> list[str]:
    """Everything that is wrong with the conclusions; empty if they are as good as the evidence."""
    if world.run not in found.runs["run_id"].to_list():
        return [] if not left.lines else ["the run was not found"]
    return [
        *_attempts(world, left, found),
        *_windows(world, left, found),
        *_told_skews(world, left, found),
        *_sums(world, found),
        *_cause(world, left, found),
        *_lineage(world, left, found),
        *_plan(world, left, found),
    ]


def _at(world: World, attempt: int, mark: str) -> datetime:
    """The true instant of a mark, as exact as its writer stamps it."""
    line = next(x for x in world.lines if x.attempt == attempt and x.mark == mark)
    return (line.at.replace(microsecond=0) if line.source == "queue" else line.at).replace(tzinfo=UTC)


def _source(world: World, attempt: int, mark: str) -> str:
    return next(x.source for x in world.lines if x.attempt == attempt and x.mark == mark)


# --- attempts -------------------------------------------------------------------------------------


def _attempts(world: World, left: Exported, found: Conclusions) -> Iterator[str]:
    rows = found.attempts.filter(pl.col("run_id") == world.run)
    numbers = set(rows["attempt"].to_list())
    spoken = {x.attempt for x in left.lines if x.source != "stdout" or len(left.files) > 1}
    if not spoken <= numbers or not numbers <= set(range(1, world.knobs.attempts + 1)):
        yield f"attempts {sorted(numbers)}, and the evidence has {sorted(spoken)}"
    for number, status in rows.select("attempt", "status").iter_rows():
        allowed = _statuses(world, left, number)
        if status not in allowed:
            yield f"attempt {number} is {status}, and may be {sorted(allowed)}"


def _statuses(world: World, left: Exported, attempt: int) -> set[str]:
    """Statuses that the surviving evidence allows."""
    k = world.knobs
    last = attempt == k.attempts
    cause = k.cause if last else None
    true = cause.status if cause else "failed"
    if left.has(attempt, "finished") or left.has(attempt, "deadline"):
        return {true}
    record = last and "record" not in k.dropped
    if left.has(attempt, "exit") and true != "cancelled":
        return {true}
    allowed = {true, "lost"} | ({"failed"} if true == "cancelled" else set())
    if record:
        allowed |= {"running"}
    if left.has(attempt, "expired"):
        allowed -= {"running"}
    return allowed


# --- windows --------------------------------------------------------------------------------------


def _windows(world: World, left: Exported, found: Conclusions) -> Iterator[str]:
    rows = found.windows.filter((pl.col("run_id") == world.run) & (pl.col("kind") == "window"))
    if not any(x.mark for x in left.lines):
        return
    for attempt in rows["attempt"].unique().sort().to_list():
        mine = {r["name"]: r for r in rows.filter(pl.col("attempt") == attempt).iter_rows(named=True)}
        for name, start, end, no_start, no_end in WINDOWS:
            if name not in mine:
                if left.lines and "queue" not in world.knobs.dropped:
                    yield f"attempt {attempt} has no window {name}"
                continue
            has = left.has(attempt, start), left.has(attempt, end)
            wanted = "closed" if all(has) else "open" if has[0] else "absent"
            got = mine[name]
            if got["state"] != wanted:
                yield f"{name} of attempt {attempt} is {got['state']}, not {wanted} (skew {world.knobs.skew})"
            elif wanted == "closed":
                yield from _exact(world, attempt, start, end, got)
            elif got["reason"] != (no_start if not has[0] else no_end):
                yield f"{name} of attempt {attempt} is {wanted} for {got['reason']}"


def _exact(world: World, attempt: int, start: str, end: str, got: dict[str, object]) -> Iterator[str]:
    """A window on one clock is exact; on two, it is as far off as the clocks, or as its uncertainty says."""
    true = (_at(world, attempt, end) - _at(world, attempt, start)).total_seconds() * 1e6
    off = float(str(got["duration_us"])) - true
    ahead = [world.knobs.host_skew(_host(_source(world, attempt, m), attempt)) for m in (start, end)]
    known, said = got["uncertainty_us"], str(got["detail"])
    if known is None:
        wrong = (said.startswith("at least") and off > 0) or (said.startswith("at most") and off < 0)
        if wrong or " this long" not in said:
            yield f"{got['name']} of attempt {attempt} is {off / 1e6} s off, and says {said}"
    elif abs(off) > (float(str(known)) or abs(ahead[0] - ahead[1]) * 1000):
        yield f"{got['name']} of attempt {attempt} is {off / 1e6} s off, and {known} us in doubt"


def _host(source: str, attempt: int) -> str:
    return "queue-1" if source == "queue" else f"worker-{attempt}"


def _told_skews(world: World, left: Exported, found: Conclusions) -> Iterator[str]:
    """Where a boot is minutes off, some signal speaks of clocks."""
    rows = found.windows.filter((pl.col("run_id") == world.run) & (pl.col("name") == "boot"))
    codes = found.signals.filter(pl.col("run_id") == world.run)["code"].to_list()
    for r in rows.filter(pl.col("state") == "closed").iter_rows(named=True):
        true = (_at(world, r["attempt"], "ready") - _at(world, r["attempt"], "claimed")).total_seconds() * 1e6
        off = abs(r["duration_us"] - true)
        if off > 240e6 and not {"clock_skew", "clock_not_bounded"} & set(codes):
            yield f"boot of attempt {r['attempt']} is {off / 1e6} s off, and nothing speaks of clocks"


def _sums(world: World, found: Conclusions) -> Iterator[str]:
    """Windows - overlaps + residual = total."""
    rows = found.windows.filter(pl.col("run_id") == world.run)
    for r in rows.filter(pl.col("kind") == "residual").iter_rows(named=True):
        closed = rows.filter(
            (pl.col("kind") == "window") & (pl.col("state") == "closed") & (pl.col("attempt") == r["attempt"])
        )
        spans = sorted(closed.select("start", "end").iter_rows())
        covered, upto = 0.0, None
        for begin, end in spans:
            begin = begin if upto is None or begin > upto else upto
            covered += max(0.0, (end - begin).total_seconds() * 1e6)
            upto = end if upto is None else max(upto, end)
        total = (r["end"] - r["start"]).total_seconds() * 1e6
        if abs(total - covered - r["duration_us"]) > 1:
            yield f"attempt {r['attempt']}: {covered} us in windows and {r['duration_us']} us residual are not {total}"


# --- cause ----------------------------------------------------------------------------------------


def decisive_marks(cause: Cause) -> tuple[str, ...]:
    """Marks of the last attempt without which nobody can name the cause."""
    return {
        "never_claimed": ("created", "finished"),
        "boot_failed": ("claimed", "exit"),
        "upload_timeout": ("final", "error"),
        "lost_worker": (),
        "cancelled": ("finished",),
        "run_timeout": ("deadline",),
        "success": ("finished",),
        "still_running": (),
    }.get(cause.name, ("error",))


def _cause(world: World, left: Exported, found: Conclusions) -> Iterator[str]:
    k = world.knobs
    rows = found.diagnoses.filter((pl.col("run_id") == world.run) & (pl.col("rank") == 0))
    got = rows["class"][0] if rows.height else None
    status = found.runs.filter(pl.col("run_id") == world.run)["status"][0]
    cause = k.cause
    if all(left.has(k.attempts, m) for m in decisive_marks(cause)) and _carried(world, left):
        allowed: set[str | None] = {cause.expected}
        if cause.expected in ("lost", "unknown_failure") or status == "running":
            allowed |= {None} if status == "running" else set(VAGUE)
        if cause.name == "still_running" and status == "lost":
            allowed |= {"lost"}
    else:
        allowed = {None, *VAGUE, cause.expected, *_weaker(cause)}
    if got not in allowed and not (got and cause.expected and got.startswith(f"{cause.expected}.")):
        yield f"the cause is {got}, and may be {sorted(map(str, allowed))} ({cause.name}, status {status})"


def _carried(world: World, left: Exported) -> bool:
    """Whether the sources that would show the opposite are there and whole."""
    k = world.knobs
    if k.cause.name == "boot_failed":
        return not k.cut and not k.loss and "worker" not in k.dropped
    if k.cause.name == "upload_timeout":
        return not (k.spoiled and k.workspace)
    return any(x.attempt == k.attempts for x in left.lines)


def _weaker(cause: Cause) -> set[str]:
    """What the rest of the evidence allows to say when the decisive line is gone."""
    if cause.name == "upload_timeout":
        return {"writeback.not_persisted", "writeback.upload_timeout"}
    if cause.name == "success":
        return {"writeback.not_persisted"}
    if cause.name == "cancelled":
        return {"cancelled"}
    return {"writeback.not_persisted"} if cause.stage == "writeback" else set()


# --- lineage --------------------------------------------------------------------------------------


def _lineage(world: World, left: Exported, found: Conclusions) -> Iterator[str]:
    """Every surviving claim is an edge, and no edge is invented."""
    rows = found.edges.filter((pl.col("run_id") == world.run) & (pl.col("relation") == "generated"))
    got = {(s, o) for s, o in rows.select("subject", "object").iter_rows()}
    made = {x.mark.removeprefix("wrote ") for x in left.lines if x.mark and x.mark.startswith("wrote ")}
    made |= {FINAL for x in left.lines if x.mark == "final"}
    listed = {str(r["artifact_id"]) for r in world.manifest} if "manifest" not in world.knobs.dropped else set()
    true = {(f"artifact:{a}", f"stage:{_maker(a)}") for a in made | listed}
    if got != true:
        yield f"lineage differs by {sorted(got ^ true)[:4]}"


def _maker(artifact: str) -> str:
    number = int(artifact.removeprefix("artifact_"))
    if artifact in (FINAL, PAGES):
        return "validation" if artifact == FINAL else "rendering"
    return "preprocessing" if number < 400 else "extraction"


# --- replay ---------------------------------------------------------------------------------------


def valid_start(world: World) -> str | None:
    """The latest stage from which a rerun gives a right result; null: the run needs none."""
    k = world.knobs
    if k.cause.name in ("success", "still_running"):
        return None
    stage = world.reached if world.reached in STAGES else "preprocessing"
    return "validation" if stage == "writeback" and k.spoiled and k.workspace else stage


def _plan(world: World, left: Exported, found: Conclusions) -> Iterator[str]:
    rows = found.replay.filter(pl.col("run_id") == world.run)
    if rows.is_empty() or rows["start"][0] is None:
        yield from _blocked_for_nothing(world, rows)
        return
    plan, k = rows.row(0, named=True), world.knobs
    allowed = valid_start(world)
    if k.drift and _drift_shown(world, left):
        yield f"a plan starts at {plan['start']} although the bundle drifted"
    if allowed is None and k.cause.name == "still_running" and found.runs["status"][0] == "running":
        yield "a plan for a run that is running"
    if allowed is not None and STAGES.index(plan["start"]) > STAGES.index(allowed):
        yield f"unsafe: the plan starts at {plan['start']}, and {allowed} is the latest valid start"
    bad = [FINAL] if k.spoiled and k.workspace else []
    made = {x.mark.removeprefix("wrote ") for x in world.lines if x.mark and x.attempt == k.attempts}
    made |= {FINAL} if "final" in made else set()
    for name in (x for x in plan["reuse"] if str(x).startswith("artifact_")):
        if name in bad or name not in made:
            yield f"unsafe: the plan reuses {name}"


def _blocked_for_nothing(world: World, rows: pl.DataFrame) -> Iterator[str]:
    """With whole evidence and nothing wrong with its inputs, a failed run has a plan."""
    k = world.knobs
    if k.whole and not k.drift and valid_start(world) is not None:
        why = json.loads(rows["blockers"][0]) if rows.height else "there is none"
        yield f"no plan although {valid_start(world)} is a valid start: {why}"


def _drift_shown(world: World, left: Exported) -> bool:
    """Both digests of the bundle survived."""
    k = world.knobs
    seen = {bundle_sha(k, x.attempt) for x in left.lines if x.mark in ("created", "bundle")}
    return len(seen) > 1
