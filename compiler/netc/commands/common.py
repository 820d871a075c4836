"""What commands share: the options that choose what is compiled, what is said on stderr, how a script is written."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from netc.commands.completing import files, nets, recipes, warnings

if TYPE_CHECKING:
    from netc.diagnostics import Diagnostic, Source
    from netc.levels import Levels
    from netc.pipeline import Compiled
    from netc.registry import Registry

STDIN = "-"
"""What stands for standard input where files are named."""
SET_HELP = "Override a parameter (classes=100) or a setting (train.epochs=3); may be repeated."
NET_HELP = "The net to compile, where the spec has several."
TRAIN_HELP = "The recipe to take, where the spec has several."
ALLOW_HELP = "Leave out a warning; may be repeated."
DENY_HELP = "Make a warning an error, by code (W0702), by name (unused-value), or all ('warnings'); may be repeated."
PLUGIN_HELP = "A plugin that is not installed: a Python file or a module; may be repeated."
COLOR_HELP = "Colour in messages: auto is for a terminal, and not with NO_COLOR."
COLORS = {"auto": None, "always": True, "never": False}

POINTED_TO = 3
"""How many codes at most are named below the errors of a run."""


class Failure(Exception):
    """What ends a command with exit code 1; the message is for the user."""


class Choices(NamedTuple):
    """What of a spec is to be compiled, and what becomes of its warnings."""

    net: str | None
    train: str | None
    params: dict[str, str]
    levels: Levels
    plugins: tuple[str, ...] = ()

    def compile(self, spec: str) -> Compiled:
        """The compiled spec; warnings go to stderr, SpecError to the caller."""
        from netc.diagnostics import Source, SpecError
        from netc.files import read_text

        source = Source(spec, read_text(spec))
        try:
            compiled = self.compile_source(source)
        except SpecError as error:
            raise SpecError(self.judge(error.diagnostics, spec)) from None
        self.warn(compiled.diagnostics, spec)
        return compiled

    def compile_source(self, source: Source) -> Compiled:
        """The compiled spec; nothing is said of its warnings. Raises SpecError."""
        from netc.pipeline import compile as compile_spec

        given = {"registry": self.registry()} if self.plugins else {}
        return compile_spec(source, net=self.net, train=self.train, params=self.params, **given)

    def registry(self) -> Registry | None:
        """What the plugins bring that are named here, None without one."""
        from netc.plugins import load_registry

        return load_registry(plugins=self.plugins) if self.plugins else None

    def each(self, source: Source) -> list[Choices]:
        """One choice for each net that a file has, as far as neither the net nor its parameters are chosen."""
        from netc.pipeline import nets

        free = self.net is None and all(key.startswith("train.") for key in self.params)
        return [self._replace(net=name) for name in nets(source, self.registry())] if free else []

    def script(self, compiled: Compiled) -> str:
        """The training script; the recipe's warnings go to stderr."""
        text = compiled.script
        if compiled.recipe is not None:
            self.warn(compiled.recipe.warnings, compiled.source.name)
        return text

    def judge(self, diagnostics: Iterable[Diagnostic], spec: str) -> tuple[Diagnostic, ...]:
        """The diagnostics at the levels of the command line and of the project in which the spec lies."""
        from netc.levels import apply_levels, project_levels

        return apply_levels(diagnostics, self.levels, project_levels(Path(spec).parent))

    def warn(self, diagnostics: Iterable[Diagnostic], spec: str) -> None:
        """Shows warnings; raises SpecError if one of them is denied."""
        from netc.diagnostics import SpecError

        diagnostics = tuple(diagnostics)
        found = () if not diagnostics else self.judge(diagnostics, spec)
        if any(diagnostic.severity == "error" for diagnostic in found):
            raise SpecError(found)
        show(found)


def plugging(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that names plugins, handed over as `plugins`."""
    option = click.option(
        "--plugin", "plugins", multiple=True, metavar="FILE|MODULE", help=PLUGIN_HELP, shell_complete=files
    )  # fmt: skip
    return option(command)


def choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what of a spec is compiled and how it is reported, handed over as `choices`."""
    import functools

    @click.option("--net", metavar="NAME", help=NET_HELP, shell_complete=nets)
    @click.option("--train", metavar="NAME", help=TRAIN_HELP, shell_complete=recipes)
    @click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", callback=_settings, help=SET_HELP)
    @click.option("--deny", multiple=True, metavar="WARNING", help=DENY_HELP, shell_complete=warnings)
    @click.option("--allow", multiple=True, metavar="WARNING", help=ALLOW_HELP, shell_complete=warnings)
    @plugging
    @click.option("--color", type=click.Choice(tuple(COLORS)), expose_value=False, callback=_color, help=COLOR_HELP)
    @functools.wraps(command)
    def chosen(
        net: str | None,
        train: str | None,
        settings: dict[str, str],
        deny: tuple[str, ...],
        allow: tuple[str, ...],
        plugins: tuple[str, ...],
        **others: Any,
    ) -> Any:
        return command(choices=Choices(net, train, settings, _levels(deny, allow), plugins), **others)

    return chosen


def _levels(deny: tuple[str, ...], allow: tuple[str, ...]) -> Levels:
    if not deny and not allow:
        return {}
    from netc.levels import LevelError, read_levels

    try:
        return read_levels(deny, allow, "`--{} {}`")
    except LevelError as error:
        raise click.UsageError(str(error)) from None


def _color(context: click.Context, option: click.Parameter, given: str | None) -> None:
    context.find_root().color = COLORS[given or "auto"]


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


def colored() -> bool:
    """Whether stderr gets colour: as `--color` says, else if it is a terminal that wants it."""
    context = click.get_current_context(silent=True)
    choice = context.find_root().color if context is not None else None
    if choice is not None:
        return choice
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show(diagnostics: Iterable[Diagnostic], *, suggest: bool = False) -> None:
    """Diagnostics on stderr: in colour and as wide as the terminal, if it is one; `suggest` shows every fix."""
    diagnostics = tuple(diagnostics)
    if not diagnostics:
        return
    import shutil

    from netc.render import render

    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    color = colored()
    texts = [render(diagnostic, color=color, width=width, suggest=suggest) for diagnostic in diagnostics]
    click.echo("\n\n".join(texts), err=True, color=color)


def point_to_pages(diagnostics: Iterable[Diagnostic]) -> None:
    """The last line of a run with errors: where there is more to read about them."""
    codes = list(dict.fromkeys(diagnostic.code for diagnostic in diagnostics if diagnostic.severity == "error"))
    if codes:
        note(f"\nfor more about an error: netc explain {' '.join(codes[:POINTED_TO])}")


def fail(message: str) -> None:
    """Says what went wrong beyond a spec, on stderr."""
    click.echo(f"{click.style('error', fg='red', bold=True)}: {message}", err=True, color=colored())


def note(message: str) -> None:
    """Says what was done; on stderr, for stdout is the phase's or the script's."""
    click.echo(message, err=True)


def table(compiled: Compiled) -> list[str]:
    """Label, layer, output shape, parameters: a line for each step of the flow."""
    from netc.reference import columns

    rows = compiled.shapes
    return columns((label, layer, shape, f"{count:,}" if count else "") for label, layer, shape, count in rows)


def script_name(spec: str) -> str:
    """Where a script is written by default: the spec's name with `.py`, in the current folder."""
    return f"{Path(spec).stem or 'net'}.py"


def existing(target: Path) -> str | None:
    """What stands in the file now: None without one, and an empty text for what netc cannot have written."""
    from netc.files import FileError, read_text

    if not target.exists():
        return None
    try:
        return read_text(target)
    except FileError:
        return ""


def write(target: Path, text: str, compiled: Compiled, force: bool) -> None:
    """Writes a script unless somebody else's work would be lost; raises Failure then."""
    from netc.emit.script import HASH_LINE, is_unedited
    from netc.files import write_text

    if target.suffix == ".py" and target.stem in importable(text):
        reason = f"Python would import {target} in place of the `{target.stem}` that scripts need"
        raise Failure(f"{reason}; `-o` names another file")
    if target.exists():
        if target.samefile(compiled.source.name):
            raise Failure(f"{target} is the spec itself")
        places = {place for plugin in compiled.registry.plugins.values() for place in plugin.places}
        if os.path.realpath(target) in places:
            raise Failure(f"{target} is a plugin; `-o` names another file for the script")
    found = existing(target) if target.is_file() else None
    if found == text:
        note(f"{target} is up to date")
        return
    if found is not None and not force and not is_unedited(found):
        reason = "was edited since netc wrote it" if HASH_LINE.search(found) else "was not written by netc"
        raise Failure(f"{target} {reason}; --force overwrites it")
    write_text(target, text)
    note(f"wrote {target}")


def importable(text: str) -> set[str]:
    """What no script may be called that stands beside others: Python's own modules, and the packages it imports."""
    return {*re.findall(r"^ *(?:from|import) (\w+)", text, re.MULTILINE), *sys.stdlib_module_names, "numpy"}


def read_stdin() -> str:
    """What stands on standard input. Raises FileError."""
    from netc.files import FileError

    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileError(f"cannot read <stdin>: not UTF-8, byte 0x{data[error.start]:02x} in line {line}") from error
