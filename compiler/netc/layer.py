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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, Literal, Self, TypeVar, overload

from netc.record import Record
from netc.shapes import Shape, Value
from netc.terms import Dim, Term

T = TypeVar("T")


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()


@dataclass(eq=False)
class Reject(Exception):
    """A rule's refusal: why, which argument or input is to blame, and the way out."""

    reason: str
    field: str | None = None
    input: str | None = None
    help: str | None = None

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class BadArgument(Exception):
    """Arguments that do not fit a signature. `kind`: unknown, missing, surplus, repeated or value."""

    kind: Literal["unknown", "missing", "surplus", "repeated", "value"]
    name: str
    reason: str

    def __str__(self) -> str:
        return self.reason


class Field(Generic[T]):
    """One argument: its type, range, default (PyTorch's) and a sentence; `none` admits `none`."""

    name: str
    expected: str = "a value"

    def __init__(self, default: T | _Required | None = REQUIRED, *, none: bool = False, doc: str = ""):
        self.default = default
        self.none = none or default is None
        self.doc = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Any:
        return self if instance is None else self.default

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def words(self) -> tuple[str, ...]:
        """The bare words that it takes."""
        return ()

    def accept(self, value: Any) -> T | None:
        """The value as the rule sees it; raises ValueError with what was expected."""
        if value is None and self.none:
            return None
        return self.convert(value)

    def convert(self, value: Any) -> T:
        return value  # type: ignore[no-any-return]

    def fail(self, value: Any) -> ValueError:
        return ValueError(f"`{self.name}` must be {self.expected}, not {show(value)}")


class Int(Field[int]):
    """An integer in a range, ends included."""

    def __init__(self, default: int | _Required | None = REQUIRED, *, min: int | None = None, max: int | None = None,
                 none: bool = False, doc: str = ""):
        super().__init__(default, none=none, doc=doc)
        self.min, self.max = min, max
        self.expected = "an integer" + between(min, max)

    def convert(self, value: Any) -> int:
        if isinstance(value, Term):
            return value  # type: ignore[return-value]
        if not is_int(value) or not _inside(value, self.min, self.max):
            raise self.fail(value)
        return value  # type: ignore[no-any-return]


class Float(Field[float]):
    """A number in a range, ends included."""

    def __init__(self, default: float | _Required | None = REQUIRED, *, min: float | None = None,
                 max: float | None = None, none: bool = False, doc: str = ""):
        super().__init__(default, none=none, doc=doc)
        self.min, self.max = min, max
        self.expected = "a number" + between(min, max)

    def convert(self, value: Any) -> float:
        if not (is_int(value) or isinstance(value, float)) or not _inside(value, self.min, self.max):
            raise self.fail(value)
        return value  # type: ignore[no-any-return]


class Bool(Field[bool]):
    expected = "true or false"

    def convert(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.fail(value)
        return value


class Size(Field[Any]):
    """An integer, or one for each spatial dimension (`3`, `1x7`, `(1, 7)`), or one of some words."""

    def __init__(self, default: Any = REQUIRED, *, min: int | None = None, words: Sequence[str] = (),
                 none: bool = False, axis_none: bool = False, doc: str = ""):
        super().__init__(default, none=none, doc=doc)
        self.min, self._words, self.axis_none = min, tuple(words), axis_none
        self.expected = f"an integer{between(min, None)}, one for each dimension" + alternatives(words)

    @property
    def words(self) -> tuple[str, ...]:
        return self._words

    def convert(self, value: Any) -> Any:
        if isinstance(value, str) and value in self._words:
            return value
        items = value if isinstance(value, tuple | list) else (value,)
        if not items or not all(self._fits(item) for item in items):
            raise self.fail(value)
        return tuple(value) if isinstance(value, tuple | list) else value

    def _fits(self, item: Any) -> bool:
        if item is None:
            return self.axis_none
        return isinstance(item, Term) or (is_int(item) and _inside(item, self.min, None))


class Ints(Field[tuple[Any, ...]]):
    """Several integers; `variadic` takes all positional arguments (`permute(0, 2, 3, 1)`)."""

    def __init__(self, default: Any = REQUIRED, *, min: int | None = None, variadic: bool = False, none: bool = False,
                 doc: str = ""):
        super().__init__(default, none=none, doc=doc)
        self.min, self.variadic = min, variadic
        self.expected = f"integers{between(min, None)}"

    def convert(self, value: Any) -> tuple[Any, ...]:
        items = tuple(value) if isinstance(value, tuple | list) else (value,)
        if not all(isinstance(i, Term) or (is_int(i) and _inside(i, self.min, None)) for i in items):
            raise self.fail(value)
        return items


class Numbers(Field[tuple[float, ...]]):
    """Several numbers: `weight=(1, 2, 1)`, `betas=(0.9, 0.999)`."""

    def __init__(self, default: Any = REQUIRED, *, length: int | None = None, none: bool = False, doc: str = ""):
        super().__init__(default, none=none, doc=doc)
        self.length = length
        self.expected = f"{length} numbers" if length else "numbers"

    def convert(self, value: Any) -> tuple[float, ...]:
        if not isinstance(value, tuple | list) or not all(is_int(i) or isinstance(i, float) for i in value):
            raise self.fail(value)
        if self.length is not None and len(value) != self.length:
            raise self.fail(value)
        return tuple(value)


class Word(Field[str]):
    """One of some words, written bare: `padding_mode=reflect`."""

    def __init__(self, *options: str, default: str | _Required | None = REQUIRED, none: bool = False, doc: str = ""):
        super().__init__(default, none=none, doc=doc)
        self.options = options
        self.expected = "one of " + ", ".join(f"`{option}`" for option in options)

    @property
    def words(self) -> tuple[str, ...]:
        return self.options

    def convert(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise self.fail(value)
        return value


class Text(Field[str]):
    """A string."""

    expected = "a quoted text"

    def convert(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self.fail(value)
        return value


class Signature:
    """A class whose arguments are fields, in the order in which they can be given by position."""

    fields: ClassVar[dict[str, Field[Any]]] = {}

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


class Layer(Signature):
    """A layer: `module` and `function` name what PyTorch calls it, `{n}` standing for the number of spatial
    dimensions. The class's name is written for the module; for the function, the last part of the dotted name without
    its `{n}d` (`max_pool`), or `function_name`.

    - `function`: a dotted name, or `.mean` for a method of the first input.
    - `inputs`: the tensors that it takes in order; `*tensors` is any number, `mask?` may be left out.
    - `ranks`: the ranks accepted (the batch counted), None for any; `kinds` what the inputs may hold.
    - `positional`: how many arguments the PyTorch call gives by position; by default the inferred and required ones.
    - `function_extra`: source that the function is given besides, such as `training=self.training`.
    - `function_defaults`: PyTorch's defaults of the function where they are not those of the fields.
    - `leading`: how many arguments the function takes before its inputs (`einsum(equation, *operands)`).
    - `flow`: which of several outputs flows on; None if it must be named.
    - `source`: a class of its own for what torch does not have, pasted once into the emitted file under the class's
      name (then `module` is `own:Name`); `imports` are the import lines it needs.
    """

    module: ClassVar[str | None] = None
    function: ClassVar[str | None] = None
    function_name: ClassVar[str | None] = None
    inputs: ClassVar[tuple[str, ...]] = ("input",)
    ranks: ClassVar[tuple[int, ...] | None] = None
    kinds: ClassVar[tuple[str, ...] | None] = ("float",)
    positional: ClassVar[int | None] = None
    function_extra: ClassVar[Mapping[str, str]] = {}
    function_defaults: ClassVar[Mapping[str, Any]] = {}
    leading: ClassVar[int] = 0
    flow: ClassVar[int | None] = 0
    source: ClassVar[str | None] = None
    imports: ClassVar[tuple[str, ...]] = ()
    examples: ClassVar[tuple[Example, ...]] = ()

    @classmethod
    def is_uniform(cls) -> bool:
        """Whether it is constructed without a word about what reaches it, so that any such layer can be passed."""
        return cls.inferred is Layer.inferred and cls.arguments is Layer.arguments and "{n}" not in (cls.module or "")

    @classmethod
    def names(cls) -> tuple[str | None, str | None]:
        """The name as a module and the name as a function, None where there is no such form."""
        function = cls.function_name or (cls.function or "").rpartition(".")[2].replace("{n}d", "")
        return (cls.__name__ if cls.module else None, function or None)

    def dimensions(self, *inputs: Any, **named: Any) -> int:
        """The `{n}` of the PyTorch name: spatial dimensions, at least 1."""
        rank: int = inputs[0].rank
        return max(1, rank - 2)

    def inferred(self, *inputs: Any, **named: Any) -> dict[str, Any]:
        """Arguments of the module that follow from what reaches it, such as `in_channels`."""
        return {}

    def arguments(self, *inputs: Any, **named: Any) -> dict[str, Any]:
        """All arguments of the module in PyTorch's order, defaults included."""
        return {**self.inferred(*inputs), **self.given()}

    def function_arguments(self, *inputs: Any, **named: Any) -> dict[str, Any]:
        """All arguments of the function in PyTorch's order, after its inputs."""
        return self.given()

    def given(self) -> dict[str, Any]:
        """The fields and their values, in the order of the signature."""
        return {name: getattr(self, name) for name in self.fields}

    def admit(self, *inputs: Value) -> None:
        """Refuses kinds and ranks that the class does not list."""
        for name, value in zip(self.input_names(len(inputs)), inputs, strict=False):
            if self.kinds is not None and value.kind not in self.kinds:
                raise Reject(f"expects {' or '.join(self.kinds)} values, not {value.kind}", input=name)
        if self.ranks is not None and inputs and inputs[0].rank not in self.ranks:
            wanted = " or ".join(str(rank) for rank in self.ranks)
            raise Reject(f"expects {wanted} dimensions, the batch counted, not {inputs[0].rank}", input=self.inputs[0])

    def input_names(self, count: int) -> list[str]:
        names = [name.strip("*?") for name in self.inputs]
        return names + [names[-1]] * (count - len(names)) if names else []

    def infer(self, *inputs: Any, **named: Any) -> Values:
        """What comes out, or Reject."""
        raise NotImplementedError

    def state(self, *inputs: Any, **named: Any) -> dict[str, State]:
        """The tensors that the module keeps, in `state_dict` order."""
        return {}


class Initializer(Signature):
    """How a parameter starts. `call` is what PyTorch runs on the tensor, such as `torch.nn.init.xavier_uniform_`."""

    call: ClassVar[str]


def per_axis(value: Any, n: int, field: str) -> tuple[Any, ...]:
    """One entry for each of `n` dimensions: an integer repeated, a tuple as it is."""
    if not isinstance(value, tuple):
        return (value,) * n
    if len(value) == 1:
        return value * n
    if len(value) != n:
        raise Reject(f"`{field}` has {len(value)} entries for {n} dimension{'s' * (n != 1)}", field=field)
    return value


def is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def show(value: Any) -> str:
    """A compile-time value in the words of the language."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        inner = ", ".join(show(item) for item in value)
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    return str(value) if isinstance(value, Term) else str(int(value)) if is_int(value) else str(value)


def between(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if low is not None:
        return f" of at least {low}"
    return f" of at most {high}" if high is not None else ""


def alternatives(words: Iterable[str]) -> str:
    return "".join(f" or `{word}`" for word in words)


def _inside(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


__all__ = [
    "REQUIRED", "BadArgument", "Bool", "Dim", "Example", "Field", "Float", "Initializer", "Int", "Ints", "Layer", "Numbers", "Reject",
    "Shape", "Signature", "Size", "State", "Text", "Value", "Values", "Word", "is_int", "per_axis", "show",
]  # fmt: skip
