"""Failures and payloads of Temporal histories: what a person would want to read of them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from runcase.intake.readers.draft import member, text_of

_MAX_CAUSES = 20
_ENUM = re.compile(
    r"^(?:WORKFLOW_TASK_FAILED_CAUSE|TIMEOUT_TYPE|RETRY_STATE|START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE"
    r"|(?:SIGNAL|CANCEL)_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE)_"
)
"""Names of the enumerations that values repeat in front (temporal.api.enums.v1)."""


def camel(upper: str) -> str:
    """`WORKFLOW_TASK` -> `WorkflowTask`."""
    return "".join(part.capitalize() for part in upper.split("_"))


def enum_name(value: object) -> str | None:
    """A cause or timeout type, however it is spelled, as `ScheduleToStart`; null for none."""
    written = text_of(value)
    if written is None or not written.isupper():
        return written
    return camel(_ENUM.sub("", written))


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure with its causes: the name and headline are those of the innermost one that has any."""

    name: str
    headline: str
    chain: str
    trace: str | None


def failure_of(value: object) -> Failure | None:
    """A `temporal.api.failure.v1.Failure` with its chain of causes; None when there is none."""
    links = list(_causes(value))
    if not links:
        return None
    named = [(_failure_name(link), text_of(link.get("message")) or "") for link in links]
    told = [f"{name}: {message}" if name and message else name or message for name, message in named]
    name = next((n for n, _ in reversed(named) if n), "Failure")
    traces = [t for link in links if (t := text_of(link.get("stackTrace", link.get("stack_trace"))))]
    innermost = next((t for t in reversed(told) if t), "Failure")
    return Failure(name, innermost, "\ncaused by ".join(t for t in told if t), "\n".join(traces) or None)


def _causes(value: object) -> Iterator[dict[str, object]]:
    for _ in range(_MAX_CAUSES):
        if not isinstance(value, dict) or not value:
            return
        yield value
        value = value.get("cause")


def _failure_name(link: dict[str, object]) -> str:
    """The application's type of a failure, else what kind of failure it is; empty for wrappers."""
    for key, info in link.items():
        kind = camel(key) if "_" in key else key[:1].upper() + key[1:]
        if not kind.endswith("FailureInfo") or not isinstance(info, dict):
            continue
        kind = kind.removesuffix("FailureInfo")
        if kind in ("ActivityTask", "Activity", "ChildWorkflowExecution", "NexusOperationExecution"):
            return ""
        timeout = enum_name(info.get("timeoutType", info.get("timeout_type")))
        return text_of(info.get("type")) or (f"{kind}Error ({timeout})" if timeout else f"{kind}Error")
    return ""


def payload_text(value: object) -> str | None:
    """Payloads as readable text: JSON and plain text decoded, anything else named with its size; null for none."""
    payloads = member(value, "payloads") if isinstance(value, dict) and "payloads" in value else value
    if isinstance(payloads, dict):
        payloads = [payloads]
    if not isinstance(payloads, list) or not payloads:
        return None
    return "\n".join(_decoded(p) for p in payloads)


def _decoded(payload: object) -> str:
    if not isinstance(payload, dict) or "data" not in payload:
        return json.dumps(payload, ensure_ascii=False, default=str)
    raw = _from_base64(payload.get("data"))
    encoding = _from_base64(member(payload, "metadata", "encoding")) or b""
    if raw is None:
        return text_of(payload.get("data")) or ""
    if encoding.startswith((b"json/", b"text/")) or not encoding:
        return raw.decode("utf-8", "backslashreplace")
    return f"<{encoding.decode('ascii', 'backslashreplace')}, {len(raw)} bytes>"


def _from_base64(value: object) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
