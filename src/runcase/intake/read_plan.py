"""What is read, and how: an input file, limits, user formats, and whether raw bytes and secrets are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from runcase.intake.archive import Budget
from runcase.intake.redaction.redactor import Redactor, redacted_text
from runcase.rules.language import FormatRule, RedactRule

HEAD_BYTES = 64 * 1024
"""What readers and detection may look at before a source is read."""


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """How inputs are read: limits, user formats, and whether raw bytes are handed out."""

    budget: Budget = field(default_factory=Budget)
    formats: tuple[FormatRule, ...] = ()
    keep_raw: bool = True
    at_once: int = 64
    """Small sources that are read in one pass."""
    compiled: bool = False
    """Whether the kernels may be loaded: they say the same, and repay their start for many megabytes only."""
    redact: tuple[RedactRule, ...] | None = ()
    """Patterns of packs, beside the shipped kinds of secrets; None leaves secrets as they are."""

    def redactor(self, encoding: str) -> Redactor | None:
        """What takes the secrets out of one source."""
        return None if self.redact is None else Redactor(self.redact, encoding, self.compiled)

    def clean(self, text: str) -> str:
        """A name or a message without secrets."""
        return text if self.redact is None else redacted_text(text, self.redact)


@dataclass(frozen=True, slots=True)
class Input:
    """A file to open, its name in the case, and its digest, which the ids of its sources derive from."""

    path: Path
    name: str
    sha256: str
    first: int = 0
    """The first of its streams that is read, counted as `open_input` yields them; those before it are passed over."""
    stop: int | None = None
    """The first stream after those; None: all that follow are read."""
