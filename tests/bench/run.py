"""One table of how the main job compares with tools that do a part of it, from one run.

    python tests/bench/run.py FOLDER [--mb 1024] [--rounds 3] [--rules 20 200 1000] [--jobs 2]

Makes the corpus in FOLDER when it is not there. Every round runs each contestant
once, so that what else the machine does meets all of them; figures are medians.
Wall time includes start-up. Ratios are of wall times and, in brackets, of
processor times (user and system), which a busy machine disturbs less.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.bench import corpus, rulesets

RUNCASE = [sys.executable, "-c", "from runcase.cli import main; main()"]
LOOP_BYTES = 1 << 20
"""Of one plain file that the Python loop reads; its time is scaled to the corpus."""


@dataclass
class Contestant:
    """A command and its measured seconds and bytes; `scale` multiplies times of a part of the corpus."""

    name: str
    command: Sequence[str]
    scale: float = 1.0
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    each: int = 0
    all: int = 0

    def run(self) -> None:
        """One more measurement."""
        shutil.rmtree(self.case, ignore_errors=True) if self.case else None
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        watch = threading.Thread(target=self._watch, args=(process,))
        watch.start()
        if process.wait():
            sys.exit(f"{self.name} ended with {process.returncode}: {self.command}")
        self.wall.append((time.monotonic() - begin) * self.scale)
        watch.join()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.cpu.append(spent * self.scale)

    @property
    def case(self) -> str | None:
        """The folder that it writes."""
        return self.command[self.command.index("-o") + 1] if "-o" in self.command else None

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Peak resident bytes of the largest process and of all together, looked at twenty times a second."""
        while process.poll() is None:
            sizes = [_resident(pid) for pid in _session(process.pid)]
            self.each, self.all = max(self.each, *sizes, 0), max(self.all, sum(sizes))
            time.sleep(0.05)


def _session(leader: int) -> list[int]:
    """Processes of a session."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                told = Path(entry.path, "stat").read_text()
            except OSError:
                continue
            if int(told.rsplit(")", 1)[1].split()[3]) == leader:
                found.append(int(entry.name))
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def loop(pattern_file: str, plain: str) -> None:
    """The naive job: Python's `re`, line by line, rule by rule, the first match wins, captures as a dictionary."""
    found = [re.compile(p) for p in Path(pattern_file).read_text().splitlines()]
    told = 0
    with Path(plain).open(encoding="utf-8") as file:
        for line in file:
            for pattern in found:
                match = pattern.search(line)
                if match is not None:
                    told += len(match.groupdict())
                    break


def contestants(folder: Path, counts: Sequence[int], jobs: int, plain_bytes: int) -> list[Contestant]:
    """Everything that runs in a round."""
    archives, plain = folder / "archives", folder / "plain"
    made = [Contestant("gzip -dc", ["gzip", "-dc", *map(str, sorted(archives.glob("*.gz")))])]
    short = folder / "short.log"
    files = sorted(plain.glob("*.log"))[: len(corpus.KINDS)]
    share = LOOP_BYTES // len(files)
    short.write_bytes(b"".join(f.read_bytes()[:share].rpartition(b"\n")[0] + b"\n" for f in files))

    def job(name: str, *options: str) -> Contestant:
        return Contestant(name, [*RUNCASE, "build", str(archives), "-o", str(folder / "case"), *options])

    for count in counts:
        found = rulesets.rules(count)
        pack, named, listed = (folder / n for n in (f"bench-{count}", f"named-{count}.txt", f"rules-{count}.txt"))
        rulesets.write_pack(pack, found)
        named.write_text("".join(f"{p}\n" for p, _ in found))
        listed.write_text("".join(f"{rulesets.plain(p)}\n" for p, _ in found))
        made.append(job(f"runcase {count}", "--rules", str(pack), "--jobs", str(jobs)))
        made.append(Contestant(f"rg {count}", ["rg", "-j2", "--no-unicode", "-c", "-f", str(listed), str(plain)]))
        command = [sys.executable, __file__, "--loop", str(named), str(short)]
        made.append(Contestant(f"re {count}", command, plain_bytes / short.stat().st_size))
    middle = folder / f"bench-{counts[len(counts) // 2]}"
    made.append(job("runcase, no raw", "--rules", str(middle), "--jobs", str(jobs), "--no-keep-raw"))
    made.append(job("runcase, one job", "--rules", str(middle), "--jobs", "1"))
    return made


def table(found: dict[str, Contestant], counts: Sequence[int], megabytes: float) -> str:
    """The figures as Markdown."""

    def seconds(name: str) -> tuple[float, float]:
        return statistics.median(found[name].wall), statistics.median(found[name].cpu)

    def ratio(over: str, under: str) -> str:
        (a, b), (c, d) = seconds(over), seconds(under)
        return f"{a / c:.2f} ({b / d:.2f})"

    middle = counts[len(counts) // 2]
    rows = [("contestant", "wall s", "CPU s", "MB/s", "peak MB, one process", "peak MB, all")]
    for name, c in found.items():
        wall, cpu = seconds(name)
        sizes = (f"{c.each / 1e6:.0f}", f"{c.all / 1e6:.0f}")
        rows.append((name, f"{wall:.1f}", f"{cpu:.1f}", f"{megabytes / wall:.1f}", *sizes))
    ratios = [("ratio", *(f"{n} rules" for n in counts))]
    ratios.append(("runcase / rg", *(ratio(f"runcase {n}", f"rg {n}") for n in counts)))
    ratios.append(("runcase / gzip -dc", *(ratio(f"runcase {n}", "gzip -dc") for n in counts)))
    ratios.append(("Python re / runcase", *(ratio(f"re {n}", f"runcase {n}") for n in counts)))
    ratios.append((f"runcase / runcase {counts[0]}", *(ratio(f"runcase {n}", f"runcase {counts[0]}") for n in counts)))
    blank = [""] * (len(counts) - 2)
    no_raw = [f"at {middle}: {ratio('runcase, no raw', 'gzip -dc')}", ""]
    ratios.append(("without raw / gzip -dc", *no_raw, *blank))
    ratios.append(("one job / two", f"at {middle}: {ratio('runcase, one job', f'runcase {middle}')}", "", *blank))
    return _lines(rows) + "\n\n" + _lines(ratios)


def _lines(rows: Sequence[tuple[str, ...]]) -> str:
    head = "| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0])
    return "\n".join([head, *("| " + " | ".join(r) + " |" for r in rows[1:])])


def main() -> None:
    """Runs the rounds and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mb", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rules", type=int, nargs="+", default=[20, 200, 1000])
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    if not (asked.folder / "plain").is_dir():
        corpus.write(asked.folder, asked.mb, 7)
    size = sum(f.stat().st_size for f in (asked.folder / "plain").glob("*.log"))
    found = contestants(asked.folder, asked.rules, asked.jobs, size)
    for _ in range(asked.rounds):
        for one in found:
            one.run()
            print(f"{one.name}: {one.wall[-1]:.1f} s, {one.cpu[-1]:.1f} s CPU", file=sys.stderr, flush=True)
    print(f"{size / 1e6:.0f} MB in {asked.rounds} round(s), {os.cpu_count()} cores\n")
    print(table({c.name: c for c in found}, asked.rules, size / 1e6))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--loop"]:
        loop(*sys.argv[2:4])
    else:
        main()
