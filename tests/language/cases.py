"""What a case of the language is, and the comparisons that every case goes through.

`NAME.net` is the spec, `NAME.py` its twin written by hand in plain PyTorch. The twin's file has a class `Twin`, whose
constructor takes the net's parameters, and may have

- `NET`: the net or variant to build, by default the file's first;
- `PARAMS`: the sets of parameters to try, by default none given; each goes to the spec, to the class emitted for the
  defaults and to the twin;
- `FROZEN`: the parameters that the emitted class does not take, because they select parts of the network;
- `SIZES`: what the symbols of the input stand for, by default the batch `N` is 2 and every other size 8;
- `HIGH`: the number under which the values of an integer input stay, by default 5;
- `SEEDED`: False where the twin draws its first weights in another order than the spec does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from netc.pipeline import Compiled, compile
from netc.shapes import Value
from netc.terms import Dim

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """A spec with its twin."""

    name: str

    @property
    def path(self) -> Path:
        return HERE / f"{self.name}.net"

    @property
    def net(self) -> str | None:
        return getattr(twin_module(self.name), "NET", None)

    @property
    def params(self) -> list[dict[str, Any]]:
        return getattr(twin_module(self.name), "PARAMS", [{}])

    @property
    def frozen(self) -> set[str]:
        return set(getattr(twin_module(self.name), "FROZEN", ()))

    @property
    def seeded(self) -> bool:
        return getattr(twin_module(self.name), "SEEDED", True)

    def sizes(self, term: Dim) -> int:
        """A size of the input with numbers for its symbols."""
        if isinstance(term, int):
            return int(term)
        known = {"N": 2, **getattr(twin_module(self.name), "SIZES", {})}
        return term.evaluate(lambda atom: known.get(atom.label, 8))

    def twin(self, **params: Any) -> nn.Module:
        made: nn.Module = twin_module(self.name).Twin(**params)
        return made

    def inputs(self, compiled: Compiled) -> list[Tensor]:
        return [self.draw(value) for value in compiled.graph.inputs.values()]

    def draw(self, value: Value) -> Tensor:
        shape = [self.sizes(size) for size in value.shape]
        if value.kind == "float":
            return torch.randn(shape)
        high = 2 if value.kind == "bool" else getattr(twin_module(self.name), "HIGH", 5)
        drawn = torch.randint(high, shape)
        return drawn.bool() if value.kind == "bool" else drawn


@cache
def twin_module(name: str) -> ModuleType:
    spec = spec_from_file_location(f"language_{name}", HERE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def compiled(case: Case, index: int | None) -> Compiled:
    """The spec compiled for a set of parameters; for its defaults with None."""
    return compile(case.path, case.net, params={} if index is None else spoken(case.params[index]))


def spoken(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters as the compiler reads them: a text is an expression there."""
    return {name: f'"{value}"' if isinstance(value, str) else value for name, value in params.items()}


def leaves(output: Any) -> Iterator[tuple[str, Any]]:
    """The tensors of an output with the way to them; records and dicts by their names."""
    if isinstance(output, dict):
        for name, item in output.items():
            yield from ((f".{name}{path}", leaf) for path, leaf in leaves(item))
    elif isinstance(output, tuple | list):
        names = getattr(output, "_fields", range(len(output)))
        for name, item in zip(names, output, strict=True):
            yield from ((f".{name}{path}", leaf) for path, leaf in leaves(item))
    else:
        yield "", output


def ran(module: nn.Module, inputs: list[Tensor], training: bool) -> tuple[Any, dict[str, Tensor], dict[str, Tensor]]:
    """What a module gives, the gradients, and its buffers after the run; always from the same seed."""
    module.train(training)
    module.zero_grad(set_to_none=True)
    torch.manual_seed(7)
    output = module(*inputs)
    total = sum((leaf.float().square().sum() for _, leaf in leaves(output) if leaf is not None), torch.zeros(()))
    if total.requires_grad:
        total.backward()
    gradients = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
    return output, gradients, {name: buffer.clone() for name, buffer in module.named_buffers()}


def assert_alike(mine: nn.Module, twin: nn.Module, inputs: list[Tensor]) -> None:
    """The same state, and the same numbers bit by bit in both modes."""
    keys = [(key, tuple(tensor.shape)) for key, tensor in mine.state_dict().items()]
    assert_equal(keys, [(key, tuple(tensor.shape)) for key, tensor in twin.state_dict().items()], "state")
    names = [[name for name, _ in module.named_parameters()] for module in (mine, twin)]
    assert_equal(names[0], names[1], "parameters")
    mine.load_state_dict(twin.state_dict())
    twin.load_state_dict(mine.state_dict())
    for training in (True, False):
        (got, gradients, buffers), (wanted, theirs, other) = (ran(m, inputs, training) for m in (mine, twin))
        mode = "training" if training else "evaluating"
        assert_same(dict(leaves(got)), dict(leaves(wanted)), f"output when {mode}")
        assert_same(gradients, theirs, f"gradients when {mode}")
        assert_same(buffers, other, f"buffers when {mode}")


def assert_equal(mine: object, wanted: object, what: str) -> None:
    assert mine == wanted, f"{what}: {mine}, not {wanted}"


def assert_same(mine: dict[str, Any], twin: dict[str, Any], what: str) -> None:
    assert_equal(list(mine), list(twin), what)
    for name, tensor in mine.items():
        if tensor is None or twin[name] is None:
            assert tensor is twin[name], f"{what}: {name}"
            continue
        assert tensor.shape == twin[name].shape, f"{what}: {name}"
        assert torch.equal(tensor, twin[name]), f"{what}: {name} by {(tensor.float() - twin[name].float()).abs().max()}"


def assert_predicted(case: Case, spec: Compiled, module: nn.Module, inputs: list[Tensor]) -> None:
    """What netc says of every shape is what comes out: of the whole, and of each module when it first runs."""
    seen: dict[str, Any] = {}

    def note(path: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            seen.setdefault(path, output)

        return hook

    handles = [child.register_forward_hook(note(path)) for path, child in module.named_modules() if path]
    module.eval()
    output = module(*inputs)
    for handle in handles:
        handle.remove()
    assert_equal(shapes(output), predicted(case, spec.graph.output), "the network")
    for path, node in spec.graph.root.walk():
        if path in seen:
            assert_equal(shapes(seen[path]), predicted(case, node.output), path)


def shapes(output: Any) -> dict[str, tuple[int, ...]]:
    """The shapes of what came out; what a layer leaves out, as PyTorch does with None, has none."""
    return {path: tuple(leaf.shape) for path, leaf in leaves(output) if leaf is not None}


def predicted(case: Case, output: Any) -> dict[str, tuple[int, ...]]:
    return {path: tuple(case.sizes(size) for size in value.shape) for path, value in leaves(output)}


CASES = [Case(path.stem) for path in sorted(HERE.glob("*.net")) if path.with_suffix(".py").exists()]
