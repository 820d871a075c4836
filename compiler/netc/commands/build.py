"""`netc build`: writes the training script of a spec, or prints what a phase makes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from netc.commands.common import Choices, Failure, choosing, existing, note, script_name, table, write
from netc.commands.completing import files

if TYPE_CHECKING:
    from netc.pipeline import Compiled

PHASES = ("ast", "graph", "shapes", "model", "script")


@click.command()
@click.argument("spec", shell_complete=files)
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
    text = emitted(compiled, emit) if emit and emit != "script" else choices.script(compiled)
    if output == "-" or (emit and output is None):
        click.echo(text, nl=not text.endswith("\n"))
        return
    target = Path(output or script_name(spec))
    if check:
        compare(target, text)
    else:
        write(target, text, compiled, force)


def emitted(compiled: Compiled, phase: str) -> str:
    """What a phase before the script made, as text."""
    if phase == "ast":
        from netc.outline import outline

        return outline(compiled.file)
    if phase == "graph":
        return str(compiled.graph)
    if phase == "shapes":
        return "\n".join(table(compiled))
    return compiled.model_source


def compare(target: Path, text: str) -> None:
    """Raises Failure if the file is not what would be written now."""
    found = existing(target)
    if found != text:
        raise Failure(f"{target} does not exist" if found is None else f"{target} is out of date")
    note(f"{target} is up to date")
