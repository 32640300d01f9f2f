"""A progress bar on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol


class Step(Protocol):
    """Where a build stands."""

    @property
    def stage(self) -> str:
        """What is being done."""

    @property
    def done(self) -> int:
        """Units done."""

    @property
    def total(self) -> int:
        """Units in all."""


@contextmanager
def bar() -> Iterator[Callable[[Step], None]]:
    """A callable that moves the bar; it is gone when the block ends."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        tasks: dict[str, TaskID] = {}

        def move(step: Step) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = shown.add_task(step.stage, total=step.total)
            shown.update(tasks[step.stage], completed=step.done, total=step.total)

        yield move
