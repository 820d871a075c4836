"""The statements and blocks of a generated spec: each can be written, and run on what reaches it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.generator.chains import Call, Named, Stage, joined, operated
from tests.generator.running import Invalid, Run, Tensor, limit

from netc.layer import Layer
from netc.shapes import Kind, Value
from netc.terms import Term

# A line of a spec: its text and, where it opens a block, what stands in it.
Line = tuple[str, "list[Line] | None"]


@dataclass
class Flow:
    """`+ label: a -> b when c`. The stages of a labelled chain are members of a Sequential."""

    stages: Sequence[Stage] = ()
    label: str | None = None
    op: str = ""
    when: str | None = None

    @property
    def text(self) -> str:
        parts = [self.op, f"{self.label}:" if self.label else "", " -> ".join(stage.text for stage in self.stages)]
        return " ".join(part for part in parts if part) + (f" when {self.when}" if self.when else "")

    def lines(self) -> list[Line]:
        return [(self.text, None)]

    def run(self, run: Run) -> None:
        if self.when is None or run.truth(self.when):
            self.through(run)

    def through(self, run: Run) -> None:
        """Runs the statement whatever its condition says."""
        start = run.flow
        layer: Layer | None = None
        for stage in self.stages:
            if isinstance(stage, Call):
                layer, run.flow = stage.run(run)
            else:
                run.flow = stage.value(run)
        if self.label is not None:
            self.remember(run, start, layer)
        run.flow = operated(self.op, start, run.flow, run)
        limit(run.flow)

    def remember(self, run: Run, start: Any, layer: Layer | None) -> None:
        label = str(run.evaluate(self.label)) if self.label and self.label.startswith('"') else str(self.label)
        if label in run.labels:
            raise Invalid
        run.labels[label] = (layer if len(self.stages) == 1 else None, (start, run.flow))


@dataclass
class Suite:
    """`+ label:` and an indented block, which is a Sequential or a class of its own."""

    label: str
    body: Sequence[Statement]
    op: str = ""

    def lines(self) -> list[Line]:
        return [(f"{self.op} {self.label}:".strip(), written(self.body))]

    def run(self, run: Run) -> None:
        start = run.flow
        inner = run.inner(start)
        for statement in self.body:
            statement.run(inner)
        run.flow = operated(self.op, start, inner.flow, run)
        Flow(label=self.label).remember(run, start, None)


@dataclass
class Fork:
    """`fork cat:` with a branch on each line; without a join the branches are assignments."""

    join: str
    branches: Sequence[Statement]
    op: str = ""
    label: str | None = None

    def lines(self) -> list[Line]:
        head = " ".join(part for part in (self.op, f"{self.label}:" if self.label else "", "fork", self.join) if part)
        return [(f"{head}:", written(self.branches))]

    def run(self, run: Run) -> None:
        start = run.flow
        if self.join:
            run.flow = operated(self.op, start, joined(self.join, self.branches, run), run)
            limit(run.flow)
            return
        for branch in self.branches:
            run.flow = start
            branch.run(run)
        run.flow = start


@dataclass
class For:
    target: str
    items: str
    body: Sequence[Statement]

    def lines(self) -> list[Line]:
        return [(f"for {self.target} in {self.items}:", written(self.body))]

    def run(self, run: Run) -> None:
        entries = run.evaluate(self.items)
        if not isinstance(entries, list | tuple | range | enumerate | zip):
            raise Invalid
        before = set(run.names)
        for count, entry in enumerate(entries):
            if count > 4:
                raise Invalid
            bind_target(self.target, entry, run)
            for statement in self.body:
                statement.run(run)
        if run.plain:
            run.names = {name: value for name, value in run.names.items() if name in before}


def bind_target(target: str, entry: Any, run: Run) -> None:
    """Gives the names of a loop's target their values: `i`, or `i, (a, b)`."""
    names: dict[str, Any] = {}
    exec(f"{target} = entry", {"entry": entry}, names)
    run.names |= names


@dataclass
class If:
    branches: Sequence[tuple[str, Sequence[Statement]]]
    otherwise: Sequence[Statement] = ()

    def lines(self) -> list[Line]:
        found: list[Line] = []
        for i, (condition, body) in enumerate(self.branches):
            found.append((f"{'elif' if i else 'if'} {condition}:", written(body)))
        if self.otherwise:
            found.append(("else:", written(self.otherwise)))
        return found

    def run(self, run: Run) -> None:
        taken = next((body for condition, body in self.branches if run.truth(condition)), self.otherwise)
        for statement in taken:
            statement.run(run)


@dataclass
class Keep:
    """`y = _`, `a, b = chunk(_, 2)`, `mid = x.c // 2`, `act = LeakyReLU(0.1)`: a name for a value."""

    targets: Sequence[str]
    stages: Sequence[Stage] = ()
    expression: str = ""
    layer: Call | None = None

    @property
    def text(self) -> str:
        right = " -> ".join(stage.text for stage in self.stages)
        right = right or self.expression or (self.layer.text if self.layer else "")
        return f"{', '.join(self.targets)} = {right}"

    def lines(self) -> list[Line]:
        return [(self.text, None)]

    def run(self, run: Run) -> None:
        run.names |= dict(zip(self.targets, self.values(run), strict=True))

    def values(self, run: Run) -> list[Any]:
        if self.layer is not None:
            return [run.worth(self.layer.text)]
        if self.expression:
            return [run.evaluate(self.expression)]
        start = run.flow
        for stage in self.stages:
            run.flow = stage.value(run)
        found, run.flow = run.flow, start
        several = found if isinstance(found, tuple) else (found,)
        if len(several) != len(self.targets) or not all(isinstance(value, Value) for value in several):
            raise Invalid
        return [Tensor(value) for value in several]


@dataclass
class Own:
    """`param name(sizes) = init`, and `buffer`."""

    keyword: str
    name: str
    sizes: Sequence[str]
    init: str

    @property
    def text(self) -> str:
        return f"{self.keyword} {self.name}({', '.join(self.sizes)}) = {self.init}"

    def lines(self) -> list[Line]:
        return [(self.text, None)]

    def run(self, run: Run) -> None:
        sizes = tuple(run.evaluate(size) for size in self.sizes)
        if not all(isinstance(size, int) and not isinstance(size, Term) and 0 < size < 50 for size in sizes):
            raise Invalid
        run.names[self.name] = Tensor(Value(sizes, "float", None))


@dataclass
class Rule:
    """`init`, `order`, `tie`, `default`: a statement about labels that moves nothing. `fits` says whether it holds."""

    text: str
    labels: Sequence[str] = ()
    tied: bool = False
    default: tuple[str, dict[str, Any]] | None = None

    def lines(self) -> list[Line]:
        return [(self.text, None)]

    def run(self, run: Run) -> None:
        if not all(label in run.labels for label in self.labels):
            raise Invalid
        if self.tied and len({self.weight(run, label) for label in self.labels}) > 1:
            raise Invalid
        if self.default is not None:
            name, given = self.default
            run.defaults[name] = {**run.defaults.get(name, {}), **given}

    def weight(self, run: Run, label: str) -> Any:
        layer, (start, _) = run.labels[label]
        state = layer.kept(start) if layer is not None else {}
        if "weight" not in state:
            raise Invalid
        return state["weight"].shape


@dataclass
class Return:
    """`return a, b`, `return {a: b}`, `return Record(a=b)`, `return Record(main=_, aux=aux) if training else _`."""

    text: str
    values: Sequence[str]

    def lines(self) -> list[Line]:
        return [(self.text, None)]

    def run(self, run: Run) -> None:
        found = tuple(run.labels[n][1][1] if n in run.labels else Named(n).value(run) for n in self.values)
        run.returned = found if len(found) > 1 else found[0]


@dataclass
class Input:
    """`input 3xHxW`, `input tokens: int(T)`: one of the values that a net is given."""

    sizes: str
    name: str = ""
    kind: Kind = "float"

    @property
    def text(self) -> str:
        sizes = self.sizes if self.kind == "float" else f"{self.kind}({self.sizes})"
        return f"input {self.name}: {sizes}" if self.name else f"input {sizes}"

    def lines(self) -> list[Line]:
        return [(self.text, None)]

    def run(self, run: Run) -> None:
        parts = re.split(r"[x,() ]+", self.sizes.strip("()"))
        value = Value((run.batch, *(run.size(part) for part in parts if part)), self.kind)
        value = replace(value, channel=1 if value.rank > 1 and self.kind == "float" else None)
        if self.name:
            run.names[self.name] = Tensor(value)
        else:
            run.flow = run.x = value


Statement = Flow | Suite | Fork | For | If | Keep | Own | Rule | Return | Input


def written(body: Sequence[Statement]) -> list[Line]:
    return [line for statement in body for line in statement.lines()]


# ---- definitions ------------------------------------------------------------------------------


@dataclass
class Parameter:
    """A parameter, what it is by default (None for none), and what else it might be given."""

    name: str
    default: str | None
    others: Sequence[str]

    @property
    def text(self) -> str:
        return self.name if self.default is None else f"{self.name}={self.default}"


@dataclass
class Define:
    """`def` or `net`, with what its labels are; `sequential` if it only places modules."""

    keyword: str
    name: str
    parameters: Sequence[Parameter]
    body: Sequence[Statement]
    sequential: bool = False

    def lines(self) -> list[Line]:
        given = f"({', '.join(parameter.text for parameter in self.parameters)})" if self.parameters else ""
        return [(f"{self.keyword} {self.name}{given}:", written(self.body))]

    def call(self, run: Run, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """What comes out of the block for the flow of a run, or several values."""
        names = dict(zip((parameter.name for parameter in self.parameters), args, strict=False)) | kwargs
        inner = run.call({}, run.flow)
        for parameter in self.parameters:
            if parameter.name not in names:
                if parameter.default is None:
                    raise Invalid
                names[parameter.name] = inner.worth(parameter.default)
        inner.names = names
        for statement in self.body:
            statement.run(inner)
        return inner.flow if inner.returned is None else inner.returned

    @property
    def labels(self) -> set[str]:
        """The labels that an `inline` brings, and more: every word of the text."""
        return {word.rstrip("_") for word in re.findall(r"\w+", "\n".join(flat(written(self.body))))}


def flat(lines: Sequence[Line]) -> list[str]:
    """The texts of lines and of all that stand in them."""
    return [text for head, inner in lines for text in (head, *flat(inner or ()))]
