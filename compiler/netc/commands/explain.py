"""`netc explain`: what an error means, with an example of it and of the way out."""

from __future__ import annotations

import os
import shutil
import sys

import click

from netc.commands.common import Failure
from netc.commands.completing import codes

WIDTH = 80
"""Where stdout is no terminal."""


@click.command()
@click.argument("codes", metavar="[CODE...]", nargs=-1, shell_complete=codes)
def explain(codes: tuple[str, ...]) -> None:
    """Print what each CODE means, or all codes: E0301, W0702, or a warning's name, unused-value."""
    from netc import explain as pages
    from netc.codes import CODES, WARNINGS
    from netc.parse.codes import CODES as SYNTAX

    known = {**SYNTAX, **CODES}
    known |= {code: f"{known[code]} ({name})" for name, code in WARNINGS.items()}
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((WIDTH, 24)).columns if terminal else WIDTH
    color = terminal and "NO_COLOR" not in os.environ
    if not codes:
        click.echo(pages.index(known, width, color=color))
        return
    shown = []
    for name in codes:
        code = pages.find(name, known, WARNINGS)
        if code is None:
            near = pages.near(name, known, WARNINGS)
            hint = f"did you mean `{near}`?" if near else "`netc explain` lists all"
            raise Failure(f"no error or warning has the code `{name}`; {hint}")
        shown.append(pages.render(code, known[code], width, color=color))
    click.echo("\n\n\n".join(shown))
