"""What a case consists of, by digest, and whether that is still so.

`SHA256SUMS` lists every file but `case.json` in the format of sha256sum(1), so that a
case can be checked without runcase as well.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from runcase.ledger.parquet import parts_of, row_groups
from runcase.ledger.store import Case
from runcase.model.tables import RAW

NAME = "SHA256SUMS"
_OUTSIDE = frozenset({NAME, "case.json"})

_OF_A_FOLDER = re.compile(r"^[0-9a-f]{64}  ((?:runs|ledger)/[^/\n]+)/.*\n(?:[0-9a-f]{64}  \1/.*\n)*", re.MULTILINE)
"""Lines that follow one another of files in one folder of a run or of a batch."""

RETAINING = ".retaining"
"""Stands in a case from the first table that loses payloads until faces and digests say so: a kill leaves it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as the case says: a code, the file, and what is wrong."""

    code: str
    path: str
    message: str


def write_sums(case: Case, kept: Collection[str]) -> None:
    """Writes the digests of all files.

    Args:
        case: The case, complete but for its `case.json`.
        kept: Folders such as `runs/r-1`, whose files are as they were when their digests were written last.
    """
    before = _by_folder(case)
    carried = before.keys() & set(kept)
    found: dict[str, str] = {}
    for folder, folders, names in os.walk(case.root):
        inside = os.path.relpath(folder, case.root).replace(os.sep, "/")
        prefix = "" if inside == "." else f"{inside}/"
        found |= {f"{known}/": before[known] for known in carried.intersection(f"{prefix}{f}" for f in folders)}
        folders[:] = [f for f in folders if f"{prefix}{f}" not in carried and not f.startswith(".")]
        own = (f"{prefix}{n}" for n in names if not n.startswith("."))
        found |= {n: _line(n, digest_of(case.root / n)) for n in own if n not in _OUTSIDE and (case.root / n).is_file()}
    # what lies in a folder stands where its name with a slash would
    case.write_text(NAME, "".join(lines for _, lines in sorted(found.items())), durable=True)


def _by_folder(case: Case) -> dict[str, str]:
    """The folder of each run and of each batch -> the lines of its files, as they were written last."""
    found: dict[str, str] = {}
    for lines in _OF_A_FOLDER.finditer(_text(_written(case))):
        found[lines[1]] = found.get(lines[1], "") + lines[0]
    return found


def read_sums(case: Case) -> dict[str, str]:
    """Name of each file -> its digest; empty when there is no list."""
    return listed(_written(case))


def _written(case: Case) -> bytes:
    try:
        return (case.root / NAME).read_bytes()
    except FileNotFoundError:
        return b""


def _text(sums: bytes) -> str:
    return sums.decode("utf-8", "surrogateescape")


def listed(sums: bytes) -> dict[str, str]:
    """Name of each file -> its digest, as sha256sum(1) writes it."""
    pairs = (line.split("  ", 1) for line in _text(sums).splitlines())
    return {pair[1]: pair[0] for pair in pairs if len(pair) == 2}


def listing(digests: Mapping[str, str]) -> str:
    """What `listed` reads, by name."""
    return "".join(_line(name, digest) for name, digest in sorted(digests.items()))


def _line(name: str, digest: str) -> str:
    return f"{digest}  {name}\n"


def verify(case: Case) -> list[Finding]:
    """Everything that is not as it was written, in the order of the files."""
    differing = case.bring_all()
    told = read_sums(case)
    if not told:
        return [Finding("sums_missing", NAME, "the list of digests is missing; build again")]
    there = set(_files(case.root))
    found = [Finding("file_missing", n, "listed, and not there") for n in told if n not in there]
    found += [Finding("file_unlisted", n, "there, and not listed") for n in sorted(there) if n not in told]
    found += [
        Finding("file_changed", n, f"its digest is not {told[n][:16]}..., as it was when it was written")
        for n in sorted(there & told.keys())
        if digest_of(case.root / n) != told[n]
    ]
    found += [Finding("file_changed", n, "it is not as the last build left it") for n in differing if n in _OUTSIDE]
    if case.has(RETAINING):
        found.append(
            Finding("retention_pending", RETAINING, "payloads were expiring when it was cut off; retain again")
        )
    pending = sorted(set(case.batches()) - set(case.concluded()))
    found += [Finding("batch_pending", f"ledger/{b}", "a build was cut off before it was concluded") for b in pending]
    return sorted([*found, *_raw_findings(case)], key=lambda f: (f.path, f.code))


def _files(root: Path) -> Iterator[str]:
    """Names of the files that a case consists of, sorted; hidden ones are staging."""
    names = (p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    yield from sorted(n for n in names if n not in _OUTSIDE and not any(part[0] == "." for part in n.split("/")))


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _raw_findings(case: Case) -> Iterator[Finding]:
    """Sources whose kept bytes do not have the digest that was taken when they were read."""
    facts = case.facts(case.batches())
    redacted = facts.redactions.select("source_id").unique()
    whole = facts.sources.join(redacted, on="source_id", how="anti").filter(pl.col("sha256").is_not_null())
    expected = {
        s: (b, p, d) for s, b, p, d in whole.select("source_id", "batch", "path", "sha256").collect().iter_rows()
    }
    for batch in case.batches():
        for sid, (size_is_whole, digest) in _raw_digests(parts_of(case.root / "ledger" / batch, RAW)).items():
            _, path, sha256 = expected.get(sid, ("", "", digest))
            if size_is_whole and digest != sha256:
                yield Finding(
                    "raw_differs", f"ledger/{batch}/raw.parquet", f"the kept bytes of {path} are not those read"
                )


def _raw_digests(paths: Sequence[Path]) -> dict[str, tuple[bool, str]]:
    """Source -> whether its chunks follow each other from 0 on, and the digest over them."""
    hashes: dict[str, tuple[int, hashlib._Hash]] = {}
    gaps: set[str] = set()
    try:
        for rows in row_groups(paths):
            for sid, start, data in zip(*(rows.column(c).to_pylist() for c in RAW.names), strict=True):
                at, digest = hashes.setdefault(sid, (0, hashlib.sha256()))
                digest.update(data)
                hashes[sid] = (at + len(data), digest)
                if start != at:
                    gaps.add(sid)
    except (FileNotFoundError, OSError, pa.ArrowException):
        return {}  # said already: the file is missing or changed
    return {sid: (sid not in gaps, digest.hexdigest()) for sid, (_, digest) in hashes.items()}
