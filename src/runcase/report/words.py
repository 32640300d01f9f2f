"""Numbers and instants in words, one way on every face."""

from __future__ import annotations

from datetime import datetime

_REASONS = {
    "no_run_created": "nothing tells when it was requested",
    "no_claim": "nothing tells when a worker took it",
    "no_workspace_ready": "nothing tells when its workspace was ready",
    "no_first_work_event": "no work was seen",
    "no_first_stdout": "nothing was seen on stdout",
    "no_final_artifact": "no final artifact was seen",
    "no_status_writeback": "no finished status was seen",
    "not_timed": "the event that tells has no time",
    "no_begin_event": "its begin was not seen",
    "no_end_event": "its end was not seen",
}


def reason_words(code: str | None) -> str:
    """Why a boundary is absent, for who does not know the codes; the code of a pack stands for itself."""
    return _REASONS.get(code or "", code or "no reason is known")


_BASES = {
    "status_event": "an event that states it",
    "cancellation": "a cancellation",
    "timeout": "a timeout of the whole run",
    "exit": "the exit code of its process",
    "exit_zero": "the exit code of its process",
    "invocation": "the outcome of its process or lease",
    "invocation_end": "the end of its process",
    "finished": "an event of its end",
    "claimed_end": "a record of the run",
    "claimed": "a record of the run",
    "claimed_running": "a record of the run, which may be stale",
    "error_at_end": "an error at the end of its log",
    "tool_success": "the last words of its build or test tool",
    "tool_failure": "what its build or test tool said last of all",
    "spans": "its trace spans",
    "lease_expired": "a lease that expired, with no sign of life after it",
    "no_terminal_evidence": "the absence of any end",
}


def basis_words(code: str) -> str:
    """What tells the status of a run."""
    return _BASES.get(code, code)


_STATES = {"absent": "not seen", "open": "end not seen"}


def state_words(state: str) -> str:
    """How a span stands that has no duration."""
    return _STATES.get(state, state)


def iso(value: object) -> str | None:
    """ISO 8601 in UTC with microseconds; None for none."""
    return f"{value:%Y-%m-%dT%H:%M:%S.%f}Z" if isinstance(value, datetime) else None


def duration_words(start: object, end: object) -> str | None:
    """The time from `start` to `end`; None unless both are known."""
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return None
    return micros_words(round((end - start).total_seconds() * 1_000_000))


def micros_words(micros: int | None) -> str:
    """`250ms`, `51s`, `11m 28s`, `2h 03m`, `3d 4h`; seconds have one digit below ten seconds."""
    if micros is None:
        return "?"
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    if micros < 1_000_000:
        return f"{sign}{micros // 1000}ms" if micros >= 1000 or not micros else f"{sign}{micros}us"
    seconds = micros / 1_000_000
    if seconds < 10 and round(seconds, 1) != round(seconds):
        return f"{sign}{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{sign}{whole}s"
    if whole < 3600:
        return f"{sign}{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{sign}{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{sign}{whole // 86400}d {whole % 86400 // 3600}h"


def clock(ts: str | None) -> str:
    """The time of day of an ISO instant, whole seconds; `?` for none."""
    return ts[11:19] if ts else "?"


def bytes_words(count: int | None) -> str:
    """`512 B`, `3.8 kB`, `1.2 MB`."""
    if count is None:
        return "?"
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{int(size)} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return ""


def until(end: str, begin: str) -> str:
    """The minute of `end` as one reads it after that of `begin`: without the date where it is the same."""
    return end[11:16] if end[:10] == begin[:10] else iso_minute(end)


def iso_minute(ts: str | None) -> str:
    """Date and time of day to the minute; `?` for none."""
    return f"{ts[:10]} {ts[11:16]}" if ts else "?"


def tries_words(earlier: int) -> str:
    """What is said of tries that were tried again."""
    return "1 earlier try is not counted" if earlier == 1 else f"{earlier} earlier tries are not counted"
