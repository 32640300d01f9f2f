"""Airflow task logs: `dag_id=/run_id=/task_id=/[map_index=/]attempt=N.log`.

A task instance is a run with attempts of its own: Airflow retries tasks, not DAG
runs. Airflow 2 writes text, Airflow 3 JSON lines; what the web page gives for
download has stamps of its own and names the file that it shows. A task that is
deferred or rescheduled exits, and goes on later in the same file.
"""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.annotation import json_fields
from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader
from runcase.intake.readers.error_names import class_of
from runcase.intake.readers.phrases import Phrase, PhraseAnnotator

_PATH = re.compile(
    r"dag_id=(?P<dag>[^/]+)/run_id=(?P<run>[^/]+)/task_id=(?P<task>[^/]+)/(?:map_index=(?P<map>\d+)/)?attempt=(?P<n>\d+)"
)
_LINE = re.compile(
    rb"(?m)^\[\d{4}-\d\d-\d\d(?:T[\d:.+-]+|, \d\d:\d\d:\d\d(?: [\w+-]+)?| \d\d:\d\d:\d\d,\d{3})\]"
    rb" \{[\w./-]+:\d+\} [A-Z]+ - "
)
_PAGE = re.compile(rb"(?m)^\[\d{4}-\d\d-\d\d,? \d\d:\d\d:\d\d[^\]\n]{0,9}\] [A-Z]+ - .*\b(?:source|logger)=")
_SOURCES = re.compile(rb"(?m)^::group::Log message source details")
_JSON = re.compile(rb'(?m)^\{"timestamp":"\d{4}-[^"]+","(?:level|event|logger)":')
_LOGGER = re.compile(rb'(?m)^(?=[^\n]*"event":")[^\n]*"logger":"(?:task|airflow)[."]')

_P = r"^(?:(?:\{[^}]*\} )?[A-Z]+ - )?"
_PAUSED = "log.paused"
_PHRASES = (
    Phrase(_P + r"Marking task as SUCCESS", "run.finished", status="succeeded"),
    Phrase(_P + r"Marking task as SKIPPED", "run.finished", status="succeeded"),
    Phrase(_P + r"Marking task as (?P<state>FAILED|UP_FOR_RETRY)", "run.finished", "error", "failed"),
    Phrase(_P + r"Task instance in success state", "run.finished", status="succeeded"),
    Phrase(_P + r"Task instance in failure state", "run.finished", "error", "failed"),
    Phrase(_P + r"Task exited with return code \d+ \(task deferral\)", "log"),
    Phrase(_P + r"(?:Pausing task as DEFERRED|(?:.*, m|M)arking task as (?:UP_FOR_RESCHEDULE|DEFERRED))", _PAUSED),
    Phrase(_P + r"(?:Task exited|Process .* exited) with (?:return|exit) code (?P<exit_code>-?\d+)", "exit"),
    Phrase(_P + r"Command exited with return code (?P<tool_exit>-?\d+)", "tool.finished"),
    Phrase(_P + r"Running (?:<TaskInstance: .*> )?on host (?P<host>\S+)", "attempt.claimed"),
    Phrase(_P + r"Dependencies all met", "invocation.queued"),
    Phrase(_P + r"Starting attempt (?P<try>\d+) of (?P<tries>\d+)", "log"),
    Phrase(_P + r"(?:Executing <|Task instance is in running state)", "attempt.started"),
    Phrase(_P + r"Running command: (?P<tool>.*)", "tool.started"),
    Phrase(_P + r".*AirflowTaskTimeout|" + _P + r"Timeout, PID", "error.timeout.task", "error"),
    Phrase(_P + r"State of this instance has been externally set to (?P<state>\w+)", "error.external", "error"),
    Phrase(_P + r"Received SIGTERM", "error.terminated", "error"),
    Phrase(_P + r"Task (?:is not able to be run|failed with exception)", "error", "error"),
    Phrase(_P + r"Server indicated the task shouldn't be running anymore", "error.external", "error"),
    Phrase(r"^(?:\{[^}]*\} )?(?:ERROR|CRITICAL) - ", "error", "error"),
    Phrase(r"^(?:\{[^}]*\} )?WARNING - ", "warning", "warning"),
)
_FINAL_STATES = {
    **dict.fromkeys(("success", "skipped"), "succeeded"),
    **dict.fromkeys(("failed", "up_for_retry"), "failed"),
    "server_terminated": "cancelled",
}
"""What Airflow 3's supervisor writes when a task has finished; other states are no end of it."""
_NAMING_RECORDS = 20
"""The first records of a log, among which it may name the file that it is."""


class Airflow(TextReader):
    """One attempt of one task instance."""

    name = "airflow"
    versions = "Airflow 1.10 to 2.11 text, 3.x JSON lines, and what the web page of each downloads"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Lines with stamp, file and level, what a web page of Airflow 3 shows, or JSON lines of its loggers."""
        found = len(_LINE.findall(sniff.head))
        if found:
            return Taken(f"{found} lines of the task logger", 82)
        if _SOURCES.search(sniff.head) and _PAGE.search(sniff.head):
            return Taken("a log as the web page of Airflow 3 shows it", 82)
        if _JSON.search(sniff.head) and (_PATH.search(sniff.path) or _LOGGER.search(sniff.head)):
            return Taken("JSON lines of Airflow's loggers, or under the path of a task instance", 82)
        return None

    def annotator(self, path: str) -> Annotator:
        """The path tells the task instance and the attempt."""
        return _Annotator(path)


class _Annotator(PhraseAnnotator):
    def __init__(self, path: str) -> None:
        self._path = _PATH.search(path)
        self._begun = self._paused = False
        super().__init__(_PHRASES, _instance(self._path) if self._path else None)

    def prepared(self, records: pl.DataFrame) -> pl.DataFrame:
        """Keeps what Airflow 3 says of an exception and of the end, before phrases take the place of its fields."""
        if self._path is None and not self._begun:
            named = (_PATH.search(message) for message in records["message"].head(_NAMING_RECORDS))
            self._path = next((found for found in named if found), None)
            self._run_id = _instance(self._path) if self._path else None
        self._begun = True
        told = bool(records["fields"].str.contains_any(["error_detail", "final_state", "\\"]).any())
        fields = pl.col("fields") if told else pl.lit(None, dtype=pl.String)
        parts = [fields.str.json_path_match(f"$.error_detail[0].{k}") for k in ("exc_type", "exc_value")]
        final = fields.str.json_path_match("$.final_state")
        return records.with_columns(_raised=pl.concat_str(parts, separator=": "), _class=parts[0], _final=final)

    def concluded(self, records: pl.DataFrame) -> pl.DataFrame:
        """The exception in the summary; attempt, task and DAG from the path."""
        records = self._follow(records)
        raised = pl.col("_raised").is_not_null()
        classes = {name: class_of(name) for name in records["_class"].drop_nulls().unique().to_list()}
        failure = pl.col("_class").replace_strict(classes, default=None, return_dtype=pl.String)
        said = pl.concat_str(pl.col("message").str.split("\n").list.first(), pl.col("_raised"), separator=": ")
        seen = records.with_columns(
            summary=pl.when(raised).then(said).otherwise("summary"),
            message=pl.when(raised).then(said).otherwise("message"),
            fields=pl.when(raised).then(json_fields(error_name=pl.col("_class"), failure=failure)).otherwise("fields"),
        )
        return seen if self._path is None else _placed(seen, self._path)

    def _follow(self, records: pl.DataFrame) -> pl.DataFrame:
        """An exit of a task that only pauses is none; what the supervisor calls a final state may be an end."""
        kind, first = pl.col("kind"), pl.col("_first")
        resumed = first.str.contains(_P + r"(?:Dependencies all met|Starting attempt|Executing <|DAG bundles loaded)")
        turn = pl.when(kind == _PAUSED).then(pl.lit(True)).when(resumed).then(pl.lit(False))
        paused = turn.forward_fill().fill_null(self._paused)
        final = pl.col("_final").replace_strict(_FINAL_STATES, default=None, return_dtype=pl.String)
        seen = records.with_columns(_paused=paused, _final=final)
        self._paused = bool(seen["_paused"][-1])
        ends = pl.col("_final").is_not_null()
        said = json_fields(
            status=pl.col("_final"),
            exit_code=pl.col("fields").str.json_path_match("$.exit_code").cast(pl.Int64, strict=False),
        )
        return seen.with_columns(
            kind=pl.when(ends)
            .then(pl.lit("run.finished"))
            .when((kind == "exit") & pl.col("_paused"))
            .then(pl.lit("log"))
            .otherwise("kind"),
            level=pl.when(pl.col("_final") == "failed").then(pl.lit("error")).otherwise("level"),
            fields=pl.when(ends)
            .then(said)
            .when(kind == _PAUSED)
            .then(json_fields(claimed_status=pl.lit("running")))
            .otherwise("fields"),
        )


def _placed(records: pl.DataFrame, path: re.Match[str]) -> pl.DataFrame:
    """The attempt on every record; task and DAG on those that mark something and say nothing else."""
    known = json_fields(
        job=pl.lit(f"{path['dag']}.{path['task']}"), parent_run_id=pl.lit(f"{path['dag']}/{path['run']}")
    )
    bare = pl.col("kind").is_not_null() & pl.col("fields").is_null()
    both = pl.concat_str(known.str.strip_suffix("}"), pl.lit(","), pl.col("fields").str.slice(1))
    told = pl.col("kind").is_in(["run.finished", "exit", "attempt.claimed"])
    return records.with_columns(
        attempt=pl.coalesce("attempt", pl.lit(int(path["n"]))),
        fields=pl.when(bare).then(known).when(told).then(both).otherwise("fields"),
    )


def _instance(path: re.Match[str]) -> str:
    """`dag/run/task`, and the index of a mapped task."""
    parts = [path["dag"], path["run"], path["task"], path["map"]]
    return "/".join(p for p in parts if p is not None)
