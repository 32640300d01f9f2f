"""Cases and inputs at URLs: the same bytes, old or new at any moment, and no more moved than changed."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path

import fsspec
import pytest
from click.testing import CliRunner
from tests.commands import Built
from tests.storage import Request, Served, Shelf, objects, own_objects, put, s3

import runcase as api
from runcase import pipeline, reclassify, settings, upkeep
from runcase.cli import commands
from runcase.intake.remote import reaching
from runcase.ledger import lease, places
from runcase.ledger.sums import listing, read_sums, verify
from runcase.model.problems import RENEWED, RuncaseError

S3 = "s3://bucket/case"
TEXT = "2026-03-1{0}T10:00:00Z INFO start\n2026-03-1{0}T10:00:09Z ERROR part {0} broke\nProcess exited with code 2\n"


PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.test_object_storage", "s3fs"])
"""Processes that have their libraries from the start: a test may want many."""

BUSY = 75


def night(folder: Path, number: int) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"app{number}.log"
    path.write_text(TEXT.format(number))
    os.utime(path, (0, 0))
    return path


def build(case: str | Path, *inputs: object, scheduler: str | None = None) -> pipeline.Built:
    return pipeline.build(settings.resolve([str(i) for i in inputs], str(case), jobs=1, scheduler=scheduler))


def build_alone(environment: dict[str, str], case: str, given: Path) -> None:
    """A build in a process of its own, which ends with `BUSY` when it is told so."""
    os.environ.update(environment)
    tempfile.tempdir = str(given.parent)  # a killed process leaves its folder
    try:
        build(case, given)
    except RuncaseError as e:
        sys.exit(BUSY if e.code == "busy" else 1)


def replace(url: str, tree: Path) -> None:
    """Makes a case at a URL what a folder is, as a build would."""
    with places.held(url, make=True) as case:
        for path in case.root.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(tree, case.root, dirs_exist_ok=True)


def read(url: str) -> dict[str, bytes]:
    """The files that a reader of a case at a URL finds listed, after it was told that none of them is damaged."""
    case = places.opened(url)
    assert case.bring_all() == []
    return {n: (case.root / n).read_bytes() for n in (*read_sums(case), "SHA256SUMS", "case.json")}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"memory://bucket/{sha256(str(tmp_path).encode()).hexdigest()}/case"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server of S3 that clients in this process find as well."""
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with s3() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        fsspec.filesystem("s3").mkdir("bucket")
        yield server
    fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the logs of two nights, the case after the first as `one` and after both as `two`."""
    root = tmp_path_factory.mktemp("nights")
    build(root / "one", night(root, 1))
    shutil.copytree(root / "one", root / "two")
    build(root / "two", night(root, 2))
    return root


def tree(folder: Path, **said: str) -> Path:
    """A small case of files that nobody looks into: their names, with `_` for `/`, and what they say."""
    files = {"case.json": "{}"} | {name.replace("_", "/"): text for name, text in said.items()}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    digests = {n: sha256(t.encode()).hexdigest() for n, t in files.items() if n != "case.json"}
    (folder / "SHA256SUMS").write_text(listing(digests))
    return folder


# --- the same case --------------------------------------------------------------------------------


def test_a_case_at_a_url_is_byte_for_byte_the_case_in_a_folder(nights: Path, url: str) -> None:
    for runs, name in enumerate(("one", "two"), start=1):
        built = build(url, nights / f"app{runs}.log")
        assert (built.new_inputs, built.runs.height) == (1, runs)
        assert objects(url) == Built(nights / name).tree()
    assert own_objects(url) == ["heads/0000000002"]


def test_a_case_that_was_copied_to_a_url_is_read_and_goes_on_there(nights: Path, url: str) -> None:
    put(nights / "one", url)
    assert api.open(url).runs.collect().equals(api.open(nights / "one").runs.collect())
    build(url, nights / "app2.log")
    assert objects(url) == Built(nights / "two").tree()


@pytest.mark.parametrize(
    "question",
    [
        ("show",),
        ("show", "run_742"),
        ("show", "run_742", "--format", "json"),
        ("show", "run_742", "--format", "markdown"),
        ("windows", "run_742"),
        ("graph", "run_742"),
        ("replay", "run_742"),
        ("compare", "run_742"),
        ("sql", "SELECT kind, count(*) AS n FROM events GROUP BY kind ORDER BY n DESC, kind"),
        ("export", "run_742", "--to", "otlp"),
        ("verify",),
    ],
    ids=" ".join,
)
def test_a_question_to_a_case_at_a_url_is_answered_as_for_a_folder(story: Built, question: tuple[str, ...]) -> None:
    url = "memory://bucket/story"
    if not objects(url):
        replace(url, story.root)
    here, there = (CliRunner().invoke(commands, [*question, "-c", str(c)]) for c in (story.root, url))
    assert there.stdout == here.stdout != ""
    assert there.exit_code == here.exit_code


def test_a_ref_into_a_case_at_a_url_gives_the_bytes(story: Built, url: str) -> None:
    replace(url, story.root)
    ref = story.dossiers()["run_742"]["failure"]["decisive"][0]
    here, there = (CliRunner().invoke(commands, ["raw", ref, "--bytes", "-c", str(c)]) for c in (story.root, url))
    assert there.stdout_bytes == here.stdout_bytes != b""
    assert api.open(url).raw(ref) == here.stdout_bytes


def test_what_expires_and_what_new_rules_say_at_a_url_is_as_in_a_folder(tmp_path: Path, story: Built, url: str) -> None:
    local = tmp_path / "case"
    shutil.copytree(story.root, local)
    replace(url, story.root)
    (tmp_path / "policy.yaml").write_text("raw: 30d\nevents: 60d\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pack.yaml").write_text('name: mine\nversion: "1"\ndescription: none\n')
    for case in (str(local), url):
        reclassify.reclassify(settings.resolve([case], case, [str(tmp_path / "mine")], jobs=1))
        upkeep.retain(case, str(tmp_path / "policy.yaml"), date(2026, 6, 1))
    assert objects(url) == Built(local).tree() != story.tree()
    assert own_objects(url) == ["heads/0000000003"]


# --- no more than changed -------------------------------------------------------------------------


def test_a_night_sends_what_changed_and_opens_no_batch_that_it_does_not_touch(nights: Path, served: Served) -> None:
    replace(S3, nights / "one")
    before, after = (Built(nights / name).tree() for name in ("one", "two"))
    served.asked.clear()
    build(S3, nights / "app2.log")
    changed = {n for n, data in after.items() if before.get(n) != data}
    assert {p.removeprefix("/bucket/case/") for p in served.paths("COPY")} == changed
    sent = {p.rpartition("/")[2] for p in served.paths("PUT") if "/staged/" in p}
    assert sent == {sha256(after[n]).hexdigest() for n in changed}
    fetched = served.paths("GET")
    assert not [p for p in fetched if "/ledger/" in p or "/runs/" in p]
    assert any("/analysis/" in p for p in fetched)


def test_a_build_without_news_sends_nothing(nights: Path, served: Served) -> None:
    replace(S3, nights / "one")
    served.asked.clear()
    assert build(S3, nights / "app1.log").known_inputs == 1
    assert set(served.paths("PUT")) == {"/bucket/case/.runcase/lock"}
    assert served.paths("COPY") == []


def test_what_is_asked_of_one_run_fetches_the_batches_of_that_run(nights: Path, served: Served) -> None:
    replace(S3, nights / "two")
    served.asked.clear()
    done = CliRunner().invoke(commands, ["show", "app1.log", "-c", S3])
    assert "part 1 broke" in done.stdout
    assert len({p.split("/")[4] for p in served.paths("GET") if "/ledger/" in p}) == 1


# --- old or new -----------------------------------------------------------------------------------


def die_after(steps: int, url: str, tree: Path) -> None:
    Shelf.steps = steps
    tempfile.tempdir = str(tree.parent)
    lease.SILENT_SECONDS = 0.0
    replace(url, tree)


def test_a_kill_before_any_step_of_the_sending_leaves_the_old_or_the_new_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SILENT_SECONDS", 0.0)
    kept = {"ledger_both_events": "b", "runs_both_page": "b", "analysis_same": "s"}
    trees = {
        "old": tree(tmp_path / "old", **kept, ledger_one_events="1", runs_one_page="1", analysis_runs="1", index="1"),
        "new": tree(tmp_path / "new", **kept, ledger_two_events="2", runs_two_page="2", analysis_runs="2", index="2"),
    }
    states = {name: Built(folder).tree() for name, folder in trees.items()}
    place, before = tmp_path / "case", tmp_path / "before"
    url = f"shelf://{place}"
    replace(url, trees["old"])
    place.rename(before)
    found: list[str] = []
    ended = None
    while ended != 0:
        shutil.copytree(before, place)
        child = PROCESSES.Process(target=die_after, args=(len(found), url, trees["new"]))
        child.start()
        child.join()
        ended = child.exitcode
        assert ended in (0, -signal.SIGKILL)
        state = read(url)
        found.append(next(name for name, files in states.items() if files == state))
        assert found[-1] == "new" or objects(url) == states["old"]
        replace(url, trees["new"])
        assert objects(url) == states["new"]
        assert len(own_objects(url)) == 1
        shutil.rmtree(place)
    assert found == sorted(found, reverse=True)
    assert min(found.count("old"), found.count("new")) > 8


@pytest.mark.parametrize(
    ("struck", "left"), [("PUT /bucket/case/.runcase/staged/", "one"), ("PUT /bucket/case/.runcase/heads/", "two")]
)
def test_a_build_that_is_killed_while_it_sends_to_s3_is_completed_by_the_next_one(
    nights: Path, served: Served, monkeypatch: pytest.MonkeyPatch, struck: str, left: str
) -> None:
    monkeypatch.setattr(lease, "SILENT_SECONDS", 0.1)
    replace(S3, nights / "one")
    running = PROCESSES.Process(target=build_alone, args=(served.environment(), S3, nights / "app2.log"))

    def strike(asked: Request) -> None:
        if f"{asked.verb} {asked.path}".startswith(struck) and running.pid:
            os.kill(running.pid, signal.SIGKILL)  # it is not waited for before it has been told an answer

    served.afterwards = strike
    running.start()
    running.join()
    assert running.exitcode == -signal.SIGKILL
    served.afterwards = lambda _: None
    assert read(S3) == Built(nights / left).tree()
    build(S3, nights / "app2.log")
    assert objects(S3) == Built(nights / "two").tree()
    assert own_objects(S3) == ["heads/0000000002"]


@pytest.mark.parametrize("committed", [False, True])
def test_a_stop_while_sending_says_whether_the_case_is_the_new_one(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    storage, _ = fsspec.url_to_fs(url)
    monkeypatch.setattr(storage, "cp_file" if committed else "put_file", stop)
    with pytest.raises(KeyboardInterrupt) as e:
        replace(url, tree(tmp_path / "new", index="new"))
    assert getattr(e.value, "__notes__", []) == ([RENEWED] if committed else [])


def test_a_reader_whose_case_is_renewed_meanwhile_is_told_to_ask_again(nights: Path, url: str, tmp_path: Path) -> None:
    replace(url, nights / "one")
    before = places.opened(url)
    replace(url, tree(tmp_path / "other", index="other"))
    with pytest.raises(RuncaseError) as e:
        before.facts()
    assert e.value.code == "renewed"


# --- several builds -------------------------------------------------------------------------------


def test_of_two_builds_into_one_case_both_land_or_one_is_told_to_come_again(nights: Path, served: Served) -> None:
    given = [nights / f"app{number}.log" for number in (1, 2)]
    builds = [PROCESSES.Process(target=build_alone, args=(served.environment(), S3, path)) for path in given]
    for running in builds:
        running.start()
    for running, path in zip(builds, given, strict=True):
        running.join()
        assert running.exitcode in (0, BUSY)
        if running.exitcode == BUSY:
            build(S3, path)
    assert objects(S3) == Built(nights / "two").tree()


def test_a_build_that_finds_another_one_at_work_says_that_it_is_busy(
    nights: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.02)
    with places.held(url, make=True) as case:
        tree(case.root, runs_one_page="1")
        with pytest.raises(RuncaseError) as e:
            build(url, nights / "app2.log")
    assert (e.value.code, str(os.getpid()) in e.value.message) == ("busy", True)
    assert own_objects(url) == ["heads/0000000001"]


def test_of_two_builds_that_both_hold_the_lock_the_second_to_commit_is_refused(nights: Path, url: str) -> None:
    storage, root = fsspec.url_to_fs(url)

    def both() -> None:
        with places.held(url, make=True) as case:
            tree(case.root, runs_one_page="1")
            mine = storage.cat_file(f"{root}/.runcase/lock")
            storage.rm_file(f"{root}/.runcase/lock")
            replace(url, nights / "two")
            storage.pipe_file(f"{root}/.runcase/lock", mine)

    with pytest.raises(RuncaseError) as e:
        both()
    assert e.value.code == "busy"
    assert objects(url) == Built(nights / "two").tree()
    assert verify(places.opened(url)) == []


def test_a_build_whose_place_was_taken_does_not_commit(url: str) -> None:
    storage, root = fsspec.url_to_fs(url)

    def displaced() -> None:
        with places.held(url, make=True) as case:
            tree(case.root, runs_one_page="1")
            storage.pipe_file(f"{root}/.runcase/lock", b'{"holder": "another"}')

    with pytest.raises(RuncaseError) as e:
        displaced()
    assert e.value.code == "busy"
    assert "lock" in own_objects(url)
    assert objects(url) == {}


def test_a_storage_that_makes_an_object_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuncaseError) as e:
        build("careless://bucket/case", night(tmp_path, 1))
    assert e.value.code == "unsupported_place"


# --- damage ---------------------------------------------------------------------------------------


def test_verify_names_objects_that_changed_are_gone_or_came(nights: Path, url: str) -> None:
    replace(url, nights / "one")
    storage, root = fsspec.url_to_fs(url)
    (raw,) = storage.glob(f"{root}/ledger/*/raw.parquet")
    storage.pipe_file(raw, b"PAR1 something else")
    storage.pipe_file(f"{root}/case.json", storage.cat_file(f"{root}/case.json") + b" ")
    storage.rm_file(f"{root}/index.md")
    storage.pipe_file(f"{root}/notes.txt", b"mine")
    done = CliRunner().invoke(commands, ["verify", "-c", url, "--format", "json"])
    found = {(f["code"], f["path"]) for f in json.loads(done.stdout)["findings"]}
    assert found == {
        ("file_changed", raw.removeprefix(f"{root}/")),
        ("file_changed", "case.json"),
        ("file_missing", "index.md"),
        ("file_unlisted", "notes.txt"),
    }
    assert done.exit_code == 3


def test_a_part_that_is_gone_comes_back_with_its_input_and_a_page_with_the_next_build(nights: Path, url: str) -> None:
    replace(url, nights / "one")
    storage, root = fsspec.url_to_fs(url)
    whole = objects(url)
    storage.rm_file(storage.glob(f"{root}/ledger/*/events.parquet")[0])
    storage.rm_file(f"{root}/runs/app1.log/dossier.json")
    build(url, nights / "app1.log")
    assert objects(url) == whole


def test_a_head_that_names_files_elsewhere_reaches_nothing_outside_of_its_folder(
    nights: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    replace(url, nights / "one")
    storage, root = fsspec.url_to_fs(url)
    (head,) = storage.find(f"{root}/.runcase/heads")
    evil = f"{sha256(b'evil').hexdigest()}  analysis/../../evil\n{sha256(b'evil').hexdigest()}  {tmp_path}/evil\n"
    body = storage.cat_file(head)[:-65] + evil.encode()
    storage.pipe_file(head, body + sha256(body).hexdigest().encode() + b"\n")
    for name in ("evil", "analysis/../../evil"):
        storage.store[f"{root}/{name}"] = storage.store[f"{root}/case.json"]
    case = places.opened(url)
    case.bring_all()
    assert (case.root.parent, (tmp_path / "evil").exists()) == (tmp_path, False)
    assert api.open(url).runs.collect().height == 1


def test_a_url_that_holds_something_else_is_left_alone(tmp_path: Path, url: str) -> None:
    storage, root = fsspec.url_to_fs(url)
    storage.pipe_file(f"{root}/holiday.jpg", b"\xff\xd8")
    with pytest.raises(RuncaseError) as e:
        build(url, night(tmp_path, 1))
    assert e.value.code == "not_a_case"
    assert objects(url) == {"holiday.jpg": b"\xff\xd8"}
    assert own_objects(url) == []


# --- what stands in the way -----------------------------------------------------------------------


def test_a_storage_whose_library_is_missing_names_what_to_install(tmp_path: Path) -> None:
    for ask in (lambda: build("gcs://bucket/case", night(tmp_path, 1)), lambda: api.open("gcs://bucket/case")):
        with pytest.raises(RuncaseError) as e:
            ask()
        assert (e.value.code, "runcase[remote]" in e.value.hint) == ("missing_extra", True)


def test_without_fsspec_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(RuncaseError) as e:
        build("memory://bucket/case", night(tmp_path, 1))
    assert (e.value.code, "runcase[remote]" in e.value.hint) == ("missing_extra", True)


def test_what_may_be_secret_in_a_url_is_not_said(tmp_path: Path) -> None:
    place = "http://me:hunter2@127.0.0.1:9/case?token=hunter2"
    for words in (["show", "-c", place], ["build", str(night(tmp_path, 1)), "-o", place], ["build", place, "-o", "x"]):
        done = CliRunner().invoke(commands, words)
        assert isinstance(done.exception, RuncaseError)
        assert done.exception.code == "unreachable", done.exception.message
        assert "http://127.0.0.1:9/case" in done.exception.message
        assert "hunter2" not in done.exception.message + done.exception.hint + done.output
    built = build("memory://me:hunter2@bucket/secret", night(tmp_path, 1))
    assert built.case == "memory://bucket/secret"
    assert not any(b"hunter2" in data for data in objects("memory://me:hunter2@bucket/secret").values())


def test_a_full_disk_of_this_machine_is_not_told_as_a_storage_that_does_not_answer() -> None:
    with pytest.raises(OSError, match="No space left"), reaching("s3://bucket/case"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_missing_bucket_is_not_made(tmp_path: Path, served: Served) -> None:
    with pytest.raises(RuncaseError) as e:
        build("s3://elsewhere/case", night(tmp_path, 1))
    assert e.value.code == "missing_path"
    assert "/elsewhere" not in served.paths("PUT")


# --- inputs ---------------------------------------------------------------------------------------


def test_inputs_on_s3_are_read_as_files_are_and_the_case_beside_them_is_none(tmp_path: Path, served: Served) -> None:
    logs = night(tmp_path / "logs", 1).parent
    put(logs, "s3://bucket/logs")
    build(tmp_path / "case", logs)
    for _ in range(2):
        built = build("s3://bucket/logs/case", "s3://bucket/logs/")
    assert objects("s3://bucket/logs/case") == Built(tmp_path / "case").tree()
    assert (built.new_inputs, built.known_inputs) == (0, 1)


def test_only_heads_of_this_layout_are_read(nights: Path, url: str) -> None:
    replace(url, nights / "one")
    storage, root = fsspec.url_to_fs(url)
    (head,) = storage.find(f"{root}/.runcase/heads")
    body = re.sub(rb"^(# runcase case at a URL), 1", rb"\1, 2", storage.cat_file(head))[:-65]
    storage.pipe_file(head, body + sha256(body).hexdigest().encode() + b"\n")
    with pytest.raises(RuncaseError) as e:
        api.open(url)
    assert e.value.code == "newer_case"
