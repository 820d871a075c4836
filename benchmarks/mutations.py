"""What single slips of the fingers lead to: every token of the shipped specs deleted, doubled, swapped or misspelt."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.generator import Mutant, mutations

import netc
from benchmarks.table import show
from netc.diagnostics import Diagnostic, Source, SpecError
from netc.pipeline import compile, nets

ROOT = Path(__file__).parents[1]
OF_A_FAMILY = 100
"""Their mutants are too many to try them all, and each is checked with all its variants."""
COLUMNS = ("mutants", "invalid", "one error", "within a line", "both", "crashes")


@dataclass
class Figure:
    """What came of the mutants of one kind; `failures` describes those that are not as they should be."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def count(self, mutant: Mutant, errors: list[Diagnostic] | None, where: str) -> None:
        """Takes one mutant: its errors, or None when netc itself failed."""
        self.counts["mutants"] += 1
        if errors == []:
            return
        self.counts["invalid"] += 1
        if errors is None:
            self.counts["crashes"] += 1
            self.failures.append(f"{where} {mutant}\n    crashes")
            return
        one = len(errors) == 1
        near = mutant.distance(line_of(errors[0])) <= 1
        self.counts["one error"] += one
        self.counts["within a line"] += near
        self.counts["both"] += one and near
        if not (one and near):
            told = "".join(f"\n    {line_of(error)}: {error.code} {error.message}" for error in errors)
            self.failures.append(f"{where} {mutant}{told}")

    def row(self, name: str) -> list[str]:
        invalid = max(self.counts["invalid"], 1)
        shares = [f"{100 * self.counts[column] / invalid:.1f} %" for column in COLUMNS[2:5]]
        return [name, str(self.counts["mutants"]), str(self.counts["invalid"]), *shares, str(self.counts["crashes"])]


def main(listing: bool = False, sample: int = 0) -> None:
    """Prints the figure by kind; `listing` also what failed. `sample` mutants are tried, or all of them."""
    began = time.process_time()
    figures = measure(sample)
    if listing:
        print("\n".join(failure for figure in figures.values() for failure in figure.failures))
    total = Figure(sum((figure.counts for figure in figures.values()), Counter()))
    rows = [figure.row(kind) for kind, figure in figures.items()] + [total.row("all")]
    title = "Single-token mutations of the shipped specs (wanted: one error, within a line, for 95 % of the invalid)"
    show(title, ["kind", *COLUMNS], rows)
    print(f"\n{time.process_time() - began:.0f} s of CPU time")


def measure(sample: int = 0) -> dict[str, Figure]:
    """The figures by kind."""
    found = list(shipped())
    if sample and sample < len(found):
        found = random.Random(0).sample(found, sample)
    figures: dict[str, Figure] = {}
    for path, mutant in found:
        figure = figures.setdefault(mutant.kind, Figure())
        figure.count(mutant, errors_of(path, mutant.text), path.name)
    return dict(sorted(figures.items()))


def shipped() -> Iterator[tuple[Path, Mutant]]:
    """Every mutant of the specs with a recipe and of the starter, and some of each family of networks."""
    starter = Path(netc.__file__).with_name("starter.net")
    for path in [*sorted(ROOT.glob("specs/*.net")), starter]:
        for mutant in mutations(path.read_text(encoding="utf-8")):
            yield path, mutant
    for path in sorted(ROOT.glob("specs/*/*.net")):
        for mutant in random.Random(0).sample(list(mutations(path.read_text(encoding="utf-8"))), OF_A_FAMILY):
            yield path, mutant


def errors_of(path: Path, text: str) -> list[Diagnostic] | None:
    """The errors that `netc check` would report, in their order; None where it would fail itself."""
    source = Source(str(path), text)
    found: dict[object, Diagnostic] = {}
    try:
        for number, net in enumerate(nets(source) or (None,)):
            try:
                compiled = compile(source, net=net)
                if number == 0:
                    compiled.check_recipes()
            except SpecError as error:
                for each in error.diagnostics:
                    found.setdefault((each.code, each.primary.span.start), each)
    except SpecError as error:
        return [each for each in error.diagnostics if each.severity == "error"]
    except Exception:
        return None
    return [] if path.name == "blocks.net" else [each for each in found.values() if each.severity == "error"]


def line_of(diagnostic: Diagnostic) -> int:
    """The line of its primary label, counted from 1."""
    span = diagnostic.primary.span
    return span.source.text.count("\n", 0, span.start) + 1
