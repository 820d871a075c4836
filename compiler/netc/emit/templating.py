"""The templates of a script, compiled ahead to Python modules: Jinja takes 15 ms to compile them at a start.

A wheel brings them compiled. A checkout, or another release of Jinja than the wheel was built with, compiles them at
its first start, and at each start where the folder cannot be written.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import BaseLoader, Environment

HERE = os.path.dirname(__file__)
TEMPLATES = os.path.join(HERE, "templates")
COMPILED = os.path.join(HERE, "compiled")


@cache
def environment() -> Environment:
    """Jinja with the templates at hand."""
    import jinja2

    folder = compiled_folder(COMPILED)
    if not os.path.isdir(folder):
        with suppress(OSError):
            write_compiled(COMPILED)
    if os.path.isdir(folder):
        return _environment(jinja2.ModuleLoader(folder))
    return _environment(jinja2.FileSystemLoader(TEMPLATES))


def _environment(loader: BaseLoader) -> Environment:
    import jinja2

    return jinja2.Environment(
        loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, auto_reload=False,
    )  # fmt: skip


def compiled_folder(parent: str) -> str:
    """Where compiled templates stand, named by a checksum of what they are made of: templates, this module, Jinja."""
    from jinja2 import compiler

    checksum = 0
    templates = (os.path.join(TEMPLATES, name) for name in sorted(os.listdir(TEMPLATES)))
    for path in (*templates, __file__, compiler.__file__):
        with open(path, "rb") as file:
            checksum = zlib.crc32(file.read(), checksum)
    return os.path.join(parent, f"{checksum:08x}")


def write_compiled(parent: str = COMPILED) -> str:
    """Compiles the templates and gives the folder: whoever looks finds all of them there or none.

    Raises OSError where it cannot be written, `jinja2.TemplateSyntaxError` for a template at fault.
    """
    import shutil

    import jinja2

    folder = compiled_folder(parent)
    fresh = f"{folder}.{os.getpid()}"
    try:
        _environment(jinja2.FileSystemLoader(TEMPLATES)).compile_templates(fresh, zip=None, ignore_errors=False)
        try:
            os.rename(fresh, folder)
        except OSError:
            if not os.path.isdir(folder):  # else another process was quicker
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder
