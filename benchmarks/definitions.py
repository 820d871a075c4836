"""How long the specs of torchvision's networks, and what is emitted for them, are beside torchvision's definitions.

`python -m benchmarks.definitions` prints what `python -m benchmarks models` ends with. What is counted, and why, is in
README.md.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torchvision

import netc
from benchmarks.table import show
from netc.builtins import BUILTINS
from netc.diagnostics import Source
from netc.graph import Use
from netc.layer import Layer
from netc.pipeline import Compiled, nets

SPECS = Path(__file__).parents[1] / "specs" / "torchvision"
THEIRS = Path(torchvision.__file__).parent
# Where torchvision defines what a spec says: files, and of files that hold more than that, the names.
DEFINITIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "blocks": {
        "ops/misc.py": ("ConvNormActivation", "Conv2dNormActivation", "SqueezeExcitation", "MLP", "Permute"),
        "ops/stochastic_depth.py": ("stochastic_depth", "StochasticDepth"),
        "models/_utils.py": ("_make_divisible",),
    },
    "alexnet": {"models/alexnet.py": ()},
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
}  # fmt: skip
# Top-level names that are about published weights or variants.
LEFT_OUT = ("__all__", "_COMMON", "model_urls", "cfgs", "interpolate_embeddings", "_load_state_dict")
# What torchvision shares among families, and we, too: it stands in the row `blocks`.
SHARED = {"StochasticDepth", "stochastic_depth", "Permute", "make_divisible"}
REPORTED = ("alexnet", "vgg", "blocks")
"""Families of which no ratio is wanted: they are mostly sizes, or too short."""
BLANK = (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


class Count(NamedTuple):
    """Logical lines, and lines as a formatter lays them out."""

    logical: int = 0
    lines: int = 0


class Row(NamedTuple):
    """What counts of one family: the spec, the source of plugin layers behind it, torchvision's own files.

    `emitted` is the longest file that is emitted for one of its networks, `whole` torchvision's own definitions with
    those that they import, which stand in the emitted file, too.
    """

    spec: Count
    plugin: Count
    theirs: Count
    emitted: Count
    whole: Count


def main() -> None:
    """Prints a table of logical lines, and one of lines as formatted."""
    rows = dict(measured())
    sums = Row(*(added(column) for column in zip(*rows.values(), strict=True)))
    header = ["family", "spec", "plugin", "torchvision", "ratio", "wanted", "with plugin", "emitted", "ratio", "wanted",
              "with imports", "ratio"]  # fmt: skip
    for unit, title in enumerate(("Logical lines", "Lines of code, as formatted")):
        table = [[name, *cells(row, unit, "" if name in REPORTED else "0.30", "1.05")] for name, row in rows.items()]
        show(title, header, [*table, ["all", *cells(sums, unit, "0.20", "0.80")]])


def cells(row: Row, unit: int, spec_wanted: str, emitted_wanted: str) -> list[str]:
    spec, plugin, theirs, emitted, whole = (count[unit] for count in row)
    first = [str(spec), str(plugin), str(theirs), ratio(spec, theirs), spec_wanted, ratio(spec + plugin, theirs)]
    if not emitted:
        return [*first, "", "", "", "", ""]
    return [*first, str(emitted), ratio(emitted, theirs), emitted_wanted, str(whole), ratio(emitted, whole)]


def ratio(ours: int, theirs: int) -> str:
    return f"{ours / theirs:.2f}"


def measured() -> Iterator[tuple[str, Row]]:
    """The row of each family; what a plugin brings to several stands in that of the first, or in `blocks`."""
    texts = {family: (SPECS / f"{family}.net").read_text(encoding="utf-8") for family in DEFINITIONS}
    variants = {family: nets(Source(str(SPECS / f"{family}.net"), text)) for family, text in texts.items()}
    homes: dict[str, str] = {}
    longest: dict[str, Count] = {}
    for family, names in variants.items():
        networks = [netc.compile(SPECS / f"{family}.net", name) for name in names]
        longest[family] = max((python_size(network.model_source) for network in networks), default=Count())
        for source in (source for network in networks for source in brought(network)):
            shared = name_of(ast.parse(source).body[0]) in SHARED
            homes.setdefault(source, "blocks" if shared else family)
    for family, text in texts.items():
        own = list(definitions(family))
        yield family, Row(
            spec_size(text, variants[family]),
            added(python_size(source) for source, home in homes.items() if home == family),
            added(size_of(*each) for each in own),
            longest[family],
            added(size_of(*each) for each in closure(own)),
        )


def added(counts: Iterable[Count]) -> Count:
    return Count(*map(sum, zip(*(Count(), *counts), strict=True)))


# ---- our side ------------------------------------------------------------------------------------


def spec_size(text: str, variants: Sequence[str]) -> Count:
    """A spec's lines; `use`, `needs` and variants are left out. A line within brackets begins no logical line."""
    lines = logical = depth = 0
    for line in text.splitlines():
        code = re.sub(r'"[^"\n]*"', '""', line).partition("#")[0].strip()
        told = code.startswith(("use ", "needs ", "language ")) or line.partition(" = ")[0] in variants
        counts = bool(code) and not told
        lines += counts
        logical += counts and depth == 0
        depth += sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))
    return Count(logical, lines)


def brought(network: Compiled) -> Iterator[str]:
    """The PyTorch source that layers and functions bring to a network, each definition by itself."""
    helpers = (builtin.needs for builtin in BUILTINS.values() if builtin.needs and "\n" in builtin.needs)
    yield from (f"{helper.strip()}\n" for helper in helpers if helper in network.model_source)
    for template in network.graph.templates:
        for site in template.sites.values():
            if isinstance(site, Use) and isinstance(site.layer, Layer):
                placed = [site.layer.source] if site.kind == "layer" and site.layer.source else []
                yield from (f"{source.strip()}\n" for source in (*site.layer.helpers, *placed))


# ---- torchvision's side --------------------------------------------------------------------------


class File(NamedTuple):
    """A file of torchvision: its definitions with their sizes, and where what it imports is defined."""

    nodes: dict[str, ast.stmt]
    sizes: dict[str, Count]
    imports: dict[str, tuple[str, str]]


@cache
def file(path: str) -> File:
    source = formatted(THEIRS / path)
    tree = ast.parse(source)
    nodes = {name_of(node): node for node in tree.body if is_definition(node)}
    sizes = {name: python_size(source, (node,)) for name, node in nodes.items()}
    imports: dict[str, tuple[str, str]] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = Path(path).parents[node.level - 1]
            target = (folder / (node.module or "").replace(".", "/")).with_suffix(".py").as_posix()
            imports |= {alias.asname or alias.name: (target, alias.name) for alias in node.names}
    return File(nodes, sizes, imports)


def definitions(family: str) -> Iterator[tuple[str, str]]:
    """The definitions of a family: file and name."""
    for path, names in DEFINITIONS[family].items():
        yield from ((path, name) for name in file(path).nodes if not names or name in names)


def size_of(path: str, name: str) -> Count:
    return file(path).sizes[name]


def closure(own: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Definitions with those that they name, from files that count."""
    counted = {path for parts in DEFINITIONS.values() for path in parts}
    found: dict[tuple[str, str], None] = {}
    pending = list(own)
    while pending:
        path, name = pending.pop()
        if (path, name) in found or path not in counted or name not in file(path).nodes:
            continue
        found[path, name] = None
        used = {node.id for node in ast.walk(file(path).nodes[name]) if isinstance(node, ast.Name)}
        pending += [file(path).imports.get(each, (path, each)) for each in used]
    return list(found)


def formatted(path: Path) -> str:
    """A file as `ruff format` lays it out at torchvision's own 120 columns."""
    source = path.read_text(encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout


# ---- both ----------------------------------------------------------------------------------------


def python_size(source: str, nodes: Sequence[ast.stmt] | None = None) -> Count:
    """The definitions in a file, or some statements of it; docstrings and imports are left out."""
    nodes = [node for node in ast.parse(source).body if is_definition(node)] if nodes is None else nodes
    lines = {line for node in nodes for line in range(first_line(node), (node.end_lineno or 0) + 1)}
    lines -= {line for node in nodes for part in ast.walk(node) for line in left_out(part)}
    code: set[int] = set()
    logical = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NEWLINE:
            logical += token.start[0] in lines
        elif token.type not in BLANK:
            code.update(range(token.start[0], token.end[0] + 1))
    return Count(logical, len(lines & code))


def name_of(node: ast.stmt) -> str:
    """What a statement defines: a function, a class, or the target of an assignment."""
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
    return getattr(node, "name", "")


def first_line(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else ()
    return min([node.lineno, *(part.lineno for part in decorators)])


def is_definition(node: ast.stmt) -> bool:
    """Whether a statement of a file defines a network, rather than importing, documenting or publishing it."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Expr) or name_of(node).startswith(LEFT_OUT):
        return False
    if isinstance(node, ast.FunctionDef):
        return "weights" not in {arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)}
    return not (isinstance(node, ast.ClassDef) and node.name.endswith("_Weights"))


def left_out(node: ast.AST) -> range:
    """The lines of a docstring or of an import inside a definition."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
            return range(node.lineno, (node.end_lineno or 0) + 1)
    return range(0)


if __name__ == "__main__":
    main()
