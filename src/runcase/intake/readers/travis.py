"""Travis CI: the console text of one job.

`travis_fold` and `travis_time` markers stand between carriage returns and
escapes; `The command "..." exited with N.` ends each command and `Done. Your
build exited with N.` the job (travis-build, 2013 to 2020).
"""

from __future__ import annotations

import re

import polars as pl

from runcase.intake.readers.base import Annotator, Sniff, Taken, TextReader

_MARK = re.compile(
    rb"travis_(?:fold|time):(?:start|end):|Worker information|Using worker: worker-|travis-ci\.(?:org|com)/"
)
_DONE = r"^Done\. Your build exited with (-?\d+)"
_COMMAND = r'^The command "(.+)" (?:failed and )?exited with (-?\d+)'
_STALLED = (
    r"^(?:No output has been received in the last|The job exceeded the maximum time limit|"
    r"The log length has exceeded the limit|Your build has been stopped|Done: Job Cancelled|"
    r"I'm sorry but your test run exceeded)"
)
_CANCELLED = r"^(?:Done: Job Cancelled|.*[Jj]ob (?:was )?cancell?ed)"


class Travis(TextReader):
    """One job's console text."""

    name = "travis"
    versions = "travis-build console logs, 2013 to 2020"

    def recognises(self, sniff: Sniff) -> Taken | None:
        """Fold or time markers, or the worker's greeting."""
        found = _MARK.findall(sniff.head)
        return Taken(f"{len(found)} marks of travis-build", 85) if found else None

    def annotator(self, path: str) -> Annotator:
        """Every record is judged by itself."""
        return _Annotator()


class _Annotator(Annotator):
    def annotate(self, records: pl.DataFrame) -> pl.DataFrame:
        """Kinds of command ends, of the job's end, and of stalls."""
        text = pl.col("message")
        done, command = text.str.extract(_DONE), text.str.extract(_COMMAND, 2)
        stalled, cancelled = text.str.contains(_STALLED), text.str.contains(_CANCELLED)
        finished = done.is_not_null() | stalled | cancelled
        status = (
            pl.when(cancelled)
            .then(pl.lit("cancelled"))
            .when(stalled)
            .then(pl.lit("failed"))
            .when(done == "0")
            .then(pl.lit("succeeded"))
            .otherwise(pl.lit("failed"))
        )
        return records.with_columns(
            kind=pl.when(finished)
            .then(pl.lit("run.finished"))
            .when(command.is_not_null())
            .then(pl.lit("exit.command"))
            .otherwise(pl.col("kind")),
            fields=pl.when(finished)
            .then(pl.concat_str(pl.lit('{"status":"'), status, pl.lit('"'), _code(done), pl.lit("}")))
            .when(command.is_not_null())
            .then(pl.concat_str(pl.lit('{"exit_code":'), command, pl.lit("}")))
            .otherwise(pl.col("fields")),
        )


def _code(done: pl.Expr) -> pl.Expr:
    return pl.when(done.is_not_null()).then(pl.concat_str(pl.lit(',"exit_code":'), done)).otherwise(pl.lit(""))
