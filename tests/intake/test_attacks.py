"""Every way in which an archive is damaged or hostile, with the verdict that it gets and what is saved of it."""

from __future__ import annotations

import bz2
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.intake.archives import (
    END,
    LINE,
    TEXT,
    bush,
    gz,
    header,
    lz4,
    nested,
    overlapping_zip,
    padded,
    pax,
    sevenz,
    streamed_zip,
    tar,
    walk,
    xz,
    zeros_gz,
    zipped,
    zst,
)

from runcase.intake.archive import Budget

SMALL = Budget(ratio_from=1 << 20, members_from=500)
BIG = b"".join(LINE % n for n in range(40_000))
NEGATIVE = b"\xff" * 12
TEN_TB = 10 << 40


@dataclass(frozen=True, slots=True)
class Attack:
    """An input and what must come of it."""

    name: str
    make: Callable[[], bytes]
    verdict: str
    codes: frozenset[str]
    saved: bytes = b""
    """A content that must be among the sources, whole or as the begin of one."""
    budget: Budget = SMALL


def attack(name: str, make: Callable[[], bytes], verdict: str, *codes: str, saved: bytes = b"") -> Attack:
    return Attack(name, make, verdict, frozenset(codes), saved)


def broken(data: bytes, at: float, what: bytes = b"\xff" * 16) -> bytes:
    place = int(len(data) * at)
    return data[:place] + what + data[place + len(what) :]


def cut(data: bytes, at: float) -> bytes:
    return data[: int(len(data) * at)]


def without(data: bytes, mark: bytes) -> bytes:
    return data[: data.index(mark)]


def old_sparse(offset: int, length: int, real: int) -> bytes:
    fields = {"at386": b"%011o\0%011o\0" % (offset, length)} if offset < 1 << 33 else {}
    if not fields:
        fields = {"at386": b"\x80" + offset.to_bytes(11, "big") + b"%011o\0" % length}
    size = b"\x80" + real.to_bytes(11, "big")
    return header(b"sparse.log", length, b"S", **fields, at483=size)


def patched(data: bytes, mark: bytes, at: int, form: str, value: int) -> bytes:
    out = bytearray(data)
    struct.pack_into(form, out, data.index(mark) + at, value)
    return bytes(out)


def encrypted_zip() -> bytes:
    data = patched(zipped({"secret.log": b"hush\n" * 40}), b"PK\3\4", 6, "<H", 1)
    return patched(data, b"PK\1\2", 8, "<H", 1)


AB = {"a.log": TEXT, "b.log": b"the last one\n" * 100}
TWO_TARS = padded(header(b"a.log", len(TEXT)) + padded(TEXT))
AFTER = header(b"after.log", 6) + padded(b"after\n")

ATTACKS = [
    # truncated
    attack("gz cut", lambda: cut(gz(BIG), 0.9), "truncated", "stream_truncated", saved=BIG[: len(BIG) // 2]),
    attack("gz without trailer", lambda: gz(BIG)[:-4], "truncated", "stream_truncated", saved=BIG),
    attack("gz cut in its header", lambda: gz(BIG)[:7], "truncated", "stream_truncated"),
    attack("bz2 cut", lambda: bz2.compress(BIG)[:-20], "truncated", "stream_truncated", saved=BIG[:900_000]),
    attack("xz cut", lambda: cut(xz(BIG), 0.9), "truncated", "stream_truncated", saved=BIG[: len(BIG) // 3]),
    attack("zst cut", lambda: cut(zst(BIG), 0.9), "truncated", "stream_truncated", saved=BIG[: len(BIG) // 2]),
    attack("lz4 cut", lambda: lz4(BIG)[:-9], "truncated", "stream_truncated", saved=BIG[: len(BIG) // 2]),
    attack(
        "tar cut in a member",
        lambda: tar(AB)[:60_000],
        "truncated",
        "member_truncated",
        "tar_no_end",
        saved=TEXT[:50_000],
    ),
    attack(
        "tar cut in a header", lambda: TWO_TARS + AFTER[:300], "truncated", "tar_bad_block", "tar_no_end", saved=TEXT
    ),
    attack("tar without end marker", lambda: TWO_TARS, "truncated", "tar_no_end", saved=TEXT),
    attack("tar with half an end marker", lambda: TWO_TARS + bytes(512), "truncated", "tar_no_end", saved=TEXT),
    attack(
        "zip without directory", lambda: without(zipped(AB), b"PK\1\2"), "truncated", "zip_no_directory", saved=TEXT
    ),
    attack(
        "zip cut in its directory",
        lambda: zipped(AB)[:-30],
        "truncated",
        "zip_bad_span",
        "zip_no_directory",
        saved=TEXT,
    ),
    attack(
        "zip cut in a member",
        lambda: zipped({"a.log": BIG})[:-5000],
        "truncated",
        "stream_truncated",
        "zip_no_directory",
        saved=BIG[: len(BIG) // 2],
    ),
    attack(
        "streamed zip cut in a member",
        lambda: streamed_zip({"a.log": BIG})[:-5000],
        "truncated",
        "stream_truncated",
        "zip_no_directory",
        saved=BIG[: len(BIG) // 2],
    ),
    attack(
        "stored zip cut in a member",
        lambda: zipped({"a.log": BIG}, zipfile.ZIP_STORED)[:-5000],
        "truncated",
        "member_truncated",
        "zip_no_directory",
        saved=BIG[:-5000],
    ),
    attack("7z cut", lambda: sevenz(AB)[:-10], "truncated", "sevenzip_no_directory", saved=AB["a.log"] + AB["b.log"]),
    attack(
        "7z cut in a member",
        lambda: cut(sevenz({"a.log": BIG}), 0.5),
        "truncated",
        "sevenzip_no_directory",
        saved=BIG[: len(BIG) // 3],
    ),
    attack("7z encrypted and cut", lambda: sevenz(AB, "hunter2")[:-10], "truncated", "sevenzip_no_directory"),
    # corrupt
    attack("gz flipped", lambda: broken(gz(BIG), 0.5), "corrupt", "stream_corrupt", saved=BIG[: len(BIG) // 3]),
    attack(
        "gz with a wrong checksum",
        lambda: broken(gz(BIG), 1, b"")[:-8] + bytes(8),
        "corrupt",
        "stream_corrupt",
        saved=BIG,
    ),
    attack(
        "gz flipped in its first part",
        lambda: broken(gz(BIG), 0.5) + gz(TEXT),
        "corrupt",
        "stream_corrupt",
        "content_gap",
        saved=BIG[: len(BIG) // 3],
    ),
    attack("gz with junk after it", lambda: gz(TEXT) + b"junk" * 20, "corrupt", "trailing_data", saved=TEXT),
    attack("bz2 flipped", lambda: broken(bz2.compress(BIG), 0.8), "corrupt", "stream_corrupt", saved=BIG[:900_000]),
    attack("xz flipped", lambda: broken(xz(BIG), 0.5), "corrupt", "stream_corrupt", saved=BIG[: len(BIG) // 4]),
    attack("zst flipped", lambda: broken(zst(BIG), 0.7), "corrupt", "stream_corrupt", saved=BIG[: len(BIG) // 4]),
    attack(
        "zst flipped in its first frame",
        lambda: broken(zst(BIG), 0.7) + zst(TEXT),
        "corrupt",
        "stream_corrupt",
        "content_gap",
    ),
    attack("lz4 flipped", lambda: broken(lz4(BIG), 0.9), "corrupt", "stream_corrupt", saved=BIG[: len(BIG) // 4]),
    attack(
        "tar after a bad header",
        lambda: TWO_TARS + broken(AFTER, 0.2) + AFTER + END,
        "corrupt",
        "tar_bad_block",
        saved=b"after\n",
    ),
    attack("tar whose first header is bad", lambda: broken(TWO_TARS, 0) + AFTER + END, "ok", saved=b"\xff" * 16),
    attack(
        "tar with junk after its end", lambda: TWO_TARS + END + b"junk" * 300, "corrupt", "tar_bad_block", saved=TEXT
    ),
    attack(
        "zip member flipped",
        lambda: broken(zipped({"a.log": BIG, "b.log": TEXT}), 0.4),
        "corrupt",
        "stream_corrupt",
        saved=TEXT,
    ),
    attack(
        "stored zip member flipped",
        lambda: broken(zipped(AB, zipfile.ZIP_STORED), 0.3),
        "corrupt",
        "checksum_differs",
        saved=AB["b.log"],
    ),
    attack(
        "zip with junk between members",
        lambda: b"PK\3\4".join(zipped(AB).split(b"PK\3\4")[:2]) + b"junk!PK\3\4" + zipped(AB).split(b"PK\3\4")[2],
        "corrupt",
        "zip_bad_span",
        saved=TEXT,
    ),
    attack(
        "7z flipped",
        lambda: broken(sevenz({"a.log": BIG}), 0.5),
        "corrupt",
        "stream_corrupt",
        saved=BIG[: len(BIG) // 4],
    ),
    # encrypted
    attack("zip encrypted", encrypted_zip, "encrypted", "member_encrypted"),
    attack("7z encrypted", lambda: sevenz(AB, "hunter2"), "encrypted", "member_encrypted"),
    attack(
        "7z whose directory is flipped",
        lambda: broken(sevenz(AB), 1, b"")[:-4] + bytes(4),
        "corrupt",
        "stream_corrupt",
        saved=AB["a.log"] + AB["b.log"],
    ),
    attack(
        "zip of Deflate64",
        lambda: patched(patched(zipped(AB), b"PK\3\4", 8, "<H", 9), b"PK\1\2", 10, "<H", 9),
        "unsupported",
        "member_unsupported",
        saved=AB["b.log"],
    ),
    attack(
        "zip of an unknown method",
        lambda: patched(patched(zipped(AB), b"PK\3\4", 8, "<H", 97), b"PK\1\2", 10, "<H", 97),
        "unsupported",
        "member_unsupported",
        saved=AB["b.log"],
    ),
    # lying
    attack(
        "zip that states a smaller size",
        lambda: patched(patched(zipped(AB), b"PK\3\4", 22, "<I", 5), b"PK\1\2", 24, "<I", 5),
        "corrupt",
        "size_differs",
        saved=TEXT,
    ),
    attack(
        "zip that states a larger packed size",
        lambda: patched(zipped(AB), b"PK\3\4", 18, "<I", 90_000_000),
        "truncated",
        "zip_headers_differ",
        "trailing_data",
        "zip_no_directory",
        saved=TEXT,
    ),
    attack(
        "zip whose names differ",
        lambda: zipped(AB).replace(b"a.log", b"x.log", 1),
        "ok",
        "zip_headers_differ",
        saved=TEXT,
    ),
    attack(
        "zip that lists more than it has",
        lambda: overlapping_zip(2, TEXT),
        "corrupt",
        "zip_directory_differs",
        saved=TEXT,
    ),
    attack("gz that is named but none", lambda: TEXT, "ok", saved=TEXT),
    # bombs
    attack("overlapping zip", lambda: overlapping_zip(5_000, bytes(4 << 20)), "corrupt", "zip_directory_differs"),
    attack("gz bomb", lambda: gz(zeros_gz(64 << 20)), "over_budget", "over_budget"),
    attack("nested zips", lambda: nested(TEXT, 12), "ok", "too_deep"),
    attack("bush of zips", lambda: bush(8, 5, b"x\n"), "over_budget", "too_many_members"),
    attack("quine", lambda: quine(), "ok", "too_deep"),
    attack(
        "sparse tar of 10 TB, old",
        lambda: old_sparse(TEN_TB, 4, TEN_TB + 4) + padded(b"abc\n") + AFTER + END,
        "over_budget",
        "sparse_holes_omitted",
        saved=b"after\n",
    ),
    attack(
        "sparse tar of 10 TB, pax",
        lambda: (
            pax(GNU__sparse__map=f"{TEN_TB},4", GNU__sparse__size=str(TEN_TB + 4), GNU__sparse__name="s.log")
            + header(b"x", 4)
            + padded(b"abc\n")
            + AFTER
            + END
        ),
        "over_budget",
        "sparse_holes_omitted",
        saved=b"abc\n",
    ),
    attack(
        "sparse map that overlaps itself",
        lambda: (
            pax(GNU__sparse__map="0,4,2,4", GNU__sparse__size="9")
            + header(b"x", 8)
            + padded(b"abcdefg\n")
            + AFTER
            + END
        ),
        "corrupt",
        "sparse_map_bad",
        saved=b"abcdefg\n",
    ),
    attack(
        "tar of a negative size",
        lambda: TWO_TARS + header(b"evil.log", NEGATIVE) + AFTER + END,
        "corrupt",
        "tar_bad_block",
        saved=b"after\n",
    ),
    attack(
        "tar of a negative pax size",
        lambda: pax(size="-512") + header(b"a.log", 3) + padded(b"ab\n") + AFTER + END,
        "ok",
        saved=b"after\n",
    ),
    attack(
        "tar of an endless size",
        lambda: TWO_TARS + header(b"evil.log", b"\x80" + TEN_TB.to_bytes(11, "big")) + AFTER,
        "truncated",
        "member_truncated",
        "tar_no_end",
        saved=TEXT,
    ),
    attack(
        "huge pax header",
        lambda: header(b"pax", 8 << 20, b"x") + padded(b"9" * (8 << 20)) + AFTER + END,
        "ok",
        "tar_header_too_large",
        saved=b"after\n",
    ),
    attack(
        "pax header of 10 TB",
        lambda: header(b"pax", b"\x80" + TEN_TB.to_bytes(11, "big"), b"x") + AFTER,
        "truncated",
        "member_truncated",
        "tar_no_end",
    ),
    attack(
        "pax record that lies",
        lambda: header(b"pax", 30, b"x") + padded(b"99999999 path=x\n") + AFTER + END,
        "ok",
        "tar_bad_pax",
        saved=b"after\n",
    ),
    attack("zst of a huge window", lambda: b"\x28\xb5\x2f\xfd\x00\xf8" + bytes(20), "over_budget", "window_too_large"),
    attack("rar", lambda: b"Rar!\x1a\x07\x01\0" + bytes(100), "unsupported", "unsupported_container"),
]


def quine() -> bytes:
    """A gzip that holds a gzip that holds ...: deeper than any budget."""
    data = TEXT
    for _ in range(40):
        data = gz(data)
    return data


@pytest.mark.parametrize("case", ATTACKS, ids=lambda c: c.name)
def test_every_attack_has_its_verdict_and_costs_only_what_it_hits(tmp_path: Path, case: Attack) -> None:
    got = walk(tmp_path, case.make(), "input", case.budget)
    assert got.codes == set(case.codes)
    assert got.whole.verdict == case.verdict
    assert any(case.saved and c.startswith(case.saved) for c in got.contents) or not case.saved
    assert all(
        p.message and (p.byte_start is not None or p.code in _PLACELESS) for s in got.streams for p in s.problems
    )


_PLACELESS = {"too_deep", "unsupported_container", "misnamed"}


@pytest.mark.parametrize(
    "case",
    [a for a in ATTACKS if a.name in ("gz bomb", "overlapping zip", "sparse tar of 10 TB, old", "huge pax header")],
    ids=lambda c: c.name,
)
def test_no_bomb_is_held_in_memory(tmp_path: Path, case: Attack) -> None:
    data = case.make()
    (tmp_path / "bomb").write_bytes(data)
    del data
    from runcase.intake.archive import open_input

    tracemalloc.start()
    for stream in open_input(tmp_path / "bomb", "bomb", case.budget):
        for _ in stream.chunks():
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20


def test_a_rerun_cuts_at_the_same_byte(tmp_path: Path) -> None:
    bomb = gz(zeros_gz(64 << 20))
    first, second = (walk(tmp_path, bomb, "bomb", SMALL) for _ in range(2))
    assert first.streams[0].size_bytes == second.streams[0].size_bytes
    assert [s.sha256 for s in first.streams] == [s.sha256 for s in second.streams]
    assert sum(s.size_bytes for s in first.streams[:-1]) == SMALL.ratio_from


def test_members_behind_damage_come_at_their_old_places(tmp_path: Path) -> None:
    got = walk(tmp_path, gz(BIG[:1000]) + broken(gz(BIG), 0.5) + gz(TEXT), "a.gz", SMALL)
    gap = next(p for p in got.streams[0].problems if p.code == "content_gap")
    assert got.contents[0][gap.byte_start :] == TEXT
    assert got.contents[0].startswith(BIG[:1000] + BIG[: len(BIG) // 3])
    assert got.whole.quarantined_bytes > 0


def test_a_damaged_tar_is_known_by_its_name_and_a_later_header(tmp_path: Path) -> None:
    got = walk(tmp_path, broken(header(b"a.log", 6) + padded(b"first\n"), 0) + AFTER + END, "logs.tar")
    assert got.content("after.log") == b"after\n"
    assert got.whole.verdict == "corrupt"
    assert got.whole.quarantined_bytes == 1024
