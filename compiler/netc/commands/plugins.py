"""`netc plugins`: which plugins are active, from where, and what they bring."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from netc.commands.common import plugging

if TYPE_CHECKING:
    from netc.registry import Plugin, Registry

WIDTH = 100
"""Where the names of a category are wrapped."""


@click.command()
@plugging
def plugins(plugins: tuple[str, ...]) -> None:
    """List the active plugins: where each comes from, and what it brings."""
    from netc.plugins import load_registry

    registry = load_registry(plugins=plugins)
    click.echo("\n\n".join("\n".join(described(registry, plugin)) for plugin in registry.plugins.values()))


def described(registry: Registry, plugin: Plugin) -> Iterator[str]:
    """The owner with its version and origin, then its names by category."""
    from netc.registry import CATEGORIES

    yield f"{plugin.owner} {plugin.version}".rstrip()
    yield f"  {source(plugin)}"
    for category in CATEGORIES:
        names = sorted(name for name in registry.names(category) if registry.owner(category, name) == plugin.owner)
        if names:
            text = f"{category}: {', '.join(names)}"
            yield from textwrap.wrap(
                text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False,
                break_on_hyphens=False,
            )  # fmt: skip


def source(plugin: Plugin) -> str:
    """`installed, module netc_std`, or who names the file or module."""
    places = ", ".join(plugin.places)
    kind = "file" if plugin.places[0].endswith(".py") else "module" if len(plugin.places) == 1 else "modules"
    return f"{plugin.origin if plugin.origin == 'installed' else f'named by {plugin.origin}'}, {kind} {places}"
