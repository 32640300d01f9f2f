"""The last words of build and test tools: how a log ended in which nothing else says it.

A tool's verdict is no end of a run: a script may go on after it. So a failure counts
where nothing takes it back, and a success only where nothing follows it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from runcase.analysis.builders import BUILDERS, BY_PART, GONE_ON_AFTER
from runcase.analysis.last_lines import told_at_the_end
from runcase.analysis.multiplexed import own_words
from runcase.analysis.selection import of_kind
from runcase.analysis.status import END_LINES, VERDICTS
from runcase.model.refs import ref_of

TRAILER_LINES = 40
"""A tool's trailer is shorter: a verdict with more lines below it is not the last word."""

MAX_LINE_CHARS = 500
"""A verdict's line is shorter."""


_TRAILER = re.compile(
    r"\s*$|(?:\[(?:INFO|WARNING|info)\])?\s*(?:$|[-=]{3,}\s*$|(?:Total time|Finished at|Final Memory)\b)"
    # Gradle
    r"|\d+ actionable tasks?: |Deprecated Gradle features|You can use '--warning-mode|For more on this, please refer"
    r"|See (?:https://docs\.gradle\.org|the profiling report)|Publishing (?:a )?build scan|https://gradle\.com/s/"
    r"|Configuration (?:cache|on demand)|Watched directory hierarchies"
    # MSBuild, Bazel, Go
    r"|\S+\(\d+,\d+\): warning \w+: |\s+\d+ (?:Warning|Error)\(s\)|Time Elapsed "
    r"|//\S+ +(?:\(cached\) )?(?:PASSED|FLAKY|SKIPPED)\b|\s+Stats over \d+ runs|Executed \d+ out of \d+ tests?: |INFO: "
    r"|\?   \t\S+\t\[no test files\]|PASS$"
    # coverage
    r"|\s*% Coverage report from|[-|\s]{10,}$|=+(?: Coverage summary =+)?$|[^|]*\|(?: +(?:[\d.]+|% \w+) +\|){2}"
    r"|File +\| +% Stmts"
    r"|(?:Statements|Branches|Functions|Lines) +: [\d.]+%|Generating code coverage report in "
    r"|Coverage report generated for |(?:Line|Branch) Coverage: [\d.]+%"
    # Vitest, Playwright, Bun, RSpec and ExUnit, CTest, Meson, automake
    r"|\s+(?:Start at|Duration) +\S|To open last HTML report run:|\s+(?:npx|yarn|pnpm(?: exec)?) playwright show-report"
    r"|\s+\d+ (?:passed|skipped|flaky|did not run|pending|pass|fail|todo|expect\(\) calls)\b"
    r"|Ran \d+ tests? across \d+ files?\.|Randomized with seed \d"
    r"|\s+(?:FLAKY|SLOW|LEAK)\b|Total Test time \(real\) = |Full log written to "
    r"|(?:Ok|Expected Fail|Fail|Unexpected Pass|Skipped|Timeout): +\d+\s*$"
    r"|Duration: [\d.]+ m?s$|(?:Passed|Failed): +\d+$|# (?:TOTAL|PASS|SKIP|XFAIL|FAIL|XPASS|ERROR): +\d+$"
    # npm, pip, BuildKit, Helm, Packer, Serverless, pytest
    r"|\d+ vulnerabilities \(|To address all issues|\s+npm audit fix|Run `npm audit` for"
    r"|\d+ packages? (?:are|is) looking for funding|\s+run `npm fund`|found \d+ vulnerabilities|\[notice\] "
    r"|WARNING: Running pip as|#\d+ (?:DONE [\d.]+s|(?:naming to|pushing|unpacking to|exporting) .*)$"
    r"|(?:REVISION|TEST SUITE): |--> \S+: |\S+: ami-|(?:endpoints?|functions):|\s+\S+: \S+ \([\d.]+ [kM]B\)$|\s+\w+ - https://\S+$"
    # Jest, cargo, unittest, npm and yarn, the shell's time
    r"|(?:Test Suites|Tests|Snapshots|Time):? +|Ran all test suites|\s+Doc-tests \S+$|running 0 tests$|OK(?: \(.*\))?$"
    r"|test result: ok\. 0 passed; 0 failed"
    r"|npm notice|Done in [\d.]+s|(?:real|user|sys)\t\d"
    # prove
    r"|Files=\d+, Tests=\d+, |Result: PASS$"
    # Prefect, Dagster
    r"|.*\| prefect - Stopping temporary server|(?:.* )?dagster - (?:DEBUG|INFO) - "
    # Robot Framework, node's own runner
    r"|(?:Output|Log|Report|XUnit|Debug): +\S|\[  PASSED  \] \d+ tests?\.$|\s+YOU HAVE \d+ DISABLED TESTS?$"
    r"|[ℹ#] (?:tests|suites|pass|fail"
    r"|cancelled|skipped|todo|duration_ms) [\d.]+$"
    # sites, monorepos, formatters
    r"|\s*Auto-regeneration: |[○●ƒλ]  \(|\s*(?:Cached|Time): +\S|\d+ files? (?:would be )?left unchanged\."
    r"|\d+ files? already formatted$"
    r"|Nx read the output"
    # CMake that installs
    r"|-- (?:Install configuration|Installing|Up-to-date): "
    # hosts that build
    r"|### VM INTERACTION |\[ *[\d.]+\]\[ +\w+\] sysrq: |To https://git\.|\s+\w{7,}\.\.\w{7,} +\S+ -> "
    # Luigi, Sphinx, Firebase, sbuild
    r"|===== Luigi Execution Summary =====$|The (?:HTML|text|manual|Texinfo) (?:pages?|files?) (?:is|are) in "
    r"|(?:Project Console|Hosting URL): |Bundled gems are installed into |Use `bundle info "
    r"|Version: \S+$|-{40,}$|Finished at \S|Build needed \d"
    # LSF
    r"|Resource usage summary:$|\s{4}[A-Z][\w ()]+ : +\S|The output \(if any\) follows:|PS:$|Read file <"
    # Terraform
    r"|Outputs:$|[\w-]+ = \S|Terraform has compared your real|(?:configuration )?and found no differences"
)
"""What tools still write below their verdict; a line of any other kind may be the begin of something else."""

_DOUBT = re.compile(r"(?i)error|fail|denied|not found|unable|abort")


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Runs of which nothing heavier than the words of tools tells the status."""

    own: pl.DataFrame
    """`source_id, run_id`: their logs."""
    early: pl.DataFrame
    """`source_id, byte_start`: where an engine states its success in the midst of one; only failures below it count."""


def last_words(
    events: pl.LazyFrame,
    verdicts: pl.DataFrame,
    sources: pl.DataFrame,
    unsettled: Unsettled,
    numbers: pl.DataFrame,
    marks: pl.DataFrame,
    totals: pl.DataFrame,
) -> pl.DataFrame:
    """`VERDICTS` of runs that are one log each.

    Args:
        events: EVENTS with runs assigned.
        verdicts: Those of which `is_verdict` holds, in their order.
        sources: SOURCES.
        unsettled: The logs that are runs of their own.
        numbers: `run_id, attempt` of all attempts.
        marks: As `marks.marks` yields them.
        totals: `results.TOTALS`, where test tools count their tests.
    """
    own = unsettled.own
    single = own.filter(pl.len().over("run_id") == 1).join(
        numbers.filter(pl.len().over("run_id") == 1).select("run_id", "attempt"), on="run_id", how="inner"
    )
    logs = single.join(sources.select("source_id", "reader", "format", "lines"), on="source_id", how="inner")
    logs = logs.filter(pl.col("reader").is_null() | pl.col("reader").ne_missing(pl.col("format"))).sort("source_id")
    begun = unsettled.early.select("source_id", begun="byte_start")
    logs = logs.join(begun, on="source_id", how="left", maintain_order="left")
    if logs.is_empty():
        return pl.DataFrame(schema=VERDICTS)
    said = pl.concat([_built(verdicts, logs), _counted(events, logs, totals)]).sort("source_id", "byte_start", "rank")
    said = said.join(begun, on="source_id", how="left", maintain_order="left")
    said = said.filter(pl.col("byte_start") >= pl.col("begun").fill_null(0)).drop("begun")
    plain = logs.filter(pl.col("reader").is_null() | pl.col("begun").is_not_null())
    last = said.group_by("source_id", maintain_order=True).agg(pl.col("byte_start").last())
    turns = _turns(marks.join(logs.select("source_id"), on="source_id", how="semi"))
    tails = _tails(events, plain.filter(pl.col("begun").is_null()), said)
    rows = []
    for log in logs.join(last, on="source_id", how="semi").iter_rows(named=True):
        words = [_Word(**w) for w in said.filter(source_id=log["source_id"]).drop("source_id").iter_rows(named=True)]
        outcome = _outcome(words, turns.get(log["source_id"], []))
        if outcome is not None:
            rows += _verdict(log, outcome, tails.get(log["source_id"]))
    told = pl.DataFrame(rows, schema=VERDICTS)
    untold = plain.join(told.select("run_id"), on="run_id", how="anti", maintain_order="left")
    return pl.concat([told, told_at_the_end(events, untold, last)])


@dataclass(frozen=True, slots=True)
class _Word:
    """A verdict of a tool, in its place."""

    tool: str
    builds: bool
    failed: bool
    byte_start: int
    line: int
    rank: int
    """The line inside its record."""
    ts: object
    ref: str


_WORDS = pl.Schema(
    {
        "source_id": pl.String(),
        "tool": pl.String(),
        "builds": pl.Boolean(),
        "failed": pl.Boolean(),
        "byte_start": pl.Int64(),
        "line": pl.Int64(),
        "rank": pl.Int64(),
        "ts": pl.Datetime("us", "UTC"),
        "ref": pl.String(),
    }
)
"""`_Word`, with its source."""


def _built(verdicts: pl.DataFrame, logs: pl.DataFrame) -> pl.DataFrame:
    """Verdicts of build tools; a record of several lines may hold more than one."""
    mine = verdicts.join(logs.select("source_id"), on="source_id", how="semi", maintain_order="left")
    kept = mine.select("source_id", "byte_start", "line", "ts", own_words(pl.col("message")), ref=ref_of())
    rows = []
    for record in kept.iter_rows(named=True):
        for rank, text in enumerate(record.pop("message").split("\n")):
            for b in BUILDERS if len(text) <= MAX_LINE_CHARS else ():
                failed = re.match(b.failed, text) is not None
                if failed or re.match(b.succeeded, text):
                    rows.append(record | {"tool": b.tool, "builds": True, "failed": failed, "rank": rank})
    return pl.DataFrame(rows, schema=_WORDS)


def _counted(events: pl.LazyFrame, logs: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """Totals of test tools, which stand on the first line of their records."""
    mine = totals.join(logs.select("source_id"), on="source_id", how="semi")
    keys = mine.select("source_id", "byte_start").unique()
    mentioned = events.join(keys.lazy(), on=["source_id", "byte_start"], how="semi")
    placed = mentioned.select("source_id", "byte_start", "line", "ts", ref=ref_of()).collect(engine="streaming")
    met = mine.join(placed, on=["source_id", "byte_start"], how="inner")
    return met.with_columns(builds=pl.lit(value=False), rank=pl.lit(0, pl.Int64)).select(_WORDS.names())


def _turns(marks: pl.DataFrame) -> dict[str, list[tuple[int, bool]]]:
    """Source -> places where something else begins, and whether it is tried again."""
    again = of_kind(pl.col("kind"), ["retry"])
    work = of_kind(pl.col("kind"), ["stage.started", "tool.started", "artifact.written", "upload.started"])
    rows = marks.filter(again | work).select("source_id", "byte_start", again=again).sort("source_id", "byte_start")
    return {str(k[0]): list(v.select("byte_start", "again").iter_rows()) for k, v in rows.group_by("source_id")}


def _outcome(words: Sequence[_Word], turns: Sequence[tuple[int, bool]]) -> _Word | None:
    """The word that tells how the log ended; None where words disagree, or something else began after a failure."""
    builder = next((n for n in range(len(words) - 1, -1, -1) if words[n].builds), -1)
    if builder >= 0:
        inside = next(b.tests for b in BUILDERS if b.tool == words[builder].tool)
        kept = range(builder, builder + 1 if words[builder].failed else len(words))
        words = [w for n, w in enumerate(words) if n in kept or w.tool not in inside]
    final, retried = words[-1], [place for place, again in turns if again]
    if final.failed:
        return None if any(place > final.byte_start for place, _ in turns) else final
    before = [w for w in words if w.failed and not (w.tool in GONE_ON_AFTER and w.tool != final.tool)]
    mended = all(w.tool == final.tool and any(w.byte_start < r < final.byte_start for r in retried) for w in before)
    if mended:
        return final
    return next((w for w in reversed(before) if w.tool == final.tool in BY_PART), None)


def _tails(events: pl.LazyFrame, logs: pl.DataFrame, said: pl.DataFrame) -> dict[str, list[tuple[int, str]]]:
    """Source -> `byte_start` and message of its last records, of logs that end soon after a verdict."""
    near = said.filter(~pl.col("failed")).join(logs, on="source_id", how="inner")
    near = near.filter(pl.col("lines") - pl.col("line") < TRAILER_LINES).select("source_id", "lines").unique()
    if near.is_empty():
        return {}
    late = pl.col("line") + pl.col("n_lines") - 1 > pl.col("lines") - TRAILER_LINES
    rows = events.join(near.lazy(), on="source_id", how="inner").filter(late)
    kept = (
        rows.select("source_id", "byte_start", own_words(pl.col("message")))
        .collect(engine="streaming")
        .sort("source_id", "byte_start")
    )
    tails: dict[str, list[tuple[int, str]]] = {}
    for source_id, place, message in kept.iter_rows():
        tails.setdefault(source_id, []).append((place, message))
    return tails


def _verdict(log: dict[str, object], word: _Word, tail: list[tuple[int, str]] | None) -> list[dict[str, object]]:
    """A `VERDICTS` row. A failure has no instant: the log goes on after it, or breaks off."""
    row = {"run_id": log["run_id"], "attempt": log["attempt"], "order": 0, "ref": word.ref}
    if word.failed:
        plain = log["reader"] is None
        follow = int(str(log["lines"])) - word.line - word.rank
        near = follow <= (TRAILER_LINES if plain else END_LINES) or (plain and word.tool not in GONE_ON_AFTER)
        return [row | {"status": "failed", "basis": "tool_failure", "ts": None}] if near else []
    after = [text for place, text in tail or () if place >= word.byte_start]
    if not after:
        return []
    below = [*after[0].split("\n")[word.rank + 1 :], *(line for text in after[1:] for line in text.split("\n"))]
    if word.tool == "helm" and "NOTES:" in below and not any(_DOUBT.search(line) for line in below):
        below = below[: below.index("NOTES:")]  # what a chart says of itself is of any kind
    if not all(_TRAILER.match(line) for line in below):
        return []
    return [row | {"status": "succeeded", "basis": "tool_success", "ts": word.ts}]
