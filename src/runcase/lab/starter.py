"""`runcase init`: a commented starter pack from a sample of somebody's logs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from runcase.lab.mining import mined
from runcase.lab.scenarios import outcome_of
from runcase.lab.suggest import as_yaml, scalar, suggested
from runcase.ledger.units import Unit
from runcase.model.case import Facts
from runcase.model.text import present
from runcase.rules.language import Pack

LIMIT = 15
"""Event rules that a starter pack begins with."""

_KEYS: tuple[tuple[str, str, str], ...] = (
    ("run_id", r"run_id|runId|run-id|run|job_id|jobId|execution_id|execution|build_id", r"[\w.:/-]+"),
    ("attempt", r"attempt|try|retry_count", r"\d+"),
    ("workspace_id", r"workspace_id|workspace|workdir", r"[\w./-]+"),
    ("tool_call_id", r"tool_call_id|call_id|call", r"[\w.-]+"),
    ("invocation_id", r"message_id|msg_id|msg|lease_id|lease", r"[\w.-]+"),
)
"""Id -> names under which logs write it, and what its values look like."""


@dataclass(frozen=True, slots=True)
class Starter:
    """The files of a pack, and what the sample showed."""

    files: dict[str, str]
    records: int
    unknown: int
    rules: int
    ids: tuple[str, ...]


def starter(units: Sequence[Unit], packs: Sequence[Pack], name: str) -> Starter:
    """A pack for what these inputs hold and `packs` do not name."""
    facts, made = outcome_of(units, packs)
    rules = suggested(mined(facts.events, made.runs, made.members), LIMIT)
    messages = facts.events.select("message", "fields").collect()
    identity = [found for spec in _KEYS if (found := _identity(messages, *spec)) is not None]
    unknown = facts.events.filter(pl.col("kind") == "unknown").select(pl.len()).collect().item()
    files = {"pack.yaml": _head(name, facts, identity), "events.yaml": _EVENTS + as_yaml(rules)}
    return Starter(files, messages.height, int(unknown), len(rules), tuple(i.id for i in identity))


@dataclass(frozen=True, slots=True)
class _Identity:
    """An id that the sample shows: the key that carries it, how often, and whether in fields or in text."""

    id: str
    key: str
    value: str
    hits: int
    in_fields: bool
    seen: str


def _identity(messages: pl.DataFrame, name: str, keys: str, value: str) -> _Identity | None:
    """The key that carries an id most often; None where fewer than two records have one."""
    best: _Identity | None = None
    for key in keys.split("|"):
        text = messages["message"].str.extract(rf"\b{re.escape(key)}[=:] ?\"?({value})")
        member = messages["fields"].str.json_path_match(f"$['{key}']")
        for series, in_fields in ((text, False), (member, True)):
            told = series.drop_nulls()
            if told.len() >= 2 and (best is None or told.len() > best.hits):
                best = _Identity(name, key, value, told.len(), in_fields, str(told.sort()[0])[:40])
    return best


def _head(name: str, facts: Facts, identity: Sequence[_Identity]) -> str:
    sources = facts.sources.select("path", "format", "reader", "lines").collect()
    seen = [f"#   {present(p)} ({f or 'no known layout'}, {n:,} lines)" for p, f, _, n in sources.head(8).iter_rows()]
    readers = sorted(set(sources["reader"].drop_nulls()))
    return _HEAD.format(
        name=name,
        seen="\n".join(seen) or "#   nothing",
        readers=f"# readers: [{', '.join(readers) or 'github_actions'}]",
        identity=_identity_section(identity),
    )


def _identity_section(found: Sequence[_Identity]) -> str:
    if not found:
        return _NO_IDENTITY
    lines = ["identity:"]
    for i in found:
        lines.append(
            f"  # in {i.hits:,} records, such as {i.seen}" if i.seen.isprintable() else f"  # {i.hits:,} records"
        )
        if i.in_fields:
            lines.append(f"  - {{id: {_slug(i)}, field: {i.key}, pattern: {scalar(f'^(?P<{i.id}>{i.value})$')}}}")
        else:
            pattern = rf'\b{re.escape(i.key)}[=:] ?"?(?P<{i.id}>{i.value})'
            lines.append(f"  - {{id: {_slug(i)}, pattern: {scalar(pattern)}}}")
    return "\n".join(lines) + "\n"


def _slug(i: _Identity) -> str:
    return f"{i.id.replace('_', '-')}-in-{'fields' if i.in_fields else 'text'}"


_EVENTS = """\
# Event rules name records. The first that matches wins: by priority, then in this order.
# Kinds: run.created, run.finished, attempt.claimed, attempt.started, workspace.ready, stage.started, stage.finished,
# tool.started, tool.finished, artifact.written, artifact.read, upload.started, upload.finished, progress, heartbeat,
# retry, error, warning, exit, log; refine one with further parts: error.timeout.upload.
# These were mined from the sample: look at each kind and summary, then run: runcase rules test FOLDER
"""

_NO_IDENTITY = r"""# How a record tells its run and attempt; captures are named like the ids.
# identity:
#   - {id: run-in-text, pattern: '\brun=(?P<run_id>\w+)'}
#   - {id: run-of-folder, path: '/(?P<run_id>run_\w+)/'}
#   - {id: attempt-of-folder, path: '/attempt-(?P<attempt>\d+)/'}
#   - {id: stage-that-began, pattern: 'stage (?P<stage>\w+) started', carry: true}
"""

_HEAD = """\
# yaml-language-server: $schema=./pack.schema.json
# Made by runcase init from:
{seen}
# Check it with: runcase rules check FOLDER    Try it with: runcase rules test FOLDER
name: {name}
version: "1"
description: What this system writes, and what it means.

# Without these two lines the pack speaks of every source.
{readers}
# sources: ["*/my-service*.log"]

{identity}
# The steps of a run, what each reads and writes, and whether it may be redone.
# stages:
#   - {{name: fetch, reads: [bundle], writes: [intermediate]}}
#   - {{name: upload, reads: [final], writes: [status], side_effects: idempotent}}

# Spans of an attempt between two events; queue, boot, active and writeback are there without any declaration.
# windows:
#   - name: queue
#     start: {{kind: run.created}}
#     end: {{kind: attempt.claimed}}
#     start_absent: no_run_created
#     end_absent: no_claim

# What must come, and what its absence is called.
# expect:
#   - id: answered
#     code: no_answer
#     after: {{kind: upload.started}}
#     event: {{kind: upload.finished}}
#     within: 60s
#     text: an upload was never answered

# Failure classes: when they hold, and what to do.
# failures:
#   - id: upload-timeout
#     class: writeback.upload_timeout
#     when: {{event: {{kind: error.timeout.upload}}}}
#     blocker: "the upload timed out"
#     next_actions: ["replay from upload"]

# Where a run of a failure class restarts.
# replay:
#   - {{id: from-upload, failure: writeback, start: upload, not_redo: [fetch]}}

# Secrets that are replaced before anything is written; the first group is the secret.
# redact:
#   - {{id: token, kind: token, pattern: 'token=(\\S+)'}}
"""
