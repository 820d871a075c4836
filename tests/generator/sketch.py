"""What statements are made of: labels, names, expressions and stages, drawn so that they fit where they stand."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tests.generator.chains import Call, Group, Repeat, Stage
from tests.generator.drawing import Drawer, has_state, layers
from tests.generator.running import Invalid, Run, Tensor
from tests.generator.trees import Define, Flow, Statement

from netc.shapes import Value
from netc.terms import Term

LABELS = "conv stem norm act proj mix body head gate left right up down block stage cell tail core part unit".split()
COMMON = ("Conv", "Linear", "BatchNorm", "ReLU", "MaxPool", "Flatten", "LayerNorm")
"""Layers that networks are full of; half of those that are drawn are of these."""
NAMES = "keep skip low high side_ mid early wide_ query memory base".split()


@dataclass
class Place:
    """Where statements are written: the runs that reach it, the labels and names taken in its class, and its loops.

    `sequential`: only modules may stand here. `loops`: the variables that a label here must spell out.
    """

    runs: list[Run]
    sequential: bool = False
    labels: set[str] = field(default_factory=set)
    loops: tuple[str, ...] = ()
    depth: int = 0
    hidden: frozenset[str] = frozenset()
    """Tensors of outside that a Sequential around this place cannot hand in."""

    @property
    def flow(self) -> Any:
        return self.runs[0].flow

    def on(self, runs: list[Run], **changes: Any) -> Place:
        given = {"sequential": self.sequential, "labels": self.labels, "loops": self.loops, "depth": self.depth + 1}
        given["hidden"] = self.hidden
        return Place(runs, **{**given, **changes})


class Sketch(random.Random):
    """Proposes labels, names, expressions and stages for one file.

    `file` holds what the file defines, `made` the blocks in the order of their making.

    `plain` leaves out what classes cannot be written for yet: modules without a label in a loop, names and ranks that
    a loop or a repeat carries on.
    """

    def __init__(self, seed: int, file: dict[str, Any], plain: bool = False):
        super().__init__(seed)
        self.file, self.plain = file, plain
        self.made: list[Define] = []
        self.counts: dict[str, int] = {}
        self.looped = False

    # ---- trying --------------------------------------------------------------------------------

    def fits(self, statement: Statement, place: Place) -> bool:
        """Whether a statement runs here; if so the runs move on behind it."""
        after = []
        try:
            for run in place.runs:
                if isinstance(statement, Flow) and statement.when is not None:
                    statement.through(run.copy())
                moved = run.copy()
                statement.run(moved)
                after.append(moved)
        except Invalid:
            return False
        place.runs[:] = after
        return True

    # ---- names and expressions -----------------------------------------------------------------

    def label(self, place: Place) -> str:
        """A label that is free in this class; in a loop one that spells out the loop's variables."""
        stem = self.choice(LABELS)
        for i in range(1, 99):
            name = stem if i == 1 and self.random() < 0.5 else f"{stem}{i}"
            if name not in place.labels:
                break
        place.labels.add(name)
        if place.loops:
            glue = self.choice(["_", "-", ""]) if len(place.loops) == 1 else "_"
            return f'"{name}{glue}' + "_".join(f"{{{loop}{self.choice(['', ' + 1'])}}}" for loop in place.loops) + '"'
        if self.random() < 0.04:
            return f'"{name}-{self.choice("abc")}"'
        return f'"{name}"' if self.random() < 0.03 else name

    def fresh(self) -> str:
        """A name for a value that no other value of the file has."""
        stem = self.choice(NAMES)
        self.counts[stem] = self.counts.get(stem, 0) + 1
        return f"{stem}{self.counts[stem]}"

    def worths(self, place: Place) -> dict[str, Any]:
        """The names of this place that stand for numbers and truth values."""
        run = place.runs[0]
        found = {**self.file, **run.names}
        return {n: v for n, v in found.items() if isinstance(v, int | float) and not isinstance(v, Term)}

    def width(self, place: Place) -> str:
        """An expression for a number of channels."""
        options = [str(self.randint(1, 12)), str(2 * self.randint(1, 8))]
        names = [n for n, v in self.worths(place).items() if type(v) is int and 1 < v < 20]
        options += [*names, *names, *(f"2 * {n}" for n in names), *(f"{n} + {self.randint(1, 3)}" for n in names)]
        if place.runs[0].x is not None:
            options += ["x.c", "x.c", "2 * x.c", "x.c // 2", "max(2, x.c // 2)"]
        options += ["_.c", "_.c + 2", "2 * _.c", "divisible(_.c)"]
        options += [f"{n} + {loop}" for n in names[:2] for loop in place.loops] + [f"4 + {n}" for n in place.loops]
        return self.choice(options)

    def named(self, place: Place, value: Any) -> str | None:
        names = [n for n, v in self.worths(place).items() if type(v) is type(value) and v == value]
        return self.choice(names) if names else None

    def condition(self, place: Place) -> str | None:
        """A condition on parameters, sizes and loops."""
        options = []
        for name, value in self.worths(place).items():
            if isinstance(value, bool):
                options += [name, f"not {name}"]
            elif isinstance(value, int):
                options += [f"{name} > {self.randint(1, 9)}", f"{name} % 2 == 0", f"{name} in [1, {value}]"]
            else:
                options += [name, f"{name} >= 0.1"]
        if place.runs[0].x is not None:
            options += [f"x.c != {self.randint(2, 12)}", "x.c == _.c", "x.c > 4 and _.c < 20"]
        options += [f"{loop} > 0" for loop in place.loops] * 2
        return self.choice(options) if options else None

    def tensors(self, place: Place) -> list[str]:
        names = [n for n, v in place.runs[0].names.items() if isinstance(v, Tensor)]
        names += ["x"] if place.runs[0].x is not None else []
        return [name for name in names if name not in place.hidden]

    # ---- stages --------------------------------------------------------------------------------

    def layer(self, place: Place, form: str) -> tuple[bool, Call] | None:
        """A layer that takes the flow, and whether it wants a label."""
        drawer = Drawer(self, lambda: self.width(place), lambda value: self.named(place, value))
        for _ in range(25):
            way = self.random()
            pool = [cls for cls in layers() if cls.__name__ in COMMON] if way < 0.4 else None
            pool = [cls for cls in layers() if has_state(cls)] if 0.4 < way < 0.6 else pool
            found = drawer.call(place.flow.rank, form, pool)
            if found is None:
                continue
            cls, call = found
            if self.tries(Flow([call]), place) and self.sensible(call, place):
                return has_state(cls), call
        return None

    def tries(self, statement: Statement, place: Place) -> bool:
        return self.fits(statement, Place([run.copy() for run in place.runs]))

    def sensible(self, call: Call, place: Place) -> bool:
        """Numbers stay numbers, mostly, and a batch of values does not become one."""
        run = place.runs[0].copy()
        found = call.run(run)[1]
        return isinstance(found, Value) and found.rank > 1 and found.kind == "float" and found.shape != (2, 1)

    def module(self, place: Place) -> Flow | None:
        """A module, labelled where it must be."""
        found = self.layer(place, "module")
        if found is None:
            return None
        wants, call = found
        labelled = self.random() < 0.3 or (wants and not place.sequential) or (self.plain and bool(place.loops))
        if not labelled and not place.sequential:
            place.labels.add(call.name.lower())
        return Flow([call], self.label(place) if labelled else None)

    def function(self, place: Place) -> Flow | None:
        found = self.layer(place, "function")
        return Flow([found[1]]) if found and found[1].name not in place.labels else None

    def chain(self, place: Place) -> Flow | None:
        """`label: A -> B -> C`, a Sequential."""
        inner = place.on([run.copy() for run in place.runs], sequential=True, labels=set())
        stages: list[Stage] = []
        for _ in range(self.randint(2, 3)):
            found = self.layer(inner, "module")
            if found and self.fits(Flow([found[1]]), inner):
                stages.append(found[1])
        return Flow(stages, self.label(place)) if len(stages) > 1 else None

    def repeat(self, place: Place) -> Flow | None:
        """`label: n * Layer(…)`."""
        found = self.layer(place, "module")
        names = [n for n, v in self.worths(place).items() if type(v) is int and 0 < v < 4]
        count = self.choice([*names, "2", "3", "(1 + 1)"])
        if found is None or (self.plain and found[1].value(place.runs[0].copy()).rank != place.flow.rank):
            return None
        return Flow([Repeat(count, found[1])], self.label(place))

    def group(self, place: Place) -> Group | None:
        """`(a: A; b; c: C)` in a class."""
        inner = place.on([run.copy() for run in place.runs])
        body: list[Flow] = []
        for _ in range(self.randint(1, 3)):
            found = self.choice([self.module, self.module, self.function])(inner)
            if found and self.fits(found, inner):
                body.append(found)
        return Group(body) if body else None
