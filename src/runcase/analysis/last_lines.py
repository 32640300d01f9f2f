"""Logs in which no tool speaks a verdict: a failure that is stated in the last lines, or a success in the very last."""

from __future__ import annotations

import polars as pl

from runcase.analysis.decisive.naming import BY_NAME, families
from runcase.analysis.decisive.records import spoken
from runcase.analysis.decisive.weighing import TELLING
from runcase.analysis.multiplexed import own_words
from runcase.analysis.status import VERDICTS
from runcase.model.refs import ref_of

LAST_LINES = 15
"""What a tool still writes below a failure, advice and counts, is shorter."""

_CHARS = 500
_OF_TOOLS = ("build.", "test.", "dependency.", "config.deploy", "config.terraform")
"""Programs log trouble of other kinds and go on; a compiler, a test or an installation that fails was what ran."""

_GOOD = (
    r"(?i)\b(?:succe\w+|pass(?:ed|ing)?|completed?|done|finished|ok|ready|retry\w*|retries|try again|trying|continu\w+"
    r"|ignor\w+|recover\w*|fall(?:ing)? back|skipp\w+|warning)\b|✓|✔"
)
"""A line that says such a thing of anything makes it uncertain how the log ended."""

_WELL = (
    r"(?i)\b(?:completed|finished|ended|done) successfully\b|\bsuccessfully (?:completed|finished)\b"
    # dpkg, when all packages are set up; nginx; Django
    r"|^Processing triggers for \S+ \([^()]+\) \.\.\.$"
    r"|\btest is successful$|^\s+Applying \S+\.\.\. OK$"
    r"|\bexit(?:ed|ing)? (?:with )?(?:(?:exit |status )?code|status):? 0\.?$|\bexit code:? 0\.?$"
)
"""What a program says of itself when all is over; what it says of its parts says nothing of it."""

_ILL = (
    r"\b[Ee]xit(?:ing|ed) with (?:(?:exit |status )?code|status):? [1-9]\d*\.?$"
    # what Node writes below all that nobody caught
    r"|^Node\.js v\d+\.\d+\.\d+$"
    # a statement of a script
    r"|^psql:\S+:\d+: (?:ERROR|FATAL): "
    # GHC's run time
    rf"|{BY_NAME['ghc_error'].pattern}"
    r"|^  error, called at \S+:\d+:\d+ in \S"
)
"""What only a program says that failed, as its last line."""

_ANNEX = r"^(?:DETAIL|HINT|CONTEXT|STATEMENT): |^LINE \d+: |^\s*\^\s*$"
"""What belongs to the error above it."""

_OF_THE_END = (
    r"(?i)shut ?down|clean|stopp|clos(?:e|ing)|terminat|roll(?:ed |ing )?back|disconnect|teardown|destroy|notif"
)
"""What goes well after a failure too."""

_DOUBT = r"(?i)\b(?:error|errors|fail\w*|abort\w*|denied)\b"
_NO_DOUBT = r"(?i)\b(?:0|no|without) (?:errors?|failures?|failed)\b"

_CALM = ("info", "debug", "trace", "warning")


def told_at_the_end(events: pl.LazyFrame, logs: pl.DataFrame, spoken_last: pl.DataFrame) -> pl.DataFrame:
    """`VERDICTS` of logs that end in a stated failure of a tool, or in what a program says of its success.

    Args:
        events: EVENTS with runs assigned.
        logs: `run_id, attempt, source_id, lines, begun` of logs that no reader took and whose tools spoke no verdict;
            from `begun` on, where an engine stated its success, failures that no engine logged count, and they alone.
        spoken_last: `source_id, byte_start`: the last word of a tool, of sources in which one spoke. Below it a failure
            counts, and a success does not.
    """
    if logs.is_empty():
        return pl.DataFrame(schema=VERDICTS)
    keys = logs.lazy().select("run_id", "source_id", "lines", "begun")
    late = pl.col("line") + pl.col("n_lines") - 1 > pl.col("lines") - LAST_LINES
    printed = pl.col("level").is_null() & (pl.col("byte_start") > pl.col("begun"))
    printed |= pl.col("begun").is_null() | ((pl.col("byte_start") == pl.col("begun")) & (pl.col("n_lines") > 1))
    rows = events.drop("run_id").join(keys, on="source_id", how="inner").filter(late & printed)
    found = rows.select("run_id", "source_id", "byte_start", "ts", "level", "message", "begun", ref=ref_of())
    found = found.with_columns(_printed_below())
    after = spoken_last.select("source_id", _spoken="byte_start")
    last = found.collect(engine="streaming").sort("source_id", "byte_start")
    last = last.join(after, on="source_id", how="left", maintain_order="left")
    last = last.with_columns(text=spoken(last["message"], _CHARS)).with_columns(text=own_words(pl.col("text")))
    named = last.with_columns(family=families(last["text"])).with_columns(
        loud=~pl.col("level").is_in(_CALM).fill_null(value=False),
        good=pl.col("text").str.contains(_GOOD).fill_null(value=False),
    )
    named = named.with_columns(states=pl.col("family").is_in(_stating()) & pl.col("loud"))
    place = pl.int_range(pl.len()).over("source_id")
    stated = place.filter("states").max().over("source_id")
    calm = (~pl.col("good") | (place <= stated)).all().over("source_id")
    below = pl.col("_spoken").is_null() | (pl.col("byte_start") > pl.col("_spoken"))
    failed = named.filter(pl.col("states") & (place == stated) & calm & below)
    written = named.filter(pl.col("text").str.strip_chars() != "")
    said = _last(written)
    well = said.filter(_is_well(pl.col("text")) & pl.col("_spoken").is_null() & pl.col("begun").is_null())
    ill = _last(written.filter(~pl.col("text").str.contains(_ANNEX))).filter(pl.col("text").str.contains(_ILL))
    last_word = said.filter(pl.col("family").is_in(_telling()) & pl.col("loud") & ~pl.col("good"))
    # a failure has no instant: the log goes on after it, or breaks off; of several that are told the last one is cited
    ills = pl.concat([last_word, ill, failed]).with_columns(ts=pl.lit(None))
    return pl.concat(
        [_verdicts(ills, logs, "failed", "tool_failure"), _verdicts(well, logs, "succeeded", "tool_success")]
    )


def _last(rows: pl.DataFrame) -> pl.DataFrame:
    """The last row of each source."""
    return rows.unique("source_id", keep="last", maintain_order=True)


def _printed_below() -> tuple[pl.Expr, pl.Expr]:
    """Lines without a time join the record above them: below an engine's last word, what others printed at last."""
    joined = pl.col("byte_start").eq_missing(pl.col("begun"))
    last = pl.col("message").str.strip_chars_end().str.extract(r"\n([^\n]*)$").fill_null("")
    message = pl.when(joined).then(last).otherwise("message").alias("message")
    return message, pl.when(~joined).then("level").alias("level")


def _is_well(text: pl.Expr) -> pl.Expr:
    doubted = text.str.contains(_OF_THE_END) | text.str.replace_all(_NO_DOUBT, "").str.contains(_DOUBT)
    return (text.str.contains(_WELL) & ~doubted).fill_null(value=False)


def _verdicts(rows: pl.DataFrame, logs: pl.DataFrame, status: str, basis: str) -> pl.DataFrame:
    told = rows.join(logs.select("source_id", "attempt"), on="source_id", how="inner", maintain_order="left")
    told = told.with_columns(status=pl.lit(status), basis=pl.lit(basis), order=pl.lit(0))
    return told.select(VERDICTS.names()).cast(VERDICTS)


def _telling() -> list[str]:
    """Families whose line is a failure where nothing at all follows it."""
    return [f.name for f in BY_NAME.values() if f.weight > TELLING]


def _stating() -> list[str]:
    """Families whose lines state by themselves that a tool failed."""
    return [
        f.name
        for f in BY_NAME.values()
        if (f.failure or "").startswith(_OF_TOOLS)
        and (f.weight >= TELLING or f.total)
        and (f.sure or f.name in ("conflict", "solver"))
    ]
