"""The command line: flags to settings, results to exit codes, and the only clock.

Modules that cost start-up time (polars, pyarrow, networkx, jinja2) are imported
inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys

import click

from runcase import __version__
from runcase.cli.ask import compare, graph, replay, windows
from runcase.cli.build import build
from runcase.cli.care import retain, verify
from runcase.cli.complete import completion
from runcase.cli.export import export
from runcase.cli.init import init
from runcase.cli.look import raw, show
from runcase.cli.readers import readers
from runcase.cli.rules import rules
from runcase.cli.sql import sql
from runcase.model.allocators import give_back_soon
from runcase.model.problems import RENEWED, RuncaseError
from runcase.model.text import present

EXIT_MISUSE = 2

_REFUSED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM})
"""What a disk, and not a bug, has to say: it is told like misuse, without a traceback."""

_LAYOUT = "\n\t"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def commands() -> None:
    """The run debugger for exported logs.

    Start with: runcase build LOGS... -o CASE, then open CASE/index.html.
    """


_COMMANDS = (
    build,
    show,
    raw,
    windows,
    graph,
    replay,
    compare,
    sql,
    rules,
    export,
    completion,
    init,
    readers,
    verify,
    retain,
)

for _command in _COMMANDS:
    commands.add_command(_command)


def main() -> None:
    """Entry point; misuse ends with one message and exit code 2, a signal with 128 + its number."""
    signal.signal(signal.SIGTERM, _terminated)
    # nothing here multiplies matrices, and numpy would start a thread a core for it, in every process
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    give_back_soon()
    try:
        commands.main(standalone_mode=False)
    except RuncaseError as e:
        click.echo(_sentence(e), err=True)
        sys.exit(EXIT_MISUSE)
    except click.ClickException as e:
        said = io.StringIO()
        e.show(file=said)
        click.echo(present(said.getvalue(), keep=_LAYOUT), err=True, nl=False)
        sys.exit(e.exit_code)
    except (click.Abort, KeyboardInterrupt) as e:
        click.echo(f"runcase: stopped; {_left(e)}", err=True)
        terminated = isinstance(e, _Terminated) or isinstance(e.__cause__, _Terminated)
        sys.exit(128 + (signal.SIGTERM if terminated else signal.SIGINT))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(128 + signal.SIGPIPE)
    except OSError as e:
        if e.errno not in _REFUSED:
            raise
        where = f" ({e.filename})" if e.filename else ""
        click.echo(present(f"runcase: {os.strerror(e.errno)}{where} [io]"), err=True)
        click.echo(f"  hint: {_left(e)}; run it again when the cause is gone", err=True)
        sys.exit(EXIT_MISUSE)


class _Terminated(KeyboardInterrupt):
    """SIGTERM: stops like Ctrl-C."""


def _terminated(*_: object) -> None:
    raise _Terminated


def _left(stop: BaseException) -> str:
    """How what was stopped leaves the case."""
    notes = (*getattr(stop, "__notes__", ()), *getattr(stop.__cause__, "__notes__", ()))
    return RENEWED if RENEWED in notes else "the case is as it was before"


def _sentence(error: RuncaseError) -> str:
    """What went wrong, its code, and what to do."""
    hints = [error.hint] if error.hint else []
    hints += [RENEWED] if RENEWED in getattr(error, "__notes__", ()) else []
    hint = f"\n  hint: {present('; '.join(hints))}" if hints else ""
    return f"runcase: {present(error.message, keep=_LAYOUT)} [{error.code}]{hint}"
