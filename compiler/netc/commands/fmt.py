"""`netc fmt`: puts specs into the one style, or says which are not in it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator

import click

from netc.commands.common import STDIN, fail, note, read_stdin, show
from netc.commands.completing import files

CHECK_HELP = "Write nothing; name the files that would change, and exit 1 if there are any."
DIFF_HELP = "Write nothing; print what would change as a diff, and exit 1 if there is anything."


@click.command()
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True, shell_complete=files)
@click.option("--check", is_flag=True, help=CHECK_HELP)
@click.option("--diff", is_flag=True, help=DIFF_HELP)
def fmt(specs: tuple[str, ...], check: bool, diff: bool) -> int:
    """Put each SPEC into the one style of .net files.

    A folder stands for all the .net files in it and below, - for standard input, which goes to standard output.
    """
    from netc.diagnostics import SpecError
    from netc.files import FileError

    counts: Counter[str] = Counter()
    for spec in found(specs, counts):
        try:
            counts[formatted(spec, check, diff)] += 1
        except SpecError as error:
            show(error.diagnostics)
            counts["with errors"] += 1
        except FileError as error:
            fail(str(error))
            counts["with errors"] += 1
    if specs != (STDIN,):
        note(summary(counts))
    return int(any(counts[outcome] for outcome in ("to be formatted", "with errors")))


def found(specs: Iterable[str], counts: Counter[str]) -> Iterator[str]:
    """The files, each once; a folder without any is said and counted."""
    from netc.files import FileError, files_below, real_path

    seen: set[str] = set()
    for spec in specs:
        names = [spec]
        try:
            if os.path.isdir(spec):
                names = files_below(spec, ".net")
            if not names:
                raise FileError(f"there is no .net file in {spec}")
        except FileError as error:
            fail(str(error))
            counts["with errors"] += 1
            continue
        for name in names:
            if real_path(name) not in seen:
                seen.add(real_path(name))
                yield name


def formatted(spec: str, check: bool, diff: bool) -> str:
    """Formats one file and gives what came of it. Raises SpecError for one with mistakes, which is left as it is."""
    from netc.diagnostics import Source
    from netc.files import read_text, write_text
    from netc.format import format_source

    name = "<stdin>" if spec == STDIN else spec
    text = read_stdin() if spec == STDIN else read_text(spec)
    result = format_source(Source(name, text))
    if diff:
        click.echo(difference(name, text, result), nl=False)
    elif check and result != text:
        note(f"would format {name}")
    elif spec == STDIN and not check:
        click.echo(result, nl=False)
    if result == text:
        return "already in style"
    if check or diff:
        return "to be formatted"
    if spec != STDIN:
        write_text(spec, result)
        note(f"formatted {name}")
    return "formatted"


def difference(name: str, before: str, after: str) -> str:
    """A unified diff, or nothing."""
    from difflib import unified_diff

    lines = unified_diff(before.splitlines(True), after.splitlines(True), name, f"{name} (formatted)")
    ends = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(ends)


def summary(counts: Counter[str]) -> str:
    """`1 file formatted, 2 already in style`."""
    order = ("formatted", "to be formatted", "already in style", "with errors")
    (first, number), *others = [(outcome, counts[outcome]) for outcome in order if counts[outcome]]
    noun = "file" if number == 1 else "files"
    return ", ".join([f"{number} {noun} {first}", *(f"{number} {outcome}" for outcome, number in others)])
