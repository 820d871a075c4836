"""The stages of a chain: each can be written, and applied to what reaches it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tests.generator.running import Invalid, Run, Tensor, apply_layer

from netc.layer import Layer
from netc.shapes import Value


class Runs(Protocol):
    """A statement, as far as a stage that holds some needs to know it."""

    @property
    def text(self) -> str: ...

    def run(self, run: Run) -> None: ...


def same_shape(a: Value, b: Value) -> bool:
    return a.shape == b.shape and a.kind == b.kind


def only_value(found: Any) -> Value:
    if not isinstance(found, Value):
        raise Invalid
    return found


# ---- stages -----------------------------------------------------------------------------------


@dataclass
class Call:
    """`Conv(8, kernel_size=3)`: a layer, a function, a block or a value that can be applied."""

    name: str
    args: Sequence[str] = ()
    kwargs: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        inner = ", ".join([*self.args, *(f"{name}={value}" for name, value in self.kwargs.items())])
        return f"{self.name}({inner})" if inner else self.name

    def run(self, run: Run) -> tuple[Layer | None, Any]:
        """The layer (None for a block) and what comes out."""
        made = run.find(self.name)
        args = [run.worth(arg) for arg in self.args]
        kwargs = {**made.kwargs, **{name: run.worth(value) for name, value in self.kwargs.items()}}
        if not isinstance(made.target, type):
            return None, made.target.call(run, [*made.args, *args], kwargs)
        cls: type[Layer] = made.target
        tensors = [arg.value for arg in args if isinstance(arg, Tensor)]
        rest = (*made.args, *(arg for arg in args if not isinstance(arg, Tensor)))
        wanted = [name for name in cls.inputs if not name.endswith("?")]
        if len(tensors) < max(len(wanted), 1) or (wanted == ["*tensors"] and len(tensors) < 2):
            tensors = [only_value(run.flow), *tensors]
        layer, found = apply_layer(cls, rest, kwargs, tuple(tensors), run)
        if isinstance(found, tuple) and cls.flow is not None:
            if self.name[0].isupper():
                raise Invalid  # one value leaves a module
            found = found[cls.flow]
        return layer, found

    def value(self, run: Run) -> Any:
        return self.run(run)[1]


@dataclass
class Named:
    """A tensor under a name, which becomes the flow; or a label, whose module is applied again."""

    name: str

    @property
    def text(self) -> str:
        return self.name

    def value(self, run: Run) -> Any:
        if self.name == "x" and run.x is not None:
            return run.x
        if self.name == "_":
            return run.flow
        found = run.names.get(self.name)
        if isinstance(found, Tensor):
            return found.value
        if found is not None or self.name not in run.labels:
            raise Invalid
        _, (made_for, output) = run.labels[self.name]
        if not isinstance(run.flow, Value) or run.flow != made_for:
            raise Invalid
        return output


@dataclass
class Repeat:
    """`n * Block(…)`."""

    count: str
    call: Call

    @property
    def text(self) -> str:
        return f"{self.count} * {self.call.text}"

    def value(self, run: Run) -> Any:
        count = run.evaluate(self.count)
        if not isinstance(count, int) or not 0 <= count <= 4:
            raise Invalid
        for _ in range(count):
            run.flow = self.call.value(run)
        return run.flow


@dataclass
class Group:
    """Statements in parentheses."""

    body: Sequence[Runs]

    @property
    def text(self) -> str:
        return f"({'; '.join(statement.text for statement in self.body)})"

    def value(self, run: Run) -> Any:
        for statement in self.body:
            statement.run(run)
        return run.flow


@dataclass
class InlineFork:
    """`fork add(… | …)`."""

    join: str
    branches: Sequence[Runs]

    @property
    def text(self) -> str:
        return f"fork {self.join}({' | '.join(branch.text for branch in self.branches)})"

    def value(self, run: Run) -> Any:
        return joined(self.join, self.branches, run)


Stage = Call | Named | Repeat | Group | InlineFork


def joined(join: str, branches: Sequence[Any], run: Run) -> Any:
    """What comes out of branches that all start with the same value."""
    start, results = only_value(run.flow), []
    for branch in branches:
        run.flow = start
        branch.run(run)
        results.append(only_value(run.flow))
    if join == "cat":
        return combined("cat", results, run)
    first = results[0]
    if first.kind != "float" or not all(same_shape(first, other) for other in results):
        raise Invalid
    if join == "stack":
        return combined("stack", results, run, dim=1)
    return first


def combined(name: str, values: Sequence[Value], run: Run, **kwargs: Any) -> Value:
    layer = run.registry.layer(name)
    assert layer is not None
    return only_value(apply_layer(layer, (), kwargs, tuple(values), run)[1])


def operated(op: str, start: Any, found: Any, run: Run) -> Any:
    """What an operator at the start of a statement makes of the flow and the rest of the statement."""
    if op == "side":
        return start
    if op in ("", "inline"):
        return found
    if op == "&":
        return combined("cat", [only_value(start), only_value(found)], run)
    result = combined("add" if op == "+" else "mul", [only_value(start), only_value(found)], run)
    if result.shape != start.shape or result.kind != "float":
        raise Invalid
    return replace(result, channel=start.channel)
