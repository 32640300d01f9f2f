"""What a container family is, and how damage is told.

The account of a container: its size is its own bytes as they stand in the file
or in the enclosing member. All of them are overhead, except those that ought to
have become bytes of a member and did not; these are quarantined. Bytes that a
member should have had and that could not be produced do not exist at the
member's level: a member's size is what could be read of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from runcase.intake.containers.damage import DamageError, Verdict, worse
from runcase.intake.containers.tape import RandomAccess, Tape
from runcase.model.problems import Problem, Severity

Kind = Literal["file", "container", "link", "device", "directory"]
HEAD_BYTES = 4096
"""What a family may look at to recognise its own."""


@dataclass(slots=True)
class Member:
    """One member while it is being read; `damage` is set by whoever pulls `data` when that ended early."""

    name: str
    kind: Kind = "file"
    data: Iterator[bytes] = field(default_factory=lambda: iter(()))
    """The bytes; may raise DamageError after the last good one."""
    recorded_at: datetime | None = None
    link_target: str | None = None
    expands: bool = True
    """False when the bytes are a slice of the container and were counted there."""
    access: RandomAccess | None = None
    """The same bytes, where they can be seeked."""
    problems: list[Problem] = field(default_factory=list)
    """Defects that cost the member no byte of its own but must be told, such as a gap."""
    verdict: Verdict = "ok"
    damage: DamageError | None = None


class Findings:
    """Problems and quarantined bytes of one container."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.verdict: Verdict = "ok"
        self.quarantined_bytes = 0
        self._reached = 0

    def note(self, code: str, at: int | None, message: str, *, severity: Severity = "warning") -> None:
        """A defect that puts no bytes out of use."""
        self.problems.append(Problem(code, severity, message, byte_start=at, byte_len=None if at is None else 0))

    def harm(self, damage: DamageError, end: int | None = None) -> None:
        """A defect that puts the bytes from `damage.at` to `end` out of use; None: no bytes are concerned.

        Stretches come in the order of the container; what an earlier one took is not counted again.
        """
        self.verdict = worse(self.verdict, damage.verdict)
        stop = damage.at if end is None else end
        taken = max(0, stop - max(damage.at, self._reached))
        self._reached = max(self._reached, stop)
        self.quarantined_bytes += taken
        length = max(0, stop - damage.at)
        self.problems.append(
            Problem(
                damage.code,
                "error",
                damage.message,
                byte_start=damage.at,
                byte_len=length,
                quarantined_bytes=taken,
            )
        )


@dataclass(slots=True)
class Opening:
    """What a family is given to open: the bytes, forward and (where possible) at random, and limits."""

    name: str
    """Last part of the container's path."""
    tape: Tape
    access: RandomAccess | None
    memory_bytes: int
    """What a decoder of this container may hold."""
    hole_bytes: int
    """Zero bytes that a sparse member may declare before its holes are left out."""
    members: int
    """How many members a listing is read for."""


class Container(ABC):
    """One opened container."""

    format: str
    seeks: bool = False
    """Whether random access tells more than reading forward does."""

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.tape = opening.tape
        self.findings = Findings()

    @classmethod
    @abstractmethod
    def recognises(cls, head: bytes, name: str) -> bool:
        """Whether `head` (HEAD_BYTES, shorter only for shorter inputs) begins such a container.

        By magic and structure; `name` counts only for what is damaged or all zeros.
        """

    @abstractmethod
    def members(self) -> Iterator[Member]:
        """The members in archive order; the caller pulls each `data` to its end before it asks for the next one."""


def instant(seconds: float) -> datetime | None:
    """Unix seconds as an instant; None for 0, which archives write for "not known", and outside years 1 to 9999."""
    if not 0 < seconds < 253402300800:
        return None
    return datetime.fromtimestamp(seconds, UTC)
