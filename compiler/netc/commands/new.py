"""`netc new`: files to start from."""

from __future__ import annotations

from pathlib import Path

import click

from netc.commands.common import Failure, note


@click.group()
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
