"""What a start imports, and that size and depth of a spec are no matter; how long it takes is for `benchmarks/`."""

import subprocess
import sys
from pathlib import Path

import pytest

from netc.diagnostics import Source, SpecError
from netc.pipeline import Compiled, compile

SPECS = Path(__file__).parents[2] / "specs"
SHOWN = "import sys; from netc.cli import main; code = main(); print(*sys.modules, file=sys.stderr); sys.exit(code)"


def imported(folder: Path, *arguments: str) -> set[str]:
    """The modules that a run of netc has imported when it ends."""
    command = [sys.executable, "-c", SHOWN, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("command", ["build", "check"])
@pytest.mark.parametrize("name", ["googlenet", "linear_regression"])
def test_torch_is_not_imported(tmp_path: Path, command: str, name: str) -> None:
    imported(tmp_path, command, str(SPECS / f"{name}.net"), *["--force"] * (command == "build"))  # fills the manifest
    found = imported(tmp_path, command, str(SPECS / f"{name}.net"), *["--force"] * (command == "build"))
    assert "netc.elaborate" in found
    assert not found & {"torch", "torchvision", "numpy", "sklearn", "lark", "importlib.metadata", "netc.live"}


def test_formatting_compiles_nothing(tmp_path: Path) -> None:
    found = imported(tmp_path, "fmt", "--check", str(SPECS / "googlenet.net"))
    assert "netc.format" in found
    unused = {"torch", "lark", "jinja2", "difflib", "netc.pipeline", "netc.elaborate", "netc.registry", "netc_std"}
    assert not found & unused


def test_check_renders_nothing(tmp_path: Path) -> None:
    found = imported(tmp_path, "check", str(SPECS / "googlenet.net"))
    assert not found & {"jinja2", "netc.emit.script", "netc.render"}


def nested(depth: int) -> Source:
    """Blocks in blocks, each a definition of its own."""
    blocks = [f"def B{i}:\n    b: B{i + 1}\n    relu\n\n" for i in range(depth)]
    last = f"def B{depth}:\n    c: Conv(x.c, 1)\n\n"
    return Source("deep.net", "".join(blocks) + last + "net Deep:\n    input 8x4x4\n    b: B0\n")


def flow_and_state(compiled: Compiled) -> tuple[int, list[str], int]:
    return len(compiled.shapes), list(compiled.state), compiled.graph.root.parameter_count


def test_deep_blocks() -> None:
    depth = 1_200
    rows, state, parameters = flow_and_state(compile(nested(depth)))
    path = "b." * (depth + 1) + "c."
    assert (rows, state, parameters) == (2 * depth + 2, [f"{path}weight", f"{path}bias"], 72)


def test_blocks_that_are_too_deep_are_an_error() -> None:
    limit = sys.getrecursionlimit()
    with pytest.raises(SpecError, match="nested too deep"):
        compile(nested(6_000))
    assert sys.getrecursionlimit() == limit


def test_many_layers() -> None:
    lines = "".join(f"    c{i}: Conv(2, 1)\n" for i in range(3_000))
    rows, state, parameters = flow_and_state(compile(Source("long.net", f"net Long:\n    input 2x2x2\n{lines}")))
    assert (rows, len(state), parameters) == (3_000, 6_000, 18_000)


def test_repeats_have_parameters_of_their_own() -> None:
    text = "def B:\n    c: Conv(x.c, 1)\n\nnet N:\n    input 2x2x2\n    a: 3 * B\n    b: B\n    second: b\n"
    _, state, parameters = flow_and_state(compile(Source("repeats.net", text)))
    assert len(state) == 10
    assert parameters == 4 * 6  # what has two keys counts once
