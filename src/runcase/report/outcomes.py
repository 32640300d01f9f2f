"""How a span ended, as far as its end says."""

from __future__ import annotations

import re

from runcase.report.dossier import Window

_OUTCOME = re.compile(
    r"(?:status )?(?:(ok|succeeded|success)|(error|failed|failure|timeout|timed_out)|(cancelled|aborted))\b"
)


def outcome(w: Window) -> str:
    """How a closed span ended: `succeeded | failed | cancelled`; empty where its end does not say."""
    found = _OUTCOME.match(w.detail or "") if w.state == "closed" else None
    return ("succeeded", "failed", "cancelled")[(found.lastindex or 1) - 1] if found else ""
