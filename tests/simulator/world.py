"""A document pipeline that runs as its knobs say, and writes what its hosts would write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.simulator.knobs import STAGES, Cause, Knobs

DAY = datetime(2026, 5, 9, 8, 0, 0)
FINAL = "artifact_900"
PAGES = "artifact_800"


@dataclass(frozen=True, slots=True)
class Line:
    """One record of one source: when it was written by that host's true time, and what it proves.

    `mark` is a boundary (`created`, `claimed`, `ready`, `final`, `finished`), a stage's begin or end
    (`begin extraction`), or an artifact (`wrote artifact_001`), of `attempt`.
    """

    source: str
    at: datetime
    text: str
    attempt: int
    mark: str | None = None


@dataclass(slots=True)
class World:
    """What happened, and what was written about it."""

    knobs: Knobs
    run: str
    lines: list[Line] = field(default_factory=list)
    manifest: list[dict[str, object]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    record: dict[str, object] = field(default_factory=dict)
    reached: str | None = None
    """The stage that the last attempt did not finish; null: none began, or all ended well."""

    def q(self, at: datetime, attempt: int, message: str, mark: str | None = None) -> None:
        stamp = _shifted(at, self.knobs, "queue-1").replace(microsecond=0)
        self.lines.append(
            Line("queue", at, f"{stamp:%Y-%m-%dT%H:%M:%S}Z queue-1 broker[311]: {message}", attempt, mark)
        )

    def w(
        self, at: datetime, attempt: int, level: str, said: str, mark: str | None = None, more: tuple[str, ...] = ()
    ) -> None:
        host = f"worker-{attempt}"
        stamp = _shifted(at, self.knobs, host)
        head = f"{stamp:%Y-%m-%d %H:%M:%S},{stamp.microsecond // 1000:03d} {level:<7} [{host}] {said}"
        self.lines.append(Line("worker", at, "\n".join((head, *more)), attempt, mark))

    def out(self, at: datetime, attempt: int, said: str) -> None:
        stamp = _shifted(at, self.knobs, "agent")
        self.lines.append(
            Line("stdout", at, f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond:06d}Z stdout F {said}", attempt)
        )


def _shifted(at: datetime, knobs: Knobs, host: str) -> datetime:
    return at + timedelta(milliseconds=knobs.host_skew(host))


def bundle_sha(knobs: Knobs, attempt: int) -> str:
    drifted = knobs.drift and attempt == knobs.attempts
    return hashlib.sha256(b"bundle" + b" drifted" * drifted).hexdigest()


def content(name: str) -> bytes:
    return b"\x00\x01BIN" + f"{name} of the edition".encode() + bytes(40)


def sha(name: str) -> str:
    return hashlib.sha256(content(name)).hexdigest()


def simulated(knobs: Knobs, run: str = "run_742") -> World:
    """The world after the run."""
    world = World(knobs, run)
    at = DAY
    for attempt in range(1, knobs.attempts + 1):
        last = attempt == knobs.attempts
        cause = knobs.cause if last else _EARLIER
        at = _attempt(world, attempt, cause, at) + timedelta(minutes=7)
    _record(world)
    return world


_EARLIER = Cause(
    "earlier",
    "extraction",
    "failed",
    "resource.oom",
    "tools: tool textract failed call={call} exit=137",
    ("Traceback (most recent call last):", "renderd.tools.ToolDied: textract: killed by signal 9 (out of memory)"),
)


def _attempt(world: World, attempt: int, cause: Cause, at: datetime) -> datetime:
    """One attempt from its request to its last word; returns the instant of that."""
    run, sha256 = world.run, bundle_sha(world.knobs, attempt)
    asked = f"run created run={run} attempt={attempt} msg=msg_{attempt} bundle=bundle_9 bundle_sha256={sha256}"
    world.q(at, attempt, asked, "created")
    if cause.name == "never_claimed":
        for minute in range(1, 30):
            world.q(at + timedelta(minutes=minute), attempt, f"depth={minute} oldest=00:{minute:02d}:00 consumers=0")
        gone = at + timedelta(minutes=30)
        world.q(gone, attempt, f"run abandoned run={run} attempt={attempt}: no worker claimed it in 1800 s", "finished")
        return gone
    claimed = at + timedelta(seconds=20 + 7 * attempt)
    host = f"worker-{attempt}"
    claim = f"message claimed run={run} attempt={attempt} msg=msg_{attempt} worker={host} lease=lease_{attempt}"
    world.q(claimed, attempt, claim, "claimed")
    for n in range(world.knobs.redeliveries if attempt == world.knobs.attempts else 0):
        again = f"message redelivered run={run} attempt={attempt} msg=msg_{attempt} delivery={n + 2}"
        world.q(claimed + timedelta(seconds=n), attempt, again, f"redelivered {n}")
    boot = claimed + timedelta(seconds=1.4)
    trace = f"traceparent=00-{attempt:032x}-{attempt:016x}-01"
    world.w(boot, attempt, "INFO", f"runtime: boot run={run} attempt={attempt} {trace} pid={400 + attempt}", "boot")
    world.out(boot + timedelta(seconds=0.2), attempt, "renderd 4.11.2 starting")
    if cause.name == "boot_failed":
        return _broken(world, attempt, cause, boot + timedelta(seconds=4), "boot")
    ready = claimed + timedelta(seconds=11.25)
    said = f"runtime: workspace ready workspace=ws_{attempt} run={run} attempt={attempt}"
    world.w(ready, attempt, "INFO", said, "ready")
    t = ready
    for stage in STAGES:
        t += timedelta(seconds=0.5)
        world.w(t, attempt, "INFO", f"pipeline: stage {stage} started", f"begin {stage}")
        if stage == cause.stage:
            t = _half(world, attempt, stage, t)
            return _broken(world, attempt, cause, t, stage)
        began = t
        t = _whole(world, attempt, stage, t)
        took = f"{(t - began).total_seconds():.1f}s"
        world.w(t, attempt, "INFO", f"pipeline: stage {stage} finished in {took}", f"end {stage}")
    world.w(t + timedelta(seconds=1), attempt, "INFO", f"pipeline: run completed run={run}", "finished")
    world.w(t + timedelta(seconds=2), attempt, "INFO", "runtime: process exited with code 0", "exit")
    return t + timedelta(seconds=2)


def _sources(world: World) -> range:
    return range(1, world.knobs.sources + 1)


def _wrote(world: World, attempt: int, at: datetime, name: str, stage: str, path: str, made_from: str = "") -> None:
    final = "final " * (name == FINAL)
    origin = f" from={made_from}" * bool(made_from)
    size = len(content(name))
    said = f"artifacts: {final}artifact written {name} stage={stage} path={path} size={size} sha256={sha(name)}{origin}"
    world.w(at, attempt, "INFO", said, "final" if name == FINAL else f"wrote {name}")
    if attempt == world.knobs.attempts:
        role = "final" if name == FINAL else "intermediate"
        row = {"run_id": world.run, "attempt": attempt, "artifact_id": name, "role": role, "stage": stage, "path": path}
        if not (name == FINAL and world.knobs.unlisted):
            world.manifest.append(row | {"size_bytes": size, "sha256": sha(name)})
        world.files[path] = content(name)


def _half(world: World, attempt: int, stage: str, t: datetime) -> datetime:
    """A stage up to the middle of it."""
    return _work(world, attempt, stage, t, world.knobs.sources // 2)


def _whole(world: World, attempt: int, stage: str, t: datetime) -> datetime:
    t = _work(world, attempt, stage, t, world.knobs.sources)
    if stage == "rendering":
        first, last = (f"artifact_{400 + n:03d}" for n in (1, world.knobs.sources))
        t += timedelta(seconds=2)
        _wrote(world, attempt, t, PAGES, stage, f"out/{PAGES}.pages", f"{first}..{last}")
    if stage == "validation":
        world.w(t, attempt, "INFO", "validator: validator passed: 128 pages, 0 errors, 2 warnings")
        t += timedelta(seconds=3)
        _wrote(world, attempt, t, FINAL, stage, f"out/{FINAL}.pdf", PAGES)
    if stage == "writeback":
        t += timedelta(seconds=2)
        world.w(t, attempt, "INFO", f"upload: upload finished {FINAL} in 2.0s")
    return t + timedelta(seconds=0.25)


def _work(world: World, attempt: int, stage: str, t: datetime, upto: int) -> datetime:
    count = world.knobs.sources
    if stage == "preprocessing":
        sha256 = bundle_sha(world.knobs, attempt)
        world.w(t, attempt, "INFO", f"fetch: read bundle bundle_9 checksum=sha256:{sha256}", "bundle")
    for n in range(1, upto + 1):
        t += timedelta(seconds=2.5)
        if stage == "preprocessing":
            world.w(t, attempt, "INFO", f"fetch: processing source {n} of {count}", f"progress {n}")
            _wrote(
                world, attempt, t + timedelta(seconds=0.5), f"artifact_{n:03d}", stage, f"sources/artifact_{n:03d}.json"
            )
        elif stage == "extraction":
            call = f"call_{attempt}{n:03d}"
            world.w(t, attempt, "INFO", f"tools: tool textract started call={call} input=artifact_{n:03d}")
            world.w(
                t + timedelta(seconds=1.5),
                attempt,
                "INFO",
                f"tools: tool textract finished call={call} exit=0 took=1.5s",
            )
            name = f"artifact_{400 + n:03d}"
            _wrote(world, attempt, t + timedelta(seconds=1.75), name, stage, f"text/{name}.txt", f"artifact_{n:03d}")
        elif stage == "rendering":
            world.w(t, attempt, "INFO", f"render: rendered page {n} of {count}")
    if stage == "writeback":
        world.w(t, attempt, "INFO", f"upload: upload started {FINAL} to object-store/editions/march.pdf bytes=96")
    world.out(t, attempt, f"{stage} ...")
    return t + timedelta(seconds=2)


def _broken(world: World, attempt: int, cause: Cause, t: datetime, stage: str) -> datetime:
    """The end of an attempt that did not end well."""
    world.reached = stage if attempt == world.knobs.attempts else world.reached
    if cause.name in ("still_running", "lost_worker"):
        return _silent(world, attempt, cause, t)
    t += timedelta(seconds=5)
    if cause.name == "cancelled":
        world.w(t, attempt, "WARNING", f"pipeline: run cancelled run={world.run} by operator", "finished")
    elif cause.name == "run_timeout":
        said = f"run deadline exceeded run={world.run} attempt={attempt} after 900 s; worker killed"
        world.q(t, attempt, said, "deadline")
        return t
    else:
        error = cause.error.format(final=FINAL, call=f"call_{attempt}{world.knobs.sources // 2 + 1:03d}")
        world.w(t, attempt, "ERROR", error, "error", cause.trace)
    if cause.code is None:
        return t
    if cause.name not in ("cancelled", "boot_failed"):
        t += timedelta(seconds=0.5)
        world.w(
            t, attempt, "ERROR", f"pipeline: attempt failed run={world.run} attempt={attempt} stage={stage}", "finished"
        )
    world.w(t + timedelta(seconds=1), attempt, "INFO", f"runtime: process exited with code {cause.code}", "exit")
    return t + timedelta(seconds=1)


def _silent(world: World, attempt: int, cause: Cause, t: datetime) -> datetime:
    """The worker says nothing more; the queue goes on renewing the lease, or lets it expire."""
    lease = f"run={world.run} attempt={attempt} lease=lease_{attempt} worker=worker-{attempt}"
    for n in range(1, 4):
        t += timedelta(seconds=60)
        alive = cause.name == "still_running" or n < 2
        if alive:
            world.q(t, attempt, f"lease renewed {lease}")
    if cause.name == "lost_worker":
        world.q(
            t,
            attempt,
            f"lease expired run={world.run} attempt={attempt} msg=msg_{attempt} lease=lease_{attempt}",
            "expired",
        )
    return t


def _record(world: World) -> None:
    """The run record, written when the worker has its workspace and when the run completes, and never else."""
    done = world.knobs.cause.name == "success"
    last = world.knobs.attempts
    world.record = {
        "run_id": world.run,
        "job": "edition-render",
        "status": "succeeded" if done else "queued" if world.knobs.cause.name == "never_claimed" else "running",
        "attempt": last,
        "bundle": "bundle_9",
        "workspace_id": f"ws_{last}",
        "created_at": f"{DAY:%Y-%m-%dT%H:%M:%S}Z",
    }


def record_text(world: World) -> str:
    return json.dumps(world.record, indent=2) + "\n"


def manifest_text(world: World) -> Iterator[str]:
    yield from (json.dumps(row) + "\n" for row in world.manifest)
