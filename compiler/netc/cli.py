"""The command line: finds the command, runs it, says what failed. Exit 0, 1 for a bad spec, 2 for bad usage."""

from __future__ import annotations

import atexit
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from netc.commands import COMMANDS
from netc.limits import lifted
from netc.version import VERSION


class Commands(click.Group):
    """The group of all commands; a command's module is imported when it is run or its help is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        module, _, attribute = COMMANDS[cmd_name].place.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; what fails is said here, where `--color` is known."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError, KeyboardInterrupt):
            raise
        except BaseException as error:
            from netc.named import culprit

            if not isinstance(error, Exception) and culprit(error) is None:
                raise
            return _explain(error, ctx.obj)


def main(args: Sequence[str] | None = None) -> int:
    """Runs a command line and gives its exit code; whatever happens, the user never sees a Python traceback."""
    words = list(sys.argv[1:] if args is None else args)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with lifted():
            code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away, which is its right; Python's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    return code


def run() -> NoReturn:
    """The command `netc`: `main`, after which the process ends without freeing what it made, a tenth of its time."""
    with lifted():
        code = main()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _run(words: list[str]) -> int:
    try:
        code = cli.main(words, prog_name="netc", standalone_mode=False, obj=words)
    except click.ClickException as error:
        hinted(error).show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    return code if isinstance(code, int) else 0


def hinted(error: click.ClickException) -> click.ClickException:
    """A usage error, with the way out for who named a net as `netc.load(SPEC, NAME)` does."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None or "unexpected extra argument" not in error.message:
        return error
    if all(option.name != "net" for option in context.command.params):
        return error
    return click.UsageError(f"{error.message}; a net of the file is chosen with --net NAME", context)


def _explain(error: BaseException, words: list[str]) -> int:
    """Prints what went wrong: the spec's faults, a failure in one line, or that netc itself is to blame."""
    from netc.commands.common import Failure, fail, point_to_pages, show
    from netc.contract import ContractError
    from netc.diagnostics import SpecError
    from netc.files import FileError
    from netc.levels import LevelError
    from netc.named import culprit
    from netc.project import ProjectError
    from netc.registry import Clash, PluginError

    if isinstance(error, SpecError):
        show(error.diagnostics)
        point_to_pages(error.diagnostics)
    elif isinstance(error, Failure | FileError | LevelError | ProjectError | PluginError | Clash | ContractError):
        fail(str(error))
    elif (said := culprit(error)) is not None:
        fail(said)
    else:
        _blame_netc(error, words)
    return 1


def _blame_netc(error: BaseException, words: list[str]) -> None:
    import platform
    import shlex
    import traceback

    where = ""
    for frame in traceback.extract_tb(error.__traceback__):
        where = f"{Path(frame.filename).name}:{frame.lineno}, in {frame.name}"
    reproducer = getattr(error, "reproducer", None) or shlex.join(["netc", *words])
    said = " ".join(f"{type(error).__name__}: {error}".split())
    click.echo(f"{click.style('internal error', fg='red', bold=True)}: {said}", err=True)
    click.echo(f"  at {where}", err=True)
    click.echo("  this is a fault of netc, not of your spec; please report it with the spec and this:", err=True)
    click.echo(f"    {reproducer}", err=True)
    click.echo(f"  netc {VERSION}, Python {platform.python_version()}, {platform.system()}", err=True)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, message="netc %(version)s")
def cli() -> None:
    """Compiles .net files, declarative texts of neural networks, to PyTorch."""


if __name__ == "__main__":
    sys.exit(main())
