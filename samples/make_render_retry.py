"""Writes render-retry.tar.gz: two attempts of run_742, the second of which lost its write-back.

    python samples/make_render_retry.py [FOLDER]

Deterministic: the same bytes at every call. The material is invented.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

RUN, BUNDLE = "run_742", "bundle_129"
BUNDLE_SHA = hashlib.sha256(b"bundle_129: 42 sources, edition of March").hexdigest()
TRACE = {1: "5b8aa5a2d2c872e8321cf37308d69df2", 2: "4bf92f3577b34da6a3ce929d0e0e4736"}
SPAN = {1: "051581bf3cb55c13", 2: "00f067aa0ba902b7"}
WORKSPACE = {1: "ws_741", 2: "ws_742"}
DAY = datetime(2026, 3, 14)
SOURCES = 42
PACKED_AT = 1_773_497_000
"""2026-03-14 14:03:20 UTC, as seconds."""
STDOUT_CLOCK = timedelta(seconds=-2)
"""The node agent that stamps stdout runs 2 s behind the worker's clock."""


def at(clock: str) -> datetime:
    """`13:04:19` or `13:04:19.250` on the day of the story."""
    h, m, s = clock.split(":")
    return DAY + timedelta(hours=int(h), minutes=int(m), seconds=float(s))


def worker_stamp(t: datetime) -> str:
    return f"{t:%Y-%m-%d %H:%M:%S},{t.microsecond // 1000:03d}"


def queue_stamp(t: datetime) -> str:
    return f"{t:%Y-%m-%dT%H:%M:%S}Z"


def agent_stamp(t: datetime) -> str:
    t += STDOUT_CLOCK
    return f"{t:%Y-%m-%dT%H:%M:%S}.{t.microsecond:06d}Z"


def content(artifact: str) -> bytes:
    """What the workspace holds of an artifact; small stand-ins with real checksums."""
    if artifact == "artifact_087":
        pages = b"".join(b"page %03d of the March edition\n" % n for n in range(1, 129))
        return b"%PDF-1.7\n" + pages + b"%%EOF\n"
    return f"{artifact} of {BUNDLE}\n".encode() * 3


def sha(artifact: str) -> str:
    return hashlib.sha256(content(artifact)).hexdigest()


def source_id(n: int) -> str:
    return f"artifact_{n:03d}"


def text_id(n: int) -> str:
    return f"artifact_{SOURCES + n:03d}"


PAGES, REPORT, FINAL = "artifact_085", "artifact_086", "artifact_087"

# --- the queue ------------------------------------------------------------------------------------


def queue_log() -> Iterator[str]:
    def line(clock: str, message: str) -> str:
        return f"{queue_stamp(at(clock))} queue-1 broker[311]: {message}\n"

    bundle = f"bundle={BUNDLE} bundle_sha256={BUNDLE_SHA}"
    yield line("12:41:30", f"run created run={RUN} attempt=1 msg=msg_5488 {bundle}")
    yield line("12:41:52", f"message claimed run={RUN} attempt=1 msg=msg_5488 worker=worker-3 lease=lease_901")
    yield line("12:47:33", f"lease expired run={RUN} attempt=1 msg=msg_5488 lease=lease_901 worker=worker-3")
    yield line("12:47:33", "depth=4 oldest=00:00:41 consumers=9")
    yield line("13:03:11", f"run created run={RUN} attempt=2 msg=msg_5512 {bundle}")
    yield line("13:03:40", "depth=11 oldest=00:00:29 consumers=7")
    yield line("13:04:02", f"message claimed run={RUN} attempt=2 msg=msg_5512 worker=worker-7 lease=lease_944")
    yield line("13:04:02", f"delivered run={RUN} attempt=2 msg=msg_5512")
    for minute in range(5, 17):
        yield line(f"13:{minute:02d}:02", f"lease renewed run={RUN} attempt=2 lease=lease_944 worker=worker-7")
    yield line("13:17:30", "depth=3 oldest=00:00:08 consumers=8")
    yield line("13:21:00", "depth=0 oldest=- consumers=8")


# --- the workers ----------------------------------------------------------------------------------


class Worker:
    """Writes one attempt's worker log in the manner of Python's logging."""

    def __init__(self, attempt: int, host: str) -> None:
        self.attempt = attempt
        self.host = host
        self.lines: list[str] = []

    def say(self, t: datetime, level: str, logger: str, message: str, *more: str) -> None:
        head = f"{worker_stamp(t)} {level:<7} [{self.host}] {logger}: {message}"
        self.lines += [head + "\n", *(m + "\n" for m in more)]

    def begin(self, claimed: datetime, ready: datetime) -> None:
        a = self.attempt
        self.say(
            claimed + timedelta(seconds=1.4),
            "INFO",
            "runtime",
            f"boot run={RUN} attempt={a} traceparent=00-{TRACE[a]}-{SPAN[a]}-01 pid={4100 + a}",
        )
        self.say(
            claimed + timedelta(seconds=6.02), "DEBUG", "runtime", "image renderd:4.11.2 present, mounting scratch"
        )
        self.say(ready, "INFO", "runtime", f"workspace ready workspace={WORKSPACE[a]} run={RUN} attempt={a}")

    def stage(self, start: datetime, name: str) -> None:
        self.say(start, "INFO", "pipeline", f"stage {name} started")

    def done(self, end: datetime, name: str, took: timedelta) -> None:
        self.say(end, "INFO", "pipeline", f"stage {name} finished in {took.total_seconds():.1f}s")


def preprocessing(w: Worker, start: datetime, upto: int, step: float) -> datetime:
    """Sources fetched one by one; returns the instant of the last line."""
    t = start
    w.stage(t, "preprocessing")
    w.say(t, "INFO", "fetch", f"read bundle {BUNDLE} checksum=sha256:{BUNDLE_SHA}")
    for n in range(1, upto + 1):
        t = start + timedelta(seconds=1 + step * n)
        w.say(t, "INFO", "fetch", f"processing source {n} of {SOURCES}")
        if n == 9:
            w.say(t + timedelta(seconds=0.4), "WARNING", "fetch", "source 9: mirror-2 answered 503, retrying (1/3)")
        name = source_id(n)
        w.say(
            t + timedelta(seconds=0.8),
            "INFO",
            "artifacts",
            f"artifact written {name} stage=preprocessing path=sources/{name}.json size={len(content(name))} "
            f"sha256={sha(name)}",
        )
    return t + timedelta(seconds=1)


def extraction(w: Worker, start: datetime, upto: int, step: float) -> datetime:
    """Tool calls with durations; returns the instant of the last line."""
    t = start
    w.stage(t, "extraction")
    for n in range(1, upto + 1):
        began = start + timedelta(seconds=0.5 + step * (n - 1))
        took = step * (0.62 + 0.03 * (n % 7))
        call = f"call_{w.attempt}{n:03d}"
        w.say(began, "INFO", "tools", f"tool textract started call={call} input={source_id(n)}")
        t = began + timedelta(seconds=took)
        w.say(t, "INFO", "tools", f"tool textract finished call={call} exit=0 took={took:.1f}s")
        name = text_id(n)
        w.say(
            t + timedelta(seconds=0.1),
            "INFO",
            "artifacts",
            f"artifact written {name} stage=extraction path=text/{name}.txt size={len(content(name))} "
            f"sha256={sha(name)} from={source_id(n)}",
        )
    return t + timedelta(seconds=0.5)


def first_attempt() -> Worker:
    w = Worker(1, "worker-3")
    w.begin(at("12:41:52"), at("12:42:08"))
    t = preprocessing(w, at("12:42:08"), SOURCES, 2.0)
    w.done(t, "preprocessing", t - at("12:42:08"))
    t = extraction(w, t, 17, 9.0)
    w.say(t + timedelta(seconds=7), "INFO", "tools", f"tool textract started call=call_1018 input={source_id(18)}")
    w.say(
        at("12:47:21.310"),
        "ERROR",
        "tools",
        "tool textract failed call=call_1018 exit=137",
        "Traceback (most recent call last):",
        '  File "/srv/renderd/tools.py", line 214, in run',
        "    out = self._communicate(proc, deadline)",
        '  File "/srv/renderd/tools.py", line 161, in _communicate',
        "    raise ToolDied(proc.args[0], proc.returncode)",
        "renderd.tools.ToolDied: textract: killed by signal 9 (out of memory: limit 2048 MiB)",
    )
    w.say(at("12:47:21.502"), "ERROR", "pipeline", f"attempt failed run={RUN} attempt=1 stage=extraction")
    w.say(at("12:47:21.700"), "INFO", "runtime", "process exited with code 1")
    return w


def second_attempt() -> Worker:
    w = Worker(2, "worker-7")
    w.begin(at("13:04:02"), at("13:04:19"))
    t = preprocessing(w, at("13:04:19"), SOURCES, 2.1)
    w.done(t, "preprocessing", t - at("13:04:19"))
    start = t + timedelta(seconds=0.2)
    t = extraction(w, start, SOURCES, 9.0)
    w.done(t, "extraction", t - start)
    rendering(w, t + timedelta(seconds=0.3))
    validation(w)
    writeback(w)
    return w


def rendering(w: Worker, start: datetime) -> None:
    w.stage(start, "rendering")
    w.say(start, "INFO", "tools", "tool typeset started call=call_2900 input=artifact_043..artifact_084")
    end = at("13:14:58.400")
    for page in (32, 64, 96, 128):
        t = start + (end - start) * (page / 130)
        w.say(t, "INFO", "render", f"rendered page {page} of 128")
    took = (end - start).total_seconds()
    w.say(end, "INFO", "tools", f"tool typeset finished call=call_2900 exit=0 took={took:.1f}s")
    w.say(
        end + timedelta(seconds=0.2),
        "INFO",
        "artifacts",
        f"artifact written {PAGES} stage=rendering path=out/{PAGES}.pages size={len(content(PAGES))} "
        f"sha256={sha(PAGES)} from={text_id(1)}..{text_id(SOURCES)}",
    )
    w.done(end + timedelta(seconds=0.3), "rendering", end - start)


def validation(w: Worker) -> None:
    start = at("13:14:59.100")
    w.stage(start, "validation")
    w.say(start, "INFO", "tools", "tool pagecheck started call=call_2901 input=artifact_085")
    w.say(at("13:15:31.200"), "INFO", "tools", "tool pagecheck finished call=call_2901 exit=0 took=32.1s")
    w.say(at("13:15:31.300"), "INFO", "validator", "validator passed: 128 pages, 0 errors, 2 warnings")
    w.say(
        at("13:15:31.400"),
        "INFO",
        "artifacts",
        f"artifact written {REPORT} stage=validation path=out/{REPORT}.json size={len(content(REPORT))} "
        f"sha256={sha(REPORT)} from={PAGES}",
    )
    w.say(
        at("13:15:47"),
        "INFO",
        "artifacts",
        f"final artifact written {FINAL} stage=validation path=out/{FINAL}.pdf size={len(content(FINAL))} "
        f"sha256={sha(FINAL)} from={PAGES}",
    )
    w.done(at("13:15:47.100"), "validation", at("13:15:47.100") - start)


def writeback(w: Worker) -> None:
    w.stage(at("13:15:47.200"), "writeback")
    w.say(
        at("13:15:47.300"),
        "INFO",
        "upload",
        f"upload started {FINAL} to object-store/editions/march.pdf bytes={len(content(FINAL))}",
    )
    w.say(
        at("13:16:44"),
        "ERROR",
        "upload",
        f"upload timeout {FINAL} after 56.7s: no response from object-store",
        "Traceback (most recent call last):",
        '  File "/srv/renderd/upload.py", line 88, in put',
        "    response = self.session.put(url, data=body, timeout=self.deadline)",
        '  File "/srv/renderd/vendor/http.py", line 512, in put',
        "    raise ReadTimeout(url, waited)",
        "renderd.vendor.http.ReadTimeout: object-store/editions/march.pdf: waited 56.7 s",
    )


# --- stdout, manifest, run record -----------------------------------------------------------------


def bar(done: int, total: int) -> str:
    filled = 24 * done // total
    return f"\r  fetch [{'#' * filled}{'.' * (24 - filled)}] {done}/{total}"


def stdout(attempt: int, start: datetime, dead: datetime | None) -> Iterator[str]:
    def line(t: datetime, message: str) -> str:
        return f"{agent_stamp(t)} stdout F {message}\n"

    yield line(start + timedelta(seconds=0.2), "\x1b[1mrenderd 4.11.2\x1b[0m starting")
    yield line(
        start + timedelta(seconds=90), "".join(bar(n, SOURCES) for n in range(1, SOURCES + 1)) + " \x1b[32mok\x1b[0m"
    )
    yield line(start + timedelta(seconds=92), "textract 2.3 (c) nobody")
    yield line(start + timedelta(seconds=140), "~~ qz flush 0x7f3a ~~")
    if dead is not None:
        yield line(dead, "\x1b[31mKilled\x1b[0m")
        return
    yield line(at("13:12:10"), "typeset: overfull hbox (badness 10000) in page 71")
    yield line(at("13:15:31.350"), "\x1b[32mvalidator: all 128 pages fine\x1b[0m")
    yield line(at("13:15:47.400"), f"uploading {FINAL} ...")


def manifest() -> Iterator[str]:
    """Rows appended as artifacts come; one row a line."""
    rows: list[tuple[str, str, str, str]] = []
    rows += [
        (source_id(n), "preprocessing", "intermediate", f"sources/{source_id(n)}.json") for n in range(1, SOURCES + 1)
    ]
    rows += [(text_id(n), "extraction", "intermediate", f"text/{text_id(n)}.txt") for n in range(1, SOURCES + 1)]
    rows += [
        (PAGES, "rendering", "intermediate", f"out/{PAGES}.pages"),
        (REPORT, "validation", "report", f"out/{REPORT}.json"),
        (FINAL, "validation", "final", f"out/{FINAL}.pdf"),
    ]
    for name, stage, role, path in rows:
        row = {
            "run_id": RUN,
            "attempt": 2,
            "artifact_id": name,
            "role": role,
            "stage": stage,
            "path": path,
            "size_bytes": len(content(name)),
            "sha256": sha(name),
        }
        yield json.dumps(row) + "\n"


def run_record() -> str:
    record = {
        "run_id": RUN,
        "job": "edition-render",
        "status": "running",
        "attempt": 2,
        "bundle": BUNDLE,
        "bundle_sha256": BUNDLE_SHA,
        "workspace_id": WORKSPACE[2],
        "trace_id": TRACE[2],
        "created_at": queue_stamp(at("13:03:11")),
        "claimed_at": queue_stamp(at("13:04:02")),
        "updated_at": queue_stamp(at("13:04:19")),
        "finished_at": None,
        "exported_at": queue_stamp(at("14:00:00")),
        "attempts": [
            {"attempt": 1, "status": "failed", "workspace_id": WORKSPACE[1], "bundle": BUNDLE, "worker": "worker-3"},
            {"attempt": 2, "status": "running", "workspace_id": WORKSPACE[2], "bundle": BUNDLE, "worker": "worker-7"},
        ],
    }
    return json.dumps(record, indent=2) + "\n"


def files() -> Iterator[tuple[str, bytes]]:
    """Path and content of each member, in the order of the archive."""
    yield f"{RUN}/run.json", run_record().encode()
    yield f"{RUN}/queue.log", "".join(queue_log()).encode()
    yield f"{RUN}/attempt-1/worker.log", "".join(first_attempt().lines).encode()
    yield f"{RUN}/attempt-1/stdout.log", "".join(stdout(1, at("12:42:08"), at("12:47:21.200"))).encode()
    yield f"{RUN}/attempt-2/worker.log", "".join(second_attempt().lines).encode()
    yield f"{RUN}/attempt-2/stdout.log", "".join(stdout(2, at("13:04:19"), None)).encode()
    yield f"{RUN}/attempt-2/manifest.jsonl", "".join(manifest()).encode()
    for name, ending in ((PAGES, "pages"), (REPORT, "json"), (FINAL, "pdf")):
        yield f"{RUN}/attempt-2/workspace/out/{name}.{ending}", content(name)


def archive() -> bytes:
    """The tar.gz, without any clock in it."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, data in files():
            member = tarfile.TarInfo(path)
            member.size, member.mtime, member.mode = len(data), PACKED_AT, 0o644
            tar.addfile(member, io.BytesIO(data))
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, packed, mtime=0) as out:
        out.write(plain.getvalue())
    return packed.getvalue()


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    (folder / "render-retry.tar.gz").write_bytes(archive())
