"""What to do next, by failure class: the longest prefix of the class that has advice wins."""

from __future__ import annotations

_ADVICE: dict[str, tuple[str, ...]] = {
    "test": ("rerun the failing tests alone and compare with the last green run",),
    "test.none_found": ("check the test path or pattern: the runner found no tests",),
    "build": ("fix the first error shown; later ones are often its consequences",),
    "build.docker": ("rerun the failing image step alone; the step before it in the excerpt is the one that broke",),
    "build.downstream": ("read the log of the build that is named: it failed, and this one only waited for it",),
    "build.lint": ("run the linter locally with the same version and apply its fixes",),
    "dependency": (
        "check whether the dependency is there and reachable, then rerun: nothing of the project may be wrong",
    ),
    "dependency.auth": ("check the token, its scopes and its expiry: the service answered, and refused",),
    "dependency.request": (
        "look at what was asked for (address, names, what was sent): the service answered and refused it",
    ),
    "dependency.network": ("rerun; if it fails again, check the remote service and the proxy",),
    "dependency.dns": ("check name resolution on the machine that ran it, then rerun",),
    "dependency.registry": ("check that the named version exists in the registry that was used",),
    "dependency.lockfile": ("update the lock file and commit it",),
    "dependency.module": ("add or install the missing module",),
    "rate_limit": ("wait for the limit to reset, or use a token of its own; then rerun",),
    "resource.oom": ("raise the memory limit or split the work; a rerun alone will likely die again",),
    "resource.lock": ("see who holds the lock and whether they still live; then wait or remove it, and rerun",),
    "resource.disk": ("free or enlarge the disk, then rerun",),
    "config.command_not_found": ("install the missing program on the machine that ran it, or fix PATH",),
    "config": ("correct the setting that is named; a rerun alone cannot help",),
    "input": ("check that the named input exists where the run looks for it",),
    "crash.reported": (
        "read what the program says itself; no rule names this failure yet,"
        " `runcase rules suggest` may help to write one",
    ),
    "crash.database": ("hold the statement that is named against the tables and rows that the database has",),
    "crash": ("look at the topmost frame of the project's own code in the stack trace",),
    "timeout": ("find what was waited for: the last operation that began and did not end",),
    "cancelled": ("ask who or what cancelled it; nothing in the run itself need be wrong",),
    "lost": ("find the rest of the evidence: the logs end before any verdict",),
    "pre_work": ("look at the queue and the scheduler: no work had begun",),
    "writeback": ("the work is done: repeat the write-back only",),
    "unknown_failure": (
        "read the excerpt; no rule names this failure yet, `runcase rules suggest` may help to write one",
    ),
}


def advice(failure: str) -> tuple[str, ...]:
    """Next actions for a failure class."""
    parts = failure.split(".")
    for n in range(len(parts), 0, -1):
        found = _ADVICE.get(".".join(parts[:n]))
        if found:
            return found
    return ()
