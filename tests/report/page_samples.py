"""Hand-made dossiers for the page tests, and a way to change every text in one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from runcase.report.dossier import (
    Artifact,
    Attempt,
    Blocker,
    Cited,
    Considered,
    Coverage,
    Damage,
    Dossier,
    Edge,
    Excerpt,
    ExcerptLine,
    Failure,
    KeyEvent,
    Replay,
    Run,
    Signal,
    Source,
    Statement,
    Tests,
    Ticket,
    Window,
)
from runcase.report.index_value import Changes, DamagedSource, Group, Index, JobStrip, RunLine, StripRun
from runcase.report.instants import micros

LOG = "a1b2c3d4e5f6"
MANIFEST = "0f0e0d0c0b0a"
WORKER = "logs.tar.gz!/run_7/attempt-2/worker.log"


def ref(start: int, length: int = 80, source: str = LOG) -> str:
    return f"{source}:{start}+{length}"


def at(minute: int, second: int = 0) -> str:
    return f"2026-03-02T{10 + minute // 60:02d}:{minute % 60:02d}:{second:02d}.000000Z"


def span(kind: str, name: str, attempt: int | None, start: str | None, end: str | None, **given: Any) -> Window:
    begin, finish = micros(start), micros(end)
    closed = begin is not None and finish is not None
    values: dict[str, Any] = {
        "state": "closed" if closed else "absent" if begin is None else "open",
        "duration_us": finish - begin if begin is not None and finish is not None else None,
        "uncertainty_us": 0 if closed else None,
        "reason": None if closed else f"no_{name}_end",
        "searched": None if closed else "worker.log, 10:00 to 10:25",
        "detail": None,
        "proof": (ref(100),),
    }
    return Window(name=name, kind=kind, attempt=attempt, start=start, end=end, **(values | given))


def attempts() -> tuple[Attempt, ...]:
    return (
        Attempt(
            1, "failed", "ws_77", "4bf92f35", "bundle-2", "worker-3", at(0), at(0, 51), at(1, 8), at(12, 3), 1, 410
        ),
        Attempt(2, "lost", "ws_8c", None, "bundle-2", "worker-5", at(12, 10), at(13, 1), at(13, 18), None, None, 380),
    )


def windows() -> tuple[Window, ...]:
    return (
        span("window", "queue", 1, at(0), at(0, 51)),
        span("window", "boot", 1, at(0, 51), at(1, 8)),
        span("window", "active", 1, at(1, 8), at(11, 2)),
        span("window", "writeback", 1, at(11, 2), None, reason="no_status_writeback"),
        span("window", "queue", 2, at(12, 10), at(13, 1)),
        span("window", "boot", 2, at(13, 1), at(13, 18), uncertainty_us=2_000_000),
        span("window", "active", 2, at(13, 18), at(23, 30), uncertainty_us=45_000_000),
        span("window", "writeback", 2, at(23, 30), None, reason="no_status_writeback"),
        span("residual", "residual", 2, None, None, state="closed", duration_us=7_000_000, reason=None, searched=None),
    )


def stages() -> tuple[Window, ...]:
    return (
        span("stage", "preprocessing", 2, at(13, 18), at(15, 2)),
        span("stage", "extraction", 2, at(15, 2), at(18, 40)),
        span("stage", "rendering", 2, at(18, 40), at(22, 50)),
        span("stage", "validation", 2, at(22, 50), at(23, 30)),
        span("stage", "writeback", 2, at(23, 30), None, reason="no_stage_end"),
    )


def artifacts() -> tuple[Artifact, ...]:
    digest = "sha256:" + "ab" * 32
    return (
        Artifact("bundle.zip", "bundle", "in/bundle.zip", 10_240_000, digest, "verified", "size and digest hold", None,
                 1, ("preprocessing",), at(0, 55), (ref(150),)),
        Artifact("pages", "intermediate", None, None, None, "claimed", "only a log line claims it", "extraction", 2,
                 ("rendering",), at(18, 40), (ref(1500),)),
        Artifact("report.pdf", "final", "out/report.pdf", 1_204_120, digest, "mismatch",
                 "claimed 1,204,120 bytes, found 0", "rendering", 2, ("validation", "writeback"),
                 at(22, 50), (ref(2100),)),
        Artifact("status.json", "status", "out/status.json", None, None, "missing", "its write-back never finished",
                 "writeback", 2, (), None, ()),
    )  # fmt: skip


def edges() -> tuple[Edge, ...]:
    flow = ("bundle.zip", "preprocessing", "clean", "extraction", "pages", "rendering", "report.pdf", "validation")
    found = []
    for n in range(0, len(flow) - 1, 2):
        found.append(Edge(f"artifact:{flow[n]}", "used", f"stage:{flow[n + 1]}", (ref(100 + n),)))
        if n:
            found.append(Edge(f"artifact:{flow[n]}", "generated", f"stage:{flow[n - 1]}", (ref(200 + n),)))
    return (
        *found,
        Edge("artifact:report.pdf", "used", "stage:writeback", ()),
        Edge("artifact:status.json", "generated", "stage:writeback", ()),
    )


def excerpts() -> tuple[Excerpt, ...]:
    texts = (
        ("INFO  writeback: uploading out/report.pdf (1204120 bytes)", False, "info"),
        ("DEBUG http: PUT https://objects.invalid/results/report.pdf?part=1&timeout=30s", False, "debug"),
        ("ERROR writeback: upload of out/report.pdf timed out after 30.0s (attempt 3 of 3)", True, "error"),
        ("ERROR writeback: status stays 'running'", True, "error"),
        ("INFO  worker: shutting down", False, "info"),
    )
    lines = tuple(
        ExcerptLine(ref(2000 + n * 100, 100), 214 + n, text, decisive, at(23, 31 + n), level)
        for n, (text, decisive, level) in enumerate(texts)
    )
    far = tuple(
        Excerpt(ref(9000 + n * 100, 90), "logs.tar.gz!/broker.log", (
            ExcerptLine(ref(9000 + n * 100, 90), 40 + 20 * n, "WARN broker: no acknowledgement", True, None, None),
        ))
        for n in range(3)
    )  # fmt: skip
    return (Excerpt(ref(2000, 500), WORKER, lines), *far)


def key_events() -> tuple[KeyEvent, ...]:
    kinds = (("upload.started", "info"), ("log", "debug"), ("error.timeout.upload", "error"), ("error", "error"))
    return tuple(
        KeyEvent(f"evt_{LOG}_{2000 + n * 100}", ref(2000 + n * 100, 100), at(23, 31 + n), "explicit_zone", 2, kind,
                 "writeback", level, f"{kind} of report.pdf", "document-pipeline@aa11#upload")
        for n, (kind, level) in enumerate(kinds)
    )  # fmt: skip


def failed_run(**given: Any) -> Dossier:
    """Two attempts; the second one's write-back was lost. Every part of a dossier is there."""
    values: dict[str, Any] = {
        "run": Run("run_7", "lost", "no_terminal_evidence", (ref(2200, 100),), "succeeded", "run_1", "render-report",
                   "bundle-2", "ws_8c", "4bf92f35", at(0), at(0, 51), at(1, 8), None, at(0), at(23, 40), "path",
                   attempts()),
        "failure": Failure(
            "writeback.upload_timeout",
            "proven",
            Statement("The upload of the final artifact timed out; its write-back never finished.", (ref(2200, 100),)),
            (Statement("the final artifact exists", (ref(2100),)), Statement("the bundle was the same", (ref(150),))),
            (Considered("dependency.network", "the narrower rule holds"), Considered("resource.oom", "no exit 137")),
            "writeback.upload_timeout:9f02ab",
            (ref(2200, 100), ref(2300, 100)),
        ),
        "windows": windows(),
        "stages": stages(),
        "tools": tuple(span("tool", f"ocr page {n}", 2, at(15 + n), at(16 + n)) for n in range(3)),
        "gaps": (span("gap", "gap", 2, at(19, 30), at(21, 55), detail="last open operation: ocr page 2"),),
        "signals": (
            Signal("no_status_writeback", "absent_proven", "The status row was never written back.", "status.log",
                   (ref(2000),), 2),
            Signal("no_first_stdout", "not_observable", "No stdout is in the archive.", "no source carries it", (), 1),
            Signal("clock_skew", "observed", "broker.log runs 3.2s ahead.", "broker.log", (ref(5, 9, MANIFEST),), None),
        ),
        "contradictions": (
            Signal("size_mismatch", "observed", "The manifest says 1,204,120 bytes; the file has 0.", "manifest.json",
                   (ref(3000), ref(50, 80, MANIFEST)), 2),
        ),
        "artifacts": artifacts(),
        "edges": edges(),
        "replay": Replay("writeback", ("out/report.pdf",), ("upload", "status row"), ("rendering",),
                         (Blocker("artifact_mismatch", "report.pdf has 0 bytes", (ref(2100),)),),
                         ("if report.pdf cannot be had, start at rendering",), ("pipeline resume run_7",)),
        "tests": Tests("pytest", 214, 209, 3, 2, ("tests/test_a.py::test_x", "tests/test_b.py::test_y"), 1),
        "next_actions": ("Check that the object store answers.", "Rerun from writeback with the same workspace."),
        "excerpts": excerpts(),
        "events": key_events(),
        "evidence_damage": (Damage("truncated_stream", "error", "logs.tar.gz!/broker.log.gz", "the stream ends early",
                                   ref(70, 10)),),
        "sources": (Source(LOG, WORKER, 184_220, "ab" * 32, "ok"),
                    Source("9e9d9c9b9a99", "logs.tar.gz!/broker.log.gz", 900, None, "truncated")),
        "cited": (Cited(ref(2100), WORKER, 215, "INFO artifact written out/report.pdf"),
                  Cited(ref(50, 80, MANIFEST), "logs.tar.gz!/manifest.json", 3, '{"path": "out/report.pdf"}')),
        "coverage": Coverage(3, 184_220, 2_140, 790, 12, 1_204, 3_072),
        "provenance": {"schema": "runcase/dossier/1", "runcase": "0.1.0", "pack": "document-pipeline"},
        "known_issue": Ticket("STORE-41", "https://tracker.invalid/STORE-41", "the object store is being moved"),
    }  # fmt: skip
    return Dossier(**(values | given))


def bare_run() -> Dossier:
    """A run of which almost nothing is known: no times, no failure, no artifacts."""
    run = Run("source:x", "lost", "no_terminal_evidence", (), None, None, None, None, None, None, None, None, None,
              None, None, None, "source", ())  # fmt: skip
    return Dossier(run, None, (), (), (), (), (), (), (), (), None, None, (), (), (), (), (),
                   Coverage(0, 0, 0, 0, 0, 0, 0), {})  # fmt: skip


def busy_run(tools: int) -> Dossier:
    """A run with many tool calls, some of which never ended."""
    names = ("ocr", "align", "render-page", "sort", "index")
    calls = tuple(
        span("tool", f"{names[n % 5]} {n // 5}", 2, at(15 + n * 7 % 4, n * 13 % 60), None if n % 400 == 7 else
             at(16 + n * 7 % 4, n * 13 % 60))
        for n in range(tools)
    )  # fmt: skip
    return failed_run(tools=calls)


def wide_lineage(branches: int) -> Dossier:
    """`branches` equal chains of three steps that end in one report; branch 7 failed."""
    found, made = [], []
    for n in range(branches):
        chain = (f"artifact:reads_{n}.fq", f"stage:align[{n}]", f"artifact:out_{n}.bam", "stage:merge")
        found += [
            Edge(chain[0], "used", chain[1], ()),
            Edge(chain[2], "generated", chain[1], ()),
            Edge(chain[2], "used", chain[3], ()),
            Edge("artifact:genome.fa", "used", chain[1], ()),
        ]
        state = "missing" if n == 7 else "verified"
        made.append(Artifact(f"out_{n}.bam", "bam", None, 1, None, state, "", f"align[{n}]", 2, ("merge",), None, ()))
    found.append(Edge("artifact:report.html", "generated", "stage:merge", ()))
    return failed_run(edges=tuple(found), artifacts=tuple(made), replay=None)


def index() -> Index:
    """Twelve runs, five of them failed for two reasons."""

    def line(n: int, status: str, failure: str | None) -> RunLine:
        return RunLine(f"run_{n}", f"run_{n}", status, "render-report", 1 + n % 2, at(n), at(n, 40), "40s", failure,
                       "proven" if failure else None, "The upload timed out." if failure else None,
                       f"{failure}:1" if failure else None)  # fmt: skip

    runs = (
        *(line(n, "failed", "writeback.upload_timeout") for n in range(4)),
        line(4, "lost", "lost"),
        *(line(n, "succeeded", None) for n in range(5, 12)),
    )
    groups = (
        Group("writeback.upload_timeout:1", "writeback.upload_timeout", "The upload timed out.", 4, at(0), at(3),
              tuple(f"run_{n}" for n in range(4)), ("render-report",), "known", 1, "STORE-41",
              "https://tracker.invalid/STORE-41", "the object store is being moved"),
        Group("lost:1", "lost", "No end was seen.", 1, at(4), at(4), ("run_4",), (), "new", 1, "OPS-3"),
    )  # fmt: skip
    damage = (DamagedSource("a.tar!/b.log.gz", "truncated_stream", "ends early"),)
    strip = tuple(StripRun(f"run_{n}", r.status, r.took, (n % 5) / 4) for n, r in enumerate(runs))
    jobs = (JobStrip("render-report", strip, 12, 5, "succeeded", "40s"),)
    changes = Changes({"failed": 1, "succeeded": 3}, ("lost:1",), ("writeback.upload_timeout:1",), (),
                      ("render-report",), ("nightly-index",))  # fmt: skip
    return Index(
        {"failed": 4, "lost": 1, "succeeded": 7}, runs, groups, damage, ("notes/readme.txt",), 12, 1_000_000, 500, 2,
        jobs, changes,
    )  # fmt: skip


T = TypeVar("T")


def with_texts(value: T, change: Callable[[str, str], str], slot: str = "") -> T:
    """A copy in which every string is `change(slot, string)`; a slot is the path of field names to the string."""
    changed: Any = value
    if isinstance(value, str):
        changed = change(slot, value)
    elif isinstance(value, tuple):
        changed = tuple(with_texts(v, change, slot) for v in value)
    elif isinstance(value, dict):
        changed = {with_texts(k, change, f"{slot}.key"): with_texts(v, change, slot) for k, v in value.items()}
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        changed = type(value)(**{k: with_texts(v, change, f"{slot}.{k}".strip(".")) for k, v in fields.items()})
    return changed  # type: ignore[no-any-return]


def texts(value: object) -> Iterator[tuple[str, str]]:
    """Every string in `value` with its slot."""
    found: list[tuple[str, str]] = []

    def note(slot: str, text: str) -> str:
        found.append((slot, text))
        return text

    with_texts(value, note)
    yield from found
