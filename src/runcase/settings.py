"""What was asked, resolved once, frozen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runcase.intake.remote import is_url
from runcase.model.problems import RuncaseError

ENGINE_PACKS = (
    *("airflow", "argo", "azure-pipelines", "bazel", "buildkite", "dagster", "jenkins", "pegasus", "prow", "slurm"),
    *("snakemake", "stepfunctions", "temporal", "travis", "zuul"),
    *("kubernetes", "nextflow", "nextflow-engine", "gitlab", "github-actions"),
)
DEFAULT_PACKS = ("generic", *ENGINE_PACKS, "document-pipeline")
"""Shipped packs that every build uses; a pack applies only to the sources that it names."""

MIN_PAGE_BYTES = 100_000
"""Style, script and a verdict with its first lines take about half of this."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One build.

    `inputs` exist; `packs` are names of shipped packs or paths, later ones win.
    """

    inputs: tuple[Path, ...]
    case: Path | str
    """A folder, or a URL."""
    packs: tuple[str, ...] = DEFAULT_PACKS
    jobs: int = 1
    keep_raw: bool = True
    redact: bool = True
    max_page_bytes: int | None = None
    """Size budget of a page; None for the default of `report.html`."""
    known_issues: Path | None = None
    """A file of tickets for known failures."""
    remote: tuple[str, ...] = ()
    """URLs of further inputs."""
    scheduler: str | None = None
    """Address of a Dask scheduler whose workers read the inputs; None for processes of this machine."""


def resolve(
    inputs: Sequence[str],
    case: str,
    rules: Sequence[str] = (),
    *,
    jobs: int | None = None,
    keep_raw: bool = True,
    redact: bool = True,
    max_size: str | None = None,
    known_issues: str | None = None,
    scheduler: str | None = None,
) -> Settings:
    """Settings for a build as the command line asks for it.

    Args:
        inputs: Paths of files and folders, or URLs; `-` is standard input.
        case: Folder of the case, or its URL.
        rules: Further rule packs; they come after the shipped ones and win over them.
        jobs: Number of processes; None means one a core.
        keep_raw: Whether the ledger keeps the raw bytes.
        redact: Whether secrets are replaced before anything is written.
        max_size: Size budget of a page, `5MB`, `400kB` or bytes; None for the default.
        known_issues: A file of tickets for known failures.
        scheduler: Address of a Dask scheduler, `tcp://host:port`.

    Raises:
        RuncaseError: `no_input`, `missing_path`, `bad_value`.
    """
    if not inputs:
        raise RuncaseError("no_input", "no input was named", "runcase build INPUT... -o CASE")
    if scheduler is not None and not _ADDRESS.fullmatch(scheduler):
        raise RuncaseError("bad_value", f"--scheduler {scheduler}: not an address such as tcp://host:8786")
    remote = tuple(i for i in inputs if is_url(i))
    paths = tuple(Path(i) for i in inputs if not is_url(i))
    missing = [str(p) for p in paths if str(p) != "-" and not p.exists()]
    if missing:
        raise RuncaseError("missing_path", "no such file or folder: " + ", ".join(missing), "check the spelling")
    if jobs is not None and jobs < 1:
        raise RuncaseError("bad_value", f"--jobs {jobs}: at least one process is needed")
    pages = None if max_size is None else page_bytes(max_size)
    packs = (*DEFAULT_PACKS, *rules)
    issues = Path(known_issues) if known_issues is not None else None
    place = case if is_url(case) else Path(case)
    return Settings(paths, place, packs, jobs or 1, keep_raw, redact, pages, issues, remote, scheduler)


_ADDRESS = re.compile(r"(?:tcp|tls)://[^\s/]+:\d{1,5}")
_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1000, "m": 1_000_000, "mb": 1_000_000}
_SIZE = re.compile(r"([0-9]{1,9}(?:[.][0-9]{1,3})?)\s*([a-z]{0,2})")


def page_bytes(text: str) -> int:
    """Bytes that a size such as `5MB` means.

    Raises:
        RuncaseError: `bad_value`, also for a size that no page can keep.
    """
    m = _SIZE.fullmatch(text.strip().lower())
    size = round(float(m[1]) * _UNITS[m[2]]) if m and m[2] in _UNITS else 0
    if size < MIN_PAGE_BYTES:
        raise RuncaseError(
            "bad_value", f"--max-size {text}: not a size of at least {MIN_PAGE_BYTES // 1000}kB", "such as 5MB or 400kB"
        )
    return size
