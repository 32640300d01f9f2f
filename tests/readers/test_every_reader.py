"""What holds for every registered reader, whatever it is given."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.readers.reading import read
from tests.readers.samples import SAMPLES, Sample

from runcase.intake.readers.base import DocumentReader, Reader, Sniff, TextReader
from runcase.intake.readers.registry import READERS, choose
from runcase.intake.text_source import TextSource
from runcase.model.kinds import is_event_kind
from runcase.model.problems import PROBLEM_CODES

BY_NAME = {r.name: r for r in READERS}
NAMES = sorted(SAMPLES)


def sniffed(sample: Sample, data: bytes | None = None) -> Sniff:
    given = sample.data if data is None else data
    return Sniff(sample.path, given[: 64 * 1024], len(given) < 64 * 1024)


def check_document(reader: DocumentReader, data: bytes, path: str) -> None:
    """Facts of declared shape, records apart and inside, bytes that add up, problems with known codes and places."""
    facts = reader.read(data, path)
    records = facts.records.sort("byte_start")
    ends = records["byte_start"] + records["byte_len"]
    assert (records["byte_start"] >= 0).all()
    assert (records["byte_len"] >= 0).all()
    assert ends.is_empty() or int(ends.max()) <= len(data)  # type: ignore[arg-type]
    assert not (ends.shift(1) > records["byte_start"]).any()
    covered = int(records["byte_len"].sum()) + sum(p.quarantined_bytes for p in facts.problems)
    assert covered <= len(data)
    assert all(is_event_kind(k) for k in records["kind"].drop_nulls().unique())
    assert all(p.code in PROBLEM_CODES for p in facts.problems)
    assert all(p.byte_start is None or 0 <= p.byte_start <= len(data) for p in facts.problems)
    for frame in (facts.spans, facts.artifacts):
        assert ((frame["byte_start"] >= 0) & (frame["byte_start"] + frame["byte_len"] <= len(data))).all()
    for text in records["fields"].drop_nulls():
        assert isinstance(json.loads(text), dict)


def check_text(reader: TextReader, data: bytes, path: str) -> None:
    """The annotator keeps rows, order and bytes."""
    source = TextSource(path, None, data[: 64 * 1024], format_name=reader.format, marks=reader.marks)
    annotator = reader.annotator(path)
    for records in (source.feed(data), source.finish()):
        named = annotator.annotate(records)
        assert named.select("byte_start", "byte_len").equals(records.select("byte_start", "byte_len"))
        assert all(is_event_kind(k) for k in named["kind"].drop_nulls().unique())
        annotator.spans()
        annotator.artifacts()
    annotator.open_spans()


def check(reader: Reader, data: bytes, path: str) -> None:
    reader.recognises(Sniff(path, data[: 64 * 1024], True))
    if isinstance(reader, DocumentReader):
        check_document(reader, data, path)
    elif isinstance(reader, TextReader):
        check_text(reader, data, path)


def test_every_reader_has_a_sample() -> None:
    assert sorted(BY_NAME) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_producers_sample_is_taken_by_its_reader_and_by_structure(name: str) -> None:
    sample = SAMPLES[name]
    choice = choose(sniffed(sample))
    assert choice is not None
    assert choice[0].name == name
    assert choice[1].reason
    assert BY_NAME[name].recognises(Sniff(sample.path, b"hello\nworld\n", True)) is None


@pytest.mark.parametrize("name", NAMES)
def test_no_reader_takes_the_sample_of_another_as_strongly(name: str) -> None:
    sniff = sniffed(SAMPLES[name])
    own = BY_NAME[name].recognises(sniff)
    assert own is not None
    others = [r.name for r in READERS if r.name != name and (t := r.recognises(sniff)) and t.score >= own.score]
    assert others == []


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_cut_anywhere_is_read_as_far_as_it_goes(name: str) -> None:
    sample, reader = SAMPLES[name], BY_NAME[name]
    for cut in sorted({len(sample.data) * n // 12 for n in range(13)} | {1, 2, len(sample.data) - 1}):
        check(reader, sample.data[:cut], sample.path)


JSON_NAMES = [n for n in NAMES if SAMPLES[n].data.startswith((b"{", b"[\n"))]


@pytest.mark.parametrize("name", [n for n in JSON_NAMES if isinstance(BY_NAME[n], DocumentReader)])
def test_a_json_document_that_breaks_off_inside_a_value_has_a_located_problem(name: str) -> None:
    sample, reader = SAMPLES[name], BY_NAME[name]
    assert isinstance(reader, DocumentReader)
    cut = sample.data.rstrip()[:-1].rstrip()[:-1]
    located = [p for p in reader.read(cut, sample.path).problems if p.byte_start is not None]
    assert located
    assert all(p.message for p in located)


@pytest.mark.parametrize("name", [n for n in NAMES if isinstance(BY_NAME[n], DocumentReader)])
@pytest.mark.parametrize("share", [0.6, 0.9])
def test_every_document_that_was_cut_inside_a_line_or_value_has_a_located_problem(name: str, share: float) -> None:
    sample = SAMPLES[name]
    whole = sample.data.rstrip()
    cut = whole[: max(1, int(len(whole) * share))].rstrip(b"\n") or whole[:1]
    seen = read({sample.path: cut})
    if choose(sniffed(sample, cut)) is None:
        return  # so little is left that nobody recognises the producer: it is plain text, with no line lost
    located = seen.problems.filter(pl.col("byte_start").is_not_null())
    assert located.height
    assert located["byte_start"].max() < len(cut) + 1  # type: ignore[operator]


@pytest.mark.parametrize("name", [n for n in NAMES if isinstance(BY_NAME[n], TextReader)])
def test_a_text_that_was_cut_keeps_every_byte_and_invents_no_end(name: str) -> None:
    sample = SAMPLES[name]
    cut = sample.data[: len(sample.data) // 2]
    seen = read({sample.path: cut})
    assert seen.facts.sources.collect()["size_bytes"].sum() == len(cut)
    assert "succeeded" not in seen.statuses.values()


def paths_of(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all values inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(p for k, v in inner for p in paths_of(v, (*at, k)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


ODD: list[Any] = [
    None,
    True,
    7,
    -1,
    2**70,
    1.5e300,
    "",
    "x",
    "9" * 30,
    [],
    {},
    [None],
    [[]],
    {"": None},
    "\ud800",
    {"a": {"b": [1]}},
]


def with_flipped_types(data: bytes, draw: Any) -> bytes:
    """The same document with some values of other types."""
    lines = data.splitlines() if data.count(b"\n{") else [data]
    made = []
    for line in lines:
        value = json.loads(line)
        for _ in range(draw(st.integers(0, 3))):
            value = replaced(value, draw(st.sampled_from(paths_of(value))), draw(st.sampled_from(ODD)))
        made.append(json.dumps(value).encode())
    return b"\n".join(made)


@st.composite
def mutations(draw: Any) -> tuple[str, bytes]:
    """A reader's name and a damaged document of its kind."""
    name = draw(st.sampled_from(NAMES))
    data = SAMPLES[name].data
    if name in JSON_NAMES and draw(st.booleans()):
        data = with_flipped_types(data, draw)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        size = draw(st.integers(0, 24))
        put = draw(
            st.sampled_from([b"", b"\x00", b"\xff\xfe", b"\n", b'"', b"}", b"[", b"\r", b"9" * 25, b"\t|", b"\xc3"])
        )
        data = data[:at] + put + data[at + size :]
    if draw(st.booleans()):
        at = draw(st.integers(0, len(data)))
        data = data[at:] + data[:at] if draw(st.booleans()) else data + data[:at]
    return name, data


@given(mutations())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_damage_makes_a_reader_raise_or_lose_count(mutated: tuple[str, bytes]) -> None:
    name, data = mutated
    check(BY_NAME[name], data, SAMPLES[name].path)


@given(mutations())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_document_becomes_a_case_and_its_bytes_add_up(mutated: tuple[str, bytes]) -> None:
    name, data = mutated
    seen = read({SAMPLES[name].path: data})
    assert seen.facts.sources.collect()["size_bytes"].sum() == len(data)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_with_windows_line_ends_and_a_mark_is_read_all_the_same(name: str) -> None:
    sample = SAMPLES[name]
    data = sample.data.removeprefix(b"\xef\xbb\xbf").replace(b"\n", b"\r\n")
    check(BY_NAME[name], data, sample.path)
    check(BY_NAME[name], b"\xef\xbb\xbf" + data, sample.path)


def test_events_of_every_sample_are_told_by_kinds_of_the_closed_list() -> None:
    for name in NAMES:
        reader = BY_NAME[name]
        if isinstance(reader, DocumentReader):
            kinds = reader.read(SAMPLES[name].data, SAMPLES[name].path).records["kind"]
            assert all(is_event_kind(k) for k in kinds.drop_nulls()), (name, pl.Series(kinds).to_list())
