"""What else lies in a Pegasus submit directory: kickstart's records of jobs, the log of DAGMan, notes of its tools."""

from __future__ import annotations

import re
from datetime import timedelta

import polars as pl

from runcase.intake.instants import instant
from runcase.intake.json_spans import Leaf, opens_only
from runcase.intake.readers.base import Annotator, DocumentFacts, DocumentReader, Sniff, Taken, TextReader
from runcase.intake.readers.draft import Draft, Place, member, number_of, text_of
from runcase.intake.readers.phrases import Phrase, PhraseAnnotator
from runcase.intake.readers.stated_version import stated

_FIRST_YEAR = 2000
"""Pegasus is younger."""

_INVOCATION = re.compile(rb"(?m)^- invocation: True\s*$")
_DAGMAN = re.compile(rb"(?m)^\d\d/\d\d/\d\d \d\d:\d\d:\d\d \*+ .*(?:CONDOR_DAGMAN|condor_DAGMAN)")
_NOTES = re.compile(
    rb"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}(?: \d+\.\d{3})?\s*\Z"
    rb"|\A(?:ts=\S+ )?event=(?:stampede\.)?(?:wf|xwf|task|job)\."
    rb'|"client"\s*:\s*"(?:condor_dagman|pegasus-plan)"'
)


def submit_folder(path: str) -> str | None:
    """The submit directory that a file of a workflow lies in; jobs' files lie two hashed folders deep."""
    folder = path.rpartition("/")[0]
    return re.sub(r"/[0-9A-F]{2}/[0-9A-F]{2}$", "", folder) or None


class Kickstart(DocumentReader):
    """What pegasus-kickstart saw of a job's program."""

    name = "pegasus_kickstart"
    versions = "Pegasus 5.x kickstart records (YAML, version 3.0)"
    ends_lines = True
    stated_version = stated(rb"(?m)^  version:\s*[\"\']?([\d.]+)", rb"3\..*")
    describes_run = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Invocation records."""
        found = len(_INVOCATION.findall(sniff.head))
        return Taken(f"{found} invocation records", 86) if found else None

    def read(self, data: bytes, path: str) -> DocumentFacts:
        """A record an invocation, with its exit code and times; what stands around is the job's own output."""
        from runcase.intake.yaml_spans import YamlText  # loads what reads YAML, which most inputs need not

        text = YamlText(data, path)
        draft = Draft(data, problems=text.problems)
        for leaf in text.walk(opens_only(())):
            if isinstance(leaf.value, dict):
                _invocation(leaf, path, draft)
        return draft.facts()


def _invocation(leaf: Leaf, path: str, draft: Draft) -> None:
    row, place = leaf.members, Place(leaf.start, leaf.length)
    program = row.get("mainjob")
    tool = text_of(row.get("transformation")) or "job"
    begun = instant(member(program, "start") or row.get("start"))
    took = _seconds(member(program, "duration") or row.get("duration"))
    end = (begun[0] + took, begun[1]) if begun[0] is not None and took is not None else (None, "none")
    code = number_of(member(program, "status", "regular_exitcode"))
    signal = number_of(member(program, "status", "signalled"))
    good = code == 0
    fields: dict[str, object] = {
        "tool": tool,
        "status": "ok" if good else "failed",
        "tool_exit_code": code,
        "signal": signal,
        "host": text_of(row.get("hostname")),
        "derivation": text_of(row.get("derivation")),
        "executable": text_of(member(program, "executable", "file_name")),
        "maxrss_kib": number_of(member(program, "usage", "maxrss")),
    }
    how = (
        f"was killed by signal {signal}"
        if signal
        else f"ended with exit code {code if code is not None else 'unknown'}"
    )
    stage = re.sub(r"\.(?:out|err)\.\d+$", "", path.rpartition("/")[2])
    level = None if good else "error"
    workspace = submit_folder(path)
    draft.record(place, "tool.finished", f"{tool} {how}", end, fields=fields, level=level, stage=stage,
                 duration_us=round(took.total_seconds() * 1e6) if took is not None else None,
                 workspace_id=workspace)  # fmt: skip


def _seconds(value: object) -> timedelta | None:
    text = text_of(value) or ""
    return timedelta(seconds=float(text)) if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", text) else None


class DagmanLog(TextReader):
    """DAGMan's own log; its times have no zone."""

    name = "dagman_log"
    versions = "HTCondor 8 to 23 *.dagman.out"
    stated_version = stated(rb"\$CondorVersion: (\d[\d.]*)", rb"(?:[89]|1\d|2[0-3])\..*")

    def recognises(self, sniff: Sniff) -> Taken | None:
        """The banner of DAGMan."""
        return Taken("the banner of DAGMan", 80) if _DAGMAN.search(sniff.head) else None

    def annotator(self, path: str) -> Annotator:
        """Start, end and what failed."""
        return PhraseAnnotator(_PHRASES)


_PHRASES = (
    Phrase(r"^\*\* .*\(CONDOR_DAGMAN\) STARTING UP", "run.created"),
    Phrase(r"^\*\*\*\* .*EXITING WITH STATUS (?P<exit_code>\d+)", "exit"),
    Phrase(
        r"^(?:Node|Job) (?P<stage>\S+) job proc \([\d.]+\) failed with status (?P<job_exit>-?\d+)",
        "error.node",
        "error",
    ),
    Phrase(r"^ERROR: the following job\(s\) failed", "error.nodes", "error"),
    Phrase(r"^Retrying node (?P<stage>\S+) \(retry #(?P<try>\d+)", "retry"),
    Phrase(r"^Aborting DAG|^DAGMan was removed", "error.cancelled", "error"),
    Phrase(r"^ULOG_(?P<state>\w+) for HTCondor Node (?P<stage>\S+)", "log"),
)


class PegasusNotes(TextReader):
    """Small files that say of the workflow beside them when something was, and nothing more."""

    name = "pegasus_notes"
    versions = "Pegasus 4.x and 5.x monitord.started, monitord.done, *.static.bp, *.metrics"
    describes_run = False

    def recognises(self, sniff: Sniff) -> Taken | None:
        """One stamp with a duration; events of the planner; metrics of a client."""
        return Taken("a note of one of Pegasus' tools", 82) if _NOTES.search(sniff.head[:4096]) else None

    def annotator(self, path: str) -> Annotator:
        """The planner's account of the plan has stamps that are no times."""
        return _NotesAnnotator((Phrase(r"^\d{4}-\d\d-\d\dT.* \d+\.\d{3}$", "log"),))


class _NotesAnnotator(PhraseAnnotator):
    """pegasus-plan 5.0 stamps `*.static.bp` with milliseconds as if they were seconds divided by a thousand: 1970."""

    def annotate(self, records: pl.DataFrame) -> pl.DataFrame:
        """As `PhraseAnnotator` does, and without the times that no workflow can have."""
        named = super().annotate(records)
        sound = ~(pl.col("ts").dt.year() < _FIRST_YEAR).fill_null(value=False)
        times = (pl.when(sound).then(c).alias(c) for c in ("ts", "ts_lo", "ts_hi"))
        return named.with_columns(*times, ts_basis=pl.when(sound).then("ts_basis").otherwise(pl.lit("none")))
