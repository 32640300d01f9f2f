"""Every column declared once.

A `Table` names its columns, their types, meanings and units, and the key that
sorts it totally. Readers, writers, documentation, test factories and hypothesis
strategies are derived from these declarations; no schema is typed a second time.

Facts (what the evidence says) and conclusions (what follows from facts and rule
packs) are apart: facts are written once as immutable batches, conclusions are
recomputed and replaced whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from runcase.model.problems import Problem

STRING = pl.String()
INT = pl.Int64()
TIME = pl.Datetime("us", "UTC")
STRINGS = pl.List(pl.String())


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it holds, in which unit, and what null means (empty: never null)."""

    name: str
    dtype: pl.DataType
    meaning: str
    null: str = ""
    derived: bool = False

    @property
    def nullable(self) -> bool:
        """Whether null is a legal answer."""
        return bool(self.null)


@dataclass(frozen=True, slots=True)
class Table:
    """A named list of columns with a total sort key."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def schema(self) -> pl.Schema:
        """All declared columns, derived ones included."""
        return _schema(self)

    @property
    def stored_schema(self) -> pl.Schema:
        """The columns that are written to Parquet."""
        return pl.Schema({c.name: c.dtype for c in self.columns if not c.derived})

    @property
    def names(self) -> list[str]:
        """Column names in declared order."""
        return [c.name for c in self.columns]

    def empty(self) -> pl.DataFrame:
        """No rows, every declared column."""
        return _empty(self)

    def frame(self, rows: Sequence[dict[str, object]]) -> pl.DataFrame:
        """Rows with the declared columns; a column that a row leaves out is null."""
        if not rows:
            return self.empty()
        return pl.DataFrame([{n: r.get(n) for n in self.names} for r in rows], schema=self.schema, strict=True)

    def fill(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Exactly the declared columns: missing ones become null, types are cast, extra ones are dropped."""
        return frame.select(
            (pl.col(c.name) if c.name in frame.columns else pl.lit(None)).cast(c.dtype).alias(c.name)
            for c in self.columns
        )


@cache
def _schema(table: Table) -> pl.Schema:
    return pl.Schema({c.name: c.dtype for c in table.columns})


@cache
def _empty(table: Table) -> pl.DataFrame:
    return pl.DataFrame(schema=table.schema)


def _c(name: str, dtype: pl.DataType, meaning: str, null: str = "", derived: bool = False) -> Column:
    return Column(name, dtype, meaning, null, derived)


_PLACE = (
    _c("source_id", STRING, "the source that holds the evidence"),
    _c("byte_start", INT, "offset in the decoded source, bytes"),
    _c("byte_len", INT, "length, bytes, line ends included"),
)
_PLACE_OR_NONE = (
    _c("source_id", STRING, "the source that holds the evidence", "the whole input is meant"),
    _c("byte_start", INT, "offset in the source, bytes", "no single place"),
    _c("byte_len", INT, "length, bytes", "no single place"),
)
_RUN = (
    _c("run_id", STRING, "the run"),
    _c("attempt", INT, "the attempt within the run, from 1", "the run as a whole"),
)
_RUN_EVIDENCE = (
    _c("run_id", STRING, "run id that the evidence names", "the evidence names none; the analysis may assign one"),
    _c("attempt", INT, "attempt number that the evidence names, from 1", "the evidence names none"),
)
_REFS = _c("refs", STRINGS, "evidence, as `source_id:byte_start+byte_len`")

SOURCES = Table(
    "sources",
    "One row a source: an input, or a member of an archive; size = event + quarantined + overhead bytes.",
    (
        _c("source_id", STRING, "12 hex digits of SHA-256 over input digest, path and ordinal"),
        _c("batch", STRING, "the ingestion that read it"),
        _c("path", STRING, "input name and path through nested archives, `a.tar.gz!/dir/b.log`"),
        _c("ordinal", INT, "0 for the first member of this path, 1 for its first duplicate, ..."),
        _c("parent_id", STRING, "source_id of the container that holds it", "a top-level input"),
        _c("kind", STRING, "file | container | link | device | directory"),
        _c("sha256", STRING, "digest of the bytes that could be read", "no content (link, directory)"),
        _c("size_bytes", INT, "bytes that the source consists of, as far as it could be read"),
        _c("event_bytes", INT, "bytes inside events"),
        _c("quarantined_bytes", INT, "bytes inside named quarantine spans (see problems)"),
        _c("overhead_bytes", INT, "bytes of container structure, document punctuation and byte order marks"),
        _c("encoding", STRING, "utf-8 | utf-16-le | utf-16-be | latin-1 | ...", "not text"),
        _c("verdict", STRING, "ok | truncated | corrupt | encrypted | over_budget | binary | unsupported | empty"),
        _c("format", STRING, "line or container format that was recognised", "none was"),
        _c("reader", STRING, "producer reader that took it", "generic text"),
        _c("role", STRING, "log | document | container | other: whether it can be a run of its own"),
        _c("recorded_at", TIME, "modification time that an archive (or the file system) recorded", "unknown"),
        _c("lines", INT, "physical lines"),
        _c("events", INT, "rows in events"),
        _c("first_ts", TIME, "earliest instant of its events", "no timed event"),
        _c("last_ts", TIME, "latest instant of its events", "no timed event"),
        _c("link_target", STRING, "where a link points; never followed", "not a link"),
    ),
    ("path", "ordinal", "source_id"),
)

EVENTS = Table(
    "events",
    "One row a record, classified; unknown records are kept with kind `unknown`.",
    (
        _c("event_id", STRING, "`evt_` source_id `_` byte_start", derived=True),
        _c("batch", STRING, "the ingestion that wrote it"),
        *_RUN_EVIDENCE,
        _c("ts", TIME, "instant, UTC", "no time is evidenced"),
        _c("ts_lo", TIME, "earliest possible instant", "no time is evidenced"),
        _c("ts_hi", TIME, "latest possible instant", "no time is evidenced"),
        _c("ts_basis", STRING, "explicit_zone | assumed_zone | inferred_year | inherited | skew_corrected | none"),
        _c("kind", STRING, "event kind, see kinds.py; `unknown` is a kind"),
        _c("stage", STRING, "stage of the run", "no stage is evidenced"),
        _c("level", STRING, "trace | debug | info | warning | error | fatal", "the record has no level"),
        _c("summary", STRING, "one line by the rule's template", "the first line of message stands for it"),
        _c("message", STRING, "text without header and terminal control, lines joined by a newline"),
        _c("duration_us", INT, "duration that the record states, microseconds", "it states none"),
        _c("artifacts", STRINGS, "artifact ids that the record names", "it names none"),
        _c("tool_call_id", STRING, "tool call", "none evidenced"),
        _c("invocation_id", STRING, "queue message, lease or process", "none evidenced"),
        _c("workspace_id", STRING, "workspace", "none evidenced"),
        _c("trace_id", STRING, "W3C trace id, 32 hex digits", "none evidenced"),
        _c("span_id", STRING, "W3C span id, 16 hex digits", "none evidenced"),
        _c("fields", STRING, "JSON object of everything else that was split from the record", "nothing was"),
        _c("rule", STRING, "pack@digest#id of the rule that named it", "no rule matched"),
        _c("template_id", STRING, "digest of the message with variable parts masked", "not computed"),
        _c("source_id", STRING, "the source that holds it"),
        _c("line", INT, "number of its first line, from 1"),
        _c("byte_start", INT, "offset in the decoded source, bytes"),
        _c("byte_len", INT, "length, bytes, line ends included"),
        _c("n_lines", INT, "physical lines joined"),
        _c("stream", STRING, "stdout | stderr | a prefix writer", "none evidenced"),
    ),
    ("source_id", "byte_start"),
)

_NOT_INTAKE = ("event_id", "batch", "rule", "template_id")

RECORDS = Table(
    "records",
    "What intake yields: events before classification; kind is null unless a reader knows it.",
    tuple(
        Column(c.name, c.dtype, c.meaning, c.null or ("the rules decide" if c.name == "kind" else ""), c.derived)
        for c in EVENTS.columns
        if c.name not in _NOT_INTAKE
    ),
    EVENTS.key,
)

ARTIFACTS = Table(
    "artifacts",
    "One row a claim about an artifact: an event, manifest row, lineage record or file says that it is.",
    (
        _c("batch", STRING, "the ingestion that wrote it"),
        *_RUN_EVIDENCE,
        _c("artifact_id", STRING, "identity within the run: id, else path, else checksum"),
        _c(
            "action",
            STRING,
            "written | read | listed (manifest) | present (file in the archive) | expected | expired (it was deleted)",
        ),
        _c("role", STRING, "kind of artifact: final, intermediate, input, bundle, workspace, ...", "not said"),
        _c("path", STRING, "where the claim says it is", "not said"),
        _c("size_bytes", INT, "size that is claimed (or measured, for present), bytes", "not said"),
        _c("checksum", STRING, "`sha256:<hex>` and the like", "not said"),
        _c("derived_from", STRINGS, "artifact ids that it was made from", "not said"),
        _c("stage", STRING, "stage that acted", "not said"),
        _c("ts", TIME, "instant of the claim", "no time is evidenced"),
        *_PLACE,
    ),
    ("source_id", "byte_start", "artifact_id", "action"),
)

SPANS = Table(
    "spans",
    "One row a timed operation that a source states as such (trace span, task row, activity).",
    (
        _c("batch", STRING, "the ingestion that wrote it"),
        *_RUN_EVIDENCE,
        _c("span_id", STRING, "id of the span within its trace or source"),
        _c("parent_span_id", STRING, "the enclosing span", "a root, or not said"),
        _c("trace_id", STRING, "W3C trace id, 32 hex digits", "not said"),
        _c("name", STRING, "what ran"),
        _c("kind", STRING, "stage | tool | invocation | queue | test | other"),
        _c("start", TIME, "begin", "not evidenced"),
        _c("end", TIME, "end", "not evidenced: still open, or lost"),
        _c("status", STRING, "ok | error | timeout | cancelled | skipped | retried | open | unset"),
        _c("error", STRING, "error name or message", "none"),
        _c("attributes", STRING, "JSON object", "none"),
        *_PLACE,
    ),
    ("source_id", "byte_start", "span_id"),
)

PROBLEMS = Table(
    "problems",
    "One row a defect of the evidence or the parse; spans of severity `quarantine` account for bytes.",
    (
        _c("batch", STRING, "the ingestion that wrote it"),
        _c("code", STRING, "stable code, see problems.py"),
        _c("severity", STRING, "info | warning | error"),
        _c("quarantined_bytes", INT, "bytes that this problem puts out of use; 0 if none"),
        _c("message", STRING, "what, why, and what was expected"),
        _c("path", STRING, "path of the source", "the whole ingestion is meant"),
        *_PLACE_OR_NONE,
        _c("line", INT, "line, from 1", "no line"),
    ),
    ("path", "byte_start", "code", "message"),
)

RAW = Table(
    "raw",
    "The decoded bytes of text sources in chunks, so that any ref resolves without the archive.",
    (
        _c("source_id", STRING, "the source"),
        _c("byte_start", INT, "offset of the chunk in the decoded source, bytes"),
        _c("data", pl.Binary(), "the bytes; an empty chunk of an expired source is absent here"),
    ),
    ("source_id", "byte_start"),
)

REDACTIONS = Table(
    "redactions",
    "One row a secret that was replaced before anything was written; offsets are those of the evidence.",
    (
        _c("batch", STRING, "the ingestion that wrote it"),
        _c("kind", STRING, "what the secret looked like, such as `github_token`"),
        _c("mark", STRING, "what stands in its place, `[secret:kind:n]`; equal secrets have equal marks"),
        _c("mark_bytes", INT, "bytes that the mark takes in the stored text"),
        *_PLACE,
    ),
    ("source_id", "byte_start"),
)

TOMBSTONES = Table(
    "tombstones",
    "One row a source and class of data that a retention policy expired: what remains known of it.",
    (
        _c("batch", STRING, "the ingestion that wrote it"),
        _c("source_id", STRING, "the source"),
        _c("class", STRING, "raw | payloads | events"),
        _c("size_bytes", INT, "bytes that expired, or bytes of the evidence that the expired events covered"),
        _c("sha256", STRING, "digest of the expired bytes, or of the expired events' places as `start+length` lines"),
        _c("events", INT, "events that expired"),
        _c("as_of", pl.Date(), "day of the policy's run, as it was given"),
    ),
    ("source_id", "class", "as_of"),
)

FACTS = (SOURCES, EVENTS, ARTIFACTS, SPANS, PROBLEMS, REDACTIONS, TOMBSTONES, RAW)

RUNS = Table(
    "runs",
    "One row a run.",
    (
        _c("run_id", STRING, "the run"),
        _c("status", STRING, "succeeded | failed | timed_out | cancelled | running | lost"),
        _c("status_basis", STRING, "what tells the status: exit | status_event | marker | no_terminal_evidence | ..."),
        _c("status_refs", STRINGS, "evidence of the status"),
        _c("claimed_status", STRING, "the status that a run record or status row states", "none does"),
        _c("parent_run_id", STRING, "the run that started it", "none evidenced"),
        _c("job", STRING, "named definition that was run", "none evidenced"),
        _c("bundle", STRING, "input bundle", "none evidenced"),
        _c("workspace_id", STRING, "workspace of the last attempt", "none evidenced"),
        _c("trace_id", STRING, "trace of the last attempt", "none evidenced"),
        _c("created_at", TIME, "run.created", "not evidenced"),
        _c("claimed_at", TIME, "first attempt.claimed", "not evidenced"),
        _c("started_at", TIME, "first evidence of work", "not evidenced"),
        _c("finished_at", TIME, "terminal evidence", "not evidenced"),
        _c("first_ts", TIME, "earliest instant of its events", "no timed event"),
        _c("last_ts", TIME, "latest instant of its events", "no timed event"),
        _c("attempts", INT, "number of attempts evidenced, at least 1"),
        _c("events", INT, "events that belong to it"),
        _c("identity", STRING, "how it was identified: field | path | trace | reader | source"),
        _c("pack", STRING, "name of the pack that declares its stages and windows"),
    ),
    ("run_id",),
)

ATTEMPTS = Table(
    "attempts",
    "One row an attempt of a run; a run with no attempt evidence has attempt 1.",
    (
        _c("run_id", STRING, "the run"),
        _c("attempt", INT, "from 1"),
        _c("status", STRING, "as in runs"),
        _c("status_refs", STRINGS, "evidence of the status"),
        _c("workspace_id", STRING, "workspace", "none evidenced"),
        _c("trace_id", STRING, "trace", "none evidenced"),
        _c("bundle", STRING, "input bundle", "none evidenced"),
        _c("host", STRING, "where it ran", "none evidenced"),
        _c("created_at", TIME, "run.created or re-queue of this attempt", "not evidenced"),
        _c("claimed_at", TIME, "attempt.claimed", "not evidenced"),
        _c("started_at", TIME, "first evidence of work", "not evidenced"),
        _c("finished_at", TIME, "terminal evidence", "not evidenced"),
        _c("first_ts", TIME, "earliest instant", "no timed event"),
        _c("last_ts", TIME, "latest instant", "no timed event"),
        _c("exit_code", INT, "exit code", "none evidenced"),
        _c("events", INT, "events that belong to it"),
    ),
    ("run_id", "attempt"),
)

MEMBERS = Table(
    "members",
    "One row a source and run that it belongs to; a source without a row belongs to no run.",
    (
        _c("source_id", STRING, "the source"),
        _c("run_id", STRING, "the run"),
        _c("attempt", INT, "the attempt", "several, or the run as a whole"),
        _c("basis", STRING, "why: field | path | trace | workspace | reader | source | sibling"),
    ),
    ("source_id", "run_id", "attempt"),
)

WINDOWS = Table(
    "windows",
    "One row a span of a run: windows, stages, tool calls, gaps and the residual.",
    (
        *_RUN,
        _c("kind", STRING, "window | stage | tool | invocation | gap | residual"),
        _c("name", STRING, "queue, boot, ..., a stage's or tool's name, `gap`, `residual`"),
        _c("state", STRING, "closed | open | absent | contradictory"),
        _c("start", TIME, "first boundary", "absent; see reason"),
        _c("end", TIME, "second boundary", "absent; see reason"),
        _c("duration_us", INT, "microseconds; for residual the sum that no window explains", "not closed"),
        _c(
            "uncertainty_us",
            INT,
            "how far the duration may be off, microseconds; 0 if exact",
            "not closed, or not bounded",
        ),
        _c("reason", STRING, "stable code: why a boundary is absent or contradictory", "closed"),
        _c("searched", STRING, "where an absent boundary was searched", "closed"),
        _c("detail", STRING, "one sentence: last open operation of a gap, exit of a tool", "nothing to add"),
        _c("start_ref", STRING, "event that proves the first boundary", "absent"),
        _c("end_ref", STRING, "event that proves the second boundary", "absent"),
    ),
    ("run_id", "attempt", "start", "kind", "name", "start_ref"),
)

STATES = Table(
    "artifact_states",
    "One row an artifact of a run, claims weighed against evidence.",
    (
        _c("run_id", STRING, "the run"),
        _c("artifact_id", STRING, "the artifact"),
        _c("kind", STRING, "role", "not said"),
        _c("path", STRING, "path", "not said"),
        _c("size_bytes", INT, "size, bytes", "not said"),
        _c("checksum", STRING, "checksum", "not said"),
        _c("state", STRING, "verified | claimed | missing | mismatch | expired | unlisted"),
        _c("state_text", STRING, "one sentence: what the state rests on"),
        _c("producer", STRING, "stage that wrote it", "not evidenced"),
        _c("attempt", INT, "attempt that wrote it", "not evidenced"),
        _c("consumers", STRINGS, "stages that read it"),
        _c("written_at", TIME, "instant of writing", "not evidenced"),
        _REFS,
    ),
    ("run_id", "artifact_id"),
)

EDGES = Table(
    "edges",
    "Lineage: one row an edge; an artifact was `used` or `generated` by a stage, or `derived` from an artifact;"
    " a stage `followed` another by the graph that its engine was given.",
    (
        _c("run_id", STRING, "the run"),
        _c("subject", STRING, "node: `artifact:<id>` or `stage:<name>`"),
        _c("relation", STRING, "used | generated | derived | followed"),
        _c("object", STRING, "node: `artifact:<id>` or `stage:<name>`"),
        _REFS,
    ),
    ("run_id", "subject", "relation", "object"),
)

SIGNALS = Table(
    "signals",
    "One row a typed observation: an absence, a contradiction, a gap, damage.",
    (
        *_RUN,
        _c("code", STRING, "stable code, see signals table in the documentation"),
        _c("family", STRING, "absence | contradiction | observation"),
        _c("verdict", STRING, "absent_proven | not_observable | observed"),
        _c("text", STRING, "one sentence"),
        _c("searched", STRING, "sources and interval that were searched"),
        _REFS,
    ),
    ("run_id", "attempt", "family", "code", "text"),
)

DIAGNOSES = Table(
    "diagnoses",
    "One row a failure class that was weighed for a run; rank 0 is the verdict.",
    (
        _c("run_id", STRING, "the run"),
        _c("rank", INT, "0 is the verdict, the others were considered"),
        _c("class", STRING, "dotted failure class"),
        _c("confidence", STRING, "proven | consistent | conjecture"),
        _c("text", STRING, "blocker sentence, or why it was rejected"),
        _c("refs", STRINGS, "evidence"),
        _c("evidence", STRING, "JSON list of {text, refs}"),
        _c("next_actions", STRINGS, "what to do, most useful first"),
        _c("decisive", STRINGS, "refs of the decisive lines, in reading order"),
        _c("signature", STRING, "digest-like key that is equal for the same cause in the same place"),
    ),
    ("run_id", "rank", "class"),
)

TESTS = Table(
    "tests",
    "One row a run in which a test tool reported: totals over all its invocations, and what failed.",
    (
        _c("run_id", STRING, "the run"),
        _c("tool", STRING, "the tool, or several joined by a plus sign"),
        _c("run", INT, "tests that ran: passed and failed"),
        _c("passed", INT, "tests that passed"),
        _c("failed", INT, "tests that failed or erred"),
        _c("skipped", INT, "tests that were skipped"),
        _c("failed_names", STRINGS, "names of failed tests, in the order of the report"),
        _c("earlier_tries", INT, "tries of a command that was tried again: none of their tests is counted"),
        _REFS,
    ),
    ("run_id",),
)

REPLAYS = Table(
    "replay",
    "One row a run: from where it can safely be rerun.",
    (
        _c("run_id", STRING, "the run"),
        _c("start", STRING, "stage to start from", "no start is safe, or no stages are known"),
        _c("reuse", STRINGS, "artifacts and states to reuse"),
        _c("redo", STRINGS, "stages and acts to redo"),
        _c("not_redo", STRINGS, "stages not to redo"),
        _c("blockers", STRING, "JSON list of {code, text, refs}"),
        _c("counterfactuals", STRINGS, "what would move the start"),
        _c("commands", STRINGS, "commands for the engine that ran it; printed, never run"),
    ),
    ("run_id",),
)

CONCLUSIONS = (RUNS, ATTEMPTS, MEMBERS, WINDOWS, STATES, EDGES, SIGNALS, DIAGNOSES, REPLAYS, TESTS)


def problem_frame(problems: Sequence[Problem]) -> pl.DataFrame:
    """PROBLEMS rows; batch is null until a batch writes them."""
    return PROBLEMS.frame([{name: getattr(p, name, None) for name in PROBLEMS.names} for p in problems])
