"""`netc sweep`: trains a small grid of a spec's parameters and settings, and prints a table of the runs."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from netc.commands.common import Choices, Failure, choosing, note, script_name, write
from netc.commands.completing import files
from netc.commands.runs import Run, read_run, tabled

OPENING, CLOSING = "([{", ")]}"


@click.command()
@click.argument("spec", shell_complete=files)
@click.argument("arguments", metavar="[-- ARGUMENT...]", nargs=-1, type=click.UNPROCESSED)
@click.option("-o", "--output", metavar="FOLDER", help="Where scripts and results go. By default runs/SPEC-sweep.")
@choosing
@click.option("--force", is_flag=True, help="Overwrite scripts that netc did not write or that were edited since.")
def sweep(spec: str, arguments: tuple[str, ...], output: str | None, choices: Choices, force: bool) -> int:
    """Train SPEC with each combination of the values in --set KEY=A,B,C, then print a table of the runs."""
    grid = {key: alternatives(key, value) for key, value in choices.params.items()}
    varied = [key for key, values in grid.items() if len(values) > 1]
    if not varied:
        raise click.UsageError("a sweep needs a --set with several values, such as --set width=16,32")
    folder = Path(output) if output else Path("runs") / f"{Path(script_name(spec)).stem}-sweep"
    points = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    scripts = built(spec, choices, named(points, varied), folder, force)
    rows, failed = [], 0
    for number, (point, script) in enumerate(zip(points, scripts, strict=True), 1):
        note(f"[{number}/{len(points)}] {label(point, varied)}")
        code = trained(script, arguments)
        failed += code != 0
        results = script.with_suffix("")
        run = read_run(results, folder) if (results / "settings.json").exists() else Run(results.name, {}, [])
        rows.append((*(point[key] for key in varied), *run.cells))
    sys.stdout.flush()
    click.echo("\n".join(tabled([key.removeprefix("train.") for key in varied], rows)))
    if failed:
        note(f"{failed} of {len(points)} runs failed")
    return int(failed > 0)


def alternatives(key: str, text: str) -> list[str]:
    """The values between commas that stand in no brackets or quotes."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        depth += (character in OPENING) - (character in CLOSING) if not quote else 0
        if character == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += character
    values = [part.strip() for part in parts]
    if not all(values):
        raise click.UsageError(f"--set {key}={text} has an empty value")
    if len(set(values)) < len(values):
        raise click.UsageError(f"--set {key}={text} has a value twice")
    return values


def label(point: dict[str, str], varied: Sequence[str]) -> str:
    return " ".join(f"{key.removeprefix('train.')}={point[key]}" for key in varied)


def built(spec: str, choices: Choices, names: Mapping[str, dict[str, str]], folder: Path, force: bool) -> list[Path]:
    """Writes the script of each point once all are known to be right.

    Raises SpecError, and Failure for a spec without a recipe.
    """
    made = []
    for name, point in names.items():
        chosen = choices._replace(params=point)
        compiled = chosen.compile(spec)
        if compiled.recipe is None:
            raise Failure(f"{spec} has no `train:`, so there is nothing to run")
        made.append((folder / f"{name}.py", chosen.script(compiled), compiled))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"cannot write to {folder}: {error.strerror}") from None
    for target, text, compiled in made:
        write(target, text, compiled, force)
    return [target for target, _, _ in made]


def named(points: Sequence[dict[str, str]], varied: Sequence[str]) -> dict[str, dict[str, str]]:
    """The points by names for files, which differ."""
    found: dict[str, dict[str, str]] = {}
    for point in points:
        name = "".join(safe(label(point, varied)))
        found[name if name not in found else f"{name}_{len(found) + 1}"] = point
    return found


def safe(text: str) -> Iterator[str]:
    """A name for files, the characters that shells and systems read otherwise replaced."""
    yield from (character if character.isalnum() or character in "=+-_" else "_" for character in text)


def trained(script: Path, arguments: Sequence[str]) -> int:
    """Runs a script, its results beside it in a folder of its name."""
    import subprocess

    command = [sys.executable, str(script), "--output", str(script.with_suffix("")), *arguments]
    with subprocess.Popen(command) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()  # it got the signal too and saves
            raise
