"""Jenkins, Buildkite and Azure Pipelines with the quirks of their consoles, and cut off."""

from __future__ import annotations

import pytest
from tests.readers.reading import Read, read

NOTE = "\x1b[8mha:////4AbCdEf0123456789/AQAAAJlburqibuDH5RuFAADyuEoAAAA=\x1b[0m"
BELL = "\x07"


def mark(millis: int, end: str = BELL) -> str:
    return f"\x1b_bk;t={1_714_644_000_000 + millis}{end}"


JENKINS = {
    "green": ("Started by user ann", "[Pipeline] Start of Pipeline", "[Pipeline] node", "Running on agent-7 in /w/shop",
              "[Pipeline] { (Build)", "[Pipeline] sh", "+ make", "[Pipeline] }", "[Pipeline] // stage",
              "[Pipeline] End of Pipeline", "Finished: SUCCESS"),
    "red": ("Started by an SCM change", "[Pipeline] Start of Pipeline", "Running on agent-7 in /w/shop",
            "[Pipeline] { (Build)", "[Pipeline] sh", "+ make", "[Pipeline] }", "[Pipeline] // stage",
            "[Pipeline] { (Test)", "[Pipeline] sh", "+ make test", "cart.c:12: error: total is 1", "[Pipeline] }",
            "[Pipeline] // stage", "[Pipeline] End of Pipeline", "ERROR: script returned exit code 2",
            "Finished: FAILURE"),
    "unstable": ("Started by timer", "Building remotely on agent-7 in workspace /w/shop", "Recording tests",
                 "Build step 'JUnit results' changed build result to UNSTABLE", "Finished: UNSTABLE"),
    "retried": ("Started by user ann", "[Pipeline] Start of Pipeline", "[Pipeline] retry", "[Pipeline] {",
                "[Pipeline] sh", "+ curl https://example.com", "curl: (28) Connection timed out", "[Pipeline] }",
                "ERROR: script returned exit code 28", "Retrying", "[Pipeline] {", "[Pipeline] sh",
                "+ curl https://example.com", "[Pipeline] }", "[Pipeline] // retry", "[Pipeline] End of Pipeline",
                "Finished: SUCCESS"),
    "by-hand": ("Started by user ann", "[Pipeline] Start of Pipeline", "[Pipeline] sh", "+ sleep 900", "Aborted by ann",
                "Sending interrupt signal to process", "script returned exit code 143", "[Pipeline] End of Pipeline",
                "Finished: ABORTED"),
    "too-long": ("Started by user ann", "[Pipeline] Start of Pipeline", "[Pipeline] timeout", "Expires in 15 min",
                 "[Pipeline] {", "[Pipeline] sh", "+ sleep 1200", "Cancelling nested steps due to timeout",
                 "Sending interrupt signal to process", "[Pipeline] End of Pipeline", "Timeout has been exceeded",
                 "Finished: ABORTED"),
    "parallel": ("Started by user ann", "[Pipeline] Start of Pipeline", "[Pipeline] parallel",
                 "[Pipeline] { (Branch: linux)",
                 "[Pipeline] { (Branch: mac)", "[Pipeline] sh", "[Pipeline] sh", "[linux] + make", "[mac] + make",
                 "[mac] ld: library not found for -lz", "Failed in branch mac", "[Pipeline] // parallel",
                 "[Pipeline] End of Pipeline", "[mac] ERROR: script returned exit code 1", "Finished: FAILURE"),
}  # fmt: skip
STATUSES = {
    "green": "succeeded", "red": "failed", "unstable": "failed", "retried": "succeeded", "by-hand": "cancelled",
    "too-long": "timed_out", "parallel": "failed",
}  # fmt: skip


def plain(lines: tuple[str, ...]) -> str:
    return "".join(f"{line}\n" for line in lines)


def noted(lines: tuple[str, ...]) -> str:
    return "".join(f"{NOTE}{line}\r\n" for line in lines)


def clocked(lines: tuple[str, ...]) -> str:
    return "".join(f"10:00:{n:02}  {line}\n" for n, line in enumerate(lines))


def dated(lines: tuple[str, ...]) -> str:
    return "".join(f"[2024-05-02T10:00:{n:02}.123Z] {line}\n" for n, line in enumerate(lines))


@pytest.mark.parametrize("dress", [plain, noted, clocked, dated], ids=lambda d: d.__name__)
@pytest.mark.parametrize("name", sorted(JENKINS))
def test_a_jenkins_build_ends_as_its_console_says_in_any_dress(name: str, dress: object) -> None:
    seen = read({"consoleText": dress(JENKINS[name]).encode()})  # type: ignore[operator]
    assert seen.readers["consoleText"] == "jenkins"
    assert list(seen.statuses.values()) == [STATUSES[name]]


@pytest.mark.parametrize("name", sorted(JENKINS))
def test_a_jenkins_console_without_its_last_line_has_no_end(name: str) -> None:
    seen = read({"consoleText": plain(JENKINS[name][:-1]).encode()})
    assert set(seen.statuses.values()) <= {"lost", "running", "failed", "timed_out", "cancelled"}
    assert "succeeded" not in seen.statuses.values()


def test_stages_of_a_pipeline_are_windows_and_the_one_that_failed_is_named() -> None:
    seen = read({"consoleText": dated(JENKINS["red"]).encode()})
    names = seen.conclusions.windows.filter(kind="stage")["name"].to_list()
    assert names == ["Build", "Test"]


BUILDKITE = {
    "green": ("~~~ Preparing working directory", "$ git fetch", "~~~ Running commands", "$ make", "ok",
              "~~~ Running plugin docker pre-exit hook"),
    "red": ("~~~ Preparing working directory", "$ git fetch", "~~~ Running commands", "$ make test",
            "cart.c:12: error: total is 1", "make: *** [test] Error 2", "^^^ +++",
            "🚨 Error: The command exited with status 2", "^^^ +++", "user command error: exit status 2"),
    "cancelled": ("~~~ Preparing working directory", "$ git fetch", "~~~ Running commands", "$ sleep 900",
                  "# Received cancellation signal, interrupting", "🚨 Error: The command was interrupted by a signal"),
}  # fmt: skip


def marked(lines: tuple[str, ...]) -> str:
    return "".join(f"{mark(n)}{line}\r\n" for n, line in enumerate(lines))


def marked_inside(lines: tuple[str, ...]) -> str:
    """A second mark stands inside each line, where the program flushed."""
    return "".join(f"{mark(n)}{line[:3]}{mark(n + 1)}{line[3:]}\n" for n, line in enumerate(lines))


def marked_openly(lines: tuple[str, ...]) -> str:
    """The last mark is not terminated."""
    return marked(lines) + mark(99, "")


@pytest.mark.parametrize("dress", [marked, marked_inside, marked_openly], ids=lambda d: d.__name__)
@pytest.mark.parametrize(("name", "status"), [("red", "failed"), ("cancelled", "cancelled")])
def test_a_buildkite_job_ends_as_its_agent_says_wherever_marks_stand(name: str, status: str, dress: object) -> None:
    seen = read({"job.log": dress(BUILDKITE[name]).encode()})  # type: ignore[operator]
    assert seen.readers["job.log"] == "buildkite"
    assert list(seen.statuses.values()) == [status]
    first = seen.facts.events.collect().sort("byte_start")["ts"].drop_nulls()
    assert str(first[0]).startswith("2024-05-02 10:00:00")


def test_a_buildkite_log_cut_inside_a_command_is_no_success() -> None:
    seen = read({"job.log": marked(BUILDKITE["red"][:5]).encode()})
    assert next(iter(seen.statuses.values())) in ("lost", "running", "failed")


AZURE = {
    "green": ("##[section]Starting: Build", "##[section]Starting: Initialize job", "Agent name: 'Azure Pipelines 7'",
              "##[section]Finishing: Initialize job", "##[section]Starting: Bash", "##[command]/usr/bin/bash make.sh",
              "ok", "##[section]Finishing: Bash", "##[section]Finishing: Build"),
    "red": ("##[section]Starting: Build", "##[section]Starting: Bash", "cart.c:12: error: total is 1",
            "##[error]Bash exited with code '2'.", "##[section]Finishing: Bash", "##[section]Finishing: Build"),
    "cancelled": ("##[section]Starting: Build", "##[section]Starting: Bash", "##[error]The operation was canceled.",
                  "##[section]Finishing: Bash", "##[section]Finishing: Build"),
    "too-long": ("##[section]Starting: Build", "##[section]Starting: Bash",
                 "##[error]The job running on agent Hosted 7 ran longer than the maximum time of 60 minutes.",
                 "##[error]The operation was canceled.", "##[section]Finishing: Bash", "##[section]Finishing: Build"),
}  # fmt: skip
AZURE_STATUSES = {"green": "succeeded", "red": "failed", "cancelled": "cancelled", "too-long": "timed_out"}


def azure(lines: tuple[str, ...], bom: bool = False) -> str:
    stamped = "".join(f"2024-05-02T10:00:{n:02}.1234567Z {line}\r\n" for n, line in enumerate(lines))
    return ("\ufeff" if bom else "") + stamped


@pytest.mark.parametrize("bom", [False, True])
@pytest.mark.parametrize("name", sorted(AZURE))
def test_an_azure_job_ends_as_its_outermost_section_does(name: str, bom: bool) -> None:
    seen = read({"1.txt": azure(AZURE[name], bom).encode()})
    assert seen.readers["1.txt"] == "azure_pipelines"
    assert list(seen.statuses.values()) == [AZURE_STATUSES[name]]


@pytest.mark.parametrize("name", sorted(AZURE))
def test_an_azure_job_whose_outermost_section_never_finished_is_no_success(name: str) -> None:
    seen: Read = read({"1.txt": azure(AZURE[name][:-1]).encode()})
    assert "succeeded" not in seen.statuses.values()


GITHUB = (
    "Current runner version: '2.316.1'",
    "Complete job name: test (ubuntu-22.04, 3.12)",
    "##[group]Run make test",
    "##[endgroup]",
    "cart.c:12: error: total is 1",
    "##[error]Process completed with exit code 2.",
    "Post job cleanup.",
    "[command]/usr/bin/git version",
    "Post job cleanup.",
    "Cleaning up orphan processes",
)


def github(lines: tuple[str, ...]) -> str:
    return "".join(f"2024-05-02T10:00:{n:02}.1234567Z {line}\n" for n, line in enumerate(lines))


@pytest.mark.parametrize("kept", [10, 9, 8, 7])
@pytest.mark.parametrize("fails", [True, False])
def test_a_github_job_is_over_when_its_clean_up_begins(kept: int, fails: bool) -> None:
    lines = GITHUB if fails else tuple("ok" if "error" in line else line for line in GITHUB)
    seen = read({"job.txt": github(lines[:kept]).encode()})
    assert list(seen.statuses.values()) == ["failed" if fails else "succeeded"]
    (step,) = seen.conclusions.windows.filter(kind="stage").to_dicts()
    assert (step["name"], step["state"], step["end"].second) == ("make test", "closed", 6)


def test_a_github_job_that_breaks_off_in_a_step_has_no_end() -> None:
    seen = read({"job.txt": github(GITHUB[:4]).encode()})
    assert set(seen.statuses.values()) <= {"lost", "running"}


def test_the_values_of_a_matrix_are_a_field_of_their_job() -> None:
    seen = read({"job.txt": github(GITHUB).encode()})
    named = seen.events.filter(kind="attempt.started")["fields"].to_list()
    assert ['"matrix":"ubuntu-22.04, 3.12"' in f for f in named] == [True]


def test_the_groups_of_a_buildkite_job_follow_one_another_and_the_last_has_no_end() -> None:
    lines = (
        "~~~ Preparing working directory",
        "$ git clone",
        "~~~ Running commands",
        "$ make",
        "~~~ Running hooks",
        "x",
    )
    text = "".join(f"\x1b_bk;t={1714644000000 + n * 1000}\x07{line}\r\n" for n, line in enumerate(lines))
    windows = read({"job.log": text.encode()}).conclusions.windows.filter(kind="stage").sort("start")
    assert windows.select("name", "state", "duration_us").rows() == [
        ("Preparing working directory", "closed", 2_000_000),
        ("Running commands", "closed", 2_000_000),
        ("Running hooks", "open", None),
    ]


def test_the_outermost_section_of_an_azure_job_is_the_job_and_no_stage() -> None:
    windows = read({"1.txt": azure(AZURE["green"]).encode()}).conclusions.windows.filter(kind="stage")
    assert windows.height
    assert set(windows["state"]) == {"closed"}
