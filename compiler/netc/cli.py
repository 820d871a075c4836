"""The command line: reads arguments, calls the pipeline, prints. Exit 0, 1 for a bad spec, 2 for bad usage."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from netc.limits import lifted
from netc.version import VERSION

if TYPE_CHECKING:
    from netc.diagnostics import Diagnostic
    from netc.pipeline import Compiled

SET_HELP = "Override a parameter (classes=100) or a setting (train.epochs=3); may be repeated."
PHASES = ("ast", "graph", "shapes", "model", "script")


class Failure(Exception):
    """What ends a command with exit code 1; the message is for the user."""


class Choices(NamedTuple):
    """What of a spec is to be compiled."""

    net: str | None
    train: str | None
    params: dict[str, str]

    def compile(self, spec: str) -> Compiled:
        """The compiled spec; warnings go to stderr, SpecError to the caller."""
        from netc.diagnostics import Source
        from netc.files import read_text

        source = Source(spec, read_text(spec))
        from netc.pipeline import compile as compile_spec

        compiled = compile_spec(source, net=self.net, train=self.train, params=self.params)
        show(compiled.diagnostics)
        return compiled


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


def _run(words: list[str]) -> int:
    try:
        code = cli.main(words, prog_name="netc", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        raise
    except Exception as error:
        return _explain(error, words)
    return code if isinstance(code, int) else 0


def _explain(error: Exception, words: list[str]) -> int:
    """Prints what went wrong: the spec's faults, a failure in one line, or that netc itself is to blame."""
    from netc.diagnostics import SpecError
    from netc.files import FileError
    from netc.plugins import PluginError
    from netc.registry import Clash

    if isinstance(error, SpecError):
        show(error.diagnostics)
    elif isinstance(error, Failure | FileError | PluginError | Clash):
        fail(str(error))
    else:
        _blame_netc(error, words)
    return 1


def _blame_netc(error: Exception, words: list[str]) -> None:
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


def show(diagnostics: Iterable[Diagnostic]) -> None:
    """Diagnostics on stderr: in colour and as wide as the terminal, if it is one."""
    diagnostics = tuple(diagnostics)
    if not diagnostics:
        return
    import shutil

    from netc.render import render

    terminal = sys.stderr.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    for diagnostic in diagnostics:
        click.echo(render(diagnostic, color=terminal and "NO_COLOR" not in os.environ, width=width), err=True)


def fail(message: str) -> None:
    click.echo(f"{click.style('error', fg='red', bold=True)}: {message}", err=True)


def note(message: str) -> None:
    """Says what was done; on stderr, for stdout is the phase's or the script's."""
    click.echo(message, err=True)


def choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what of a spec is compiled, handed over as `choices`."""
    import functools

    @click.option("--net", metavar="NAME", help="The net to compile, where the spec has several.")
    @click.option("--train", metavar="NAME", help="The recipe to take, where the spec has several.")
    @click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", callback=_settings, help=SET_HELP)
    @functools.wraps(command)
    def chosen(net: str | None, train: str | None, settings: dict[str, str], **others: Any) -> Any:
        return command(choices=Choices(net, train, settings), **others)

    return chosen


def _settings(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for item in given:
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise click.BadParameter(f"'{item}' is not of the form KEY=VALUE")
        if key.strip() in settings:
            raise click.BadParameter(f"'{key.strip()}' is set twice")
        settings[key.strip()] = value
    return settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, message="netc %(version)s")
def cli() -> None:
    """Compiles .net files, declarative texts of neural networks, to PyTorch."""


@cli.command()
@click.argument("spec")
@click.option("-o", "--output", metavar="FILE", help="Where to write; '-' is stdout. By default SPEC's name with .py.")
@choosing
@click.option("--emit", type=click.Choice(PHASES), help="Print what this phase makes, and stop there.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the script is not up to date.")
@click.option("--force", is_flag=True, help="Overwrite a file that netc did not write or that was edited since.")
def build(spec: str, output: str | None, choices: Choices, emit: str | None, check: bool, force: bool) -> None:
    """Write the training script of SPEC into the current folder."""
    if check and (emit or force or output == "-"):
        raise click.UsageError("--check only looks at the script on disk: neither --emit, --force nor -o - go with it")
    compiled = choices.compile(spec)
    text = emitted(compiled, emit or "script")
    if output == "-" or (emit and output is None):
        click.echo(text, nl=not text.endswith("\n"))
        return
    target = Path(output or script_name(spec))
    if check:
        compare(target, text)
    else:
        write(target, text, spec, force)


@cli.command()
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True)
@choosing
def check(specs: tuple[str, ...], choices: Choices) -> int:
    """Check each SPEC and print its flow of shapes: label, layer, output shape, parameters."""
    from netc.diagnostics import SpecError
    from netc.files import FileError

    failed = False
    for number, spec in enumerate(specs):
        try:
            compiled = choices.compile(spec)
            if choices.net is None or choices.train is not None:
                compiled.check_recipes()
        except SpecError as error:
            show(error.diagnostics)
            failed = True
        except FileError as error:
            fail(str(error))
            failed = True
        else:
            click.echo(("\n" if number else "") + flow(spec, compiled))
    return int(failed)


@cli.command()
@click.argument("spec")
@click.argument("arguments", metavar="[-- ARGUMENT...]", nargs=-1, type=click.UNPROCESSED)
@click.option("-o", "--output", metavar="FILE", help="Where to write the script. By default SPEC's name with .py.")
@choosing
@click.option("--force", is_flag=True, help="Overwrite a file that netc did not write or that was edited since.")
def train(spec: str, arguments: tuple[str, ...], output: str | None, choices: Choices, force: bool) -> int:
    """Build the script of SPEC, then run it; what stands after -- is handed to it."""
    import subprocess

    if output == "-":
        raise click.UsageError("a script that is to be run needs a file")
    target = Path(output or script_name(spec))
    write(target, emitted(choices.compile(spec), "script"), spec, force)
    sys.stdout.flush()
    with subprocess.Popen([sys.executable, str(target), *arguments]) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # The script got the signal too and knows what to save.
            code = process.wait()
    return 128 - code if code < 0 else code


@cli.command()
@click.argument("name", required=False)
def layers(name: str | None) -> None:
    """Print the reference page of NAME (a layer, loss, optimizer, ...), or what there is."""
    from netc.diagnostics import nearest
    from netc.plugins import load_registry
    from netc.reference import index, pages
    from netc.registry import CATEGORIES

    registry = load_registry()
    if name is None:
        click.echo(index(registry))
        return
    found = pages(registry, name)
    if not found:
        near = nearest(name, [known for category in CATEGORIES for known in registry.names(category)])
        hint = f"; did you mean `{near}`?" if near else ""
        raise Failure(f"no layer or other definition is called `{name}`{hint}")
    click.echo("\n\n\n".join(found))


@cli.group()
def new() -> None:
    """Start a new file."""


@new.command("net")
@click.argument("name")
def new_net(name: str) -> None:
    """Write NAME.net, a commented network that trains on Digits."""
    from importlib.resources import files

    from netc.files import write_text

    if not (name.isascii() and name.replace("-", "_").isidentifier()):
        raise click.BadParameter(f"'{name}' is no name: letters, digits, - and _, a letter first", param_hint="NAME")
    target = Path(f"{name}.net")
    if target.exists() or target.is_symlink():
        raise Failure(f"{target} exists")
    starter = files("netc").joinpath("starter.net").read_text(encoding="utf-8")
    starter = starter.replace("Starter.", f"{name}.").replace("Starter", net_name(name))
    write_text(target, starter)
    note(f"wrote {target}; next: netc check {target}")


def net_name(name: str) -> str:
    """`my-net` as `MyNet`; what is a layer already becomes a net by its name."""
    from netc.plugins import load_registry

    words = name.replace("-", "_").split("_")
    camel = "".join(word[:1].upper() + word[1:] for word in words) or "Net"
    return f"{camel}Net" if camel in load_registry().names("layers") else camel


def script_name(spec: str) -> str:
    """Where `build` writes: the spec's name with `.py`, in the current folder."""
    return f"{Path(spec).stem or 'net'}.py"


def emitted(compiled: Compiled, phase: str) -> str:
    """What a phase made, as text."""
    if phase == "ast":
        from netc.outline import outline

        return outline(compiled.file)
    if phase == "graph":
        return str(compiled.graph)
    if phase == "shapes":
        return "\n".join(table(compiled))
    return compiled.model_source if phase == "model" else compiled.script


def flow(spec: str, compiled: Compiled) -> str:
    """The shapes under the name of the net, and the parameters in total."""
    total = compiled.graph.root.parameter_count
    rows = [*table(compiled), f"{total:,} parameter{'s' * (total != 1)}"]
    if compiled.requirements:
        rows.append("for inputs with " + ", ".join(compiled.requirements))
    return "\n".join([f"{compiled.net_name} ({spec})", *(f"  {row}" for row in rows)])


def table(compiled: Compiled) -> list[str]:
    """Label, layer, output shape, parameters: a line for each step of the flow."""
    from netc.reference import columns

    rows = compiled.shapes
    return columns((label, layer, shape, f"{count:,}" if count else "") for label, layer, shape, count in rows)


def existing(target: Path) -> str | None:
    """What stands in the file now: None without one, and an empty text for what netc cannot have written."""
    from netc.files import FileError, read_text

    if not target.exists():
        return None
    try:
        return read_text(target)
    except FileError:
        return ""


def compare(target: Path, text: str) -> None:
    """Raises Failure if the file is not what would be written now."""
    found = existing(target)
    if found != text:
        raise Failure(f"{target} does not exist" if found is None else f"{target} is out of date")
    note(f"{target} is up to date")


def write(target: Path, text: str, spec: str, force: bool) -> None:
    """Writes a script unless somebody else's work would be lost; raises Failure then."""
    from netc.emit.script import HASH_LINE, is_unedited
    from netc.files import write_text

    if target.exists() and target.samefile(spec):
        raise Failure(f"{target} is the spec itself")
    found = existing(target) if target.is_file() else None
    if found == text:
        note(f"{target} is up to date")
        return
    if found is not None and not force and not is_unedited(found):
        reason = "was edited since netc wrote it" if HASH_LINE.search(found) else "was not written by netc"
        raise Failure(f"{target} {reason}; --force overwrites it")
    write_text(target, text)
    note(f"wrote {target}")


if __name__ == "__main__":
    sys.exit(main())
