"""Closed lists of names that cross the floors.

Event kinds may be refined by a pack with further dotted parts (`error.timeout.upload`).
"""

from __future__ import annotations

EVENT_KINDS: dict[str, str] = {
    "run.created": "the run was requested",
    "run.finished": "the run ended; fields.status says how",
    "attempt.claimed": "a worker took the attempt",
    "attempt.started": "the attempt's own code began",
    "invocation.queued": "a hand-over was put into a queue",
    "invocation.claimed": "a runtime took the hand-over",
    "invocation.started": "a process or lease began",
    "invocation.finished": "a process or lease ended",
    "invocation.redelivered": "the queue handed the message over again",
    "workspace.ready": "the file tree of the attempt was usable",
    "stage.started": "a stage began",
    "stage.finished": "a stage ended",
    "tool.started": "a tool call began",
    "tool.finished": "a tool call ended; duration_us if stated",
    "artifact.written": "an artifact was made durable",
    "artifact.read": "an artifact was used",
    "upload.started": "a write-back of an artifact began",
    "upload.finished": "a write-back of an artifact ended well",
    "progress": "n of m done",
    "heartbeat": "proof of life and nothing else",
    "retry": "something is tried again",
    "error": "something failed",
    "warning": "something is odd",
    "exit": "a process ended; fields.exit_code",
    "log": "a recognised record that is none of the above",
    "unknown": "no rule and no reader names it",
}

WORK_KINDS: tuple[str, ...] = (
    "stage.started",
    "stage.finished",
    "tool.started",
    "tool.finished",
    "artifact.written",
    "artifact.read",
    "progress",
)
"""Kinds that prove that an attempt did work; the active window spans them."""

STATUSES: tuple[str, ...] = ("succeeded", "failed", "timed_out", "cancelled", "running", "lost")

FAILED: tuple[str, ...] = ("failed", "timed_out", "lost")
"""Statuses of what ended badly, and not because it was told to stop."""

UNSUCCESSFUL: tuple[str, ...] = (*FAILED, "cancelled")
"""Statuses of what is over and did not succeed."""

LEVELS: tuple[str, ...] = ("trace", "debug", "info", "warning", "error", "fatal")

FAILURE_ROOTS: tuple[str, ...] = (
    "pre_work",
    "writeback",
    "timeout",
    "rate_limit",
    "resource",
    "dependency",
    "build",
    "test",
    "config",
    "input",
    "crash",
    "cancelled",
    "lost",
    "unknown_failure",
)


def is_event_kind(kind: str) -> bool:
    """True for a listed kind and for a refinement of one (`error.timeout`)."""
    return any(kind == k or kind.startswith(k + ".") for k in EVENT_KINDS)


def is_failure_class(name: str) -> bool:
    """True for a listed root and for a dotted name below one."""
    return any(name == r or name.startswith(r + ".") for r in FAILURE_ROOTS)


EXIT_CLASSES = {"126": "config.not_executable", "127": "config.command_not_found", "137": "resource.oom"}
EXIT_CLASSES |= {"139": "crash.segfault", "134": "crash.abort", "143": "cancelled", "130": "cancelled"}
"""Exit codes that a shell gives for what happened (POSIX: 126, 127, 128 + signal) -> failure class."""
