"""A layer's rule against the real PyTorch object: over its examples and random configurations, valid and invalid.

They run on the meta device, small ones on the CPU too, where some kinds are refused that the meta device lets pass.
What the rule rejects, torch must reject, unless the result is empty or the documentation says "Stricter than torch";
shapes, kinds, state and documented defaults must be torch's. Of a layer with source of its own that source stands for
torch, and need not check the ranges of the fields. Then sizes are replaced by symbols: whatever the rule says of
symbols must hold for the numbers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from netc.contract import ContractError
from netc.emit.pasting import given_imports
from netc.layer import BadArgument, Layer, Reject, State, show
from netc.recipe import Part
from netc.registry import said
from netc.shapes import product
from netc.terms import Dim, Ledger, Symbol, Term
from netc.testing.cases import Case, Draw
from netc.trial import (
    SMALL,
    as_given,
    call_function,
    call_module,
    described,
    flat,
    forget_channels,
    holds,
    kind_of,
    locate,
    make_tensor,
    number_of,
    plain,
    read_back,
    spread,
)

SHOWN = 10
"""Disagreements that a report prints."""
REFUSALS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True)
class Verdict:
    """What a rule or torch says of a configuration: what comes out and what is kept, or why not."""

    output: Any = None
    state: dict[str, State] | None = None
    refusal: str | None = None
    field: str | None = None
    declared: bool = False
    """Refused for a kind or rank that the class does not list, or where the source is its own, for a field's range."""
    broken: str | None = None
    """What the rule raised that is no refusal, or gave that is no answer."""
    multiply_adds: int | None = None
    """Those of its convolutions and products of matrices, None where they are not known or not counted."""


@dataclass
class Report:
    """How often the rule and torch agreed; each disagreement with what reproduces it."""

    layer: str
    valid: int = 0
    invalid: int = 0
    stricter: int = 0
    symbolic: int = 0
    disagreements: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.disagreements and self.valid > 0

    def __str__(self) -> str:
        counts = f"{self.valid} valid, {self.invalid} invalid, {self.stricter} stricter, {self.symbolic} symbolic"
        shown, left = self.disagreements[:SHOWN], len(self.disagreements) - SHOWN
        more = [f"... and {left} more"] * (left > 0)
        none = ["no configuration is valid: give more examples, or fields with ranges"] * (not self.valid)
        return "\n".join([f"{self.layer}: {counts}, {len(self.disagreements)} disagreements", *shown, *more, *none])


def check_layer(cls: type[Layer], *, configurations: int = 200, seed: int = 0) -> Report:
    """Compares a layer's rule with torch over its examples and `configurations` random ones."""
    report = Report(cls.__name__)
    report.disagreements += compare_defaults(cls)
    draw = Draw(cls, seed)
    for case, expected in draw.examples:
        verdict = judge(cls, case)
        if verdict.refusal or (not verdict.broken and [*flat(verdict.output)] != [*expected]):
            found = verdict.refusal or described(verdict.output)
            report.disagreements.append(f"example {case}: says {described(expected)}, gives {found}")
        compare(cls, case, report)
        check_symbols(cls, case, report, draw)
    for _ in range(configurations):
        case = draw.case()
        compare(cls, case, report)
        check_symbols(cls, case, report, draw)
    return report


# ---- the rule and torch ------------------------------------------------------------------------------


def judge(cls: type[Layer], case: Case) -> Verdict:
    """What the rule says."""
    try:
        layer = cls.bind((), case.arguments)
        layer.admit(*case.inputs)
        layer.refuse_sizes(*case.inputs, made=case.form == "module")
    except BadArgument as error:
        own = str(cls.module if case.form == "module" else cls.function).startswith("own:")
        return Verdict(refusal=str(error), field=error.name, declared=own)
    except Reject as error:
        return Verdict(refusal=str(error), declared=True)
    try:
        output = forget_channels(layer.infer(*case.inputs))
        return Verdict(output, layer.kept(*case.inputs) if case.form == "module" else {})
    except Reject as error:
        return Verdict(refusal=str(error), field=error.field)
    except ContractError as error:
        return Verdict(broken=str(error))
    except Exception as error:
        hint = "; what it cannot take, it refuses by `raise Reject(...)`" * (not isinstance(error, NotImplementedError))
        return Verdict(broken=f"the rule raises {said(error)}{hint}")


def compare(cls: type[Layer], case: Case, report: Report) -> None:
    """Runs one configuration through the rule and through torch, and counts the outcome."""
    ours = judge(cls, case)
    if ours.broken:
        report.disagreements.append(f"{case}: {ours.broken}")
        return
    theirs = perform(cls, case, "meta", ours.field)
    if theirs is not None and small(case) and (differing(ours, theirs) or "float" not in {v.kind for v in case.inputs}):
        theirs = perform(cls, case, "cpu", ours.field)
    if theirs is None or "meta tensors" in (theirs.refusal or ""):
        return
    difference = differing(ours, theirs) or differing_costs(cls, case, theirs)
    if difference is None:
        report.valid += ours.refusal is None
        report.invalid += ours.refusal is not None
    elif ours.refusal and (ours.declared or documented_stricter(cls) or is_empty(theirs.output)):
        report.stricter += 1
    else:
        report.disagreements.append(f"{case}: {difference}")


def differing(ours: Verdict, theirs: Verdict) -> str | None:
    """How two verdicts differ, in words."""
    if ours.refusal and theirs.refusal:
        return None
    if ours.refusal:
        return f"refused ({ours.refusal}), torch gives {described(theirs.output)}"
    if theirs.refusal:
        return f"gives {described(ours.output)}, torch refuses ({theirs.refusal})"
    if described(ours.output) == described(theirs.output) and ours.output != theirs.output:
        return f"says that the channels of {described(ours.output)} are in a dimension which does not exist"
    if ours.output != theirs.output:
        return f"gives {described(ours.output)}, torch {described(theirs.output)}"
    if theirs.state is not None and list((ours.state or {}).items()) != list(theirs.state.items()):
        return f"keeps {ours.state}, torch {theirs.state}"
    return None


def differing_costs(cls: type[Layer], case: Case, theirs: Verdict) -> str | None:
    """How what a rule counts differs from what PyTorch counts; of products of vectors PyTorch counts none."""
    if theirs.refusal or theirs.multiply_adds is None:
        return None
    try:
        ours = cls.bind((), case.arguments).multiply_adds(*case.inputs)
    except Exception as error:
        return str(error) if isinstance(error, ContractError) else f"`multiply_adds` raises {said(error)}"
    if ours is None or plain(ours) == theirs.multiply_adds or (not theirs.multiply_adds and not cls.free):
        return None
    return f"counts {plain(ours):,} multiply-adds, torch {theirs.multiply_adds:,}"


def documented_stricter(cls: type[Layer]) -> bool:
    documents = [" ".join((base.__doc__ or "").split()) for base in cls.__mro__ if base is not Layer]
    return any("tricter than torch" in document for document in documents)


def is_empty(output: Any) -> bool:
    """Whether some size is 0, which no network needs and any rule may refuse."""
    return any(size == 0 for value in flat(output) for size in value.shape)


def small(case: Case) -> bool:
    return sum(int(plain(product(value.shape))) for value in case.inputs) <= SMALL


def perform(cls: type[Layer], case: Case, device: str, blamed: str | None) -> Verdict | None:
    """What torch says; None if no call can be written, so wrong are the arguments, or if it lacks the blamed one."""
    values = {name: default.default for name, default in cls.fields.items()} | case.arguments
    values = {name: as_given(value) for name, value in values.items()}
    layer = cls(**values)
    try:
        call = layer.arguments(*case.inputs) if case.form == "module" else layer.function_arguments(*case.inputs)
        n = layer.dimensions(*case.inputs)
    except (Reject, *REFUSALS):
        return None
    if blamed in cls.fields and blamed not in call:
        return None
    tensors = [make_tensor(value, device) for value in case.inputs]
    try:
        if case.form == "function":
            function = found(layer, layer.function or "", n)
            output, count = counted(lambda: call_function(layer, function, tensors, call), device)
            return Verdict(read_back(output), multiply_adds=count)
        module = build_module(layer, call, n, device)
        output, count = counted(lambda: call_module(layer, module, tensors), device)
        return Verdict(read_back(output), read_state(module), multiply_adds=count)
    except REFUSALS as error:
        return Verdict(refusal=f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}")


def counted(run: Callable[[], Any], device: str) -> tuple[Any, int | None]:
    """What comes out, and how much PyTorch multiplied; its counter is blind to the fused kernels of the CPU."""
    from torch.utils.flop_counter import FlopCounterMode

    if device != "meta":
        return run(), None
    with FlopCounterMode(display=False) as counter:
        output = run()
    return output, counter.get_total_flops() // 2


def build_module(layer: Layer, arguments: dict[str, Any], n: int, device: str) -> Any:
    """The module of torch, or of the layer's own source, on a device."""
    import torch

    assert layer.module is not None
    owner = found(layer, layer.module, n)
    args, kwargs = spread(layer, arguments, positional=0)
    with torch.device(device):
        return owner(*args, **kwargs)


def found(layer: Layer, target: str, n: int) -> Any:
    """What a layer names as its `module` or `function`: in torch, or in its own source."""
    if target.startswith("."):
        return None  # a method of the first tensor
    return materialize(type(layer), target) if target.startswith("own:") else locate(target.format(n=n))


def materialize(cls: type[Layer | Part], target: str) -> Any:
    """What the own source of a layer, loss or other part defines; `target` is its `module` or `function`."""
    namespace: dict[str, Any] = {}
    texts = (*getattr(cls, "helpers", ()), cls.source or "")
    source = [*cls.imports, *given_imports(cls, texts), *texts]
    exec("\n".join(["from __future__ import annotations", *source]), namespace)
    return namespace[target.removeprefix("own:")]


def read_state(module: Any) -> dict[str, State]:
    parameters = dict(module.named_parameters())
    return {
        name: State(tuple(t.shape), "parameter" if name in parameters else "buffer", kind_of(t.dtype))
        for name, t in module.state_dict().items()
    }


# ---- symbols -----------------------------------------------------------------------------------------


def check_symbols(cls: type[Layer], case: Case, report: Report, draw: Draw) -> None:
    """Replaces some sizes by symbols; what the rule then says must hold for the numbers that they stand for."""
    ledger = Ledger()
    numbers: dict[str, int] = {}
    alike = draw.random() < 0.5
    inputs = []
    for i, value in enumerate(case.inputs):
        shape: list[Dim] = []
        for j, size in enumerate(value.shape):
            if draw.random() < 0.5:
                name = f"S{size}" if alike else f"S{i}_{j}"
                numbers[name] = plain(size)
                shape.append(Term.atom(Symbol(name, ledger)))
            else:
                shape.append(size)
        inputs.append(value.with_shape(shape))
    symbolic = judge(cls, replace(case, inputs=tuple(inputs)))
    if symbolic.broken and numbers and judge(cls, case).broken is None:
        sizes = "sizes may be symbols: `fixed` asks for a number; `same`, `at_least`, `divisible` compare"
        report.disagreements.append(f"{case}, as {', '.join(map(str, inputs))}: {symbolic.broken}; {sizes}")
    known = not symbolic.refusal and not symbolic.broken and bool(numbers)
    if not known or not all(holds(relation, numbers) for relation in ledger.relations):
        return
    report.symbolic += 1
    concrete = judge(cls, case)
    where = f"{case}, as {', '.join(map(str, inputs))}"
    if concrete.refusal:
        report.disagreements.append(f"{where}: accepted assuming {list(ledger.relations)}, though {concrete.refusal}")
    elif substituted(symbolic.output, numbers) != concrete.output:
        report.disagreements.append(f"{where}: gives {described(symbolic.output)}, not {described(concrete.output)}")


def substituted(output: Any, numbers: dict[str, int]) -> Any:
    if isinstance(output, tuple):
        return tuple(substituted(item, numbers) for item in output)
    return output.with_shape(number_of(size, numbers) for size in output.shape)


# ---- defaults ----------------------------------------------------------------------------------------


def compare_defaults(cls: type[Layer]) -> list[str]:
    """Documented defaults that are not torch's, as far as torch's can be inspected."""
    found = []
    for name, defaults in (("module", {}), ("function", cls.function_defaults)):
        target = getattr(cls, name)
        if target is None or target.startswith("."):
            continue
        owner = materialize(cls, target) if target.startswith("own:") else None
        for n in (1, 2, 3) if "{n}" in target else (0,):
            try:
                signature = inspect.signature(owner or locate(target.format(n=n)))
            except (AttributeError, ValueError):
                continue
            for key, documented in cls.fields.items():
                theirs = signature.parameters.get(key)
                if theirs is None or theirs.default is inspect.Parameter.empty or documented.required:
                    continue
                ours = defaults.get(key, documented.default)
                if callable(theirs.default) and getattr(theirs.default, "__name__", None) in (ours, str(ours)):
                    continue  # a function, which torch takes by its name too
                if ours != theirs.default and (theirs.default,) * n != ours and (ours,) * n != theirs.default:
                    place = "in torch" if owner is None else "in its source"
                    found.append(f"{target.format(n=n)}: `{key}` is {show(ours)} here and {theirs.default} {place}")
    return found
