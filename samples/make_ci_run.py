"""Writes ci-run.zip: the log archive of a GitHub Actions run with three jobs.

    python samples/make_ci_run.py [FOLDER]

`lint` is green, `test` fails in pytest, `package` dies with exit code 127. As
such archives do, it holds each text twice: a file a job and a file a step.
Deterministic; the material is invented.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

START = datetime(2026, 3, 17, 8, 30, 4)
Step = tuple[str, list[str]]


@dataclass
class Clock:
    """A stamp a line: RFC 3339 with seven digits, as the runner writes it."""

    now: datetime
    tick: int = 0

    def stamp(self) -> str:
        self.tick += 1
        self.now += timedelta(milliseconds=7 + 13 * (self.tick % 9))
        return f"{self.now:%Y-%m-%dT%H:%M:%S.%f}{self.tick % 10}Z"


def group(title: str, *lines: str) -> list[str]:
    return [f"##[group]{title}", *lines, "##[endgroup]"]


def set_up(image: str = "ubuntu-24.04") -> Step:
    return (
        "Set up job",
        [
            "Current runner version: '2.331.0'",
            *group("Runner Image Provisioner", "Hosted Compute Agent", "Version: 20260301.471"),
            *group("Operating System", "Ubuntu", "24.04.3", "LTS"),
            *group("Runner Image", f"Image: {image}", "Version: 20260309.62.1"),
            *group("GITHUB_TOKEN Permissions", "Contents: read", "Metadata: read"),
            "Secret source: Actions",
            "Prepare workflow directory",
            "Prepare all required actions",
            "Getting action download info",
            "Download action repository 'actions/checkout@v5' (SHA:08c6903cd8c0fde910a37f88322edcfb5dd907a8)",
        ],
    )


def checkout() -> Step:
    return (
        "Run actions/checkout@v5",
        [
            *group("Run actions/checkout@v5", "with:", "  repository: press/edition", "  fetch-depth: 1"),
            "Syncing repository: press/edition",
            *group("Getting Git version info", "Working directory is '/home/runner/work/edition/edition'"),
            "[command]/usr/bin/git version",
            "git version 2.52.0",
            "[command]/usr/bin/git log -1 --format=%H",
            "5d41402abc4b2a76b9719d911017c592aa11bb22",
        ],
    )


def shell(title: str, *lines: str) -> Step:
    return (
        f"Run {title}",
        [*group(f"Run {title}", f"\x1b[36;1m{title}\x1b[0m", "shell: /usr/bin/bash -e {0}"), *lines],
    )


def complete() -> Step:
    return ("Complete job", ["Evaluate and set job outputs", "Cleaning up orphan processes"])


def lint() -> list[Step]:
    return [
        set_up(),
        checkout(),
        shell("ruff check .", "All checks passed!"),
        shell("ruff format --check .", "83 files already formatted"),
        complete(),
    ]


PYTEST = """\
============================= test session starts ==============================
platform linux -- Python 3.12.9, pytest-8.4.2, pluggy-1.6.0 -- /opt/hostedtoolcache/Python/3.12.9/x64/bin/python
rootdir: /home/runner/work/edition/edition
configfile: pyproject.toml
plugins: cov-6.1.0, anyio-4.9.0
collected 118 items

tests/test_layout.py ..........................................          [ 35%]
tests/test_hyphen.py ...........................F......                  [ 64%]
tests/test_errors.py ....................................                [ 95%]
tests/test_cli.py .s....                                                 [100%]

=================================== FAILURES ===================================
_________________________ test_soft_hyphen_at_line_end _________________________

    def test_soft_hyphen_at_line_end():
        words = split("Buch\\xadstabe", width=5)
>       assert words == ["Buch-", "stabe"]
E       AssertionError: assert ['Buch', 'stabe'] == ['Buch-', 'stabe']
E
E         At index 0 diff: 'Buch' != 'Buch-'
E         Use -v to get more diff

tests/test_hyphen.py:88: AssertionError
----------------------------- Captured stderr call -----------------------------
DEBUG hyphen: dictionary de_1996 loaded in 0.031s
=========================== short test summary info ============================
FAILED tests/test_hyphen.py::test_soft_hyphen_at_line_end - AssertionError: assert ['Buch', 'stabe'] == [...
=================== 1 failed, 116 passed, 1 skipped in 6.42s ==================="""


def test() -> list[Step]:
    return [
        set_up(),
        checkout(),
        shell(
            "pip install -e .[test]",
            "Obtaining file:///home/runner/work/edition/edition",
            "Collecting pytest>=8",
            "  Downloading pytest-8.4.2-py3-none-any.whl (365 kB)",
            "Successfully installed edition-3.2.0 pytest-8.4.2",
            "##[warning]pip 25.2 is available; you have 25.0",
        ),
        shell("pytest", *PYTEST.split("\n"), "##[error]Process completed with exit code 1."),
        complete(),
    ]


def package() -> list[Step]:
    return [
        set_up(),
        checkout(),
        shell(
            "make dist",
            "mkdir -p dist",
            "python -m build --wheel --outdir dist",
            "* Building wheel...",
            "Successfully built edition-3.2.0-py3-none-any.whl",
            "flatpak-builder --force-clean build press.edition.yaml",
            "/bin/sh: 1: flatpak-builder: not found",
            "make: *** [Makefile:41: dist] Error 127",
            "##[error]Process completed with exit code 127.",
        ),
        complete(),
    ]


JOBS = (("lint", lint()), ("test (3.12, ubuntu-24.04)", test()), ("package", package()))


def files() -> Iterator[tuple[str, bytes]]:
    """Job files at the top, step files in a folder a job; only the first file of a job opens with a byte order mark."""
    for number, (job, steps) in enumerate(JOBS):
        clock = Clock(START + timedelta(seconds=3 * number))
        whole = b""
        step_files = []
        for n, (title, lines) in enumerate(steps, 1):
            clock.now += timedelta(seconds=1 + 2 * n)
            text = "".join(f"{clock.stamp()} {line}\n" for line in lines).encode()
            whole += text
            step_files.append((f"{job}/{n}_{title.replace('/', '').replace(':', '')}.txt", text))
        yield f"{number}_{job}.txt", b"\xef\xbb\xbf" + whole
        yield from step_files


def archive() -> bytes:
    """The zip, with one fixed date for all members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for path, data in files():
            z.writestr(zipfile.ZipInfo(path, (2026, 3, 17, 8, 40, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    (folder / "ci-run.zip").write_bytes(archive())
