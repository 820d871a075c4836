"""Tables and arrays in files: CSV and NumPy. What is wrong with a file is said by the script before it trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from netc.layer import Bool, Field, Float, Int, Ints, Reject, Text
from netc.recipe import DataSource, Target, show_example
from netc.shapes import Shape, Value, show_dim
from netc_std.data import batch_size

Inputs = Sequence[tuple[str, Value]]


class Texts(Field[tuple[str, ...]]):
    """A quoted text, or several in brackets."""

    expected = "a quoted text, or several in brackets"

    def convert(self, value: Any) -> tuple[str, ...]:
        items = tuple(value) if isinstance(value, tuple | list) else (value,)
        if not items or not all(isinstance(item, str) and item for item in items) or len({*items}) < len(items):
            raise self.fail(value)
        return items


class FileSource(DataSource):
    """Examples of one file, of which some are kept for the test."""

    stated = ("path", "batch_size", "test_batch_size")
    path: str
    test: float
    classes: int | None
    unflagged: ClassVar[tuple[str, ...]] = ("test", "classes", "target", "columns", "standardize")

    def given(self) -> dict[str, Any]:
        """The arguments that are flags; the others stand in the source."""
        return {name: value for name, value in super().given().items() if name not in self.unflagged}

    @property
    def held_out(self) -> bool:  # type: ignore[override]
        return self.test > 0

    @property
    def splitting(self) -> str:
        """The lines that give the rows of each part."""
        return SPLIT.format(share=self.test) if self.test > 0 else ""

    @property
    def parts(self) -> str:
        return "for training and for the test" if self.test > 0 else "for training"

    def returned(self, several: bool) -> str:
        """The lines that give both parts."""
        if not self.test > 0:
            return "    return inputs, targets\n"
        if not several:
            return "    return inputs[train], targets[train], inputs[test], targets[test]\n"
        return RETURNED


SPLIT = """\
    generator = torch.Generator().manual_seed(args.seed)
    order = torch.randperm(len(targets), generator=generator)
    test, train = order.tensor_split([max(1, round({share} * len(order)))])
    if len(train) == 0:
        raise SystemExit(f"{{args.path}} is too short to be split")
"""

RETURNED = """\
    train_inputs = tuple(part[train] for part in inputs)
    test_inputs = tuple(part[test] for part in inputs)
    return train_inputs, targets[train], test_inputs, targets[test]
"""


def share() -> Float:
    return Float(0.2, min=0, below=1, doc="Share of the examples that is kept for the test, drawn by the seed.")


def class_count() -> Int:
    return Int(None, min=2, doc="How many classes the target tells apart; values without it.")


# ---- CSV ---------------------------------------------------------------------------------------


class CSV(FileSource):
    """A CSV file with a header. A vector input takes the columns, and an input with the name of a column that column.

    Columns of a vector are numbers, standardised by the training part. Inputs of integers, and targets with
    `classes`, are numbers from 0, or words that are numbered in alphabetical order.
    """

    imports = ("import csv", "import math")
    path = Text(doc="The file.")
    target = Texts(doc="The column that is learnt, or several of values.")  # type: ignore[assignment]
    columns = Texts(None, doc="The columns of the vector; by default all that nothing else takes.")
    classes = class_count()
    test = share()
    standardize = Bool(True, doc="Mean 0 and standard deviation 1 for each column of the vector.")
    batch_size = batch_size()
    test_batch_size = Int(1000, min=1, doc="Examples a step in the test.")
    shuffle = Bool(True)

    def learnt(self) -> tuple[str, ...]:
        names: Any = self.target
        return tuple(names)

    def fitted(self, inputs: Inputs) -> Target:
        if self.classes is not None:
            return Target("the CSV file", "class", classes=self.classes)
        return Target("the CSV file", "value", (len(self.learnt()),))

    def admit(self, inputs: Inputs) -> None:
        if self.classes is not None and len(self.learnt()) > 1:
            raise Reject("one column has classes, several have values", field="target")
        vectors = [(name, value) for name, value in inputs if value.rank == 2]
        for name, value in inputs:
            if value.rank not in (1, 2) or value.kind == "bool" or (value.rank == 2 and value.kind != "float"):
                reason = f"a table feeds vectors and single numbers, `{name}` is {show_example(value) or value}"
                raise Reject(reason, help="`input 12` takes twelve columns, `input year: int()` one of whole numbers")
        if len(vectors) > 1:
            names = " and ".join(f"`{name}`" for name, _ in vectors)
            raise Reject(f"{names} both take the columns of the table", help="one vector for all columns")
        given, width = self.columns, vectors[0][1].shape[1] if vectors else None
        if given is not None and isinstance(width, int) and len(given) != width:
            reason = f"`{vectors[0][0]}` takes {show_dim(width)} columns, {len(given)} are named"
            raise Reject(reason, field="columns")
        both = [name for name in given or () if name in self.learnt()]
        if both:
            raise Reject(f"`{both[0]}` is learnt, it cannot be told the network", field="columns")

    def loaded(self, inputs: Inputs) -> str:
        vector = next((value for _, value in inputs if value.rank == 2), None)
        of, lines = "vector" if len(inputs) > 1 else "inputs", []
        if vector is not None:
            lines += [*self.named(inputs, vector), f"    {of} = numbers(args.path, table, names)"]
        learnt = [quoted(name) for name in self.learnt()]
        if self.classes is not None:
            given = ["args.path", "table", *learnt, str(self.classes)]
            lines.append(call("    targets = categories", given))
        elif len(line := f"    targets = numbers(args.path, table, [{', '.join(learnt)}])") <= 88:
            lines.append(line)
        else:
            lines += [row("    learnt = [", learnt, "]"), "    targets = numbers(args.path, table, learnt)"]
        lines.append(self.splitting)
        if vector is not None and self.standardize:
            lines.append(STANDARDIZED.format(of=of, train="[train]" if self.test > 0 else ""))
        if len(inputs) > 1:
            lines.append(row("    inputs = (", [self.fed(name, value) for name, value in inputs], ")"))
        elif vector is None:
            lines.append(f"    inputs = {self.fed(*inputs[0])}")
        lines.append(self.returned(len(inputs) > 1))
        kinds = {value.kind for _, value in inputs} | {"float" if self.classes is None else "int"}
        helpers = [READ_TABLE, CELLS, *[NUMBERS] * ("float" in kinds), *[CATEGORIES] * ("int" in kinds)]
        body = "\n".join(line.rstrip("\n") for line in lines if line) + "\n"
        return "\n\n".join([*helpers, LOAD_CSV.format(parts=self.parts) + body])

    def named(self, inputs: Inputs, vector: Value) -> list[str]:
        """The lines that name the columns of the vector."""
        if self.columns is not None:
            return [row("    names = [", [quoted(name) for name in self.columns], "]")]
        taken = [quoted(name) for name in (*self.learnt(), *(name for name, value in inputs if value.rank == 1))]
        lines = [row("    others = [", taken, "]"), "    names = [name for name in table[0] if name not in others]"]
        width = vector.shape[1]
        return [*lines, *[WIDTH_CHECK.format(width=width)] * isinstance(width, int)]

    def fed(self, name: str, value: Value) -> str:
        if value.rank == 2:
            return "vector"
        if value.kind == "int":
            return f"categories(args.path, table, {quoted(name)})"
        return f"numbers(args.path, table, [{quoted(name)}]).squeeze(1)"


def quoted(text: str) -> str:
    """A string as a formatter writes it."""
    body = text.replace("\\", "\\\\").replace("\n", "\\n")
    if body.count('"') > body.count("'"):
        return "'" + body.replace("'", "\\'") + "'"
    return '"' + body.replace('"', '\\"') + '"'


def call(head: str, items: Sequence[str]) -> str:
    """A call on one line, or its arguments on a line of their own."""
    flat = ", ".join(items)
    return line if len(line := f"{head}({flat})") <= 88 else f"{head}(\n        {flat}\n    )"


def row(head: str, items: Sequence[str], end: str) -> str:
    """A list on one line, or an entry a line."""
    comma = "," * (len(items) == 1 and end == ")")
    if len(line := f"{head}{', '.join(items)}{comma}{end}") <= 88:
        return line
    return f"{head}\n" + "".join(f"        {item},\n" for item in items) + f"    {end}"


LOAD_CSV = '''\
def load_data(args):
    """Inputs and targets {parts}."""
    table = read_table(args.path)
'''

WIDTH_CHECK = """\
    if len(names) != {width}:
        found = f"{{len(names)}} columns are left for the input: {{', '.join(names)}}"
        raise SystemExit(f"the network takes {width} columns of {{args.path}}, {{found}}")"""

STANDARDIZED = """\
    std, mean = torch.std_mean({of}{train}, dim=0, correction=0)
    {of} = ({of} - mean) / torch.where(std > 0, std, 1)"""

READ_TABLE = '''\
def read_table(path):
    """The header of a CSV file, and its rows with their line numbers."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            rows = [(reader.line_num, row) for row in reader if row]
    except (OSError, UnicodeError, csv.Error) as error:
        raise SystemExit(f"{path} cannot be read: {error}") from None
    if not rows:
        raise SystemExit(f"{path} has no rows")
    for line, row in rows:
        if len(row) != len(header):
            raise SystemExit(f"{path}:{line}: {len(row)} cells, not {len(header)}")
    return header, rows
'''

CELLS = '''\
def cells(path, table, name):
    """The cells of a column, with their lines."""
    header, rows = table
    if name not in header:
        raise SystemExit(f"{path} has no column {name!r}; it has {', '.join(header)}")
    index = header.index(name)
    return [(line, row[index]) for line, row in rows]
'''

NUMBERS = '''\
def numbers(path, table, names):
    """Columns of numbers (N, columns)."""
    columns = []
    for name in names:
        columns.append([])
        for line, cell in cells(path, table, name):
            try:
                value = float(cell)
            except ValueError:
                value = math.nan
            if not math.isfinite(value):
                found = f"{cell!r} in column {name!r}"
                raise SystemExit(f"{path}:{line}: {found} is no number")
            columns[-1].append(value)
    return torch.tensor(columns).T.contiguous()
'''

CATEGORIES = '''\
def categories(path, table, name, count=math.inf):
    """A column of numbers from 0, or of words numbered in alphabetical order."""
    column = cells(path, table, name)
    words = sorted({cell for _, cell in column})
    numbered = {word: number for number, word in enumerate(words)}
    if all(word.isdecimal() for word in words):
        numbered = {word: int(word) for word in words}
    for line, cell in column:
        if numbered[cell] >= count:
            found = f"{cell!r} in column {name!r} is class {numbered[cell]}"
            raise SystemExit(f"{path}:{line}: {found}, the last is {count - 1}")
    return torch.tensor([numbered[cell] for _, cell in column])
'''


# ---- NumPy -------------------------------------------------------------------------------------


class NumPy(FileSource):
    """Arrays of a `.npz` file: the input, or each of several, has the name of its array.

    `numpy.savez("data.npz", x=..., y=...)` feeds `input 3x32x32`, which is `x` where it has no name of its own.
    """

    packages = ("numpy",)
    imports = ("import zipfile", "import numpy as np")
    path = Text(doc="The file.")
    target = Text("y", doc="The array that is learnt.")  # type: ignore[assignment]
    shape = Ints(None, min=1, doc="Of one example of the target where it is values, such as `(1,)`; `()` is a number.")
    classes = class_count()
    test = share()
    batch_size = batch_size()
    test_batch_size = Int(1000, min=1, doc="Examples a step in the test.")
    shuffle = Bool(True)
    unflagged = (*FileSource.unflagged, "shape")

    def extent(self) -> Shape:
        """The shape of one example of the target."""
        if self.shape is not None:
            return tuple(self.shape)
        return () if self.classes is not None else (1,)

    def fitted(self, inputs: Inputs) -> Target:
        if self.classes is not None:
            return Target("the NumPy file", "class", self.extent(), self.classes)
        return Target("the NumPy file", "value", self.extent())

    def admit(self, inputs: Inputs) -> None:
        name = str(self.target)
        if name in dict(inputs):
            raise Reject(f"`{name}` is learnt, it cannot be told the network", field="target")

    def loaded(self, inputs: Inputs) -> str:
        lines = []
        fed = [fetched(name, value.kind, value.shape[1:]) for name, value in inputs]
        if len(inputs) > 1:
            lines.append(row("    inputs = (", fed, ")"))
        else:
            lines.append(f"    inputs = {fed[0]}")
        kind = "float" if self.classes is None else "int"
        lines.append(f"    targets = {fetched(str(self.target), kind, self.extent())}")
        lines.append(LENGTHS.format(parts="(*inputs, targets)" if len(inputs) > 1 else "(inputs, targets)"))
        if self.classes is not None:
            lines.append(RANGE.format(last=self.classes - 1))
        lines += [self.splitting.rstrip("\n"), self.returned(len(inputs) > 1).rstrip("\n")]
        head = LOAD_NUMPY.format(parts=self.parts)
        return FETCH + "\n\n" + head + "\n".join(line for line in lines if line) + "\n"


def fetched(name: str, kind: str, shape: Shape) -> str:
    """The source of an array; a size that only the run decides is None."""
    sizes = ["None", *(str(int(size)) if isinstance(size, int) else "None" for size in shape)]
    shown = f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"
    dtype = {"float": "torch.float32", "int": "torch.int64", "bool": "torch.bool"}[kind]
    return f"fetch(args.path, arrays, {quoted(name)}, {shown}, {dtype})"


LOAD_NUMPY = '''\
def load_data(args):
    """Inputs and targets {parts}."""
    if not zipfile.is_zipfile(args.path):
        raise SystemExit(f"there is no .npz file {{args.path}}")
    try:
        with np.load(args.path) as file:
            arrays = dict(file)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise SystemExit(f"{{args.path}} cannot be read: {{error}}") from None
'''

FETCH = '''\
def fetch(path, arrays, name, shape, dtype):
    """An array as a tensor; of any size where the shape has None."""
    if name not in arrays:
        raise SystemExit(f"{path} has no array {name!r}; it has {', '.join(arrays)}")
    array = arrays[name]
    pairs = zip(array.shape, shape, strict=False)
    sizes = tuple(have if want is None else want for have, want in pairs)
    if array.ndim != len(shape) or array.shape != sizes:
        raise SystemExit(f"{path}: {name!r} has shape {array.shape} instead of {shape}")
    if array.dtype.kind not in ("fiub" if dtype.is_floating_point else "iub"):
        raise SystemExit(f"{path}: {name!r} holds {array.dtype} instead of {dtype}")
    if not np.isfinite(array).all():
        raise SystemExit(f"{path}: {name!r} holds what is no number")
    return torch.from_numpy(array).to(dtype)
'''

LENGTHS = """\
    if len({{len(part) for part in {parts}}}) > 1 or len(targets) == 0:
        raise SystemExit(f"{{args.path}} has arrays of different lengths, or empty ones")"""

RANGE = """\
    low, high = targets.aminmax()
    if low < 0 or high > {last}:
        found = f"{{args.path}} has classes from {{low}} to {{high}}"
        raise SystemExit(f"{{found}}, the network tells 0 to {last}")"""
