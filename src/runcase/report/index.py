"""Facts and conclusions to the `Index` of a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from runcase.model.case import Conclusions, Facts
from runcase.model.kinds import FAILED
from runcase.model.text import present_line
from runcase.report.damage import damaged_once
from runcase.report.history import builds_of_runs, changes, job_strips
from runcase.report.index_value import DamagedSource, Group, Index, RunLine
from runcase.report.known_issues import KnownIssue, matching
from runcase.report.words import micros_words

_ORDER = {"failed": 0, "timed_out": 1, "lost": 2, "cancelled": 3, "running": 4, "succeeded": 5}


def index(
    facts: Facts,
    conclusions: Conclusions,
    folders: Mapping[str, str],
    issues: Sequence[KnownIssue] = (),
    builds: Sequence[Sequence[str]] = (),
) -> Index:
    """The index of a case.

    Args:
        facts: Facts of the case.
        conclusions: Conclusions of the case.
        folders: Run id -> folder under runs/.
        issues: Tickets for known failures.
        builds: Batches that came together.
    """
    verdicts = conclusions.diagnoses.filter(pl.col("rank") == 0).select(
        "run_id", "class", "confidence", "text", "signature"
    )
    runs = conclusions.runs.join(verdicts, on="run_id", how="left", maintain_order="left").sort(
        pl.col("status").replace_strict(_ORDER, default=9), "last_ts", "run_id", descending=[False, True, False]
    )
    sources = facts.sources.collect()
    build_of, count = builds_of_runs(sources, conclusions.members, builds)
    lines = tuple(_lines(runs, folders, build_of))
    groups = _groups(lines, count, issues)
    counts = runs["status"].value_counts().sort(pl.col("status").replace_strict(_ORDER, default=9))
    return Index(
        counts=dict(zip(counts["status"].to_list(), counts["count"].to_list(), strict=True)),
        runs=lines,
        groups=groups,
        damage=_damage(facts),
        unassigned=_unassigned(sources, conclusions),
        sources=sources.height,
        bytes=int(sources.filter(pl.col("parent_id").is_null())["size_bytes"].sum() or 0),
        events=int(sources["events"].sum() or 0),
        builds=count,
        jobs=job_strips(lines),
        changes=changes(lines, groups, count),
    )


def _lines(runs: pl.DataFrame, folders: Mapping[str, str], build_of: Mapping[str, int]) -> Iterator[RunLine]:
    """RUNS with the verdict of each; a year's are 30,000, so that columns are made at once."""
    begin, end = pl.coalesce("created_at", "first_ts"), pl.coalesce("finished_at", "last_ts")
    told = runs.select(
        *("run_id", "status", "job", "attempts", "class", "confidence", "text", "signature"),
        first_ts=_iso("first_ts"),
        last_ts=_iso("last_ts"),
        took_us=(end - begin).dt.total_microseconds(),
    )
    for run_id, status, job, attempts, failure_class, confidence, text, signature, first, last, us in told.iter_rows():
        yield RunLine(
            run_id=present_line(run_id),
            folder=folders.get(run_id, ""),
            status=status,
            job=present_line(job) if job else None,
            attempts=attempts,
            first_ts=first,
            last_ts=last,
            took=None if us is None else micros_words(us),
            failure_class=failure_class or None,
            confidence=confidence or None,
            blocker=present_line(text) if text else None,
            signature=present_line(signature) if signature else None,
            build=build_of.get(run_id, 0),
            took_us=us,
        )


def _iso(column: str) -> pl.Expr:
    """As `words.iso`."""
    return pl.col(column).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")


def _groups(lines: Sequence[RunLine], builds: int, issues: Sequence[KnownIssue]) -> tuple[Group, ...]:
    """Failures by signature: new ones first, then those with most runs."""
    by_signature: dict[str, list[RunLine]] = {}
    for line in lines:
        if line.status in FAILED:
            by_signature.setdefault(line.signature or line.failure_class or "unknown_failure", []).append(line)
    groups = [_group(signature, found, builds, issues) for signature, found in by_signature.items()]
    return tuple(sorted(groups, key=lambda g: (g.known != "new", -g.count, g.failure_class, g.signature)))


def _group(signature: str, found: Sequence[RunLine], builds: int, issues: Sequence[KnownIssue]) -> Group:
    failure_class, blocker = found[0].failure_class or "unknown_failure", found[0].blocker or ""
    issue = matching(issues, signature, failure_class, blocker)
    earlier = any(r.build < builds - 1 for r in found)
    return Group(
        signature=signature,
        failure_class=failure_class,
        blocker=blocker,
        count=len(found),
        first_seen=min((r.first_ts for r in found if r.first_ts), default=None),
        last_seen=max((r.last_ts for r in found if r.last_ts), default=None),
        runs=tuple(r.run_id for r in found),
        jobs=tuple(sorted({r.job for r in found if r.job})),
        known="" if builds < 2 else "known" if earlier else "new",
        in_last_build=sum(r.build == builds - 1 for r in found),
        ticket=issue.ticket if issue else None,
        url=issue.url if issue else None,
        note=issue.note if issue else None,
    )


def _damage(facts: Facts) -> tuple[DamagedSource, ...]:
    worst = facts.problems.filter(pl.col("severity") == "error").sort("path", "byte_start", "code", nulls_last=True)
    return tuple(
        DamagedSource(present_line(p["path"] or ""), p["code"], present_line(p["message"]))
        for p in damaged_once(worst.collect()).head(200).iter_rows(named=True)
    )


def _unassigned(sources: pl.DataFrame, conclusions: Conclusions) -> tuple[str, ...]:
    """Paths of text and documents that belong to no run."""
    alone = sources.filter(
        ~pl.col("source_id").is_in(conclusions.members["source_id"].implode()) & (pl.col("kind") == "file")
    )
    return tuple(present_line(p) for p in alone.sort("path", "ordinal")["path"].to_list())
