"""What the place of a file of GitHub Actions says: its workflow run, its job, and the step.

A run is one job, a leg of a matrix included: that is what waits for a runner and
has a status. Its id is the job's name below the scope of its workflow run, which is
the archive or folder that the file lies in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_NUMBERED = re.compile(r"-?\d+_(?P<name>.+)\.txt")
_SUFFIX = re.compile(r"\.(?:zip|tar|tgz|gz|xz|zst|json|ndjson|jsonl)\b(?:\.(?:gz|xz|zst))?$")
_USUAL = re.compile(r"(?i)(?:run[-_]?)?logs?|(?:run[-_]?)?jobs?|(?:workflow[-_]?)?runs?|archive")
"""Names of archives and documents that say nothing of which workflow run it is."""
_FORBIDDEN = re.compile(r"[/:\\<>|*?\"]")
_FIRST_STEP = "Set up job"
OF_THE_SERVICE = "system"
"""What the service itself tells of a job, beside its steps and none of them."""
_READIED = re.compile(
    r"Job is about to start running on the (?:hosted )?runner|Waiting for a (?:hosted )?runner to pick up this job"
    r"|Current runner version:|Requested labels:|Job defined at:|Reusable workflow chain:"
)
"""How the text of a job begins."""
_BEGUN = re.compile(r"##\[group\]Run |Post job cleanup\.|Cleaning up orphan processes|Evaluate and set job outputs")
"""How the text of a step begins."""
_STAMP = re.compile(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ")
"""What the runner puts before every line."""
MAX_NAME = 90
"""UTF-16 units to which names of jobs are cut in an archive."""


@dataclass(frozen=True, slots=True)
class JobFile:
    """What the place of a file in a run archive says; `step` is null for the text of a whole job."""

    job: str | None
    step: str | None
    scope: str = ""
    """The workflow run: the archive or the folder; empty when its name says nothing."""

    @property
    def run_id(self) -> str | None:
        """The job below its workflow run; null for a text that names no job."""
        return run_id(self.scope, self.job) if self.job else None


def job_of(path: str) -> JobFile | None:
    """The job, and the step if it is one of its steps, that a path inside a run archive or its folder names."""
    archive, inside, member = path.rpartition("!/")
    parts = member.split("/") if inside else path.split("/")[1:]
    scope = scope_of(archive if inside else path.rsplit("/", 2)[0])
    if len(parts) > 1 and parts[-1] == f"{OF_THE_SERVICE}.txt":
        return JobFile(parts[-2], OF_THE_SERVICE, scope)
    numbered = _NUMBERED.fullmatch(parts[-1]) if parts else None
    if numbered is None or "__MACOSX" in parts:
        return None
    if len(parts) == 1 or parts[-1].startswith(("0_", "-")):  # steps count from 1
        return _whole_job(path, numbered["name"])
    return JobFile(parts[-2], numbered["name"], scope)


def as_it_begins(file: JobFile, path: str, begin: str) -> JobFile:
    """What a file is whose text begins with this line.

    Jobs begin with how the runner was made ready, as the first of their steps does: elsewhere in a folder `1_test.txt`
    is no step of it. Later steps begin with what they run: `2_test.txt` in a folder that was given alone is one of it.
    """
    readied = bool(_READIED.match(begin))
    if file.step is None:
        folder, _, name = path.rpartition("/")
        alone = _alone(folder) and (_BEGUN.match(begin) or (readied and name == f"1_{_FIRST_STEP}.txt"))
        return JobFile(folder, file.job) if alone else file
    return file if file.step in (_FIRST_STEP, OF_THE_SERVICE) or not readied else _whole_job(path, str(file.step))


def is_step(name: str, begin: Callable[[], bytes]) -> bool:
    """Whether a file that was given by itself is one of a job's steps, or of a run's jobs, by its name and begin.

    Only a file that is named like one is opened.
    """
    numbered = _NUMBERED.fullmatch(name)
    if numbered is None or name.startswith(("0_", "-")):
        return False
    text = begin().decode("utf-8", "replace").removeprefix("\ufeff")
    line = _STAMP.sub("", text, count=1)
    return line != text or bool(_READIED.match(line) or _BEGUN.match(line))


def _alone(folder: str) -> bool:
    """Whether a folder was given itself, and not an archive or what it lies in, under a name that may be a job's."""
    return bool(folder) and "/" not in folder and not _USUAL.fullmatch(folder)


def _whole_job(path: str, name: str) -> JobFile:
    return JobFile(name, None, scope_of(path.rsplit("/", 1)[0].removesuffix("!")))


def scope_of(place: str) -> str:
    """The workflow run that an archive, a document or a folder is named after."""
    parts = _SUFFIX.sub("", place).replace("!/", "/").split("/")
    return "/".join(parts[:-1] if _USUAL.fullmatch(parts[-1]) else parts)


def run_id(scope: str, job: str) -> str:
    """The id of a job's run; `job` in the spelling of an archive or in its own."""
    units = _FORBIDDEN.sub("", job).encode("utf-16-le", "surrogatepass")[: 2 * MAX_NAME]
    name = units.decode("utf-16-le", "ignore").strip()
    return f"{scope}/{name}" if scope else name
