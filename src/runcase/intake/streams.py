"""The stream of one source: what the walker of containers hands to the readers of texts and documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from runcase.intake.containers.base import Kind
from runcase.intake.containers.damage import Verdict, worse
from runcase.model.problems import Problem


@dataclass(slots=True)
class Stream:
    """One source of an input: a file, a container, a link.

    Its content is pulled through `chunks()`, once; the account (from `sha256` on)
    is complete after the last chunk. For a container there is nothing to pull: its
    row comes after its members, with all its bytes as overhead or quarantine.
    What could not be decoded of a member does not exist at the member's level; it
    is quarantined at the level of the container that holds it.
    """

    path: str
    kind: Kind = "file"
    ordinal: int = 0
    parent: tuple[str, int] | None = None
    recorded_at: datetime | None = None
    """The time that an archive records."""
    dated_at: datetime | None = None
    """That, or the enclosing file's own time: good for years that a text does not write, and never recorded."""
    link_target: str | None = None
    format: str | None = None
    content: Iterator[bytes] | None = None
    sha256: str | None = None
    size_bytes: int = 0
    quarantined_bytes: int = 0
    overhead_bytes: int = 0
    verdict: Verdict = "ok"
    problems: list[Problem] = field(default_factory=list)
    settle: Callable[[], None] | None = None
    """Completes the account; called once, after the last byte."""

    def chunks(self) -> Iterator[bytes]:
        """The content in order; nothing for links, folders and containers."""
        yield from self.content or ()
        self.close()

    def close(self) -> None:
        """Drains what was not pulled and completes the account."""
        for _ in self.content or ():
            pass
        self.content = None
        settle, self.settle = self.settle, None
        if settle is not None:
            settle()

    def damaged(self, verdict: Verdict, problem: Problem) -> None:
        """Notes a defect; the gravest verdict stands."""
        self.problems.append(problem)
        self.verdict = worse(self.verdict, verdict)
