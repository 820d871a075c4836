"""`netc layers`: the reference pages of what the plugins register."""

from __future__ import annotations

import click

from netc.commands.common import Failure, plugging
from netc.commands.completing import definitions


@click.command()
@click.argument("name", required=False, shell_complete=definitions)
@plugging
def layers(name: str | None, plugins: tuple[str, ...]) -> None:
    """Print the reference page of NAME, or what there is: layers, losses, optimizers and so on."""
    from netc.diagnostics import nearest
    from netc.plugins import load_registry
    from netc.reference import index, pages
    from netc.registry import CATEGORIES

    registry = load_registry(plugins=plugins)
    if name is None:
        click.echo(index(registry))
        return
    found = pages(registry, name)
    if not found:
        near = nearest(name, [known for category in CATEGORIES for known in registry.names(category)])
        hint = f"; did you mean `{near}`?" if near else ""
        raise Failure(f"no layer or other definition is called `{name}`{hint}")
    click.echo("\n\n\n".join(found))
