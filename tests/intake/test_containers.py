"""What each family of containers yields when all is well."""

from __future__ import annotations

import bz2
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.intake.archives import (
    COMPRESSIONS,
    END,
    TEXT,
    gz,
    header,
    padded,
    pax,
    sevenz,
    streamed_zip,
    tar,
    walk,
    xz,
    zipped,
    zst,
)


@pytest.mark.parametrize("family", COMPRESSIONS)
def test_a_compressed_file_holds_one_source_named_without_its_suffix(tmp_path: Path, family: str) -> None:
    got = walk(tmp_path, COMPRESSIONS[family](TEXT), f"app.log.{family}")
    assert [(s.path, s.kind, s.verdict) for s in got.streams] == [
        (f"app.log.{family}!/app.log", "file", "ok"),
        (f"app.log.{family}", "container", "ok"),
    ]
    assert got.contents[0] == TEXT


@pytest.mark.parametrize("family", COMPRESSIONS)
def test_parts_one_after_the_other_are_one_content(tmp_path: Path, family: str) -> None:
    squeeze = COMPRESSIONS[family]
    got = walk(tmp_path, squeeze(TEXT) + squeeze(b"") + squeeze(b"more\n"), f"app.log.{family}")
    assert got.contents[0] == TEXT + b"more\n"
    assert got.codes == set()


def test_skippable_zstd_frames_are_passed_over(tmp_path: Path) -> None:
    skip = b"\x5a\x2a\x4d\x18\x05\0\0\0hello"
    got = walk(tmp_path, skip + zst(TEXT) + skip + zst(b"more\n"), "app.log.zst")
    assert got.contents[0] == TEXT + b"more\n"
    assert got.codes == set()


def test_padding_between_xz_streams_and_after_gzip_is_structure(tmp_path: Path) -> None:
    assert walk(tmp_path, xz(TEXT) + bytes(8) + xz(b"more\n"), "a.xz").contents[0] == TEXT + b"more\n"
    padded_gz = walk(tmp_path, gz(TEXT) + bytes(512), "a.gz")
    assert padded_gz.codes == set()
    assert padded_gz.whole.quarantined_bytes == 0


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_members_come_in_order_with_their_times(tmp_path: Path, form: int) -> None:
    got = walk(tmp_path, tar({"b/x.log": TEXT, "a.log": b"short\n"}, form), "a.tar")
    assert [s.path for s in got.streams] == ["a.tar!/b/x.log", "a.tar!/a.log", "a.tar"]
    assert got.contents[:2] == (TEXT, b"short\n")
    assert str(got.streams[0].recorded_at) == "2026-03-14 14:00:00+00:00"


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_of_gnu_and_pax_are_whole(tmp_path: Path, form: int) -> None:
    name = "/".join(["a-rather-long-folder-name"] * 20) + "/app.log"
    assert walk(tmp_path, tar({name: b"x\n"}, form)).streams[0].path == f"input!/{name}"


@pytest.mark.parametrize(
    "layout", ["--format=gnu", "--sparse-version=0.0", "--sparse-version=0.1", "--sparse-version=1.0"]
)
def test_sparse_members_of_gnu_tar_come_with_their_holes(tmp_path: Path, layout: str) -> None:
    if shutil.which("tar") is None:
        pytest.skip("no tar command")
    holes = tmp_path / "sparse.log"
    with holes.open("wb") as f:
        for n in range(30):
            f.seek(n * 65536)
            f.write(b"line %d\n" % n)
        f.truncate(40 * 65536)
    form = [layout] if "gnu" in layout else ["--format=posix", layout]
    subprocess.run(["tar", "-S", *form, "-cf", "s.tar", "sparse.log"], cwd=tmp_path, check=True)
    got = walk(tmp_path, (tmp_path / "s.tar").read_bytes(), "again.tar")
    assert got.stream("sparse.log").path == "again.tar!/sparse.log"
    assert got.contents[0] == holes.read_bytes()
    assert got.codes == set()


def test_links_and_devices_are_recorded_and_never_followed(tmp_path: Path) -> None:
    parts = [
        header(b"to-passwd", 0, b"2", at157=b"/etc/passwd"),
        header(b"hard", 0, b"1", at157=b"../../etc/shadow"),
        header(b"null", 0, b"3"),
        header(b"pipe", 0, b"6"),
        header(b"folder", 0, b"5"),
    ]
    got = walk(tmp_path, b"".join(parts) + END, "a.tar")
    assert [(s.kind, s.link_target) for s in got.streams[:5]] == [
        ("link", "/etc/passwd"),
        ("link", "../../etc/shadow"),
        ("device", None),
        ("device", None),
        ("directory", None),
    ]
    assert set(got.contents) == {b""}


def test_every_duplicate_is_kept_by_its_ordinal(tmp_path: Path) -> None:
    parts = [header(b"a.log", 2) + padded(b"%d\n" % n) for n in range(3)]
    got = walk(tmp_path, b"".join(parts) + END, "a.tar")
    assert [(s.path, s.ordinal) for s in got.streams[:3]] == [("a.tar!/a.log", n) for n in range(3)]
    assert got.contents[:3] == (b"0\n", b"1\n", b"2\n")


def test_names_that_are_no_utf_8_survive_and_stay_different(tmp_path: Path) -> None:
    names = [b"caf\xe9.log", b"caf\xe8.log", rb"caf\xe9.log", "café.log".encode()]
    got = walk(tmp_path, b"".join(header(n, 0) for n in names) + END, "a.tar")
    paths = [s.path for s in got.streams[:4]]
    assert paths == [r"a.tar!/caf\xe9.log", r"a.tar!/caf\xe8.log", r"a.tar!/caf\x5cxe9.log", "a.tar!/café.log"]
    assert {s.ordinal for s in got.streams} == {0}


def test_a_pax_name_wins_over_the_header(tmp_path: Path) -> None:
    got = walk(tmp_path, pax(path="long/name.log", size="3") + header(b"short", 0) + padded(b"ab\n") + END, "a.tar")
    assert got.content("long/name.log") == b"ab\n"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("make", [zipped, streamed_zip])
def test_zip_members_of_every_method_come_whole_with_and_without_descriptors(
    tmp_path: Path, method: int, make: object
) -> None:
    members = {"a.log": TEXT, "empty.log": b"", "dir/b.log": b"one\n"}
    got = walk(tmp_path, make(members, method), "a.zip")  # type: ignore[operator]
    assert dict(zip([s.path[len("a.zip!/") :] for s in got.streams[:3]], got.contents, strict=False)) == members
    assert got.codes == set()


def test_a_stored_zip_in_a_streamed_zip_is_opened_where_its_outer_one_ends_it(tmp_path: Path) -> None:
    inner = streamed_zip({"a.log": TEXT, "b.log": b"one\n"}, zipfile.ZIP_STORED)
    outer = streamed_zip({"inner.zip": inner, "c.log": b"two\n"}, zipfile.ZIP_STORED)
    got = walk(tmp_path, gz(outer), "outer.zip.gz")
    assert got.content("a.log") == TEXT
    assert got.content("c.log") == b"two\n"
    assert got.codes == set()


def test_zip64_sizes_are_read(tmp_path: Path) -> None:
    made = tmp_path / "made.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as z, z.open("a.log", "w", force_zip64=True) as f:
        f.write(TEXT)
    got = walk(tmp_path, made.read_bytes(), "a.zip")
    assert got.contents[0] == TEXT
    assert got.codes == set()


def test_zstd_members_of_a_zip_are_read(tmp_path: Path) -> None:
    packed = zst(TEXT)
    whole = bytearray(zipped({"a.log": packed}, zipfile.ZIP_STORED))
    import struct
    import zlib

    for mark, at in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        place = whole.index(mark)
        struct.pack_into("<H", whole, place + at, 93)
        struct.pack_into("<I", whole, place + at + 6, zlib.crc32(TEXT))
        struct.pack_into("<I", whole, place + at + 14, len(TEXT))
    got = walk(tmp_path, bytes(whole), "a.zip")
    assert got.contents[0] == TEXT
    assert got.codes == set()


def test_a_link_in_a_zip_is_a_link(tmp_path: Path) -> None:
    made = tmp_path / "made.zip"
    with zipfile.ZipFile(made, "w") as z:
        info = zipfile.ZipInfo("latest.log")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        z.writestr(info, "/etc/passwd")
        z.writestr("a.log", "one\n")
    got = walk(tmp_path, made.read_bytes(), "a.zip")
    assert (got.streams[0].kind, got.streams[0].link_target) == ("link", "/etc/passwd")
    assert got.contents[1] == b"one\n"
    assert got.codes == set()


def test_7z_members_come_in_order(tmp_path: Path) -> None:
    pytest.importorskip("py7zr")
    got = walk(tmp_path, sevenz({"a.log": TEXT, "b/c.log": b"one\n", "empty.log": b""}), "a.7z")
    assert got.content("!/a.log") == TEXT
    assert got.content("b/c.log") == b"one\n"
    assert got.stream("empty.log").verdict == "empty"
    assert got.codes == set()


def test_containers_nest(tmp_path: Path) -> None:
    pytest.importorskip("py7zr")
    inner = tar({"deep.log.bz2": bz2.compress(TEXT), "z.zip": zipped({"in.log.zst": zst(b"in\n")})})
    got = walk(tmp_path, sevenz({"logs.tar.xz": xz(inner)}), "all.7z")
    assert got.content("deep.log") == TEXT
    assert got.stream("in.log").path == "all.7z!/logs.tar.xz!/logs.tar!/z.zip!/in.log.zst!/in.log"
    assert got.codes == set()


def test_a_sum_of_tars_is_read_to_its_end(tmp_path: Path) -> None:
    got = walk(tmp_path, tar({"a.log": b"a\n"}) + tar({"b.log": b"b\n"}), "ab.tar")
    assert got.content("b.log") == b"b\n"
    assert got.codes == {"tar_goes_on"}
    assert got.whole.verdict == "ok"


def test_what_a_container_is_its_bytes_say_and_not_its_name(tmp_path: Path) -> None:
    got = walk(tmp_path, gz(TEXT), "notes.txt")
    assert got.streams[0].path == "notes.txt!/notes.txt"
    text = walk(tmp_path, b"BZh is how bzip2 begins, PK how zip does\n", "notes.gz")
    assert (text.whole.kind, text.whole.verdict, text.codes) == ("file", "ok", {"misnamed"})


def test_a_log_that_begins_with_zeros_is_no_tar(tmp_path: Path) -> None:
    got = walk(tmp_path, bytes(4096) + TEXT, "app.log")
    assert (got.whole.kind, got.codes) == ("file", set())
    assert walk(tmp_path, END, "empty.tar").whole.kind == "container"
