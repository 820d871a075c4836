"""`netc new`: files to start from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from netc.commands.common import Failure, note

if TYPE_CHECKING:
    from netc.layer import Layer

IMPORTED = ("Example", "Float", "Layer", "Shape", "Value", "unchanged")
"""What the starter of a plugin imports."""
FITS = 100
"""What a line has room for behind `return`."""


@click.group()
def new() -> None:
    """Start a new file, or a plugin."""


@new.command("net")
@click.argument("name")
def new_net(name: str) -> None:
    """Write NAME.net, a commented network that trains on Digits."""
    from netc.files import write_text

    check_name(name)
    target = Path(f"{name}.net")
    if target.exists() or target.is_symlink():
        raise Failure(f"{target} exists")
    starter = resource("starter.net")
    starter = starter.replace("Starter.", f"{name}.").replace("Starter", untaken(camel(name), "Net"))
    write_text(target, starter)
    note(f"wrote {target}; next: netc check {target}")


@new.command("plugin")
@click.argument("name")
@click.option("--layers", "file", metavar="FILE", help="A Python file with the layers; by default one to start from.")
def new_plugin(name: str, file: str | None) -> None:
    """Write a distribution with layers, their test and their page into the folder NAME."""
    from importlib.util import find_spec
    from keyword import iskeyword

    from netc.emit.layout import import_from
    from netc.files import write_text
    from netc.version import VERSION

    check_name(name)
    folder = Path(name)
    if folder.exists() or folder.is_symlink():
        raise Failure(f"{folder} exists")
    package = name.replace("-", "_").lower()
    if iskeyword(package) or find_spec(package) is not None:
        raise Failure(f"Python has `{package}` already; `netc new plugin netc-{name}` has a name of its own")
    source, layers = own_layers(file) if file else starting_layer(name)
    words = {
        "NAME": name,
        "PACKAGE": package,
        "LAYER": layers[0].__name__,
        "VERSION": VERSION,
        "SOURCE": source.rstrip("\n"),
        "HOOKED": hooked([each for cls in layers for each in cls.names() if each], f"{package}.layers"),
        "IMPORTED": import_from(f"{package}.layers", [cls.__name__ for cls in layers]),
        "CLASSES": ", ".join(sorted(cls.__name__ for cls in layers)),
        "WHAT": "A layer" if len(layers) == 1 else "Layers",
        "TABLE": "\n".join(f"| `{cls.signature()}` | {' '.join(cls.summary().split())} |" for cls in layers),
    }
    for path, text in parts(filled(resource("starter.plugin"), words)):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, text)
    note(f"wrote {folder}, with {words['CLASSES']}; next: pip install --editable ./{folder} && pytest {folder}")


def hooked(names: list[str], module: str) -> str:
    """The entries of the dict that a hook gives, in the braces: on one line, or a line each."""
    entries = [f'"{name}": "{module}"' for name in names]
    flat = f"{{{', '.join(entries)}}}"
    return flat if len(flat) <= FITS else "".join(["{\n", *(f"        {entry},\n" for entry in entries), "    }"])


def own_layers(file: str) -> tuple[str, list[type[Layer]]]:
    """The text of a file and the layers that it defines. Raises Failure for one without any."""
    from netc.files import read_text
    from netc.named import OPTION, Request, definitions, load

    module = load(Request(file, OPTION, str(Path(file).resolve())))
    layers = definitions(file, module)["layers"]
    if not layers:
        raise Failure(f"{file} defines no layer")
    return read_text(file), layers


def starting_layer(name: str) -> tuple[str, list[type[Layer]]]:
    """The layer from which a plugin of this name starts, and its text."""
    from types import ModuleType

    from netc.named import definitions

    layer = untaken(camel(name.removeprefix("netc-").removeprefix("netc_")), "Layer")
    text = resource("starter.layer").replace("LAYER", layer)
    module = ModuleType("starter")
    exec(compile(text, "starter.layer", "exec", dont_inherit=True), vars(module))
    return text, definitions("starter.layer", module)["layers"]


def check_name(name: str) -> None:
    """Raises BadParameter for what is no name of a file and a Python module alike."""
    word = name.replace("-", "_")
    if not (name.isascii() and word.isidentifier() and word.strip("_")):
        raise click.BadParameter(f"'{name}' is no name: letters, digits, - and _, a letter first", param_hint="NAME")


def resource(name: str) -> str:
    from importlib.resources import files

    return files("netc").joinpath(name).read_text(encoding="utf-8")


def filled(text: str, words: dict[str, str]) -> str:
    """A text with words in the places that are named in capitals."""
    import re

    return re.sub("|".join(words), lambda found: words[found[0]], text)


def parts(text: str) -> list[tuple[str, str]]:
    """The files of a text in which each begins with a line `--- path`."""
    found = [part.partition("\n") for part in f"\n{text}".split("\n--- ")[1:]]
    return [(path, body + "\n" * (bool(body) and not body.endswith("\n"))) for path, _, body in found]


def camel(name: str) -> str:
    """`my-net` as `MyNet`."""
    return "".join(word[:1].upper() + word[1:] for word in name.replace("-", "_").split("_"))


def untaken(name: str, kind: str) -> str:
    """The name, with a word at its end where it is a layer, or means something in Python or in a starter."""
    from keyword import iskeyword

    from netc.plugins import load_registry

    taken = name in IMPORTED or iskeyword(name) or name in load_registry().names("layers")
    return f"{name}{kind}" if taken else name or f"My{kind}"
