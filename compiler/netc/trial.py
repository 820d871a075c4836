"""Layers run on tensors, called as emitted code calls them: what comes out, as the values that rules speak of.

Used by the conformance suite, and when a module is loaded: what the rules of plugins say is held to what comes out.
"""

from __future__ import annotations

import ast
import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import chain, islice
from itertools import product as choices
from typing import TYPE_CHECKING, Any

from netc.contract import described as owned
from netc.contract import is_built_in
from netc.graph import Call, Module, Network
from netc.layer import Dotted, Ints, Layer, Reject
from netc.registry import PluginError
from netc.shapes import BATCH, Kind, Value, product
from netc.terms import Dim, Relation, Symbol, Term

if TYPE_CHECKING:
    from torch import nn

SMALL = 500_000
"""Elements up to which a layer is run with values: PyTorch needs a second for its first run without any."""


# ---- calls -------------------------------------------------------------------------------------------


def call_module(layer: Layer, module: Any, tensors: Sequence[Any]) -> Any:
    """The module called as the emitted code calls it, with what stands for inputs that are left out."""
    stand_ins = layer.stand_ins()
    if layer.tupled:
        alone = len(stand_ins) - len(layer.tupled)
        tensors = [*tensors[:alone], *([tuple(tensors[alone:])] if tensors[alone:] else [])]
    if not layer.at_call:
        return module(*tensors)
    given = dict(zip(stand_ins, tensors, strict=False))
    for name, other in stand_ins.items():
        if other in given:
            given.setdefault(name, given[other])
    named = {name: given.pop(name) for name in list(given) if stand_ins[name] == "?"}
    return module(*given.values(), **named, **layer.call_arguments())


def call_function(layer: Layer, function: Any, tensors: Sequence[Any], arguments: dict[str, Any]) -> Any:
    """The function of a layer, or the method of the first tensor, called as the emitted code calls it."""
    assert layer.function is not None
    required = sum(1 for name in arguments if name not in layer.fields or layer.fields[name].required)
    args, kwargs = spread(layer, arguments, required if layer.positional is None else layer.positional)
    for name, source in layer.function_extra.items():
        kwargs[name] = read_extra(source)
    if layer.function.startswith("."):
        return getattr(tensors[0], layer.function[1:])(*tensors[1:], *args, **kwargs)
    operands = [list(tensors)] if layer.inputs[0].startswith("*") and not layer.leading else list(tensors)
    first = args[: layer.leading]
    return function(*first, *operands, *args[layer.leading :], **kwargs)


def spread(layer: Layer, arguments: dict[str, Any], positional: int) -> tuple[list[Any], dict[str, Any]]:
    """Arguments by position and by name; a variadic one is always given by position, one by one."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for i, (name, value) in enumerate(arguments.items()):
        given = layer.fields.get(name)
        if isinstance(given, Ints) and given.variadic:
            args += value
        elif i < positional:
            args.append(value)
        else:
            kwargs[name] = value
    return args, kwargs


def as_given(value: Any) -> Any:
    """A value as PyTorch is given it: a sequence as a tuple, a dotted name as the class."""
    return tuple(value) if isinstance(value, list) else locate(value.name) if isinstance(value, Dotted) else value


def read_extra(source: str) -> Any:
    """The worth of a source such as `self.training`, in training."""
    return True if source == "self.training" else ast.literal_eval(source)


def locate(dotted: str) -> Any:
    """What a dotted name such as `torch.nn.functional.relu` names; AttributeError if nothing."""
    head, *rest = dotted.split(".")
    found: Any = import_module(head)
    path = head
    for part in rest:
        path += f".{part}"
        try:
            found = getattr(found, part)
        except AttributeError:
            try:
                found = import_module(path)
            except ImportError:
                raise AttributeError(f"{dotted} does not exist") from None
    return found


# ---- values ------------------------------------------------------------------------------------------


def make_tensor(value: Value, device: str) -> Any:
    import torch

    dtype = {"float": torch.get_default_dtype(), "int": torch.int64, "bool": torch.bool}[value.kind]
    return torch.zeros(tuple(int(size) for size in value.shape if isinstance(size, int)), dtype=dtype, device=device)


def kind_of(dtype: Any) -> Kind:
    if dtype.is_floating_point:
        return "float"
    return "bool" if str(dtype) == "torch.bool" else "int"


def read_back(output: Any) -> Any:
    """Tensors as values, tuples as tuples."""
    if isinstance(output, tuple | list):
        return tuple(read_back(item) for item in output if item is not None)
    return Value(tuple(output.shape), kind_of(output.dtype), None)


def forget_channels(output: Any) -> Any:
    """The output without its channel axes, which torch does not know (but wrong ones stay); sizes as plain integers."""
    if isinstance(output, tuple):
        return tuple(forget_channels(item) for item in output)
    channel = None if output.channel in range(output.rank) else output.channel
    return replace(output, shape=tuple(plain(size) for size in output.shape), channel=channel)


def plain(size: Any) -> Any:
    return (size if size.constant is None else size.constant) if isinstance(size, Term) else int(size)


def flat(output: Any) -> Iterator[Value]:
    if isinstance(output, Value):
        yield output
        return
    for item in output:
        yield from flat(item)


def described(output: Any) -> str:
    return str(output) if isinstance(output, Value) else ", ".join(described(item) for item in output)


def holds(relation: Relation, numbers: Mapping[str, int]) -> bool:
    """Whether an assumption is true of the numbers; one that cannot be read counts as untrue."""
    left, right = (number_of(side, numbers) for side in (relation.left, relation.right))
    if relation.operator == "==":
        return left == right
    if relation.operator == ">=":
        return left >= right
    _, by, _ = relation.operator.split()
    return by.isdigit() and left % int(by) == right


def number_of(size: Dim, numbers: Mapping[str, int]) -> int:
    return size.evaluate(lambda atom: numbers[atom.label]) if isinstance(size, Term) else int(size)


# ---- what rules promise ------------------------------------------------------------------------------

TRIED = (12, 32, 64, 224, 16, 8, 48, 96, 128, 7, 5, 1)
"""Numbers that are tried for sizes that only a run decides."""
MOST = 2_000
"""So many choices are tried for sizes that cannot all be alike."""
BOTH = 2
"""The batch of a trial."""
LONGEST = 300
"""Characters of a warning, which says what a layer raised."""
Trial = tuple[str, Call]


def check_promises(model: nn.Module, network: Network) -> None:
    """Holds the shape rule of each layer that a plugin brought to what its module or function gives in this model.

    Copies of them are run on zeros, so that nothing in the model changes; on the meta device where these are many, so
    that nothing is computed. Raises PluginError where another shape comes out; warns where a layer cannot be run, which
    may be for want of a device.
    """
    import torch

    trials = list(foreign(network.root))
    if not trials:
        return
    sizes = some_sizes(network)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for path, call in trials:
            check_promise(model, path, call, sizes)


def foreign(root: Module) -> Iterator[Trial]:
    """The calls of layers that are none of netc's own, each once, with the path of the module; "" for a function."""
    pending, met = [("", root)], set()
    while pending:
        prefix, module = pending.pop()
        for call in module.calls:
            path = "" if call.label is None else prefix + call.label
            if call.module is not None and id(call.module) not in met:
                met.add(id(call.module))
                pending.append((f"{path}.", call.module))
            elif call.layer is not None and not is_built_in(type(call.layer)):
                yield path, call


def some_sizes(network: Network) -> Mapping[str, int] | None:
    """A number for each size that only a run decides, such as the network takes; None where none is found."""
    shapes = [value.shape for value in network.inputs.values()]
    atoms = (atom for shape in shapes for size in shape for atom in Term.of(size).atoms())
    names = list(dict.fromkeys(atom.name for atom in atoms if isinstance(atom, Symbol) and atom.name != BATCH))
    alike = ((size,) * len(names) for size in TRIED)
    for tried in chain(alike, islice(choices(TRIED, repeat=len(names)), MOST)):
        sizes = dict(zip(names, tried, strict=True)) | {BATCH: BOTH}
        if all(holds(relation, sizes) for relation, _ in network.constraints):
            return sizes
    return None


def check_promise(model: nn.Module, path: str, call: Call, sizes: Mapping[str, int] | None) -> None:
    """One call. Raises PluginError; warns where the layer cannot be tried."""
    layer = call.layer
    assert layer is not None
    inputs = None if sizes is None else tuple(numbered(value, sizes) for value in call.inputs)
    if inputs is None:
        return untold(layer, "no sizes are found that the network takes")
    try:
        promised = forget_channels(layer.infer(*inputs))
    except Reject as error:
        return untold(layer, str(error))
    received = ", ".join(str(value) for value in inputs if value is not None)
    try:
        given = read_back(applied(model, path, layer, inputs))
    except Exception as error:
        return untold(layer, f"for {received} it raises {type(error).__name__}: {' '.join(str(error).split())}")
    if given != promised:
        place = f" (`{path}`)" if path else ""
        text = f"its shape rule says {described(promised)} for {received}, but it gives {described(given)}"
        raise PluginError(f"{owned(type(layer))}{place}: {text}")
    return None


def numbered(value: Value | None, sizes: Mapping[str, int]) -> Value | None:
    return None if value is None else value.with_shape(number_of(size, sizes) for size in value.shape)


def untold(layer: Layer, reason: str) -> None:
    text = f"{owned(type(layer))}: its shape rule could not be checked: {reason}"
    warnings.warn(text[:LONGEST], RuntimeWarning, stacklevel=2)


def applied(model: nn.Module, path: str, layer: Layer, inputs: Sequence[Value | None]) -> Any:
    """What a module of the model, or a function, makes of zeros, with values where these are few."""
    import sys

    import torch

    elements = sum(plain(product(value.shape)) for value in inputs if value is not None)
    module = model.get_submodule(path) if path else None
    kept = [] if module is None else [*module.parameters(), *module.buffers()]
    here = next((tensor.device for tensor in (*model.parameters(), *model.buffers())), torch.empty(0).device)
    many = elements > SMALL or sum(tensor.numel() for tensor in kept) > 10 * SMALL
    device = "meta" if many else str(here)
    tensors = [None if value is None else make_tensor(value, device) for value in inputs]
    if module is not None:
        return call_module(layer, copied(module, device).eval(), tensors)
    values = [value for value in inputs if value is not None]
    target = layer.function or ""
    if target.startswith("own:"):
        function = getattr(sys.modules[type(model).__module__], target.removeprefix("own:"))
    else:
        function = None if target.startswith(".") else locate(target.format(n=layer.dimensions(*values)))
    given = {name: as_given(value) for name, value in layer.function_arguments(*values).items()}
    return call_function(layer, function, tensors, given)


def copied(module: nn.Module, device: str) -> nn.Module:
    """A copy; on the meta device its tensors have no values, so that it costs nothing."""
    import torch
    from torch import nn

    memo: dict[int, Any] = {}
    if device == "meta":
        memo = {id(tensor): torch.empty_like(tensor, device=device) for tensor in module.buffers()}
        for parameter in module.parameters():
            empty = torch.empty_like(parameter, device=device)
            memo[id(parameter)] = nn.Parameter(empty, requires_grad=parameter.requires_grad)
    return copy.deepcopy(module, memo)
