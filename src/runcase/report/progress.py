"""A progress bar on stderr: how much of what is done, how fast, and how long it will take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text


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
        """Units in all; 0 is not known."""

    @property
    def unit(self) -> str:
        """What is counted; `bytes` are shown with their rate."""


class _Amount(ProgressColumn):
    """Bytes of all and their rate, or things of all."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes, self._rate = DownloadColumn(), TransferSpeedColumn()

    def render(self, task: Task) -> Text:
        """What stands beside the bar."""
        if not task.total:
            return Text()
        if task.fields["unit"] == "bytes":
            return Text.assemble(self._bytes.render(task), "  ", self._rate.render(task))
        return Text(f"{task.completed:.0f} of {task.total:.0f} {task.fields['unit']}", style="progress.download")


@contextmanager
def bar() -> Iterator[Callable[[Step], None]]:
    """A callable that moves the bar; it is gone when the block ends."""
    columns = (TextColumn("{task.description}"), BarColumn(), _Amount(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        tasks: dict[str, TaskID] = {}

        def move(step: Step) -> None:
            if step.stage not in tasks:
                shown.refresh()  # what a short stage came to is seen as well
                for earlier in tasks.values():
                    shown.update(earlier, visible=False)
                tasks[step.stage] = shown.add_task(step.stage, total=step.total or None, unit=step.unit)
            shown.update(tasks[step.stage], completed=step.done)

        yield move
