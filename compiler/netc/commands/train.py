"""`netc train`: writes the training script of a spec and runs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netc.commands.common import Choices, choosing, fail, script_name, write
from netc.commands.completing import files

if TYPE_CHECKING:
    from netc.pipeline import Compiled


@click.command()
@click.argument("spec", shell_complete=files)
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
    compiled = choices.compile(spec)
    write(target, choices.script(compiled), compiled, force)
    sys.stdout.flush()
    with subprocess.Popen([sys.executable, str(target), *arguments]) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # The script got the signal too and knows what to save.
            code = process.wait()
    if code == 1:
        blame(compiled)
    return 128 - code if code < 0 else code


def blame(compiled: Compiled) -> None:
    """Says which plugin's shape rule is wrong, if one is: a script that failed may have failed for that."""
    from netc.registry import PluginError
    from netc.trial import foreign

    if next(foreign(compiled.graph.root), None) is None:
        return
    try:
        compiled.load()
    except PluginError as error:
        fail(str(error))
    except Exception:
        return  # the script has said it
