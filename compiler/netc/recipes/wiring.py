"""What each loss of a recipe is given: outputs, inputs, the target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from netc import syntax
from netc.diagnostics import SpecError, nearest, renamed
from netc.layer import Reject
from netc.recipe import DataSource, Loss, NetworkFacts, Operand, Output, Target, Term, Use
from netc.recipes.fitting import output_label, rejected_span
from netc.recipes.scalars import lone_error
from netc.record import Record
from netc.shapes import Value

if TYPE_CHECKING:
    from netc.recipes.groups import Groups


class LossDraft(Record):
    """A loss as it was read: `head` is what stands before the arrow, None if nothing does."""

    setting: syntax.Setting
    use: Use[Loss]
    factor: float
    head: tuple[syntax.Expr, ...] | None
    expr: syntax.Expr


class Wiring:
    """Resolves the names of losses and optimizers; what is wrong is gathered by the reader."""

    def __init__(self, reader: Groups, network: NetworkFacts, values: Mapping[str, tuple[Any, syntax.Setting]]):
        self.reader = reader
        self.network = network
        self.values = values

    def terms(self) -> tuple[Term, ...]:
        """The losses that could be read and fit."""
        drafts: list[LossDraft] = self.values["loss"][0] if "loss" in self.values else []
        return tuple(term for draft in drafts if (term := self.term(draft)) is not None)

    def term(self, draft: LossDraft) -> Term | None:
        """The loss with its operands, checked; None if something is wrong with it."""
        data = self.values.get("data")
        if data is None or not self.fed(data[0].part):
            return None
        target: Target = data[0].part.fitted(self.network.inputs)
        loss = draft.use.part
        try:
            operands = self.given(draft)
            if loss.channels_first and operands[-1].kind == "target":
                operands = (moved(operands[0], target), *operands[1:])
        except SpecError as error:
            self.reader.found.add(error.diagnostics[0])
            return None
        values = [o.value for o in operands[: len(loss.operands)] if isinstance(o.value, Value)]
        try:
            loss.admit(values, self.learnt(operands, values, target) if loss.targeted else None)
        except Reject as reject:
            span = rejected_span(draft.expr, type(loss), reject.field)
            where = output_label(self.network, operands[0].name)
            self.reader.error("E0516", reject.reason, span, help=reject.help, secondary=where)
            return None
        return Term(draft.setting.name, draft.use, draft.factor, operands)

    def fed(self, data: DataSource) -> bool:
        """Whether the data is what the network takes; that it is not is said elsewhere."""
        try:
            data.admit(self.network.inputs)
        except Reject:
            return False
        return True

    def learnt(self, operands: tuple[Operand, ...], values: list[Value], target: Target) -> Target:
        """What the loss compares with, as a target."""
        last = operands[-1]
        if last.kind == "target":
            return target
        if isinstance(last.value, Value):
            return Target(f"`{last.name}`", "value", last.value.shape[1:])
        return Target(f"{last.value}", "value", values[0].shape[1:])

    def given(self, draft: LossDraft) -> tuple[Operand, ...]:
        """What the loss is called with; raises SpecError."""
        loss, outputs = draft.use.part, self.network.outputs(True)
        wanted = len(loss.operands)
        if draft.head is None:
            operands = self.defaults(draft, outputs)
        else:
            operands = tuple(self.operand(item) for item in draft.head)
            if len(operands) == wanted + 1 and loss.targeted:
                return operands
        if len(operands) != wanted or any(not isinstance(operand.value, Value) for operand in operands):
            more = " and a target" if loss.targeted else ""
            listed = ", ".join(loss.operands)
            listed = listed if wanted == 1 else f"({listed})"
            text = f"{draft.use.name} is given {counted(wanted, 'tensor')}{more}"
            raise lone_error("E0516", text, draft.setting.value.span, help=f"`{listed} -> {draft.use.name}`")
        return (*operands, Operand("target")) if loss.targeted else operands

    def defaults(self, draft: LossDraft, outputs: tuple[Output, ...]) -> tuple[Operand, ...]:
        """Without a head: the output of the loss's name, the only output, or all of them in order."""
        wanted = len(draft.use.part.operands)
        named = next((o for o in outputs if wanted == 1 and o.name and o.name == draft.setting.name), None)
        if named is not None:
            return (Operand("output", named.name, named.value),)
        if len(outputs) == wanted:
            return tuple(Operand("output", o.name, o.value) for o in outputs)
        where = output_label(self.network, "")
        if outputs and wanted == 1 and outputs[0].name:
            way = f"say which: `{outputs[0].name} -> {draft.use.name}`"
        else:
            way = None
        text = f"{draft.use.name} takes {counted(wanted, 'output')}, `{self.network.name}` gives "
        text += "several" if len(outputs) != 1 else "one"
        raise lone_error("E0516", text, draft.setting.value.span, secondary=where, help=way)

    def operand(self, item: syntax.Expr) -> Operand:
        if not isinstance(item, syntax.Name):
            value = self.reader.evaluate(item)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return Operand("constant", value=float(value))
            raise lone_error("E0516", "a loss is given outputs, inputs, `target` or numbers", item.span)
        outputs = {o.name: Operand("output", o.name, o.value) for o in self.network.outputs(True) if o.name}
        inputs = {name: Operand("input", name, value) for name, value in self.network.inputs}
        if len(inputs) == 1:
            inputs["input"] = next(iter(inputs.values()))
        known = {**inputs, **outputs, "target": Operand("target")}
        if len(self.network.outputs(True)) == 1:
            lone = self.network.outputs(True)[0]
            known.setdefault("output", Operand("output", lone.name, lone.value))
        if item.id in known:
            return known[item.id]
        near = nearest(item.id, known)
        way = f"did you mean `{near}`?" if near else f"there is {listing(known)}"
        text = f"`{self.network.name}` has no output `{item.id}`"
        fix = renamed(item.span, item.id, near)
        raise lone_error("E0514", text, item.span, help=way, fix=fix, secondary=output_label(self.network, ""))


def moved(operand: Operand, target: Target) -> Operand:
    """Scores with the classes in dimension 1, if the network has them in the last."""
    value = operand.value
    if not isinstance(value, Value) or not target.shape or value.rank != len(target.shape) + 2:
        return operand
    if value.channel != value.rank - 1 or value.rank == 2:
        return operand
    shape = (value.shape[0], value.shape[-1], *value.shape[1:-1])
    return replace(operand, value=replace(value, shape=shape, channel=1), moved=True)


def listing(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def counted(count: int, what: str) -> str:
    words = ("no", "one", "two", "three", "four")
    return f"{words[count] if count < len(words) else count} {what}{'s' * (count != 1)}"
