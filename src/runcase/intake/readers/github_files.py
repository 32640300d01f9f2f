"""What the place of a file in a run archive of GitHub Actions says."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBERED = re.compile(r"-?\d+_(?P<name>.+)\.txt")


@dataclass(frozen=True, slots=True)
class JobFile:
    """What the place of a file in a run archive says; `step` is null for the text of a whole job."""

    job: str | None
    step: str | None


def job_of(path: str) -> JobFile | None:
    """The job, and the step if it is one of its steps, that a path inside a run archive or its folder names."""
    _, inside, member = path.rpartition("!/")
    parts = member.split("/") if inside else path.split("/")[1:]
    numbered = _NUMBERED.fullmatch(parts[-1]) if parts else None
    if numbered is None or "__MACOSX" in parts:
        return None
    whole = len(parts) == 1 or (len(parts) == 2 and parts[-1].startswith("0_"))
    return JobFile(numbered["name"], None) if whole else JobFile(parts[-2], numbered["name"])
