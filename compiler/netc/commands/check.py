"""`netc check`: says what is wrong with specs, mends what it can, and prints the flow of shapes of the others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from netc.commands.common import STDIN, Choices, choosing, fail, note, point_to_pages, read_stdin, show, table
from netc.commands.completing import files
from netc.reports import FORMATS, Checked, Report, counted, identity

if TYPE_CHECKING:
    from netc.diagnostics import Diagnostic, Source
    from netc.pipeline import Compiled

ROUNDS = 10
"""How often at most fixes are applied and the specs checked again."""
FORMAT_HELP = "What is printed: text for people, json, github (workflow commands) or sarif."


class Spec(NamedTuple):
    """A file to be checked, or each of its nets; `alone` when it is the only one, and was named."""

    name: str
    alone: bool
    all_nets: bool


class Outcome(NamedTuple):
    """What came of a file: the finding, the text, its nets where there is no error, and the names of those left out."""

    checked: Checked
    source: Source | None = None
    nets: tuple[Compiled, ...] = ()
    unseen: tuple[str, ...] = ()


@click.command()
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True, shell_complete=files)
@choosing
@click.option("--output-format", "style", type=click.Choice(("text", *FORMATS)), default="text", help=FORMAT_HELP)
@click.option("--all-nets", is_flag=True, help="Check every net and variant of a file, not only the first.")
@click.option("-q", "--quiet", is_flag=True, help="Leave out the flow of shapes.")
@click.option("--fix", is_flag=True, help="Apply the safe fixes, and check again.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix: apply those, too, that are only likely.")
def check(
    specs: tuple[str, ...], choices: Choices, style: str, all_nets: bool, quiet: bool, fix: bool, unsafe_fixes: bool
) -> int:
    """Check each SPEC and print its flow of shapes: label, layer, output shape, parameters.

    A folder stands for all the .net files in it and below, `-` for what stands on standard input.
    """
    if fix and STDIN in specs:
        raise click.UsageError("--fix writes files, and standard input is none")
    if unsafe_fixes and not fix:
        raise click.UsageError("--unsafe-fixes says what --fix may do, and goes with it")
    found, missing = find(specs, all_nets)
    outcomes = mended(found, choices, unsafe=unsafe_fixes) if fix else (examine(spec, choices) for spec in found)
    report = Report((*tell(missing, quiet, style), *tell(outcomes, quiet, style, suggest=fix)))
    if style != "text":
        from netc.reports import write

        click.echo(write(report, style))
    finish(report, style, fix)
    return int(report.failed)


# ---- what to check -------------------------------------------------------------------------------


def find(given: Sequence[str], all_nets: bool) -> tuple[list[Spec], list[Outcome]]:
    """The files, each once, and what came of folders without any."""
    from netc.files import FileError, files_below, real_path

    specs: dict[str, str] = {}
    missing = []
    for name in given:
        try:
            names = files_below(name, ".net") if os.path.isdir(name) else [name]
            if not names:
                missing.append(Outcome(Checked(name, failure=f"there is no .net file in {name}")))
        except FileError as error:
            names = []
            missing.append(Outcome(Checked(name, failure=str(error))))
        for path in names:
            specs.setdefault(real_path(path), path)
    alone = len(specs) == 1 and not any(map(os.path.isdir, given))
    return [Spec(name, alone, all_nets) for name in specs.values()], missing


def examine(spec: Spec, choices: Choices) -> Outcome:
    """Reads a file and checks it; what is wrong is in the outcome."""
    from netc.diagnostics import Source, SpecError
    from netc.files import FileError, read_text

    try:
        source = Source("<stdin>", read_stdin()) if spec.name == STDIN else Source(spec.name, read_text(spec.name))
    except FileError as error:
        return Outcome(Checked(spec.name, failure=str(error)))
    spec = spec._replace(name=source.name)
    nets: list[Compiled] = []
    others: Sequence[Choices] = ()
    seen: dict[tuple[str, int, str, str], Diagnostic] = {}
    try:
        recipes = choices.net is None or choices.train is not None
        first, *others = choices.each(source) or [choices]
        for number, choice in enumerate([first, *others] if spec.all_nets else [first]):
            for diagnostic in net_faults(source, choice, nets, recipes and number == 0):
                seen.setdefault(identity(diagnostic), diagnostic)
    except SpecError as error:
        seen = {identity(diagnostic): diagnostic for diagnostic in error.diagnostics}
    found = tuple(seen.values())
    if not nets and not spec.alone and is_library(source, found):
        return Outcome(Checked(spec.name, library=True), source)
    found = choices.judge(found, spec.name)
    if not nets or any(diagnostic.severity == "error" for diagnostic in found):
        return Outcome(Checked(spec.name, found), source)
    checked = Checked(spec.name, found, nets[0].net_name, nets[0].graph.root.parameter_count)
    unseen = () if spec.all_nets else tuple(choice.net or "" for choice in others)
    return Outcome(checked, source, tuple(nets), unseen)


def net_faults(source: Source, choices: Choices, nets: list[Compiled], recipes: bool) -> tuple[Diagnostic, ...]:
    """What is wrong with one net of a file, and with the recipes; the net goes to `nets` if it can be built."""
    from netc.diagnostics import SpecError

    found: tuple[Diagnostic, ...] = ()
    try:
        compiled = choices.compile_source(source)
        found = tuple(compiled.diagnostics)
        nets.append(compiled)
        if recipes:
            found += compiled.check_recipes()
    except SpecError as error:
        found += error.diagnostics
    return found


def is_library(source: Source, found: Sequence[Diagnostic]) -> bool:
    """Whether all that a file lacks is a net: it has blocks for other files to use, and is checked with them."""
    if [diagnostic.code for diagnostic in found] != ["E0204"]:
        return False
    from netc.parse import parse
    from netc.syntax import Define

    kinds = {item.kind for item in parse(source).items if isinstance(item, Define)}
    return bool(kinds) and "net" not in kinds


def mended(specs: Sequence[Spec], choices: Choices, *, unsafe: bool) -> list[Outcome]:
    """Applies fixes to the files and checks them again, until nothing changes; what came of the files then."""
    from netc.files import real_path, write_text
    from netc.fixes import apply_fixes

    counts: dict[str, int] = {}
    outcomes = [examine(spec, choices) for spec in specs]
    for _ in range(ROUNDS):
        sources = {real_path(each.source.name): each.source for each in outcomes if each.source is not None}
        found = [diagnostic for each in outcomes for diagnostic in each.checked.diagnostics]
        texts = apply_fixes(found, sources, unsafe=unsafe)
        for path, fixed in texts.items():
            name = sources[path].name
            write_text(name, fixed.text)
            counts[name] = counts.get(name, 0) + fixed.count
        if not texts:
            break
        outcomes = [examine(spec, choices) for spec in specs]
    for name, count in counts.items():
        note(f"fixed {counted(count, 'place')} in {name}")
    return outcomes


# ---- what is said --------------------------------------------------------------------------------


def tell(outcomes: Iterable[Outcome], quiet: bool, style: str, *, suggest: bool = False) -> Iterator[Checked]:
    """Says what came of each file, where people read it, and hands the finding on."""
    seen: set[tuple[str, int, str, str]] = set()
    said = printed = False
    for checked, _, nets, unseen in outcomes:
        fresh = [each for each in checked.diagnostics if identity(each) not in seen]
        if style == "text":
            if (fresh and said) or (checked.failure is not None and seen):
                note("")
            if checked.failure is not None:
                fail(checked.failure)
            show(fresh, suggest=suggest)
            said = said or bool(fresh) or checked.failure is not None
            if nets and not quiet:
                lines = [flow(checked.name, nets[0]), *map(brief, nets[1:]), *left_out(unseen)]
                click.echo(("\n" if printed else "") + "\n".join(lines))
                printed = True
        seen.update(identity(each) for each in fresh)
        yield checked


def flow(spec: str, compiled: Compiled) -> str:
    """The shapes under the name of the net, and the parameters in total."""
    rows = [*table(compiled), parameters(compiled)]
    rows += [line for requirement in compiled.requirements for line in requirement.lines()]
    return "\n".join([f"{compiled.net_name} ({spec})", *(f"  {row}" for row in rows)])


def left_out(unseen: Sequence[str]) -> Iterator[str]:
    if unseen:
        names = ", ".join(unseen[:4]) + (", ..." if len(unseen) > 4 else "")
        yield f"{counted(len(unseen), 'more net')} not checked ({names}): --all-nets, or --net NAME"


def brief(compiled: Compiled) -> str:
    """A line for each further net of a file; `--net` shows its flow."""
    return f"{compiled.net_name}: {parameters(compiled)}"


def parameters(compiled: Compiled) -> str:
    total = compiled.graph.root.parameter_count
    return f"{total:,} parameter{'s' * (total != 1)}"


def finish(report: Report, style: str, fix: bool) -> None:
    """The last lines, on stderr: how the files are, what `--fix` can do, where to read on."""
    if style in ("json", "sarif"):
        return
    lines = []
    if report.diagnostics or (len(report.files) > 1 and any(file.failure is None for file in report.files)):
        lines.append(report.summary())
        lines += remedies(report, fix)
    if lines:
        note("\n".join(["", *lines] if style == "text" and (report.failed or report.diagnostics) else lines))
    if style == "text":
        point_to_pages(report.diagnostics)


def remedies(report: Report, fix: bool) -> Iterator[str]:
    """What fixes there are that were not applied, and how they are."""
    from netc.files import real_path
    from netc.fixes import places

    given = {real_path(file.name) for file in report.files}
    fixes = [found.fix for found in report.diagnostics if found.fix is not None]
    safe = sum(each.safe for each in fixes if places(each) <= given and not fix)
    likely = sum(not each.safe for each in fixes if places(each) <= given)
    if safe:
        yield f"{safe} can be fixed with --fix"
    if likely:
        yield f"{likely} {'more ' if safe else ''}can be fixed with --fix --unsafe-fixes, which guesses"
    for path in sorted({path for each in fixes for path in places(each) - given if os.path.isfile(path)}):
        yield f"a fix in {os.path.relpath(path)} is applied only when that file is given, too"
