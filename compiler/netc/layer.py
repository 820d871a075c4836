"""The contract of a layer: typed arguments, documentation, shape rule and PyTorch call in one class.

    class Linear(Layer):
        '''Applies `y = x A^T + b` to the last dimension.'''

        module = "torch.nn.Linear"
        out_features = Int(min=1)
        bias = Bool(True)

        def inferred(self, input):
            return {"in_features": input.shape[-1]}

        def infer(self, input):
            return replace(input.with_dim(-1, self.out_features), channel=input.rank - 1)

        def state(self, input): ...

A rule is pure arithmetic on `Value`s and rejects by raising `Reject`; where and how that is said is the compiler's
matter. Arguments are descriptors rather than dataclass fields: the registry holds hundreds of layers, and creating a
dataclass costs 0.4 ms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from netc.contract import (
    ARGUMENTS,
    FLAG,
    INPUT,
    NAME,
    NUMBER,
    REFUSAL,
    TARGET,
    TEXTS,
    WORDS,
    Contract,
    ContractError,
    Rule,
    described,
    is_number,
    is_size,
    is_text,
    is_values,
    mapping,
    matching,
    optional,
    pair_of,
    several,
)
from netc.fields import (
    REQUIRED,
    BadArgument,
    Bool,
    Class,
    Dotted,
    Field,
    Float,
    Int,
    Ints,
    Numbers,
    Reject,
    Size,
    Text,
    Word,
    is_int,
    show,
)
from netc.record import Record
from netc.shapes import KINDS, Shape, Value, divisible, nearest_divisors, show_dim
from netc.terms import Dim, Term


class Signature(Contract):
    """A class whose arguments are fields, in the order in which they can be given by position."""

    fields: ClassVar[dict[str, Field[Any]]] = {}
    elsewhere: ClassVar[Mapping[str, str]] = {}
    """What other frameworks call the arguments, for messages only."""

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}
        cls.fields = {**cls.fields, **own}

    def __init__(self, **values: Any):
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    @classmethod
    def bind(cls, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Self:
        """Arguments given by position and by name, checked; raises BadArgument."""
        given = cls._assign(args, kwargs)
        values = {}
        for name, field in cls.fields.items():
            if name in given:
                try:
                    values[name] = field.accept(given[name])
                except ValueError as error:
                    raise BadArgument("value", name, str(error)) from None
            elif field.required:
                raise BadArgument("missing", name, f"`{cls.__name__}` needs `{name}`")
        return cls(**values)

    @classmethod
    def _assign(cls, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        names = list(cls.fields)
        variadic = next((f for f in cls.fields.values() if isinstance(f, Ints) and f.variadic), None)
        if variadic is not None and names[0] == variadic.name and len(args) > 1:
            args = [tuple(args)]
        if len(args) > len(names):
            takes = "no arguments" if not names else f"at most {len(names)} by position"
            raise BadArgument("surplus", str(len(names)), f"`{cls.__name__}` takes {takes}, {len(args)} were given")
        given = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in cls.fields:
                raise BadArgument("unknown", name, f"`{cls.__name__}` has no argument `{name}`")
            if name in given:
                raise BadArgument("repeated", name, f"`{name}` is given twice")
            given[name] = value
        return given

    @classmethod
    def summary(cls) -> str:
        """The first sentence of the documentation."""
        return (cls.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ")

    @classmethod
    def signature(cls) -> str:
        """`Conv(out_channels, kernel_size, stride=1, ...)`, in the words of the language."""
        parts = [n if f.required else f"{n}={show(f.default)}" for n, f in cls.fields.items()]
        return f"{cls.__name__}({', '.join(parts)})"


class State(Record, eq=True):
    """A tensor that a layer keeps: its shape, and whether it is trained."""

    shape: Shape
    kind: Literal["parameter", "buffer"] = "parameter"
    dtype: Literal["float", "int", "bool"] = "float"


Values = Value | tuple["Values", ...]


class Example(Record, eq=True):
    """A use of a layer: the shapes that reach it (without the batch), the call, and what comes out."""

    inputs: str
    call: str
    output: str


METHOD = re.compile(r"\.[A-Za-z_][A-Za-z0-9_]*")
STATE_NAME = re.compile(r"\w+(\.\w+)*")


def is_count(value: Any) -> bool:
    return is_int(value) and value >= 0


def is_state(value: Any) -> bool:
    """A `State`, or the shape of a parameter alone."""
    state = State(value) if isinstance(value, tuple) else value
    return (
        isinstance(state, State)
        and isinstance(state.shape, tuple)
        and all(map(is_size, state.shape))
        and state.kind in ("parameter", "buffer")
        and state.dtype in KINDS
    )


def is_function(value: Any) -> bool:
    """A dotted name, a name in the own source, or a method."""
    return TARGET.holds(value) or matching(METHOD)(value)


def is_example(value: Any) -> bool:
    return isinstance(value, Example) and all(map(is_text, (value.inputs, value.call, value.output)))


def unchanged(self: Any, input: Value) -> Value:
    """The rule of a layer that gives what it takes, be it of any shape: `infer = unchanged`."""
    return input


class Layer(Signature):
    """A layer: `module` and `function` name what PyTorch calls it, `{n}` standing for the number of spatial
    dimensions. The class's name is written for the module; for the function, the last part of the dotted name without
    its `{n}d` (`max_pool`), or `function_name`.

    - `function`: a dotted name, or `.mean` for a method of the first input.
    - `inputs`: the tensors that it takes in order; `*tensors` is any number, `mask?` may be left out (rules are given
      None if a later one is there), `key=query` is the query where it is left out.
    - `ranks`: the ranks accepted (the batch counted), None for any; `kinds` what the inputs may hold.
    - `from_shape`: arguments of the module that are sizes of the first input, each with its dimension, such as
      `{"in_features": -1}`; what follows otherwise is for `inferred`.
    - `positional`: how many arguments the PyTorch call gives by position; by default the inferred and required ones,
      0 where PyTorch takes them by name only.
    - `function_extra`: source that the function is given besides, such as `training=self.training`.
    - `in_training`: fields that the function is given in training only, and 0 otherwise.
    - `function_defaults`: PyTorch's defaults of the function where they are not those of the fields.
    - `leading`: how many arguments the function takes before its inputs (`einsum(equation, *operands)`).
    - `at_call`: fields that PyTorch's module takes when it is called, by name, rather than when it is made; what may be
      left out among the inputs of such a module is given by name too.
    - `tupled`: the last inputs, where PyTorch's module takes them as one tuple: `lstm(input, (h_0, c_0))`.
    - `nullable`: parameters of which PyTorch's types say that they may be None.
    - `flow`: which of several outputs flows on; None if it must be named.
    - `free`: whether it multiplies no matrices and convolves nothing, which is what `multiply_adds` counts.
    - `range`: the least and the greatest number that it can give, None for no bound; `rearranges`: whether these are
      numbers that it is given, in another shape or order, or some of them.
    - `source`: a class of its own for what torch does not have, pasted once into the emitted file under the class's
      name (`module` is `own:Name` then, and need not be written); `helpers` are functions and classes pasted before
      it, each once even if several layers share it, among them the function that `function` names as `own:name`;
      `imports` are the import lines that these need, one name each, but for `torch`, `nn`, `F` and `Tensor`.
    """

    module: ClassVar[str | None] = None
    function: ClassVar[str | None] = None
    function_name: ClassVar[str | None] = None
    inputs: ClassVar[tuple[str, ...]] = ("input",)
    ranks: ClassVar[tuple[int, ...] | None] = None
    kinds: ClassVar[tuple[str, ...] | None] = ("float",)
    from_shape: ClassVar[Mapping[str, int]] = {}
    positional: ClassVar[int | None] = None
    function_extra: ClassVar[Mapping[str, str]] = {}
    in_training: ClassVar[tuple[str, ...]] = ()
    function_defaults: ClassVar[Mapping[str, Any]] = {}
    leading: ClassVar[int] = 0
    at_call: ClassVar[tuple[str, ...]] = ()
    tupled: ClassVar[tuple[str, ...]] = ()
    nullable: ClassVar[tuple[str, ...]] = ()
    flow: ClassVar[int | None] = 0
    free: ClassVar[bool] = False
    range: ClassVar[tuple[float | None, float | None]] = (None, None)
    rearranges: ClassVar[bool] = False
    source: ClassVar[str | None] = None
    helpers: ClassVar[tuple[str, ...]] = ()
    imports: ClassVar[tuple[str, ...]] = ()
    examples: ClassVar[tuple[Example, ...]] = ()

    attributes = {
        "module": Rule(TARGET.words, optional(TARGET.holds)),
        "function": Rule(f"{TARGET.words}, or `.mean` for a method", optional(is_function)),
        "function_name": Rule("a name", optional(matching(NAME))),
        "inputs": Rule(f'{TEXTS.words}; `"mask?"` may be left out', several(matching(INPUT))),
        "ranks": Rule("a tuple of integers, such as `(4,)`, or None", optional(several(is_int))),
        "kinds": Rule('a tuple of "float", "int" and "bool", or None', optional(several(KINDS.__contains__))),
        "from_shape": Rule("a dict of names and dimensions", mapping(matching(NAME), is_int)),
        "positional": Rule("an integer or None", optional(is_int)),
        "function_extra": WORDS,
        "in_training": TEXTS,
        "function_defaults": ARGUMENTS,
        "leading": NUMBER,
        "at_call": TEXTS,
        "tupled": TEXTS,
        "flow": Rule("an integer or None", optional(is_int)),
        "free": FLAG,
        "range": Rule("two numbers, None for no bound", pair_of(optional(is_number))),
        "rearranges": FLAG,
        "source": Rule("a text or None", optional(is_text)),
        "helpers": TEXTS,
        "imports": TEXTS,
        "examples": Rule("a tuple of `Example`s, such as `(Example(...),)`", several(is_example)),
        "elsewhere": WORDS,
        **dict.fromkeys(("bind", "fields", "kept", "signature", "summary"), Rule("left to netc", lambda value: False)),
    }
    results = {
        "infer": Rule("a `Value` whose sizes are integers, or a tuple of them", is_values),
        "state": Rule(
            "a dict of names and shapes (tuples of integers), or `State`s",
            mapping(matching(STATE_NAME), is_state),
        ),
        "inferred": ARGUMENTS,
        "arguments": ARGUMENTS,
        "function_arguments": ARGUMENTS,
        "call_arguments": ARGUMENTS,
        "given": ARGUMENTS,
        "verbatim": ARGUMENTS,
        "remark": REFUSAL,
        "dimensions": NUMBER,
        "multiply_adds": Rule("an integer of at least 0, or None", lambda value: value is None or is_count(value)),
        "least_batch": Rule("an integer of at least 1", lambda value: is_int(value) and value >= 1),
    }

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "source" in vars(cls) and cls.source and not (cls.module or cls.function):
            cls.module = f"own:{cls.__name__}"

    @classmethod
    def is_uniform(cls) -> bool:
        """Whether it is constructed without a word about what reaches it, so that any such layer can be passed."""
        as_it_is = cls.inferred is Layer.inferred and not cls.from_shape
        return as_it_is and cls.arguments is Layer.arguments and "{n}" not in (cls.module or "")

    @classmethod
    def names(cls) -> tuple[str | None, str | None]:
        """The name as a module and the name as a function, None where there is no such form."""
        last = (cls.function or "").removeprefix("own:").rpartition(".")[2]
        function = cls.function_name or last.replace("{n}d", "")
        return (cls.__name__ if cls.module else None, function or None)

    def dimensions(self, *inputs: Any, **named: Any) -> int:
        """The `{n}` of the PyTorch name: spatial dimensions, at least 1."""
        rank: int = inputs[0].rank
        return max(1, rank - 2)

    def inferred(self, *inputs: Any, **named: Any) -> dict[str, Any]:
        """Arguments of the module that follow from what reaches it; by default those of `from_shape`.

        The layer is refused where one is a size that only a run decides, before `infer` and `state` are asked.
        """
        return {name: size_of(inputs[0], axis, name) for name, axis in self.from_shape.items()}

    def arguments(self, *inputs: Any, **named: Any) -> dict[str, Any]:
        """All arguments of the module in PyTorch's order, defaults included."""
        inferred = {name: settled(value, name) for name, value in self.inferred(*inputs).items()}
        return {**inferred, **{n: v for n, v in self.given().items() if n not in self.at_call}}

    def call_arguments(self) -> dict[str, Any]:
        """What the module is given besides its inputs when it is called."""
        return {name: getattr(self, name) for name in self.at_call}

    def verbatim(self, *inputs: Any, **named: Any) -> dict[str, Any]:
        """Arguments that PyTorch takes as they were written too, where `arguments` says the same in numbers."""
        return {}

    def function_arguments(self, *inputs: Any, **named: Any) -> dict[str, Any]:
        """All arguments of the function in PyTorch's order, after its inputs."""
        return self.given()

    def subscript(self) -> str | None:
        """What stands in the brackets where Python writes the function as an index: `:, {index}`, fields in braces.

        Fields that are not named there must be plain numbers; None where it is written as a call.
        """
        return None

    def given(self) -> dict[str, Any]:
        """The fields and their values, in the order of the signature."""
        return {name: getattr(self, name) for name in self.fields}

    def admit(self, *inputs: Value) -> None:
        """Refuses kinds and ranks that the class does not list."""
        for name, value in zip(self.input_names(len(inputs)), inputs, strict=False):
            if self.kinds is not None and value is not None and value.kind not in self.kinds:
                reason = f"expects {' or '.join(self.kinds)} values, not {value.kind}"
                raise Reject(reason, input=name, help=way_to(self.kinds, value))
        if self.ranks is not None and inputs and inputs[0].rank not in self.ranks:
            wanted = " or ".join(str(rank) for rank in self.ranks)
            first = self.input_names(1)[0]
            raise Reject(f"expects {wanted} dimensions, the batch counted, not {inputs[0].rank}", input=first)

    def refuse_sizes(self, *inputs: Any, made: bool) -> None:
        """Refuses, before the rule is asked, what `divides` something and does not; and, where a module is `made`,
        sizes that its constructor needs and only a run decides. What else is wrong the rule says better.
        """
        try:
            inferred = self.inferred(*inputs)
        except Exception:
            return
        if made:
            inferred = {name: settled(value, name) for name, value in inferred.items()}
        known = {**inferred, **self.given()}
        for name, field in self.fields.items():
            if isinstance(field, Int) and field.divides is not None and known[name] is not None:
                refuse_remainder(name, known[name], field.divides, of(known, field.divides, type(self), name))

    @classmethod
    def stand_ins(cls) -> dict[str, str | None]:
        """The name of each input, and what stands for it where it is left out: another input, `?` for nothing, None
        where it must be given."""
        parts = [name.partition("=") for name in cls.inputs]
        return {name.strip("*?"): other or ("?" if name.endswith("?") else None) for name, _, other in parts}

    def input_names(self, count: int) -> list[str]:
        names = list(self.stand_ins())
        return names + [names[-1]] * (count - len(names)) if names else []

    def infer(self, *inputs: Any, **named: Any) -> Values:
        """What comes out, or Reject."""
        raise NotImplementedError("it has no `infer`, the shape rule")

    def remark(self, *inputs: Any, **named: Any) -> Reject | None:
        """What is odd about inputs that PyTorch takes all the same; the user is warned of it."""
        return None

    def least_batch(self, *inputs: Any, **named: Any) -> int:
        """How many examples it must be given at once while it is trained."""
        return 1

    def multiply_adds(self, *inputs: Any, **named: Any) -> Dim | None:
        """The multiplications, each with an addition, of its convolutions and products of matrices in one forward pass.

        Half of the operations that torch.utils.flop_counter counts. All sizes of the inputs are numbers, the batch
        too. None where it is not known, which is said of a layer that neither has this nor is `free`.
        """
        return 0 if self.free else None

    @property
    def sparse_gradients(self) -> bool:
        """Whether the gradients of its parameters are sparse tensors, which few optimizers take."""
        return False

    def state(self, *inputs: Any, **named: Any) -> Mapping[str, State | Shape]:
        """The tensors that the module keeps, in `state_dict` order: a `State` each, or a parameter's shape alone."""
        return {}

    def kept(self, *inputs: Any) -> dict[str, State]:
        """What `state` says, each as a `State` of sizes that no run decides."""
        return {name: stated(name, given) for name, given in self.state(*inputs).items()}


def way_to(kinds: tuple[str, ...], value: Value) -> str | None:
    """How a value of another kind could become one that is taken."""
    if kinds == ("int",):
        return "declare integers: `input int(...)`"
    if value.among is not None:
        return "indices say where a pooling found its maxima, and go to `max_unpool`"
    if value.kind == "int" and "bool" in kinds:
        return "a mask is `input bool(...)`"
    return "numbers from `input int(...)` go through an Embedding first" if value.kind == "int" else None


class Initializer(Signature):
    """How a parameter starts. `call` is what PyTorch runs on the tensor, such as `torch.nn.init.xavier_uniform_`."""

    call: ClassVar[str]
    attributes = {"call": Rule("a dotted name, such as `torch.nn.init.ones_`", TARGET.holds)}
    needed = ("call",)


def per_axis(value: Any, n: int, field: str) -> tuple[Any, ...]:
    """One entry for each of `n` dimensions: an integer repeated, a tuple as it is."""
    if not isinstance(value, tuple):
        return (value,) * n
    if len(value) == 1:
        return value * n
    if len(value) != n:
        text = f"`{field}` has {len(value)} entries for {n} dimension{'s' * (n != 1)}"
        raise Reject(text, field=field, help=f"one number holds for every dimension: `{field}={show(value[0])}`")
    return value


def fixed(size: Dim, name: str) -> int:
    """A size that a module's constructor is given, which no run may decide; raises Reject for one that is a symbol."""
    if isinstance(size, Term):
        raise Reject(
            f"needs {name if '`' in name else f'`{name}`'} before the run, but it is {show_dim(size)}",
            help="give that dimension of the `input` a number",
        )
    return size


def size_of(value: Value, axis: int, name: str) -> Dim:
    """The size of a dimension that is an argument. Raises Reject where there is none."""
    if not -value.rank <= axis < value.rank:
        raise Reject(f"needs dimension {axis} for `{name}`, and there are {value.rank}")
    return value.shape[axis]


def of(known: Mapping[str, Any], divided: str, cls: type[Layer], name: str) -> Any:
    """What an argument divides. Raises ContractError where there is no such thing."""
    if divided not in known:
        text = f"{described(cls)}: `{name}` divides `{divided}`, which is neither an argument nor `inferred`"
        raise ContractError(text)
    return known[divided]


def refuse_remainder(name: str, by: Dim, divided: str, size: Dim | None) -> None:
    """Raises Reject where an argument does not divide a size; None is no size."""
    if size is None or divisible(size, by):
        return
    reason = f"cannot divide {show_dim(size)} `{divided}` by `{name}={show_dim(by)}`"
    near = nearest_divisors(by, (size,))
    raise Reject(reason, field=name, help=f"numbers that divide it: {near}")


def settled(value: Any, name: str) -> Any:
    """An argument of a module: a size as `fixed` has it, a tuple of them, or something else as it is."""
    if isinstance(value, tuple | list):
        return type(value)(settled(item, name) for item in value)
    return fixed(value, name) if isinstance(value, Term) else value


def stated(name: str, given: State | Shape) -> State:
    state = State(given) if isinstance(given, tuple) else given
    for size in state.shape:
        fixed(size, f"the sizes of `{name}`")
    return state


__all__ = [
    "REQUIRED", "BadArgument", "Bool", "Class", "Dim", "Dotted", "Example", "Field", "Float", "Initializer", "Int",
    "Ints", "Layer", "Numbers", "Reject", "Shape", "Signature", "Size", "State", "Text", "Value", "Values", "Word",
    "fixed", "is_int", "per_axis", "show", "unchanged",
]  # fmt: skip
