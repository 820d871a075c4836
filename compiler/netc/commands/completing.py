"""What a shell completes: files, and names of definitions, nets, recipes, warnings and codes, of plugins as of netc."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from netc.registry import Registry

Completer = Callable[[click.Context, click.Parameter, str], list[Any]]
DESCRIBED = 40
"""Up to so many names are shown with a sentence, for which their modules are imported."""


def completing(find: Callable[[click.Context], Iterable[tuple[str, str]]]) -> Completer:
    """Completes the names that are found, each with a line of help; where they cannot be found, nothing."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        try:
            return [CompletionItem(name, help=help) for name, help in find(context) if name.startswith(incomplete)]
        except Exception:
            return []  # a shell has no place for what went wrong; the command will say it

    return complete


def files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def definitions(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """All that `netc layers` has a page of, with its first sentence where few are left."""
    from click.shell_completion import CompletionItem

    from netc.plugins import load_registry
    from netc.registry import CATEGORIES

    try:
        registry = load_registry(plugins=tuple(context.params.get("plugins") or ()))
        names = {n for category in CATEGORIES for n in registry.names(category) if n.startswith(incomplete)}
        few = len(names) <= DESCRIBED
        return [CompletionItem(n, help=described(registry, n) if few else None) for n in sorted(names)]
    except Exception:
        return []


def described(registry: Registry, name: str) -> str:
    from netc.reference import sentence
    from netc.registry import CATEGORIES

    category = next(category for category in CATEGORIES if name in registry.names(category))
    return sentence(registry.find(category, name))


def _nets(context: click.Context) -> Iterator[tuple[str, str]]:
    from netc.diagnostics import Source
    from netc.files import read_text
    from netc.pipeline import nets
    from netc.plugins import load_registry

    registry = load_registry(plugins=tuple(context.params.get("plugins") or ()))
    for spec in _specs():
        yield from ((name, "") for name in nets(Source(spec, read_text(Path(spec))), registry))


def _recipes(context: click.Context) -> Iterator[tuple[str, str]]:
    from netc import syntax
    from netc.diagnostics import Source
    from netc.files import read_text
    from netc.parse import parse

    for spec in _specs():
        blocks = [b for b in parse(Source(spec, read_text(Path(spec)))).items if isinstance(b, syntax.Train)]
        yield from ((block.name, "") for block in blocks if block.name)


def _specs() -> list[str]:
    """The specs on the command line; click does not read it as far as an option that waits for its value."""
    from click.shell_completion import split_arg_string

    return [word for word in split_arg_string(os.environ.get("COMP_WORDS", "")) if word.endswith(".net")]


def _warnings(context: click.Context) -> Iterator[tuple[str, str]]:
    from netc.codes import CODES, WARNINGS

    return ((name, CODES[code]) for name, code in WARNINGS.items())


def _codes(context: click.Context) -> Iterator[tuple[str, str]]:
    from netc.codes import CODES
    from netc.parse.codes import CODES as SYNTAX

    yield from sorted({**SYNTAX, **CODES}.items())
    yield from _warnings(context)


nets, recipes, warnings, codes = (completing(find) for find in (_nets, _recipes, _warnings, _codes))
