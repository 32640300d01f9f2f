"""Examples of rules as records, read the way a build reads lines: stamp, level and fields taken off, reader asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import polars as pl

from runcase.intake.formats import headers
from runcase.intake.lines import line_table
from runcase.intake.pieces import SourceContext
from runcase.intake.readers.base import TextReader
from runcase.intake.readers.registry import READERS
from runcase.ledger.classify import Classifier
from runcase.model.tables import RECORDS
from runcase.rules.compile import Ruleset, compiled
from runcase.rules.language import EventRule, Example, Pack

_MAYBE_STAMPED = re.compile(r"\d{1,2}:\d\d|\d{8}|\d{4}[-/]\d\d|^[IWEFD]\d{4} ")
_OBJECT = re.compile(r"\s*\{.*\}\s*", re.DOTALL)
_BARE = headers.Layout(None, (), False, False, None)


def records(examples: Sequence[Example], pack: Pack) -> pl.DataFrame:
    """RECORDS and `path`, one row an example, in order."""
    parsed: dict[int, pl.DataFrame] = {}
    for group in _alike(examples):
        rows = _parsed([examples[n].line for n in group], pack)
        parsed |= {n: rows.slice(at, 1) for at, n in enumerate(group)}
    empty = RECORDS.empty().with_columns(path=pl.lit("", dtype=pl.String))
    return pl.concat([empty, *(_row(e, parsed[n], n, pack) for n, e in enumerate(examples))])


def _alike(examples: Sequence[Example]) -> Iterable[list[int]]:
    """Numbers of the examples whose first lines are laid out alike, so that one detection serves them all."""
    groups: dict[str, list[int]] = {}
    for n, example in enumerate(examples):
        first = example.line.split("\n", 1)[0]
        if _OBJECT.fullmatch(first):
            key = "json"
        elif _MAYBE_STAMPED.search(first[:60]):
            key = re.sub(r"[A-Za-z]+", "a", re.sub(r"\d", "0", first[:14]))
        else:
            key = ""
        groups.setdefault(key, []).append(n)
    return groups.values()


def _parsed(texts: Sequence[str], pack: Pack) -> pl.DataFrame:
    """Columns of a record's begin for each text; what follows its first line is appended to the message."""
    firsts = [t.split("\n", 1)[0].rstrip("\r") for t in texts]
    lines = line_table("\n".join(firsts).encode() + b"\n", "utf-8", _marks(pack))
    known = any(_OBJECT.fullmatch(t) or _MAYBE_STAMPED.search(t[:60]) for t in firsts) or bool(pack.formats)
    layout = headers.detect(lines["text"], None, None, pack.formats) if known else _BARE
    frame = replace(layout, joins_unstamped=False).parse(lines)
    rest = pl.Series([t[len(t.split("\n", 1)[0]) :].rstrip("\n") for t in texts], dtype=pl.String)
    return frame.with_columns(message=pl.col("message") + rest)


def _marks(pack: Pack) -> str | None:
    reader = _reader(pack)
    return reader.marks if reader else None


def _reader(pack: Pack) -> TextReader | None:
    """The reader of text that the pack is for, if there is one."""
    found = [r for r in READERS if r.name in pack.readers and isinstance(r, TextReader)]
    return found[0] if found else None


def _row(example: Example, parsed: pl.DataFrame, number: int, pack: Pack) -> pl.DataFrame:
    """One example as a record, with what its author says of it."""
    size = len(example.line.encode())
    row = RECORDS.fill(
        parsed.with_columns(
            source_id=pl.lit("example"),
            byte_start=pl.lit(number, dtype=pl.Int64),
            byte_len=pl.lit(size, dtype=pl.Int64),
            line=pl.lit(1, dtype=pl.Int64),
            n_lines=pl.lit(example.line.count("\n") + 1, dtype=pl.Int64),
            ts_lo="ts",
            ts_hi="ts",
            artifacts=pl.lit([], dtype=pl.List(pl.String)),
            fields=pl.coalesce("fields", _marked()),
        )
    )
    reader = _reader(pack)
    row = reader.annotator(example.source).annotate(row) if reader else row
    given = {name: v for name in ("stream", "stage", "level", "attempt") if (v := getattr(example, name)) is not None}
    row = row.with_columns(pl.lit(v).cast(RECORDS.schema[name]).alias(name) for name, v in given.items())
    if example.fields:
        row = row.with_columns(fields=pl.lit(_with_fields(row["fields"][0], example)))
    return row.with_columns(path=pl.lit(example.source))


def _marked() -> pl.Expr:
    return pl.when(pl.col("marks").is_not_null()).then(pl.struct("marks").struct.json_encode())


def _with_fields(known: str | None, example: Example) -> str:
    import json

    return json.dumps({**(json.loads(known) if known else {}), **example.fields})


# --- what rules say of them -----------------------------------------------------------------------


def hits(rules: Sequence[tuple[EventRule, Pack]], frame: pl.DataFrame) -> pl.DataFrame:
    """One boolean column a rule (`"0"`, `"1"`, ...): whether it matches each record; each rule is asked alone."""
    asked = [compiled(rule, pack).condition.alias(str(n)) for n, (rule, pack) in enumerate(rules)]
    if not asked:
        return frame.select()
    found = frame.select(pl.col("source_id"), *asked)
    return found.drop("source_id")


def in_precedence(packs: Sequence[Pack]) -> list[tuple[EventRule, Pack]]:
    """Event rules in the order in which they are asked: by priority, then stronger packs, then the files."""
    rules = [(rule, pack) for pack in reversed(Ruleset(packs).packs) for rule in pack.events]
    return sorted(rules, key=lambda r: -r[0].priority)


def event(example: Example, record: pl.DataFrame, packs: Sequence[Pack], reader: str | None) -> dict[str, object]:
    """The EVENTS row that a build makes of one record."""
    records = RECORDS.fill(record).with_columns(pl.col("source_id").fill_null("example"))
    source = SourceContext(records["source_id"][0], example.source, reader)
    return Classifier(Ruleset(packs)).feed(records, [source]).events.row(0, named=True)
