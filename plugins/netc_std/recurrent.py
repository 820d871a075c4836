"""Recurrent networks: a state that runs along a sequence, and the cells that take one step of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from netc.layer import Bool, Example, Float, Int, Layer, Reject, State, Value, Word, fixed
from netc.shapes import Shape, product, same, show_shape
from netc.terms import Dim, Term

BIAS = Bool(True, doc="adds learned vectors")
BATCH_FIRST = Bool(False, doc="the batch is dimension 0 of input and output, not 1; never of the state")
DROPOUT = Float(0.0, min=0.0, max=1.0, doc="probability with which a value between layers is left out in training")
BIDIRECTIONAL = Bool(False, doc="reads the sequence backwards too, and gives both outputs side by side")

DEEP = 8
"""Layers of a recurrent network beyond what anyone trains."""


class Recurrent(Layer):
    """What the networks have in common: layers in one or both directions, each with a state of its own."""

    gates: ClassVar[int] = 1
    states: ClassVar[tuple[str, ...]] = ("hx",)
    elsewhere = {"units": "hidden_size"}

    hidden_size = Int(min=1, doc="features of the state")
    num_layers = Int(1, min=1, doc="layers, each of which takes the outputs of the one before")
    # The fields below, in PyTorch's order.
    bias: Any
    batch_first: Any
    dropout: Any
    bidirectional: Any

    def admit(self, *inputs: Value) -> None:
        """Refuses other than sequences in a batch."""
        super().admit(*inputs)
        for name, value in zip(self.inputs, inputs, strict=False):
            if value is not None and value.rank != 3:
                shape = show_shape(value.shape)
                reason = f"expects sequences: 3 dimensions, the batch counted, not {shape}"
                raise Reject(reason, input=name.strip("?"))

    def remark(self, input: Value, *states: Any) -> Reject | None:
        """Arguments as PyTorch orders them, a run over the batch by its default, and dropout between no layers."""
        hidden, layers = self.hidden_size, self.num_layers
        if layers >= DEEP and hidden == input.shape[2]:
            call = f"`{type(self).__name__}({layers})`"
            return Reject(f"has {layers} layers of {hidden} features, as many as reach it", field="num_layers",
                          help=f"the number of input features is not written: {call}")  # fmt: skip
        if not self.batch_first and isinstance(input.shape[0], Term) and not isinstance(input.shape[1], Term):
            return Reject("runs along dimension 0, the batch", help="write `batch_first=true`")
        if self.dropout and self.num_layers == 1:
            reason = "has nothing between its layers to drop, being one layer"
            return Reject(reason, field="dropout", help="`num_layers=2`, or a Dropout behind it")
        return None

    def inferred(self, input: Value, *states: Any) -> dict[str, Any]:
        return {"input_size": fixed(input.shape[2], "input_size")}

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def width(self) -> int:
        """Features of what one direction of a layer gives."""
        return self.hidden_size

    def infer(self, input: Value, *states: Value | None) -> tuple[Any, ...]:
        fixed(input.shape[2], "input_size")
        batch = input.shape[0 if self.batch_first else 1]
        rows = self.num_layers * self.directions
        widths = (self.width, self.hidden_size)[: len(self.states)]
        shapes: list[Shape] = [(rows, batch, width) for width in widths]
        check_states(self.states, states, shapes)
        output = Value((*input.shape[:2], self.directions * self.width), channel=2)
        last = tuple(Value(shape, channel=2) for shape in shapes)
        return output, (last if len(last) > 1 else last[0])

    def state(self, input: Value, *states: Any) -> dict[str, State]:
        return dict(self._tensors(fixed(input.shape[2], "input_size")))

    def _tensors(self, features: int) -> Iterator[tuple[str, State]]:
        rows = self.gates * self.hidden_size
        for layer in range(self.num_layers):
            for suffix in (f"_l{layer}", f"_l{layer}_reverse")[: self.directions]:
                size = self.directions * self.width if layer else features
                yield f"weight_ih{suffix}", State((rows, size))
                yield f"weight_hh{suffix}", State((rows, self.width))
                if self.bias:
                    yield f"bias_ih{suffix}", State((rows,))
                    yield f"bias_hh{suffix}", State((rows,))
                if self.width != self.hidden_size:
                    yield f"weight_hr{suffix}", State((self.width, self.hidden_size))


    def multiply_adds(self, input: Value, *states: Any) -> Dim:
        steps = input.shape[0] * input.shape[1]
        matrices = (state.shape for name, state in self.state(input).items() if name.startswith("weight"))
        return steps * sum(map(product, matrices))


class RNN(Recurrent):
    """Runs a state along a sequence: `h = tanh(W x + b + V h + c)`, an Elman network.

    (N, L, C) with `batch_first`, else (L, N, C), to the outputs (N, L, D * hidden_size) and the last state
    (D * num_layers, N, hidden_size), D being 2 with `bidirectional` and 1 without. The outputs flow on; `out, h = …`
    takes both. `hx`, shaped as the last state, is zeros if not given. Stricter than torch: the input is a batch.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html
    """

    module = "torch.nn.RNN"
    inputs = ("input", "hx?")
    examples = (
        Example("10x16", "RNN(32, batch_first=true)", "10x32, (1, 2, 32)"),
        Example("(10, 2, 16), (4, 2, 8)", "RNN(8, 2, nonlinearity=relu, bidirectional=true)", "(10, 2, 16), (4, 2, 8)"),
    )  # fmt: skip

    nonlinearity = Word("tanh", "relu", default="tanh", doc="what bounds the state")
    bias, batch_first, dropout, bidirectional = BIAS, BATCH_FIRST, DROPOUT, BIDIRECTIONAL


class GRU(Recurrent):
    """Runs a state along a sequence, with gates that say how much of it is renewed.

    (N, L, C) with `batch_first`, else (L, N, C), to the outputs (N, L, D * hidden_size) and the last state
    (D * num_layers, N, hidden_size), D being 2 with `bidirectional` and 1 without. The outputs flow on; `out, h = …`
    takes both. `hx`, shaped as the last state, is zeros if not given. Stricter than torch: the input is a batch.
    See Cho et al. (2014), arXiv 1406.1078. https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html
    """

    module = "torch.nn.GRU"
    gates = 3
    inputs = ("input", "hx?")
    examples = (
        Example("10x16", "GRU(32, batch_first=true)", "10x32, (1, 2, 32)"),
        Example("10x16, (4, 2, 8)", "GRU(8, 2, bidirectional=true, batch_first=true)", "10x16, (4, 2, 8)"),
        Example("(10, 2, 16)", "GRU(8, 3, dropout=0.2, bias=false)", "(10, 2, 8), (3, 2, 8)"),
    )

    bias, batch_first, dropout, bidirectional = BIAS, BATCH_FIRST, DROPOUT, BIDIRECTIONAL


class LSTM(Recurrent):
    """Runs a state and a memory along a sequence: long short-term memory.

    (N, L, C) with `batch_first`, else (L, N, C), to the outputs (N, L, D * P) and a pair, the last state
    (D * num_layers, N, P) and the last memory (D * num_layers, N, hidden_size). D is 2 with `bidirectional` and 1
    without, P is `proj_size` or else `hidden_size`. The outputs flow on; `out, (h, c) = …` takes all. `h_0` and `c_0`,
    shaped as the pair, are zeros if not given. Stricter than torch: the input is a batch. See Hochreiter and
    Schmidhuber (1997). https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
    """

    module = "torch.nn.LSTM"
    gates = 4
    states = ("h_0", "c_0")
    inputs = ("input", "h_0?", "c_0?")
    tupled = ("h_0", "c_0")
    examples = (
        Example("10x16", "LSTM(32, batch_first=true)", "10x32, (1, 2, 32), (1, 2, 32)"),
        Example("10x16", "LSTM(32, 2, batch_first=true, dropout=0.5, bidirectional=true, proj_size=8)",
                "10x16, (4, 2, 8), (4, 2, 32)"),
        Example("(10, 2, 16), (1, 2, 8), (1, 2, 8)", "LSTM(8, bias=false)", "(10, 2, 8), (1, 2, 8), (1, 2, 8)"),
        Example("5x4, (2, 2, 3), (2, 2, 8)", "LSTM(8, 2, batch_first=true, proj_size=3)",
                "5x3, (2, 2, 3), (2, 2, 8)"),
    )  # fmt: skip

    bias, batch_first, dropout, bidirectional = BIAS, BATCH_FIRST, DROPOUT, BIDIRECTIONAL
    proj_size = Int(0, min=0, doc="features that the state is projected to, fewer than `hidden_size`; 0 for none")

    @property
    def width(self) -> int:
        return self.proj_size or self.hidden_size

    def infer(self, input: Value, *states: Value | None) -> tuple[Any, ...]:
        if self.proj_size >= self.hidden_size:
            reason = f"projects to fewer features than hidden_size={self.hidden_size}, not to {self.proj_size}"
            raise Reject(reason, field="proj_size", help="leave it out to keep them all")
        return super().infer(input, *states)


# ---- one step ------------------------------------------------------------------------------------------


class Cell(Layer):
    """One step of a recurrent network, for a loop of one's own."""

    gates: ClassVar[int] = 1
    states: ClassVar[tuple[str, ...]] = ("hx",)
    elsewhere = {"units": "hidden_size"}

    hidden_size = Int(min=1, doc="features of the state")
    bias = Bool(True, doc="adds learned vectors")

    def admit(self, *inputs: Value) -> None:
        """Refuses other than vectors in a batch."""
        super().admit(*inputs)
        for name, value in zip(self.inputs, inputs, strict=False):
            if value is not None and value.rank != 2:
                reason = f"expects one step: 2 dimensions, the batch counted, not {show_shape(value.shape)}"
                raise Reject(reason, input=name.strip("?"), help="`select(1, 0)` takes a step of a sequence")

    def inferred(self, input: Value, *states: Any) -> dict[str, Any]:
        return {"input_size": fixed(input.shape[1], "input_size")}

    def infer(self, input: Value, *states: Value | None) -> Any:
        fixed(input.shape[1], "input_size")
        shape: Shape = (input.shape[0], self.hidden_size)
        check_states(self.states, states, [shape] * len(self.states))
        return Value(shape)

    def state(self, input: Value, *states: Any) -> dict[str, State]:
        rows = self.gates * self.hidden_size
        weights = {"weight_ih": (rows, fixed(input.shape[1], "input_size")), "weight_hh": (rows, self.hidden_size)}
        biases = {"bias_ih": (rows,), "bias_hh": (rows,)} if self.bias else {}
        return {name: State(shape) for name, shape in {**weights, **biases}.items()}


    def multiply_adds(self, input: Value, *states: Any) -> Dim:
        return product((input.shape[0], self.gates * self.hidden_size, input.shape[1] + self.hidden_size))


class RNNCell(Cell):
    """Takes one step of an RNN: `tanh(W x + b + V h + c)`.

    (N, C), and the state `hx` (N, hidden_size) or none for zeros, to the next state (N, hidden_size). Stricter than
    torch: the input is a batch. https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNCell.html
    """

    module = "torch.nn.RNNCell"
    inputs = ("input", "hx?")
    examples = (Example("16", "RNNCell(32)", "32"), Example("16, 8", "RNNCell(8, nonlinearity=relu)", "8"))

    nonlinearity = Word("tanh", "relu", default="tanh", doc="what bounds the state")


class GRUCell(Cell):
    """Takes one step of a GRU.

    (N, C), and the state `hx` (N, hidden_size) or none for zeros, to the next state (N, hidden_size). Stricter than
    torch: the input is a batch. https://docs.pytorch.org/docs/stable/generated/torch.nn.GRUCell.html
    """

    module = "torch.nn.GRUCell"
    gates = 3
    inputs = ("input", "hx?")
    examples = (Example("16", "GRUCell(32)", "32"), Example("16, 8", "GRUCell(8, bias=false)", "8"))


class LSTMCell(Cell):
    """Takes one step of an LSTM.

    (N, C), and a state and a memory (N, hidden_size) or none for zeros, to the next state and memory, of which the
    state flows on; `h, c = …` takes both. Stricter than torch: the input is a batch.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html
    """

    module = "torch.nn.LSTMCell"
    gates = 4
    states = ("h_0", "c_0")
    inputs = ("input", "h_0?", "c_0?")
    tupled = ("h_0", "c_0")
    examples = (
        Example("16", "LSTMCell(32)", "32, 32"),
        Example("16, 8, 8", "LSTMCell(8, bias=false)", "8, 8"),
    )

    def infer(self, input: Value, *states: Value | None) -> Any:
        next = super().infer(input, *states)
        return next, next


def check_states(names: tuple[str, ...], states: tuple[Value | None, ...], shapes: list[Shape]) -> None:
    """Refuses a part of the states, and states of another shape than they come out with."""
    found = [*states, *[None] * (len(names) - len(states))]
    if None in found and any(state is not None for state in found):
        given = ", ".join(f"`{name}`" for name, state in zip(names, found, strict=True) if state is not None)
        raise Reject(f"takes {' and '.join(f'`{name}`' for name in names)} together, and only {given} is given")
    for name, state, shape in zip(names, found, shapes, strict=True):
        if state is not None and not all(map(same, state.shape, shape)):
            raise Reject(f"expects a `{name}` of {show_shape(shape)}, not {show_shape(state.shape)}", input=name)
