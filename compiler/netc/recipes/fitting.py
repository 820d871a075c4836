"""A recipe against its network: what PyTorch would refuse is an error, what it would run in vain a warning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from netc import syntax
from netc.diagnostics import Diagnostic, Diagnostics, Label, Span
from netc.layer import Reject
from netc.mending import without_step
from netc.recipe import (
    Crowd,
    DataSource,
    Ending,
    NetParameter,
    NetworkFacts,
    Outputs,
    Part,
    Target,
    Term,
    Use,
    picture_among,
)
from netc.shapes import Value

Settings = Mapping[str, tuple[Any, syntax.Setting]]
"""What was read of each setting, beside its text; a setting that was wrong is absent."""


class Fitting:
    """Holds what was read of a recipe against its network; what is wrong or odd is gathered in `found`."""

    def __init__(
        self,
        values: Settings,
        terms: Sequence[Term],
        frozen: Sequence[Sequence[NetParameter]],
        network: NetworkFacts,
        found: Diagnostics,
    ):
        self.values = values
        self.terms = terms
        self.frozen = frozen
        self.network = network
        self.found = found

    def run(self) -> None:
        if not self.network.parameters:
            text = f"`{self.network.name}` has no parameter to be trained"
            self.found.add(Diagnostic("E0516", text, Label(self.network.span, "this net"), help="take `train:` away"))
        if "data" in self.values:
            if self.data(*self.values["data"]):
                self.loss(self.values["data"][0])
                self.batches(*self.values["data"])
            self.features(self.values["data"][0])
        self.training()
        if "carry" in self.values:
            self.carried(*self.values["carry"])

    def setting(self, key: str, default: Any = None) -> Any:
        """The value of a setting."""
        return self.values[key][0] if key in self.values else default

    def error(self, text: str, span: Span, help: str | None = None, where: Sequence[Label] = ()) -> None:
        self.found.add(Diagnostic("E0516", text, Label(span), tuple(where), help=help))

    def warn(self, remarks: Iterable[Reject], expr: syntax.Expr, part: Part, where: Sequence[Label] = ()) -> None:
        remarked(self.found, remarks, expr, part, self.network.last, where)

    # ---- data and loss ----

    def data(self, use: Use[DataSource], setting: syntax.Setting) -> bool:
        """Whether the data is what the network takes."""
        network, part = self.network, use.part
        where = () if network.input_span is None else (Label(network.input_span, "the network's input"),)
        try:
            part.admit(network.inputs)
        except Reject as reject:
            span = rejected_span(setting.value, type(part), reject.field)
            self.error(reject.reason, span, reject.help, () if reject.field else where)
            return False
        return True

    def loss(self, data: Use[DataSource]) -> None:
        """What is odd about a loss of a network's one output."""
        network, target = self.network, data.part.fitted(self.network.inputs)
        drafts = self.setting("loss", [])
        if not isinstance(network.output, Value) or len(drafts) != len(self.terms):
            return
        where = () if network.output_span is None else (Label(network.output_span, shown(network.output)),)
        if network.last is not None and network.last.range != (None, None):
            where = (Label(network.last.span, "the network's last layer"),)
        for term, draft in zip(self.terms, drafts, strict=True):
            if term.operands[-1].kind == "target" and term.operands[0].name in ("", network.outputs(True)[0].name):
                remarks = term.use.part.remarks(network.output, target, network.last)
                self.warn(remarks, draft.expr, term.use.part, where)

    def batches(self, use: Use[DataSource], setting: syntax.Setting) -> None:
        """Batches that are too large for the data, or too small for a layer that learns from several examples."""
        total, size = use.part.training_size(), getattr(use.part, "batch_size", None)
        if size is None:
            return
        span = rejected_span(setting.value, type(use.part), "batch_size")
        cut, counted = self.setting("drop_last", False), "steps_per_epoch" in self.values
        if total is not None and size > total and cut:
            reason = f"{total} examples do not fill a batch of {size}, and `drop_last` leaves out what does not"
            self.error(reason, span, f"at most `batch_size={total}`")
        elif total is not None and size > total and "batch_size" in vars(use.part) and not counted:
            reason = f"a batch of {size} is more than the {total} examples of {use.name}: every epoch has one step"
            self.warn([Reject(reason, "batch_size", help=f"at most `batch_size={total}`")], setting.value, use.part)
        self.logging(size, total)
        whole = total is None or cut or counted
        crowd, last = self.network.crowd, size if whole else total % size or min(size, total)
        if crowd is None or min(size, last) >= crowd.least:
            return
        where = (Label(crowd.span, f"learns from at least {crowd.least} at a time"),)
        if size < crowd.least:
            enough = better(64, total or 64, crowd)
            self.error(f"a batch of {size} is too small for `{crowd.layer}`", span, f"`batch_size={enough}`", where)
        else:
            reason = f"the last of the batches holds {last} of the {total} examples, too few for `{crowd.layer}`"
            more = f"`batch_size={better(size, total or size, crowd)}` leaves more"
            self.error(reason, span, f"{more}, `drop_last: true` leaves them out", where)

    def logging(self, size: int, total: int | None) -> None:
        """A line of the log every so many steps, where an epoch has fewer."""
        every, setting = self.values.get("log_every", (0, None))
        steps = batches_of(self.values, total, size)
        if setting is not None and steps is not None and every > steps:
            text = f"an epoch has {steps} step{'s' * (steps != 1)}, and a line is logged every {every}"
            place = Label(setting.value.span, "never reached")
            help = f"at most `log_every: {steps}`"
            self.found.add(Diagnostic("W0707", text, place, help=help, severity="warning"))

    def features(self, data: Use[DataSource]) -> None:
        """What a setting asks for and the data cannot give."""
        target = data.part.fitted(self.network.inputs)
        tested, classes = data.part.held_out, target.kind == "class"
        best = self.setting("keep", "last") == "best"
        named = classified(target, self.terms) and not target.shape
        drawable = named or picture_among(self.network.outputs(False), target)
        for key, fits, lack in (
            ("keep", tested or not best, "no test part, by which the best could be told"),
            ("patience", tested, "no test part, by which it could be told that nothing gets better"),
            ("evaluate_first", tested or not self.setting("evaluate_first", False), "no test part to evaluate on"),
            ("samples", tested or not data.part.drawn(self.network.inputs), "no test part to show pictures of"),
            ("samples", data.part.drawn(self.network.inputs), "no pictures to show"),
            ("modes", tested or "evaluate" not in self.setting("modes", ()), "no test part to evaluate on"),
            ("plot", (tested and classes) or "accuracy" not in self.setting("plot", ()), "no accuracy to plot"),
        ):
            if key in self.values and not fits:
                self.error(f"{data.name} has {lack}", self.values[key][1].value.span)
        if "samples" in self.values and not drawable:
            reason = "the network gives neither a class of an example nor a picture"
            self.error(reason, self.values["samples"][1].value.span, None, output_label(self.network, ""))

    def carried(self, names: Sequence[str], setting: syntax.Setting) -> None:
        """Inputs that outputs of the batch before become, and examples that go on from one another."""
        network, span = self.network, setting.value.span
        given = dict(network.inputs[1:])
        outputs = [{o.name: o.value for o in network.outputs(training)} for training in (True, False)]
        for name in names:
            if name not in given or any(name not in each for each in outputs):
                text = f"`{network.name}` has no `{name}` that it takes beside its first input, and gives again"
                self.error(text, span, f"`input {name}: …` and `return Output(…, {name}=…)`")
            elif any(given[name].shape != each[name].shape for each in outputs):
                self.error(f"`{name}` comes out in another shape than it goes in", span)
        data, place = self.values.get("data", (None, None))
        if data is None or place is None:
            return
        if not data.part.continued:
            help = "`continued=true`" if "continued" in type(data.part).fields else None
            self.error(f"the examples of {data.name} do not go on from one another", place.value.span, help)
        elif "shuffle" in vars(data.part) and data.part.shuffle:
            reason = "examples that go on from one another cannot be shuffled"
            self.error(reason, rejected_span(place.value, type(data.part), "shuffle"), "leave `shuffle` out")

    def training(self) -> None:
        """Settings that do not go together."""
        values = self.values
        frozen = {parameter.path for hits in self.frozen for parameter in hits}
        sums = {term.use.part.summed for term in self.terms}
        sharded, ddp = self.setting("distributed") == "fsdp", "`distributed: ddp`, or leave it out"
        mixed = "losses add up as means of a batch or as its sums, not as both"
        for key, wrong, reason, help in (
            ("loss", len(sums) > 1, mixed, "the same `reduction` for all"),
            ("accumulate", "steps" in values, "optimizers that take turns step at every batch", "leave it out"),
            ("modes", "predict" in self.setting("modes", ()) and len(self.network.inputs) > 1,
             f"a file holds examples of one input, `{self.network.name}` takes {len(self.network.inputs)}",
             "leave `predict` out"),
            ("modes", "overfit" in self.setting("modes", ()) and "steps" in values,
             "optimizers that take turns have no one loss that could fall", "leave `overfit` out"),
            ("steps", sharded, "turns need whole parameters, which no process has under `fsdp`", ddp),
            ("carry", "steps" in values, "optimizers that take turns read each batch several times", None),
            ("carry", "distributed" in values, "what was read is carried on in one process only", None),
            ("carry", self.setting("precision", "float32") != "float32", "what is carried on is in `float32`", None),
            ("carry", any(use.part.closure for use, _ in self.setting("optimizer", [])),
             "an optimizer that asks again reads each batch several times", None),
            ("carry", "steps_per_epoch" in values, "an epoch reads each text from its beginning to its end",
             "leave `steps_per_epoch` out"),
            ("drop_last", "carry" in values, "where a state is carried on, what does not fill a batch is left out",
             "leave `drop_last` out"),
            ("drop_last", "steps_per_epoch" in values, "every batch is full where an epoch is so many steps",
             "leave `drop_last` out"),
            ("carry", "overfit" in self.setting("modes", ()), "one batch does not go on from another",
             "leave `overfit` out"),
            ("fresh", "weights" not in values, "nothing is loaded that could be left out", '`weights: "resnet18.pth"`'),
            ("ema", sharded, "averages are of whole parameters, which no process has under `fsdp`", ddp),
            ("compile", self.setting("compile", False) and sharded,
             "a network that is spread over processes is not compiled as a whole", ddp),
            ("precision", self.setting("precision") == "fp16" and sharded,
             "losses are not scaled where the gradients are spread over processes", "`precision: bf16`"),
            ("unfreeze", sharded, "what is frozen stays so where the parameters are spread over processes", ddp),
            ("unfreeze", "steps" in values, "optimizers that take turns train the same parameters all along", None),
            ("unfreeze", "freeze" not in values, "nothing is frozen that could be trained later", "`freeze: features`"),
            ("unfreeze", self.setting("unfreeze", 0) >= self.setting("epochs", float("inf")),
             f"the recipe ends after {self.setting('epochs')} epochs, before anything is unfrozen", None),
            ("freeze", len(frozen) == len(self.network.parameters),
             f"nothing is left to be trained{' in the first epochs' if 'unfreeze' in values else ''}",
             "leave out of `freeze` what is to be trained from the first epoch on"),
        ):  # fmt: skip
            if key in values and wrong:
                self.error(reason, values[key][1].value.span, help)


def remarked(
    found: Diagnostics, remarks: Iterable[Reject], expr: syntax.Expr, part: Part, last: Ending | None = None,
    where: Sequence[Label] = (),
) -> None:  # fmt: skip
    """Warns of what is odd about a part; `last` is the layer that made the network's output."""
    for remark in remarks:
        label = Label(rejected_span(expr, type(part), remark.field))
        shown = tuple(where) if remark.input is not None else ()
        needless = last is not None and (remark.help or "").startswith(f"take `{last.name}` away")
        fix = without_step(last.span) if last is not None and needless else None
        found.add(Diagnostic("W0707", remark.reason, label, shown, help=remark.help, severity="warning", fix=fix))


def better(size: int, total: int, crowd: Crowd) -> int:
    """The batch size nearest to one that leaves no batch too small."""
    near = (size + sign * step for step in range(size) for sign in (1, -1))
    return next((n for n in near if n >= crowd.least and (total % n or n) >= crowd.least), size)


def output_label(network: NetworkFacts, name: str) -> tuple[Label, ...]:
    """Where the network's outputs stand, with what comes out under a name."""
    if network.output_span is None:
        return ()
    outputs = network.outputs(True)
    chosen = [o for o in outputs if name and o.name == name] or list(outputs)
    if len(chosen) == 1:
        return (Label(network.output_span, shown(chosen[0].value)),)
    listed = ", ".join(f"`{o.name}` {o.value}" if o.name else f"{o.value}" for o in chosen)
    return (Label(network.output_span, f"its outputs are {listed}" if listed else "its outputs"),)


def batches_of(values: Settings, total: int | None, size: int | None) -> int | None:
    """How many batches of `size` examples an epoch has, None where only the run knows."""
    if "steps_per_epoch" in values:
        return int(values["steps_per_epoch"][0] * values.get("accumulate", (1,))[0])
    if total is None or size is None:
        return None
    return max(1, total // size) if "drop_last" in values and values["drop_last"][0] else -(-total // size)


def classified(target: Target, terms: Sequence[Term]) -> bool:
    """Whether a loss learns the classes of the data."""
    return target.kind == "class" and any(o.kind == "target" for term in terms for o in term.operands)


def entries(expr: syntax.Expr) -> Sequence[syntax.Expr]:
    return expr.items if isinstance(expr, syntax.TupleExpr) else (expr,)


def shown(output: Outputs) -> str:
    return f"its output has shape {output}" if isinstance(output, Value) else "its outputs"


def rejected_span(expr: syntax.Expr, definition: type[Part], name: str | None) -> Span:
    """The argument that is to blame, or else the call."""
    if name is None or not isinstance(expr, syntax.Call):
        return expr.span
    return argument_span(expr, definition, name)


def argument_span(call: syntax.Call, definition: type[Part], name: str, last: bool = False) -> Span:
    """The place of an argument, by its name or (for a surplus one) its position; else the call."""
    fields = list(definition.fields)
    places = list(enumerate(call.args))
    for index, arg in reversed(places) if last else places:
        if name in (arg.name, str(index)) or (arg.name is None and index < len(fields) and fields[index] == name):
            return arg.span
    return call.span
