"""What was asked, resolved once, frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runcase.model.problems import RuncaseError

DEFAULT_PACKS = ("generic", "document-pipeline")
"""Shipped packs that every build uses; a pack applies only to the sources that it names."""

MAX_PAGE_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """One build.

    `inputs` exist; `packs` are names of shipped packs or paths, later ones win.
    """

    inputs: tuple[Path, ...]
    case: Path
    packs: tuple[str, ...] = DEFAULT_PACKS
    jobs: int = 1
    keep_raw: bool = True
    max_page_bytes: int = MAX_PAGE_BYTES


def resolve(
    inputs: Sequence[str], case: str, rules: Sequence[str] = (), jobs: int | None = None, keep_raw: bool = True
) -> Settings:
    """Settings for a build as the command line asks for it.

    Args:
        inputs: Paths of files and folders; `-` is standard input.
        case: Folder of the case.
        rules: Further rule packs; they come after the shipped ones and win over them.
        jobs: Number of processes; None means one a core.
        keep_raw: Whether the ledger keeps the raw bytes.

    Raises:
        RuncaseError: `no_input`, `missing_path`, `bad_value`.
    """
    if not inputs:
        raise RuncaseError("no_input", "no input was named", "runcase build INPUT... -o CASE")
    paths = tuple(Path(i) for i in inputs)
    missing = [str(p) for p in paths if str(p) != "-" and not p.exists()]
    if missing:
        raise RuncaseError("missing_path", "no such file or folder: " + ", ".join(missing), "check the spelling")
    if jobs is not None and jobs < 1:
        raise RuncaseError("bad_value", f"--jobs {jobs}: at least one process is needed")
    return Settings(paths, Path(case), (*DEFAULT_PACKS, *rules), jobs or 1, keep_raw)
