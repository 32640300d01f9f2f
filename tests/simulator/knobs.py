"""What a seed decides: how a run of the document pipeline went, and what became of its evidence."""

from __future__ import annotations

import random
from dataclasses import dataclass

STAGES = ("preprocessing", "extraction", "rendering", "validation", "writeback")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the last attempt ended as it did, and what it leaves in the worker's log.

    `stage` null: before any stage. `expected` is the failure class that whole evidence allows; null: no failure.
    """

    name: str
    stage: str | None
    status: str
    expected: str | None
    error: str = ""
    trace: tuple[str, ...] = ()
    code: int | None = 1
    """Exit code of the worker process; null: the process says nothing more."""


def _raised(what: str) -> tuple[str, ...]:
    return ("Traceback (most recent call last):", '  File "/srv/renderd/stage.py", line 71, in run', "    act()", what)


CAUSES = {
    c.name: c
    for c in (
        Cause("success", None, "succeeded", None, code=0),
        Cause("still_running", "extraction", "running", None, code=None),
        Cause("never_claimed", None, "failed", "pre_work.never_claimed", code=None),
        Cause(
            "boot_failed",
            None,
            "failed",
            "pre_work.boot_failed",
            "runtime: workspace could not be mounted: stale file handle",
        ),
        Cause(
            "upload_timeout",
            "writeback",
            "failed",
            "writeback.upload_timeout",
            "upload: upload timeout {final} after 56.7s: no response from object-store",
            _raised("renderd.vendor.http.ReadTimeout: object-store/editions/march.pdf: waited 56.7 s"),
            None,
        ),
        Cause(
            "out_of_memory",
            "extraction",
            "failed",
            "resource.oom",
            "tools: tool textract failed call={call} exit=137",
            _raised("renderd.tools.ToolDied: textract: killed by signal 9 (out of memory: limit 2048 MiB)"),
        ),
        Cause(
            "disk_full",
            "rendering",
            "failed",
            "resource.disk",
            "render: page 17 could not be written",
            _raised("OSError: [Errno 28] No space left on device"),
        ),
        Cause(
            "network",
            "preprocessing",
            "failed",
            "dependency.network",
            "fetch: source 3 could not be fetched",
            _raised("ConnectionRefusedError: [Errno 111] Connection refused"),
        ),
        Cause(
            "dns",
            "preprocessing",
            "failed",
            "dependency.dns",
            "fetch: source 3 could not be fetched",
            _raised("socket.gaierror: [Errno -3] Temporary failure in name resolution"),
        ),
        Cause(
            "rate_limit",
            "preprocessing",
            "failed",
            "rate_limit",
            "fetch: mirror-2 answered 429 Too Many Requests, giving up",
        ),
        Cause(
            "unnamed",
            "validation",
            "failed",
            "unknown_failure",
            "validator: the flux of page 9 is below nominal",
        ),
        Cause(
            "segfault",
            "rendering",
            "failed",
            "crash.segfault",
            "render: typeset died",
            ("Fatal Python error: Segmentation fault", "Segmentation fault (core dumped)"),
            139,
        ),
        Cause(
            "auth",
            "preprocessing",
            "failed",
            "dependency.auth",
            "fetch: source 3 could not be fetched",
            _raised("renderd.mirrors.Refused: 401 Unauthorized: the token has expired"),
        ),
        Cause(
            "input_missing",
            "preprocessing",
            "failed",
            "input.missing_file",
            "fetch: source 3 could not be read",
            _raised("FileNotFoundError: [Errno 2] No such file or directory: 'sources/cover.tif'"),
        ),
        Cause("lost_worker", "rendering", "lost", "lost", code=None),
        Cause("cancelled", "extraction", "cancelled", "cancelled", code=143),
        Cause("run_timeout", "rendering", "timed_out", "timeout", code=None),
    )
}


@dataclass(frozen=True, slots=True)
class Knobs:
    """One run and its evidence."""

    cause: Cause
    attempts: int = 1
    sources: int = 5
    redeliveries: int = 0
    drift: bool = False
    """The bundle of the last attempt has other bytes than that of the first."""
    spoiled: bool = False
    """The file of the final artifact in the archive has other bytes than were claimed."""
    unlisted: bool = False
    """The manifest lacks the row of the final artifact."""
    workspace: bool = True
    """The archive holds the files of the last attempt's workspace."""
    skew: tuple[tuple[str, int], ...] = ()
    """Host -> milliseconds that its clock is ahead."""
    loss: float = 0.0
    """Share of the lines that never arrived."""
    dropped: tuple[str, ...] = ()
    """Kinds of source that were not exported: queue, worker, stdout, manifest, record."""
    cut: str | None = None
    """How the last worker log was cut: `plain` (it just ends) or `packed` (a gzip stream without its end)."""
    rotated: bool = False
    """The last worker log lies in two parts, the older one packed."""
    interleaved: bool = False
    """The queue's log is that of several runs."""

    def host_skew(self, host: str) -> int:
        """Milliseconds that a host's clock is ahead."""
        return dict(self.skew).get(host, 0)

    @property
    def whole(self) -> bool:
        """True when all evidence arrived and all clocks agree."""
        return not (self.loss or self.dropped or self.cut or self.skew)


def drawn(seed: int) -> Knobs:
    """The knobs of a seed."""
    r = random.Random(seed)
    cause = CAUSES[r.choice(list(CAUSES))]
    attempts = r.choice((1, 1, 2, 3))
    clean = r.random() < 0.35
    hosts = ("queue-1", f"worker-{attempts}", "agent")

    def maybe(share: float) -> bool:
        return not clean and r.random() < share

    dropped = tuple(s for s in ("queue", "worker", "stdout", "manifest", "record") if maybe(0.08))
    return Knobs(
        cause,
        attempts=attempts,
        sources=r.randint(3, 9),
        redeliveries=r.choice((0, 0, 0, 1, 2)),
        drift=attempts > 1 and r.random() < 0.15,
        spoiled=r.random() < 0.15,
        unlisted=r.random() < 0.15,
        workspace=r.random() < 0.7,
        skew=tuple((h, r.choice((-420_000, -90_000, -2_000, 3_000, 420_000))) for h in hosts if maybe(0.15)),
        loss=r.choice((0.02, 0.1, 0.3)) if maybe(0.3) else 0.0,
        dropped=dropped,
        cut=r.choice(("plain", "packed")) if maybe(0.2) else None,
        rotated=r.random() < 0.2,
        interleaved=r.random() < 0.2,
    )
