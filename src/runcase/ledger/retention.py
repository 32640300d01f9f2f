"""Expires payloads and leaves tombstones.

Three classes of data age apart: `raw` (the bytes of logs), `payloads` (the bytes of
artifact files) and `events` (records that are neither boundaries, claims and
failures, nor cited by a conclusion). Run records, windows, manifests and dossiers
stay. A source is as old as its latest event, else as its archive says; one that
has no time never expires. Each table of a batch is replaced by one rename, the
tombstones first: a kill leaves bytes that the next run of the same policy removes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from runcase.ledger.parquet import parts_of, replace_table, row_groups
from runcase.ledger.store import Case
from runcase.model.tables import EVENTS, RAW, TOMBSTONES
from runcase.rules.yaml_source import Document, settled

_AGE = re.compile(r"([0-9]{1,5}) ?(d|w)")
_DAYS = {"d": 1, "w": 7}
_PLACE = re.compile(r"\b(?:evt_)?([0-9a-f]{12})[:_]([0-9]{1,18})\b")

_DETAIL = ("log", "unknown", "progress", "heartbeat")
"""Kinds whose events are detail: the others are boundaries, claims, tool calls, failures and ends."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How old each class may grow; None means for ever."""

    raw: timedelta | None = None
    payloads: timedelta | None = None
    events: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Expired:
    """What a run of a policy expired, or would expire."""

    sources: int
    raw_bytes: int
    events: int
    ageless: int
    """Sources without any time, which no policy reaches."""
    runs: frozenset[str]
    """Runs that lost something."""


def load_policy(path: Path) -> Policy:
    """The policy of a file: `raw`, `payloads` and `events`, each an age such as `30d` or `8w`.

    Raises:
        RuncaseError: `bad_policy` with every defect and its place; `missing_path`.
    """
    return Policy(**settled(path, "bad_policy", lambda document: dict(_ages(document))))


def _ages(document: Document) -> Iterator[tuple[str, timedelta]]:
    known = [f.name for f in fields(Policy)]
    if not isinstance(document.root, yaml.MappingNode):
        document.complain(document.root, f"a mapping is expected, with some of {', '.join(known)}")
        return
    for key, value in document.root.value:
        age = _AGE.fullmatch(value.value) if isinstance(value, yaml.ScalarNode) else None
        if key.value not in known:
            document.complain(key, f"unknown key {key.value!r}; known are {', '.join(known)}")
        elif age is None:
            document.complain(value, "an age is expected, such as 30d or 8w")
        else:
            yield key.value, timedelta(days=int(age[1]) * _DAYS[age[2]])


def retain(case: Case, policy: Policy, as_of: date, dry_run: bool = False) -> Expired:
    """Expires what is older than the policy allows on a day.

    Args:
        case: The case, held for writing unless `dry_run`.
        policy: Ages by class.
        as_of: The day from which ages count back, at 00:00 UTC.
        dry_run: Whether only to say what would expire.
    """
    ages = _aged(case, datetime.combine(as_of, time(), UTC))
    cited = _cited(case)
    stones = [_expire(case, batch, ages, policy, cited, as_of, dry_run) for batch in case.batches()]
    gone = pl.concat([TOMBSTONES.empty(), *stones])
    members = case.conclusions().members
    lost = members.filter(pl.col("source_id").is_in(gone["source_id"].implode()))
    return Expired(
        sources=gone["source_id"].n_unique(),
        raw_bytes=int(gone.filter(pl.col("class") != "events")["size_bytes"].sum()),
        events=int(gone["events"].sum()),
        ageless=ages.filter(pl.col("age").is_null()).height,
        runs=frozenset(lost["run_id"]),
    )


def _aged(case: Case, now: datetime) -> pl.DataFrame:
    """`source_id, batch, age, payload`: text and documents, how old they are, and whether they are artifact files."""
    sources = case.facts(case.batches()).sources.filter((pl.col("kind") == "file") & (pl.col("events") > 0)).collect()
    claimed = case.conclusions().states["checksum"].drop_nulls().str.strip_prefix("sha256:")
    age = pl.lit(now) - pl.coalesce("last_ts", "recorded_at")
    payload = pl.col("sha256").is_in(claimed.implode()).fill_null(value=False)
    return sources.select("source_id", "batch", age=age, payload=payload).sort("source_id")


def _expire(
    case: Case, batch: str, ages: pl.DataFrame, policy: Policy, cited: pl.DataFrame, as_of: date, dry_run: bool
) -> pl.DataFrame:
    """TOMBSTONES that one batch gains; its tables are replaced unless `dry_run`."""
    own = ages.filter(pl.col("batch") == batch)
    old = {
        "raw": _older(own.filter(~pl.col("payload")), policy.raw),
        "payloads": _older(own.filter(pl.col("payload")), policy.payloads),
        "events": _older(own, policy.events),
    }
    case.bring([batch])
    folder = case.root / "ledger" / batch
    raw, events = parts_of(folder, RAW), parts_of(folder, EVENTS)
    stones = [*_raw_stones(raw, old), *_event_stones(events, old["events"], cited)]
    fresh = TOMBSTONES.frame([{**stone, "batch": batch, "as_of": as_of} for stone in stones])
    if dry_run or not stones:
        return fresh
    case.renewed = True
    stones_path = folder / f"{TOMBSTONES.name}.parquet"
    before = TOMBSTONES.fill(pl.DataFrame(pq.read_table(stones_path)))
    whole = pl.concat([before, fresh]).unique(["source_id", "class"], keep="first", maintain_order=True)
    replace_table(stones_path, [whole.sort(TOMBSTONES.key).to_arrow()])
    expired = pl.col("source_id").is_in(old["raw"] + old["payloads"])
    for path in raw:
        replace_table(path, _kept(path, lambda rows: rows.filter(~expired)))
    detail = pl.col("source_id").is_in(old["events"]) & pl.col("kind").is_in(_DETAIL)
    for path in events:
        replace_table(path, _kept(path, lambda rows: _without(rows, detail, cited)))
    return fresh


def _without(rows: pl.DataFrame, detail: pl.Expr, cited: pl.DataFrame) -> pl.DataFrame:
    """Events but for detail that nothing cites, in their order."""
    named = rows.join(
        cited.with_columns(_cited=True), on=["source_id", "byte_start"], how="left", maintain_order="left"
    )
    return named.filter(~detail | pl.col("_cited").fill_null(value=False)).drop("_cited")


def _older(sources: pl.DataFrame, age: timedelta | None) -> list[str]:
    return [] if age is None else sources.filter(pl.col("age") > age)["source_id"].to_list()


# --- tombstones -----------------------------------------------------------------------------------


def _raw_stones(paths: Sequence[Path], old: dict[str, list[str]]) -> Iterator[dict[str, object]]:
    """One stone a source whose bytes expire: how many they were, and their digest."""
    classes = {sid: name for name in ("raw", "payloads") for sid in old[name]}
    found: dict[str, tuple[int, hashlib._Hash]] = {}
    for rows in row_groups(paths):
        for sid, data in zip(rows.column("source_id").to_pylist(), rows.column("data").to_pylist(), strict=True):
            if sid in classes:
                size, digest = found.get(sid, (0, hashlib.sha256()))
                digest.update(data)
                found[sid] = (size + len(data), digest)
    for sid, (size, digest) in sorted(found.items()):
        yield {"class": classes[sid], "source_id": sid, "size_bytes": size, "sha256": digest.hexdigest(), "events": 0}


def _event_stones(paths: list[Path], old: list[str], cited: pl.DataFrame) -> Iterator[dict[str, object]]:
    """One stone a source whose event detail expires: how many events, and the digest over their places."""
    if not old:
        return
    events = pl.scan_parquet(paths).filter(pl.col("source_id").is_in(old) & pl.col("kind").is_in(_DETAIL))
    events = events.join(cited.lazy(), on=["source_id", "byte_start"], how="anti")
    rows = events.select("source_id", "byte_start", "byte_len").sort("source_id", "byte_start").collect()
    for (sid,), part in rows.partition_by("source_id", as_dict=True, maintain_order=True).items():
        places = "".join(f"{start}+{length}\n" for start, length in part.select("byte_start", "byte_len").iter_rows())
        size = int(part["byte_len"].sum())
        digest = hashlib.sha256(places.encode()).hexdigest()
        yield {"class": "events", "source_id": sid, "size_bytes": size, "sha256": digest, "events": part.height}


def _cited(case: Case) -> pl.DataFrame:
    """`source_id, byte_start` of every place that a conclusion names, by ref or by event id."""
    conclusions = case.conclusions()
    text = "".join(getattr(conclusions, f.name).write_ndjson() for f in fields(conclusions))
    places = sorted({(sid, int(start)) for sid, start in _PLACE.findall(text)})
    return pl.DataFrame(places, schema={"source_id": pl.String(), "byte_start": pl.Int64()}, orient="row")


# --- tables without what expired ------------------------------------------------------------------


def _kept(path: Path, keep: Callable[[pl.DataFrame], pl.DataFrame]) -> Iterator[pa.Table]:
    """The row groups of a table without the rows that `keep` leaves out; in the table's own types."""
    for rows in row_groups([path]):
        yield keep(pl.DataFrame(rows)).to_arrow().cast(rows.schema)
