"""The law, the bounds and the repeatability, on random trees of containers with random damage."""

from __future__ import annotations

import bz2
import hashlib
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.commands import SAMPLES
from tests.intake import archives
from tests.intake.archives import Walked, walk

from runcase.intake.archive import Budget
from runcase.intake.containers.families import family_of
from runcase.intake.read import read_inputs
from runcase.intake.read_plan import Input, ReadPlan

BUDGET = Budget(ratio_from=1 << 20, members_from=100, depth=4)

contents = st.one_of(
    st.binary(max_size=400),
    st.integers(0, 400).map(lambda n: archives.TEXT[: n * 37]),
    st.integers(0, 20_000).map(bytes),
)
plain = contents.filter(lambda c: family_of(c[:4096], "") is None)
names = st.one_of(st.sampled_from(["a.log", "b/c.log", "../up.log", "/abs.log", "x.tar.gz"]), st.text(max_size=8))
singles = st.sampled_from([archives.gz, bz2.compress, archives.xz, archives.zst, archives.lz4])


def listed(children: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """An archive of up to four members, of any family."""
    members = st.dictionaries(names.filter(lambda n: n.strip("/") != "" and "\0" not in n), children, max_size=4)
    makers = st.sampled_from([archives.tar, archives.zipped, archives.streamed_zip])
    return st.builds(lambda make, held: make(held), makers, members)


@st.composite
def damaged(draw: st.DrawFn, children: st.SearchStrategy[bytes]) -> bytes:
    """Cut off, overwritten, with bytes put in or taken out; or left as it is."""
    data = draw(children)
    at = draw(st.integers(0, len(data)))
    how = draw(st.sampled_from(["whole", "whole", "cut", "over", "in", "out", "twice"]))
    junk = draw(st.binary(min_size=1, max_size=40))
    return {
        "whole": data,
        "cut": data[:at],
        "over": data[:at] + junk + data[at + len(junk) :],
        "in": data[:at] + junk + data[at:],
        "out": data[:at] + data[at + len(junk) :],
        "twice": data + data[at:],
    }[how]


trees = st.recursive(
    contents,
    lambda children: damaged(st.one_of(listed(children), st.builds(lambda make, d: make(d), singles, children))),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(trees)
def test_every_byte_of_a_damaged_tree_is_accounted_for_and_a_rerun_is_the_same(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = walk(Path(folder), data, "input", BUDGET)
        assert len(first.streams) <= BUDGET.members_from + 100
        assert sum(len(c) for c in first.contents) <= BUDGET.ratio_from * (BUDGET.depth + 1) + len(data)
        assert first.whole.sha256 == hashlib.sha256(data).hexdigest()
        assert _told(walk(Path(folder), data, "input", BUDGET)) == _told(first)


def _told(got: Walked) -> list[object]:
    return [(s.path, s.ordinal, s.sha256, s.verdict, s.problems) for s in got.streams]


@settings(max_examples=25, deadline=None)
@given(trees)
def test_size_is_events_and_quarantine_and_overhead_in_every_row(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input"
        path.write_bytes(data)
        pieces = read_inputs([Input(path, "input", "0" * 64)], ReadPlan(BUDGET))
        rows = [r for piece in pieces for r in piece.source.to_dicts()]
    for row in rows:
        assert row["size_bytes"] == row["event_bytes"] + row["quarantined_bytes"] + row["overhead_bytes"], row["path"]
    assert rows[-1]["size_bytes"] == len(data)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(names.filter(lambda n: n.strip("/") != "" and "\0" not in n), plain, max_size=4), singles)
def test_what_goes_in_whole_comes_out_whole(members: dict[str, bytes], squeeze: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        got = walk(Path(folder), squeeze(archives.tar(members)), "all.tar.gz")  # type: ignore[operator]
    files = [c for s, c in zip(got.streams, got.contents, strict=True) if s.path.count("!/") == 2]
    assert [c for c, (n, d) in zip(files, members.items(), strict=True) if not n.endswith("/") and c != d] == []


# --- truncation -----------------------------------------------------------------------------------


def decoded_before(data: bytes, at: int) -> int:
    """Bytes that the members of a sample have before a cut: the reference decoders' answer."""
    if data[:2] == b"\x1f\x8b":
        import zlib

        return len(zlib.decompressobj(31).decompress(data[:at]))
    import zipfile
    import zlib

    total = 0
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        for info in z.infolist():
            lengths = data[info.header_offset + 26 : info.header_offset + 30]
            start = (
                info.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
            )
            if start < at:
                stored = data[start : min(at, start + info.compress_size)]
                total += len(zlib.decompressobj(-15).decompress(stored) if info.compress_type else stored)
    return total


def salvaged(got: Walked) -> int:
    """Bytes that came out one level below the input."""
    return sum(s.size_bytes for s in got.streams if s.path.count("!/") == 1)


def swept(folder: Path, sample: Path, step: int) -> list[str]:
    """Cuts a sample at every `step` bytes; says where less than 99 % came out, or the cut went unnoticed."""
    data = sample.read_bytes()
    wrong = []
    for at in range(1, len(data), step):
        got = walk(folder, data[:at], sample.name)
        if salvaged(got) < 0.99 * decoded_before(data, at):
            wrong.append(f"{sample.name} at {at}: {salvaged(got)} of {decoded_before(data, at)} bytes")
        if got.whole.verdict != "truncated" and at > 8:
            wrong.append(f"{sample.name} at {at}: called {got.whole.verdict}")
    return wrong


@pytest.mark.parametrize(
    "sample", sorted(SAMPLES.glob("*.tar.gz")) + sorted(SAMPLES.glob("*.zip")), ids=lambda p: p.name
)
def test_a_sample_cut_anywhere_gives_what_stands_before_the_cut(tmp_path: Path, sample: Path) -> None:
    assert swept(tmp_path, sample, 1531) == []
