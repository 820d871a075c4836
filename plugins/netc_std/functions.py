"""Data from a function of the user's own, which the script imports."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from typing import Any

from netc.layer import Bool, Int, Ints, Reject, Text
from netc.recipe import DataSource, Target
from netc.shapes import Shape, Value
from netc_std.data import batch_size

Inputs = Sequence[tuple[str, Value]]
DTYPES = {"float": "torch.float32", "int": "torch.int64", "bool": "torch.bool"}


class Function(DataSource):
    """What a function in a Python file gives, `"module:function"`: the spec says what it is, the script imports it.

    It is called with the seed and returns inputs and targets for training, then those of the test: tensors or arrays;
    of a network with several inputs a tuple of them. The module is found beside the script, or where Python finds it.
    """

    stated = ("batch_size", "test_batch_size")
    function = Text(doc="The module, a colon, and the function.")
    classes = Int(None, min=2, doc="How many classes the target tells apart; values without it.")
    shape = Ints(None, min=1, doc="Of one example of the target: `()` for a number; by default (1,) or a class.")
    test = Bool(True, doc="Whether it gives a test part.")
    pictures = Bool(False, doc="Whether the input is a picture, which can be shown and augmented.")
    partial = Bool(False, doc="Whether places may have no class, which the number -100 says.")
    batch_size = batch_size()
    test_batch_size = Int(1000, min=1, doc="Examples a step in the test.")
    shuffle = Bool(True)

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in super().given().items() if name in ("batch_size", "test_batch_size")}

    @property
    def held_out(self) -> bool:  # type: ignore[override]
        return self.test

    def extent(self) -> Shape:
        """The shape of one example of the target."""
        if self.shape is not None:
            return tuple(self.shape)
        return () if self.classes is not None else (1,)

    def fitted(self, inputs: Inputs) -> Target:
        kind = "value" if self.classes is None else "class"
        return Target(f"`{self.function}`", kind, self.extent(), self.classes, self.partial)  # type: ignore[arg-type]

    def admit(self, inputs: Inputs) -> None:
        module, colon, name = self.function.partition(":")
        words = [*module.split("."), name]
        if not colon or not all(word.isidentifier() and not keyword.iskeyword(word) for word in words):
            reason = f"there is no module and function in `{self.function}`"
            raise Reject(reason, field="function", help='`"shapes:clouds"` is `clouds` of shapes.py')
        if self.partial and (self.classes is None or not self.extent()):
            raise Reject("`partial` is for classes of places", field="partial", help="`classes=21, shape=(64, 64)`")

    def loaded(self, inputs: Inputs) -> str:
        module, _, name = self.function.partition(":")
        several = len(inputs) > 1
        kind = "float" if self.classes is None else "int"
        lines = [f"    for inputs, targets in ({'parts[:2], parts[2:]' if self.test else 'parts,'}):"]
        checks = [wanted(f"inputs[{i}]" if several else "inputs", value) for i, (_, value) in enumerate(inputs)]
        if several:
            lines += ["        inputs = (", *(f"            {check}," for check in checks), "        )"]
        else:
            lines.append(f"        inputs = {checks[0]}")
        lines.append(f"        targets = {wanted('targets', Value((1, *self.extent()), kind))}")  # type: ignore[arg-type]
        lines.append(LENGTHS.format(parts="(*inputs, targets)" if several else "(inputs, targets)"))
        if self.classes is not None:
            lines.append((KNOWN if self.partial else RANGE).format(last=self.classes - 1))
        lines.append("        yield from (inputs, targets)")
        head = LOAD.format(module=module, name=name, count=4 if self.test else 2)
        return CHECKED + "\n\n" + head + "\n".join(lines) + "\n"


def wanted(name: str, value: Value) -> str:
    """The call that checks a part; a size that only the run decides is None."""
    sizes = ["None", *(str(int(size)) if isinstance(size, int) else "None" for size in value.shape[1:])]
    shown = f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"
    return f"checked(source, {name}, {shown}, {DTYPES[value.kind]})"


CHECKED = '''\
def checked(source, part, shape, dtype):
    """A part as a tensor, if its shape and numbers are as wanted; None is any size."""
    part = torch.as_tensor(part)
    pairs = zip(part.shape, shape, strict=False)
    sizes = tuple(have if want is None else want for have, want in pairs)
    found = f"{source} gives {part.dtype} of shape {tuple(part.shape)}"
    if part.dim() != len(shape) or tuple(part.shape) != sizes:
        raise SystemExit(f"{found} instead of {shape}")
    if part.is_floating_point() and not dtype.is_floating_point:
        raise SystemExit(f"{found} instead of {dtype}")
    return part.to(dtype)
'''

LOAD = '''\
def load_data(args):
    """What `{name}` gives, once it is as the network takes it."""
    source = "{module}:{name}"
    try:
        from {module} import {name}
    except ImportError as error:
        raise SystemExit(f"cannot import {{source}}: {{error}}") from None
    parts = list({name}(args.seed))
    if len(parts) != {count}:
        raise SystemExit(f"{{source}} gives {{len(parts)}} parts instead of {count}")
'''

LENGTHS = """\
        if len({{len(part) for part in {parts}}}) > 1 or len(targets) == 0:
            raise SystemExit(f"{{source}} gives parts of unequal lengths or none")"""

RANGE = """\
        low, high = targets.aminmax()
        if low < 0 or high > {last}:
            raise SystemExit(f"{{source}} gives classes {{low}} to {{high}}, not 0 to {last}")"""

KNOWN = """\
        wrong = (targets != -100) & ((targets < 0) | (targets > {last}))
        if wrong.any():
            raise SystemExit(f"{{source}} gives class {{targets[wrong][0]}}, not 0 to {last}")"""
