"""Whether the specs of torchvision's networks make the same networks, and how long they are beside its source."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import torch
import torchvision
from tests.specs.comparing import Facts, assert_same_state, check_power, differences, run
from tests.torchvision.reference import MODELS, SPECS, Model

import netc
from benchmarks.table import show

SOURCE = Path(torchvision.__file__).parent
# Where torchvision defines what a spec says: files, and of files that hold more than that, the names.
DEFINITIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "alexnet": {"models/alexnet.py": ()},
    "blocks": {"ops/misc.py": ("ConvNormActivation", "Conv2dNormActivation", "SqueezeExcitation", "MLP")},
    "convnext": {"models/convnext.py": ()},
    "densenet": {"models/densenet.py": ()},
    "efficientnet": {"models/efficientnet.py": ()},
    "googlenet": {"models/googlenet.py": ()},
    "mobilenetv2": {"models/mobilenetv2.py": ()},
    "mobilenetv3": {"models/mobilenetv3.py": ()},
    "regnet": {"models/regnet.py": ()},
    "resnet": {"models/resnet.py": ()},
    "segmentation": {
        "models/segmentation/fcn.py": (),
        "models/segmentation/deeplabv3.py": (
            "DeepLabV3", "DeepLabHead", "ASPPConv", "ASPPPooling", "ASPP", "_deeplabv3_resnet",
        ),
        "models/segmentation/_utils.py": (),
        "models/_utils.py": ("IntermediateLayerGetter",),
    },
    "shufflenetv2": {"models/shufflenetv2.py": ()},
    "swin": {"models/swin_transformer.py": ()},
    "swin3d": {"models/video/swin_transformer.py": ()},
    "vgg": {"models/vgg.py": ()},
    "video_resnet": {
        "models/video/resnet.py": ("Conv3DSimple", "Conv3DNoTemporal", "BasicBlock", "BasicStem", "VideoResNet")
    },
    "vit": {"models/vision_transformer.py": ()},
}
VARIANT = re.compile(r"^(\w+) = [A-Z]\w*\(", re.MULTILINE)
BLANK = (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
REPORTED = ("alexnet", "vgg", "blocks")
"""Families of which no ratio is wanted: they are mostly sizes, or too short."""


def main(nightly: bool = False) -> None:
    """Prints both tables; `nightly` also runs the networks that only the nightly tests run."""
    torch.set_num_threads(1)
    compare([model for model in MODELS.values() if nightly or model.when == "test"])
    measure()


def compare(models: list[Model]) -> None:
    header = ["network", "keys", "eval", "train", "gradients"]
    show("Against torchvision (= bit-identical; else the largest difference, in double precision)", header,
         [list(row(model)) for model in models])  # fmt: skip


def row(model: Model) -> Iterator[str]:
    """One network: its keys, and how its outputs and gradients compare."""
    yield model.name
    yield str(assert_same_state(model.load, model.reference))
    if model.when == "never":
        yield from ("", "", "")
        return
    sides = [partial(run, build, (model.shape,)) for build in (model.load, model.reference)]
    found = compared(*(side(torch.float32) for side in sides))
    if found:
        found = compared(*(side(torch.float64) for side in sides))
    for parts in (("evaluation",), ("training", "statistics"), ("gradients",)):
        sizes = [size for key, size in found.items() if key.startswith(parts)]
        yield f"{max(sizes):.0e}" if sizes else "="


def compared(ours: Facts, theirs: Facts) -> dict[str, float]:
    check_power(theirs)
    return differences(ours, theirs)


def measure() -> None:
    """Prints the length of each spec, of what is emitted for its first network, and of torchvision's definition."""
    rows, totals = [], Counter[int]()
    for family, parts in DEFINITIONS.items():
        text = (SPECS / f"{family}.net").read_text(encoding="utf-8")
        nets = VARIANT.findall(text)
        emitted = python_size(netc.compile(SPECS / f"{family}.net", nets[0]).model_source) if nets else (0, 0)
        theirs = [python_size(formatted(SOURCE / path), names) for path, names in parts.items()]
        sizes = dict(enumerate((*spec_size(text), *emitted, *map(sum, zip(*theirs, strict=True)))))
        totals.update(sizes)
        rows.append([family, *figures(sizes), "" if family in REPORTED else "0.30"])
    rows.append(["all", *figures(totals), "0.20"])
    header = ["family", "spec", "emitted", "torchvision", "ratio", "logical", "emitted", "torchvision", "wanted"]
    show("Lines of code of the definitions, as formatted; then logical lines", header, rows)


def figures(sizes: Mapping[int, int]) -> list[str]:
    """The columns of a row, from (lines, logical lines) of a spec, of what is emitted and of torchvision."""
    lines, logical = ([str(sizes[i]) for i in range(start, 6, 2)] for start in (0, 1))
    return [*lines, f"{sizes[0] / sizes[4]:.2f}", *logical]


def formatted(path: Path) -> str:
    """A file as `ruff format` lays it out at torchvision's own 120 columns."""
    source = path.read_text(encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout


def spec_size(text: str) -> tuple[int, int]:
    """Lines of code of a spec, and logical lines; `use`, `needs` and variants are left out."""
    lines = logical = depth = 0
    for line in text.splitlines():
        code = re.sub(r'"[^"\n]*"', '""', line).partition("#")[0].strip()
        counts = bool(code) and not code.startswith(("use ", "needs ", "language ")) and not VARIANT.match(line)
        lines += counts
        logical += counts and depth == 0
        depth += sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))
    return lines, logical


def python_size(source: str, names: tuple[str, ...] = ()) -> tuple[int, int]:
    """Lines of code of the definitions in a file, and logical lines, as Python's tokenizer ends them.

    Docstrings, imports, published weights and the builders around them are left out; `names` are all that counts.
    """
    nodes = [node for node in ast.parse(source).body if is_definition(node) and (not names or name_of(node) in names)]
    lines = {line for node in nodes for line in range(first_line(node), (node.end_lineno or 0) + 1)}
    lines -= {line for node in nodes for part in ast.walk(node) for line in left_out(part)}
    code: set[int] = set()
    logical = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NEWLINE:
            logical += token.start[0] in lines
        elif token.type not in BLANK:
            code.update(range(token.start[0], token.end[0] + 1))
    return len(lines & code), logical


def name_of(node: ast.stmt) -> str:
    return getattr(node, "name", "")


def first_line(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else ()
    return min([node.lineno, *(part.lineno for part in decorators)])


def is_definition(node: ast.stmt) -> bool:
    """Whether a statement of a file defines a network, rather than importing, documenting or publishing it."""
    if isinstance(node, ast.FunctionDef):
        return "weights" not in {arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)}
    if isinstance(node, ast.ClassDef):
        return not node.name.endswith("_Weights")
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return not ast.unparse(targets[0]).startswith(("__all__", "_COMMON", "model_urls"))
    return not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)


def left_out(node: ast.AST) -> range:
    """The lines of a docstring or of an import inside a definition."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
            return range(node.lineno, (node.end_lineno or 0) + 1)
    return range(0)
