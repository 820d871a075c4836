"""The training recipe: its IR, and the contracts of losses, optimizers, schedules and data sources.

As with a layer, all that is known of one thing stands in one class: its fields are the arguments in PyTorch's order,
its docstring documents it, `module` is what PyTorch calls it, and a rule refuses by raising `Reject`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args

from netc.contract import (
    ARGUMENTS,
    FLAG,
    TARGET,
    TEXT,
    TEXTS,
    WORDS,
    Rule,
    is_python,
    is_text,
    is_value,
    optional,
    several,
)
from netc.diagnostics import Diagnostic, Span
from netc.layer import Reject, Signature, is_int
from netc.record import Record
from netc.shapes import Shape, Value, same, show_dim

# ---- what a recipe is checked against ----------------------------------------------------------

Outputs = Value | tuple["Outputs", ...] | Mapping[str, "Outputs"]


class NetParameter(Record, eq=True):
    """A parameter of the network: its path in the state dict, and the layer that it belongs to.

    `layer` is the layer's type in the language (`BatchNorm`, "" for a bare `param`), `module` its class in PyTorch
    (`torch.nn.BatchNorm2d`, or the bare name of a class that stands in the emitted file). `sparse` says that its
    gradient is a sparse tensor.
    """

    path: str
    layer: str
    module: str
    shape: Shape
    sparse: bool = False

    @property
    def leaf(self) -> str:
        """`weight`, `bias`, `in_proj_weight`."""
        return self.path.rpartition(".")[2]


class Ending(Record, eq=True):
    """The layer that made the output: its name as it was written, the range of its numbers, and its place."""

    name: str
    range: tuple[float | None, float | None]
    span: Span


class Crowd(Record, eq=True):
    """A layer that learns from several examples at a time: its name, its place, and how many it needs at least."""

    layer: str
    span: Span
    least: int


class Output(Record, eq=True):
    """A tensor that the network gives: its name ("" where it has none), and what reads it from `output`."""

    name: str
    value: Value
    source: str = "output"


class NetworkFacts(Record, eq=True):
    """What a recipe needs to know of the network that it trains.

    `last` is the layer that made the output, None where that cannot be told; `crowd` the one that needs most examples.
    `trained` are the outputs in training, `evaluated` those outside of it; `labels` the paths of its modules.
    """

    name: str
    inputs: tuple[tuple[str, Value], ...]
    output: Outputs
    parameters: tuple[NetParameter, ...]
    span: Span
    input_span: Span | None = None
    output_span: Span | None = None
    last: Ending | None = None
    crowd: Crowd | None = None
    trained: tuple[Output, ...] = ()
    evaluated: tuple[Output, ...] = ()

    def outputs(self, training: bool) -> tuple[Output, ...]:
        """The tensors that come out, in training or outside of it."""
        found = self.trained if training else self.evaluated
        lone = (Output("", self.output),) if isinstance(self.output, Value) else ()
        return found or lone


class Target(Record, eq=True):
    """What the network is to learn from one example: a class number, or values of a shape (without the batch).

    With a shape, each place has a class of its own; `partial` says that some are below 0 and do not count, `open` that
    the network may well know more classes than occur.
    """

    source: str
    kind: Literal["class", "value"]
    shape: Shape = ()
    classes: int | None = None
    partial: bool = False
    open: bool = False


# ---- contracts ---------------------------------------------------------------------------------


class Part(Signature):
    """What a setting names.

    - `module`: the dotted PyTorch name, or `own:Name` of a class that `source` brings.
    - `source`: Python that is pasted into the script once, with the import lines `imports`.
    - `stated`: fields that the script states even where the spec does not.
    - `renamed`: the PyTorch name of a field, where it has another one.
    """

    module: ClassVar[str] = ""
    source: ClassVar[str] = ""
    imports: ClassVar[tuple[str, ...]] = ()
    stated: ClassVar[tuple[str, ...]] = ()
    renamed: ClassVar[Mapping[str, str]] = {}
    attributes = {"module": TARGET, "source": TEXT, "imports": TEXTS, "stated": TEXTS, "renamed": WORDS}
    results = {"given": ARGUMENTS}

    def given(self) -> dict[str, Any]:
        """The arguments that the script states, in the order of the signature."""
        return {n: getattr(self, n) for n in self.fields if n in vars(self) or n in self.stated}


class Loss(Part):
    """A loss over a batch; called with as many outputs as it has `operands` and, if it is `targeted`, the target.

    `channels_first` says that it wants the classes of scores in dimension 1, wherever the network has them; `function`
    that what PyTorch calls it is a function, which is called itself: such a loss has no arguments.
    """

    operands: ClassVar[tuple[str, ...]] = ("output",)
    targeted: ClassVar[bool] = True
    channels_first: ClassVar[bool] = False
    function: ClassVar[bool] = False
    # Fields that are numbers for a tensor, moved to the device with the loss.
    tensors: ClassVar[tuple[str, ...]] = ()
    needed = ("module",)
    attributes = Part.attributes | {
        "operands": TEXTS, "targeted": FLAG, "channels_first": FLAG, "function": FLAG, "tensors": TEXTS,
    }  # fmt: skip

    @property
    def soft(self) -> bool:
        """Whether it takes a share of each class (N, C) in the place of class numbers (N), too."""
        return False

    def check(self, output: Value, target: Target) -> None:
        """Refuses an output or a target that the loss cannot take."""
        raise NotImplementedError("it has no `check` of outputs and targets")

    def admit(self, outputs: Sequence[Value], target: Target | None) -> None:
        """Refuses operands that it cannot take; `target` is None where the loss has none."""
        assert target is not None
        self.check(outputs[0], target)

    def remarks(self, output: Value, target: Target, last: Ending | None) -> Iterator[Reject]:
        """What is odd about an output that PyTorch takes; `last` is the layer that made it, if that can be told."""
        return iter(())

    @property
    def summed(self) -> bool:
        """Whether it gives a batch's sum rather than its mean."""
        return getattr(self, "reduction", "mean") == "sum"


class Optimizer(Part):
    """An optimizer.

    - `fused`: PyTorch has a fused kernel for it; `joined`: which takes parameters that are trained only later, and
      leaves its state alone at a step that a scaler skips.
    - `closure`: its step asks for the loss and the gradients again, as often as it likes.
    - `sharding`: how it steps where each process holds a part of every parameter: by the kernel, by a loop, or not.
    """

    fused: ClassVar[bool] = False
    sharding: ClassVar[Literal["fused", "loop", "none"]] = "loop"
    joined: ClassVar[bool] = True
    closure: ClassVar[bool] = False
    stated = ("lr",)
    needed = ("module",)
    attributes = Part.attributes | {
        "fused": FLAG,
        "closure": FLAG,
        "sharding": Rule('"fused", "loop" or "none"', lambda value: value in ("fused", "loop", "none")),
    }

    def check(self, device: str | None) -> None:
        """Refuses arguments that do not go together, on the device that the recipe states if it does."""

    def admit(self, parameters: Sequence[NetParameter]) -> None:
        """Refuses parameters that it cannot train; its arguments have passed `check`."""

    def remarks(self) -> Iterator[Reject]:
        """What is odd about arguments that PyTorch takes."""
        return iter(())


Interval = Literal["epoch", "step"]


class Schedule(Part):
    """A learning-rate schedule.

    - `ends`: the field that says after how many epochs the next schedule of a chain takes over; None if it never ends.
    - `remaining`: the PyTorch argument that is given the epochs that are left; `fixed`: arguments that are always the
      same, as Python.
    - `interval`: whether it goes on after each epoch or each step of the optimizer; None where the recipe chooses.
    - `judges`: whether it is told at each epoch how good the network is; it gets `mode="max"` where more is better.

    One with an `interval` of its own stands alone, not in a chain.
    """

    ends: ClassVar[str | None] = None
    remaining: ClassVar[str | None] = None
    fixed: ClassVar[Mapping[str, str]] = {}
    interval: ClassVar[Interval | None] = None
    judges: ClassVar[bool] = False
    needed = ("module",)
    attributes = Part.attributes | {
        "ends": Rule("the name of an argument, or None", optional(is_text)),
        "remaining": Rule("the name of an argument of PyTorch's, or None", optional(is_text)),
        "fixed": WORDS,
        "interval": Rule('"epoch", "step" or None', (None, *get_args(Interval)).__contains__),
        "judges": FLAG,
    }

    def admit(self, optimizer: Optimizer) -> None:
        """Refuses an optimizer whose learning rate it cannot set."""

    def remarks(self, left: int, lr: float) -> Iterator[Reject]:
        """What is odd where `left` epochs are its own, and it starts from the learning rate `lr`."""
        return iter(())


class Transform(Part):
    """A change of pictures while a network is trained, drawn anew for each of them at each step.

    - `mixes`: it is drawn for a whole batch, ready for the network, and mixes the classes as it mixes the pictures.
    - `bytes_only`: it takes pictures of bytes, not numbers that were normalised.
    - `moves`: pixels go elsewhere, so that targets of each pixel would no longer fit.
    - `batched`: it draws nothing, or for each pixel, so that a whole batch is changed as its pictures would be.
    - `draws`: functions of PyTorch by which it draws, beside `torch.rand`, `randint`, `randperm` and `Tensor.uniform_`.
    """

    mixes: ClassVar[bool] = False
    batched: ClassVar[bool] = False
    bytes_only: ClassVar[bool] = False
    moves: ClassVar[bool] = True
    draws: ClassVar[tuple[str, ...]] = ()
    needed = ("module",)
    attributes = Part.attributes | {
        "mixes": FLAG, "bytes_only": FLAG, "moves": FLAG, "batched": FLAG, "draws": TEXTS,
    }  # fmt: skip
    results = Part.results | {"infer": Rule("a `Value`", is_value)}

    def infer(self, pictures: Value) -> Value:
        """What becomes of pictures (N, C, H, W), or Reject."""
        return pictures


class Metric(Part):
    """A figure of the test part: a sum over batches, and what follows from the whole of it.

    - `key`: its name in the log; `label`: its name in a line; `form`: its format there, "" where it is not said.
    - `greater`: whether more is better.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    form: ClassVar[str] = ".4f"
    greater: ClassVar[bool] = True
    needed = ("key", "label")
    attributes = Part.attributes | {"key": TEXT, "label": TEXT, "form": TEXT, "greater": FLAG}
    results = Part.results | {
        "count": Rule("the Python of an expression", is_python),
        "figure": Rule("the Python of an expression", is_python),
        "shape": Rule("a tuple of integers", several(is_int)),
    }

    def check(self, output: Value, target: Target) -> None:
        """Refuses an output or a target of which it is no figure."""
        raise NotImplementedError("it has no `check` of outputs and targets")

    def count(self, scores: str, target: str, output: Value) -> str:
        """The expression of a tensor that is added up over batches."""
        raise NotImplementedError("it has no `count`")

    def shape(self, output: Value) -> tuple[int, ...]:
        """The shape of that tensor."""
        return ()

    def figure(self, total: str, count: str, output: Value) -> str:
        """The expression of the figure, from the sum and the number of examples."""
        raise NotImplementedError("it has no `figure`")


class Opening(Record, eq=True):
    """How a picture in a file reaches the changes in training.

    `before` is the source of what is applied to it before them, `count` how many changes at least it is given by
    itself, `pictures` what reaches the first (N, C, H, W), with the least height and width where they differ.
    """

    before: tuple[str, ...]
    count: int
    pictures: Value


class Reading(Record, eq=True):
    """What a script does with pictures in files.

    - `opening`: of those in training, None where they are as those of the test; `draws`: as a `Transform` has it.
    - `tested`: there is a test part; `sliced`: the first ones are asked for; `shared`: several processes share them.
    """

    opening: Opening | None = None
    draws: tuple[str, ...] = ()
    tested: bool = True
    sliced: bool = False
    shared: bool = False


class DataSource(Part):
    """Data held in memory, or in files, and the Python source that loads it.

    - `packages`: distributions that its source needs beside torch; `imports`: the import lines.
    - `held_out`: whether it has a test part. `pictures`: whether an example can be drawn.
    - `bytes`: whether what `prepare` takes are pictures of bytes.
    - `decoded`: whether the inputs are an object that decodes pictures when they are read, which `decoder` defines.
    - `continued`: whether each example goes on where the one before it ends.
    """

    packages: ClassVar[tuple[str, ...]] = ()
    held_out: ClassVar[bool] = True
    pictures: ClassVar[bool] = False
    bytes: ClassVar[bool] = False
    decoded: ClassVar[bool] = False
    continued: ClassVar[bool] = False
    attributes = Part.attributes | {
        "packages": TEXTS, "held_out": FLAG, "pictures": FLAG, "bytes": FLAG, "decoded": FLAG, "continued": FLAG,
    }  # fmt: skip
    results = Part.results | {
        **dict.fromkeys(("target", "fitted"), Rule("a `Target`", lambda value: isinstance(value, Target))),
        "training_size": Rule("an integer or None", optional(is_int)),
        **dict.fromkeys(("load", "loaded"), Rule("the Python of a function `load_data(args)`", is_python)),
        "opening": Rule("an `Opening`", lambda value: isinstance(value, Opening)),
        "decoder": Rule("the Python of a class", is_python),
        **dict.fromkeys(
            ("prepare", "prepared"), Rule("the Python of a function `prepare(batch)`, or None", optional(is_python))
        ),
    }

    def target(self) -> Target:
        """What the network learns."""
        raise NotImplementedError("it has no `target`")

    def check(self, input: Value) -> None:
        """Refuses a network whose input it cannot feed."""
        raise NotImplementedError("it has no `check` of the network's input")

    def admit(self, inputs: Sequence[tuple[str, Value]]) -> None:
        """Refuses a network whose inputs it cannot feed; a source of several inputs has a rule of its own."""
        if len(inputs) != 1:
            raise Reject(f"{type(self).__name__} gives one input, the network takes {len(inputs)}")
        self.check(inputs[0][1])

    def drawn(self, inputs: Sequence[tuple[str, Value]]) -> bool:
        """Whether what the network takes are pictures (N, C, H, W) that can be drawn."""
        return self.pictures and len(inputs) == 1 and inputs[0][1].rank == 4

    def fitted(self, inputs: Sequence[tuple[str, Value]]) -> Target:
        """The target for a network of these inputs, where it depends on them."""
        return self.target()

    def loaded(self, inputs: Sequence[tuple[str, Value]]) -> str:
        """`load_data(args)` for all inputs; where they are several, the inputs of both parts are tuples of tensors."""
        return self.load(inputs[0][1])

    def prepared(self, inputs: Sequence[tuple[str, Value]]) -> str | None:
        """`prepare(batch)` for all inputs; where they are several it takes and gives a list of tensors."""
        return self.prepare()

    def training_size(self) -> int | None:
        """How many examples there are to train with, None where only the run knows."""
        return None

    def load(self, input: Value) -> str:
        """`load_data(args)`: training inputs and targets, then those of the test part; scalars are `args.<field>`."""
        raise NotImplementedError("it has no `load`")

    def opening(self, input: Value, changes: Sequence[Transform]) -> Opening:
        """How pictures that are `decoded` reach the changes; the objects of the script are `train_inputs`."""
        raise NotImplementedError("it has no `opening`")

    def decoder(self, input: Value, reading: Reading) -> str:
        """The class `Pictures(paths, device)` of inputs that are `decoded`.

        It has `len`, `to(device)`, and `read(batches)`, which gives the pictures of each batch of numbers; with an
        `opening` it takes `(batches, change, seed)`, and what a change draws follows from the seed and the number of a
        picture. It has `split(size)` where there is a test, `[:n]`, which gives a tensor, where they are `sliced`, and
        `share(rank, world)` where they are `shared`.
        """
        raise NotImplementedError("it has no `decoder`")

    def prepare(self) -> str | None:
        """`prepare(batch)`: from what is held in memory to what the network takes; None if they are the same."""
        return None

    @property
    def shuffled(self) -> bool:
        return bool(getattr(self, "shuffle", True))


def show_example(value: Value) -> str:
    """One example of a batch, as an `input` line writes it: `1x28x28`."""
    return "x".join(show_dim(size) for size in value.shape[1:])


def as_examples(output: Value, target: Target) -> tuple[Value, Target]:
    """Scores and classes of places, such as pixels, as if each place were an example."""
    axis = output.rank - 1 if output.channel == output.rank - 1 else 1
    if target.kind != "class" or not target.shape or output.rank != len(target.shape) + 2 or output.kind != "float":
        return output, target
    return Value((output.shape[0], output.shape[axis])), replace(target, shape=())


def picture_among(outputs: Sequence[Output], target: Target) -> Output | None:
    """The first output that can be drawn: one of one or three channels, or scores of the classes of pixels."""
    for output in outputs:
        value = output.value
        flat = value.rank != 4 or value.kind != "float" or value.shape[2:] == (1, 1)
        scores = target.kind == "class" and len(target.shape) == 2 and value.channel == 1
        if not flat and (scores or value.shape[1] in (1, 3)):
            return output
    return None


def expect_image(input: Value, size: tuple[int, int, int], source: str) -> None:
    """Refuses an input that is not pictures of this size."""
    if input.kind != "float" or input.rank != 4 or not all(map(same, input.shape[1:], size)):
        wanted = "x".join(map(str, size))
        reason = f"{source} has pictures of {wanted}, the network takes {show_example(input)}"
        raise Reject(reason, help=f"`input {wanted}` takes them")


# ---- parameter groups --------------------------------------------------------------------------


class Selector(Record, eq=True):
    """What a `group` line selects: biases, parameters of one dimension, of norms, of a layer type, or at a label."""

    kind: Literal["bias", "vector", "norm", "type", "label"]
    text: str

    def matches(self, parameter: NetParameter) -> bool:
        if self.kind == "bias":
            return "bias" in parameter.leaf
        if self.kind == "vector":
            return len(parameter.shape) < 2
        if self.kind == "norm":
            return "Norm" in parameter.layer
        if self.kind == "type":
            return parameter.layer == self.text
        return fnmatchcase(parameter.path, self.text) or fnmatchcase(parameter.path, f"{self.text}.*")


class Group(Record, eq=True):
    """Parameters with arguments of their own; `members` are those that no earlier group has taken."""

    selectors: tuple[Selector, ...]
    arguments: Mapping[str, Any]
    members: tuple[NetParameter, ...]
    # The parameters that each selector matches, whoever takes them.
    matched: tuple[tuple[NetParameter, ...], ...]

    @property
    def name(self) -> str:
        """A Python name for it: `bias_norm`."""
        words = ("".join(c if c.isalnum() else " " for c in s.text).split() for s in self.selectors)
        return "_".join("_".join(word) for word in words).lower() or "all"


# ---- the recipe --------------------------------------------------------------------------------

P = TypeVar("P", bound=Part)


class Use(Record, Generic[P], eq=True):
    """A part and the name by which the spec calls it."""

    name: str
    part: P


class Operand(Record, eq=True):
    """What a loss is given: an output or input of the network, the target, or a number in the target's place.

    `moved` says that its last dimension, that of the classes, is moved to dimension 1.
    """

    kind: Literal["output", "input", "target", "constant"]
    name: str = ""
    value: Value | float | None = None
    moved: bool = False


class Term(Record, eq=True):
    """One loss of a recipe: its name, its factor, and what it is given."""

    name: str | None
    use: Use[Loss]
    factor: float
    operands: tuple[Operand, ...]


class Stepper(Record, eq=True):
    """An optimizer with the parameters that it trains, and the losses that it lessens.

    `name` and `selector` are None for the one that trains all that no other does; `key` is what a script calls it.
    `every` says at which batches of an epoch it takes its turn: at each, at every fifth.
    """

    name: str | None
    key: str
    use: Use[Optimizer]
    selector: Selector | None
    members: tuple[NetParameter, ...]
    terms: tuple[Term, ...]
    groups: tuple[Group, ...] = ()
    schedule: tuple[Use[Schedule], ...] = ()
    every: int = 1


class Recipe(Record, eq=True):
    """A recipe that fits its network.

    The `steppers` step together after one backward pass, or take `turns`, each with its losses in a pass of their own.
    An epoch has all examples, or without the last batch if it is smaller (`drop_last`), or as many steps as it is said.
    `keep` has `best` for the best epoch, whose checkpoint is kept, and where `kept` is above 1 those of as many epochs.
    """

    network: NetworkFacts
    data: Use[DataSource]
    terms: tuple[Term, ...]
    steppers: tuple[Stepper, ...]
    epochs: int
    name: str | None = None
    augment: tuple[Use[Transform], ...] = ()
    metrics: tuple[Use[Metric], ...] = ()
    judge: str | None = None
    turns: bool = False
    schedule_interval: Interval = "epoch"
    steps_per_epoch: int | None = None
    drop_last: bool = False
    accumulate: int = 1
    carry: tuple[str, ...] = ()
    clip_norm: float | None = None
    clip_value: float | None = None
    ema: float | None = None
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    compile: bool = False
    distributed: Literal["ddp", "fsdp"] | None = None
    channels_last: bool = False
    patience: int | None = None
    weights: str | None = None
    fresh: tuple[Selector, ...] = ()
    freeze: tuple[Selector, ...] = ()
    frozen: tuple[tuple[NetParameter, ...], ...] = ()
    unfreeze: int | None = None
    seed: int = 0
    device: str | None = None
    keep: Literal["last", "best"] = "last"
    kept: int = 1
    log_every: int | None = None
    evaluate_first: bool = False
    print_shapes: bool = False
    plot: tuple[str, ...] = ()
    samples: int | None = None
    modes: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    progress: Literal["line", "tqdm"] = "line"
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def target(self) -> Target:
        return self.data.part.fitted(self.network.inputs)

    @property
    def several(self) -> bool:
        """Whether the network takes several inputs."""
        return len(self.network.inputs) > 1

    @property
    def classifies(self) -> bool:
        """Whether each example has a class, told by the scores of the network's first output."""
        targeted = any(operand.kind == "target" for term in self.terms for operand in term.operands)
        return targeted and self.target.kind == "class"

    @property
    def picture(self) -> Output | None:
        """The output that `samples` draws where examples have no classes."""
        return picture_among(self.network.outputs(False), self.target)

    @property
    def partial(self) -> bool:
        """Whether a backward pass leaves out some of the outputs, so that parameters may stay without a gradient."""
        outputs = {output.name for output in self.network.outputs(True)}
        taken = [stepper.terms for stepper in self.steppers] if self.turns else [self.terms]
        used = ({each.name for term in terms for each in term.operands if each.kind == "output"} for terms in taken)
        return any(outputs - names for names in used)

    @property
    def sharded(self) -> bool:
        """Whether each process holds a part of every parameter."""
        return self.distributed == "fsdp"

    @property
    def clip(self) -> bool:
        """Whether gradients are cut."""
        return self.clip_norm is not None or self.clip_value is not None

    @property
    def uses(self) -> tuple[Use[Any], ...]:
        """The parts, each once."""
        uses: list[Use[Any]] = [self.data, *self.augment, *(term.use for term in self.terms)]
        for stepper in self.steppers:
            uses += [stepper.use, *stepper.schedule]
        return tuple({id(use.part): use for use in uses}.values())
