"""Runs that were made up for their dossiers: one a failure class, and one a way in which evidence is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulator.damage import exported
from tests.simulator.knobs import CAUSES, Knobs
from tests.simulator.world import FINAL, simulated

Files = dict[str, bytes]
RUN = "run_742"
LAST = f"{RUN}/attempt-1"


def _same(files: Files) -> Files:
    return files


@dataclass(frozen=True, slots=True)
class Member:
    """A run by its knobs, and what is changed by hand in its files."""

    knobs: Knobs
    edit: Callable[[Files], Files] = _same
    run: str = RUN
    """The run whose dossier is looked at."""

    def files(self) -> Files:
        """Path -> bytes of every exported source."""
        return self.edit(exported(simulated(self.knobs, RUN)).files)


def _knobs(cause: str, **more: object) -> Knobs:
    return Knobs(CAUSES[cause], **{"sources": 3, **more})  # type: ignore[arg-type]


def _without(name: str) -> Callable[[Files], Files]:
    return lambda files: {p: d for p, d in files.items() if not p.endswith(name)}


def _with(path: str, text: str) -> Callable[[Files], Files]:
    return lambda files: dict(sorted({**files, path: text.encode()}.items()))


def _without_lines(leaf: str, words: str) -> Callable[[Files], Files]:
    """One log without the lines that hold `words`."""

    def edit(files: Files) -> Files:
        kept = {p: d for p, d in files.items() if not p.endswith(leaf)}
        cut = {
            p: b"".join(x for x in d.splitlines(keepends=True) if words.encode() not in x)
            for p, d in files.items()
            if p.endswith(leaf)
        }
        return dict(sorted({**kept, **cut}.items()))

    return edit


def _more(leaf: str, lines: str) -> Callable[[Files], Files]:
    return lambda files: {p: d + lines.encode() * p.endswith(leaf) for p, d in files.items()}


def _spans(trace: str) -> str:
    """Two spans of a trace that names no run, as OTLP JSON."""
    begin = 1_778_313_600_000_000_000
    spans = [
        {
            "traceId": trace,
            "spanId": f"{n:016x}",
            "name": name,
            "startTimeUnixNano": str(begin + n * 10**9),
            "endTimeUnixNano": str(begin + n * 4 * 10**9),
            "status": {},
        }
        for n, name in enumerate(("render", "upload"), 1)
    ]
    scope = [{"scope": {"name": "renderd"}, "spans": spans}]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "renderd"}}]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scope}]}) + "\n"


_CHILD = (
    "2026-05-09 08:00:40,000 INFO    [worker-1] pipeline: child run started child=run_743 run=run_742\n"
    "2026-05-09 08:00:41,000 INFO    [worker-1] pipeline: child run started child=run_744 run=run_742\n"
)

_EXPIRED = (
    "2026-05-09T08:04:00Z queue-1 broker[311]: lease expired "
    "run=run_742 attempt=1 msg=msg_1 lease=lease_1 worker=worker-1\n"
)


def _silent_upload(files: Files) -> Files:
    """The upload began, and the worker was not heard of again."""
    return _more("queue.log", _EXPIRED)(_without_lines("worker.log", "upload: upload timeout")(files))


FAMILY: dict[str, Member] = {
    # one a failure class
    "never_claimed": Member(_knobs("never_claimed")),
    "boot_failed": Member(_knobs("boot_failed")),
    "upload_timeout": Member(_knobs("upload_timeout", attempts=2)),
    "write_back_lost": Member(_knobs("upload_timeout"), _silent_upload),
    "out_of_memory": Member(_knobs("out_of_memory")),
    "disk_full": Member(_knobs("disk_full")),
    "network": Member(_knobs("network")),
    "dns": Member(_knobs("dns")),
    "auth": Member(_knobs("auth")),
    "rate_limit": Member(_knobs("rate_limit")),
    "input_missing": Member(_knobs("input_missing")),
    "segfault": Member(_knobs("segfault")),
    "unnamed_failure": Member(_knobs("unnamed")),
    "lost_worker": Member(_knobs("lost_worker")),
    "cancelled": Member(_knobs("cancelled")),
    "run_timeout": Member(_knobs("run_timeout")),
    "still_running": Member(_knobs("still_running")),
    "succeeded_on_retry": Member(_knobs("success", attempts=2, redeliveries=2)),
    # one a way in which evidence is missing or lies
    "no_stdout": Member(_knobs("disk_full", dropped=("stdout",))),
    "no_worker_log": Member(_knobs("disk_full", dropped=("worker", "stdout", "manifest"), workspace=False)),
    "no_queue_log": Member(_knobs("disk_full", dropped=("queue",))),
    "no_first_work": Member(_knobs("boot_failed"), _without("worker.log")),
    "no_manifest_row": Member(_knobs("upload_timeout", unlisted=True)),
    "artifact_file_gone": Member(_knobs("upload_timeout"), _without(f"{FINAL}.pdf")),
    "artifact_spoiled": Member(_knobs("upload_timeout", spoiled=True)),
    "bundle_drifted": Member(_knobs("network", attempts=2, drift=True)),
    "spans_without_run": Member(_knobs("disk_full"), _with("otel/traces.json", _spans("ab" * 16)), "traces.json"),
    "worker_seven_minutes_behind": Member(_knobs("disk_full", skew=(("worker-1", -420_000),))),
    "worker_log_cut": Member(_knobs("disk_full", cut="packed")),
    "green_but_failed": Member(
        _knobs("success"),
        _more("worker.log", "2026-05-09 08:05:00,000 INFO    [worker-1] runtime: process exited with code 3\n"),
    ),
    "children": Member(_knobs("network"), _more("worker.log", _CHILD)),
}
