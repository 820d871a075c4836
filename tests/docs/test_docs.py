"""The documentation is true: its specs compile, load and run, its messages and generated parts are those of today."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import torch
from docs.generate import (
    EXAMPLE,
    LAYERS,
    PAGES,
    ROOT,
    Block,
    blocks,
    compile_block,
    layers_page,
    refreshed,
    save_imports,
)

from netc.cli import cli, main
from netc.diagnostics import Source, SpecError
from netc.elaborate import runnable
from netc.parse import parse
from netc.pipeline import Compiled, read_used
from netc.plugins import load_registry
from netc.shapes import Value
from netc.syntax import Train
from netc.terms import Term

STALE = "run `python docs/generate.py`, and read the diff"
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
ALL = [(page, block) for page in PAGES for block in blocks(page.read_text(encoding="utf-8"))]
SYMBOL = 12
"""What the examples take for a size that only a run decides."""


def chosen(tag: str) -> Any:
    found = [(page, block) for page, block in ALL if block.tag == tag]
    ids = [f"{page.stem}-{block.line}" for page, block in found]
    return pytest.mark.parametrize(("page", "block"), found, ids=ids)


@pytest.fixture
def folder(page: Path, tmp_path: Path) -> Path:
    """A folder with the files that specs of the page import."""
    save_imports(page.read_text(encoding="utf-8"), tmp_path)
    return tmp_path


# ---- specs -----------------------------------------------------------------------------------------------


@chosen("net")
def test_specs_compile_and_run(page: Path, block: Block, folder: Path) -> None:
    for compiled in every(block, folder):
        assert [d.message for d in compiled.diagnostics] == []
        assert compiled.script
        run(compiled)


@chosen("net error")
def test_errors_are_those_that_are_named(page: Path, block: Block, folder: Path) -> None:
    code = re.match(r"# ([EW]\d{4}): \S", block.text)
    assert code, "the first line of a spec with a mistake names the code"
    with pytest.raises(SpecError) as caught:
        _ = compile_block(block, folder).recipe
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == [code[1]]


def every(block: Block, folder: Path) -> Iterator[Compiled]:
    """Each net, variant and recipe of a spec; of a file that others import only what can be built."""
    source = Source(str(folder / EXAMPLE), block.text)
    file = parse(source)
    names = runnable(source, file, load_registry(), read_used)
    assert names or block.file_name
    variants = [name for name in names if re.search(rf"^{name} *=", block.text, re.MULTILINE)]
    recipes = [item.name for item in file.items if isinstance(item, Train)]
    for name in variants or names:
        for train in recipes or [None]:
            yield compile_block(block, folder, name, train)


def run(compiled: Compiled) -> None:
    """Runs the loaded module; its output must have the shapes that were predicted."""
    model = compiled.load().eval()
    inputs = [random_input(value) for value in compiled.graph.inputs.values()]
    with torch.no_grad():
        check_output(compiled.graph.output, model(*inputs))
        model.train()(*inputs)


def random_input(value: Value) -> torch.Tensor:
    shape = [number(size) for size in value.shape]
    if value.kind == "float":
        return torch.randn(shape)
    return torch.randint(0, 2, shape, dtype=torch.long if value.kind == "int" else torch.bool)


def number(size: Any) -> int:
    """A size where the batch is 2 and every other symbol SYMBOL."""
    if not isinstance(size, Term):
        return int(size)
    return size.evaluate(lambda atom: 2 if atom.label == "N" else SYMBOL)


def check_output(expected: Any, actual: Any) -> None:
    if isinstance(expected, Value):
        assert tuple(actual.shape) == tuple(number(size) for size in expected.shape)
    elif isinstance(expected, dict):
        actual = actual._asdict() if hasattr(actual, "_asdict") else actual
        assert list(actual) == list(expected)
        for name, value in expected.items():
            check_output(value, actual[name])
    else:
        assert len(actual) == len(expected)
        for one, other in zip(expected, actual, strict=True):
            check_output(one, other)


# ---- what netc writes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_generated_blocks_are_fresh(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert refreshed(text) == text, STALE


def test_layers_page_is_fresh() -> None:
    assert layers_page(load_registry()) == LAYERS.read_text(encoding="utf-8"), STALE


def test_a_stale_block_is_noticed() -> None:
    text = "```net\nnet A:\n    input 4\n    fc: Linear(2)\n```\n```text keys\nfc.weight\n```\n"
    assert refreshed(text) == text.replace("fc.weight\n", "fc.weight\nfc.bias\n")


# ---- what else the pages say ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (ROOT / name).parent / path if path else ROOT / name
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked.read_text(encoding="utf-8")), target


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index


@chosen("sh")
def test_commands_exist(page: Path, block: Block) -> None:
    """The commands and options that the pages show are those of the command line and of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for line in block.text.replace("\\\n", " ").splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["make"]:
            assert all(re.search(rf"^{word}:", makefile, re.MULTILINE) for word in words[1:] if "=" not in word)
        if words[:1] != ["netc"]:
            continue
        command: Any = cli
        while len(words) > 1 and hasattr(command, "commands"):
            words = words[1:]
            if words[0].startswith("-"):
                break
            command = command.get_command(click.Context(command), words[0])
            assert command is not None, line
        known = {option for param in command.params for option in param.opts} | {"--help", "--version"}
        own = words[: words.index("--")] if "--" in words else words
        assert {word for word in own if word.startswith("-") and word != "-"} <= known, line


@chosen("python")
def test_python_examples_run(page: Path, block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stands alone; the specs that it names are files of the page."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    exec(compile(block.text, f"{page.name}:{block.line}", "exec"), {"__name__": "example"})


def test_the_page_of_the_budget_shows_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "plugins" / "netc-budget" / "README.md").read_text(encoding="utf-8")
    (shown,) = (block.text for block in blocks(page) if block.tag == "text")
    monkeypatch.chdir(tmp_path)
    Path("lenet5.net").write_text((ROOT / "specs" / "lenet5.net").read_text(encoding="utf-8"))
    Path("pyproject.toml").write_text("[tool.netc.passes]\nBudget = { multiply_adds = 400_000 }\n")
    assert main(["build", "lenet5.net", "--deny", "project-rule"]) == 1
    assert shown in capfd.readouterr().err
    assert not Path("lenet5.py").exists()
