"""Plugins that somebody names, `netc plugins`, and `netc new plugin`: what is found, said and written.

What a user sees of `--plugin` itself is in `cases/plugins`.
"""

import ast
import copy
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import netc as netc_package
from netc.cli import main
from netc.diagnostics import Source
from netc.pipeline import compile
from netc.plugins import load_registry
from netc.testing import assert_conforms

ROOT = Path(__file__).parents[2]
CASE = Path(__file__).parent / "cases" / "plugins"
Netc = Callable[..., tuple[int, str, str]]


@pytest.fixture
def netc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Netc:
    """Runs `netc` in an empty folder; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent / f"{tmp_path.name}-cache"))
    monkeypatch.delenv("NETC_PLUGINS", raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        out, err = capfd.readouterr()
        return code, out, err

    return run


# ---- named ---------------------------------------------------------------------------------------


def test_the_environment_names_plugins(netc: Netc, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = str(CASE / "swirled.net")
    named = os.pathsep.join(["", str(CASE / "swirl.py"), str(CASE / "hooked" / "hooks.py")])
    monkeypatch.setenv("NETC_PLUGINS", named)
    assert netc("check", spec, "--quiet") == (0, "", "")
    said = netc("build", spec, "-o", "-")[1].splitlines()[1]
    assert said.endswith(f" --plugin {CASE / 'swirl.py'} --plugin {CASE / 'hooked' / 'hooks.py'}")
    assert "named by NETC_PLUGINS" in netc("plugins")[1]


def test_the_project_names_plugins_from_its_own_folder(netc: Netc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASE / "project" / "inner")
    said = netc("build", "swirled.net", "-o", "-")
    assert said[0] == 0 and "class Swirl(nn.Module)" in said[1]
    assert said[1].splitlines()[1] == "# Regenerate: netc build swirled.net"
    assert f"named by {CASE / 'project' / 'pyproject.toml'}, file " in netc("plugins")[1]
    assert netc("check", "swirled.net", "--quiet", "--plugin", "../bends.py") == (0, "", "")
    monkeypatch.chdir(CASE)
    assert netc("check", "project/inner/swirled.net", "--quiet")[0] == 1


def test_a_script_never_replaces_a_plugin(netc: Netc) -> None:
    Path("swirled.net").write_text((CASE / "swirled.net").read_text())
    Path("swirled.py").write_text((CASE / "swirl.py").read_text())
    for command in ("build", "train"):
        said = "error: swirled.py is a plugin; `-o` names another file for the script\n"
        assert netc(command, "swirled.net", "--plugin", "swirled.py", "--force") == (1, "", said)
    assert Path("swirled.py").read_text() == (CASE / "swirl.py").read_text()


def test_a_list_that_cannot_be_read(netc: Netc, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, said in {
        "unread": f"{CASE / 'unread' / 'pyproject.toml'}: `plugins` of [tool.netc] is a list of names",
        "unlisted": f"plugin `gone.py`, named by {CASE / 'unlisted' / 'pyproject.toml'}, cannot be loaded: "
        f"cannot read {CASE / 'unlisted' / 'gone.py'}: no such file or directory",
    }.items():
        monkeypatch.chdir(CASE / folder)
        assert netc("check", "swirled.net") == (1, "", f"error: {said}\n")


TABLES = {
    "[tool]\nnetc = 3\n": "`netc` of [tool] is a table, not 3",
    "tool = {netc = 3}\n": "`netc` of [tool] is a table, not 3",
    "[[tool.netc]]\nplugins = []\n": "`netc` of [tool] is a table, not [{'plugins': []}]",
    "['tool'.'netc']\nplugins = 'a.py'\n": "`plugins` of [tool.netc] is a list of names",
    "[tool.netc]\nplugins = {a = 1}\n": "`plugins` of [tool.netc] is a list of names",
    "[tool.netc]\nplugin = []\n": "[tool.netc] has no `plugin`; did you mean `plugins`?",
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_another_kind(table: str, netc: Netc) -> None:
    Path("pyproject.toml").write_text(table)
    said = f"error: {Path('pyproject.toml').resolve()}: {TABLES[table]}\n"
    assert netc("check", str(CASE / "swirled.net")) == (1, "", said)


@pytest.mark.parametrize("between", [";", ",", " "] if os.pathsep == ":" else [","])
def test_another_separator_is_answered(between: str, netc: Netc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETC_PLUGINS", between.join([str(CASE / "swirl.py")] * 2))
    code, out, said = netc("check", str(CASE / "swirled.net"))
    assert (code, out, said.count("\n")) == (1, "", 1) and ", named by NETC_PLUGINS, cannot be loaded: " in said
    assert said.endswith(f"; NETC_PLUGINS is separated by `{os.pathsep}`\n")


def test_a_name_with_a_line_break_is_said_on_one_line(netc: Netc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETC_PLUGINS", "one.py\ntwo.py")
    code, out, said = netc("plugins")
    assert (code, out, said.count("\n")) == (1, "", 1)
    assert said.startswith("error: plugin `one.py\\ntwo.py`, named by NETC_PLUGINS, cannot be loaded: cannot read ")


def test_what_ends_python_ends_no_more_than_a_line(netc: Netc) -> None:
    Path("ends.py").write_text(
        "from netc.layer import *\n\nclass Ends(Layer):\n    module = 'torch.nn.Identity'\n"
        "    def infer(self, input):\n        raise BaseException('enough')\n"
    )
    Path("a.net").write_text("net A:\n    input 8\n    it: Ends\n")
    said = "error: `Ends` of ends.py failed: BaseException: enough (ends.py:6)\n"
    assert netc("check", "a.net", "--plugin", "ends.py") == (1, "", said)


def test_a_layer_without_a_docstring_has_none_of_netc(netc: Netc) -> None:
    Path("bare.py").write_text("from netc.layer import Layer\n\nclass Bare(Layer):\n    module = 'torch.nn.Identity'\n")
    said = "Bare()\n  a layer of bare.py\n  Bare is torch.nn.Identity, a module\n"
    assert netc("layers", "Bare", "--plugin", "bare.py") == (0, said, "")


def test_a_module_is_named_as_it_is_imported(netc: Netc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bending_layers.py").write_text((CASE / "swirl.py").read_text())
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert netc("check", str(CASE / "swirled.net"), "--quiet", "--plugin", "bending_layers") == (0, "", "")
    del sys.modules["bending_layers"]


def test_an_edit_is_seen_in_the_same_process(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    text = (CASE / "swirl.py").read_text()
    for name in ("Swirl", "Twirl", "Swirl"):
        file.write_text(text.replace("Swirl", name))
        registry = load_registry(plugins=[str(file)])
        cls = registry.layer(name)
        assert cls is not None and cls is load_registry(plugins=[str(file)]).layer(name)
        assert registry.layer({"Swirl": "Twirl", "Twirl": "Swirl"}[name]) is None


def test_every_kind_of_class_is_found(tmp_path: Path) -> None:
    file = tmp_path / "kinds.py"
    file.write_text(
        "from netc.layer import Initializer, Layer\nfrom netc.passes import Pass\n"
        "from netc.recipe import DataSource, Loss, Metric, Optimizer, Schedule, Transform\n"
        "class A(Layer):\n    function = 'torch.relu'\n    function_name = 'a'\n"
        "class B(Loss): pass\nclass C(Optimizer): pass\nclass D(Schedule): pass\nclass E(DataSource): pass\n"
        "class F(Initializer): pass\nclass G(Pass): pass\nclass I(Transform): pass\nclass J(Metric): pass\n"
        "class _H(Loss): pass\n"
    )
    registry = load_registry(plugins=[str(file)])
    found = {c: [n for n in names if registry.owner(c, n) == str(file)] for c, names in registry.entries.items()}
    assert found == {
        "layers": ["a"], "losses": ["B"], "optimizers": ["C"], "schedules": ["D"], "data": ["E"],
        "transforms": ["I"], "metrics": ["J"], "initializers": ["F"], "passes": ["G"],
    }  # fmt: skip


PAPERS = {
    "papers": ("GatedMLP", "EfficientChannelAttention", "GRN"),
    "recent": ("SelectiveScan", "KAN", "DifferentialAttention"),
    "short": ("GatedLinearAttention", "SoftMoE", "FAN", "MinGRU"),
}
LONGEST = 25
"""Lines that a class of `short.py` may have, the empty ones aside."""


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("file", PAPERS)
def test_layers_of_papers_conform(file: str) -> None:
    registry = load_registry(plugins=[str(CASE / f"{file}.py")])
    for name in PAPERS[file]:
        cls = registry.layer(name)
        assert cls is not None
        assert_conforms(cls, configurations=50)


@pytest.mark.parametrize("file", PAPERS)
def test_networks_of_layers_of_papers_are_loaded(file: str) -> None:
    model = netc_package.load(CASE / f"{file}.net", plugins=[CASE / f"{file}.py"]).eval()
    input = torch.randn(2, 1, 28, 28)
    output = model(input)
    assert output.shape == (2, 10)
    assert torch.equal(copy.deepcopy(model)(input), output)
    assert torch.equal(pickle.loads(pickle.dumps(model))(input), output)
    assert torch.allclose(torch.export.export(model, (input,)).module()(input), output, atol=1e-5)
    again = netc_package.loads((CASE / f"{file}.net").read_text(), plugins=[str(CASE / f"{file}.py")])
    assert again.load_state_dict(model.state_dict())
    assert netc_package.compile(CASE / f"{file}.net", plugins=[CASE / f"{file}.py"]).graph.name == file.title()


def test_layers_of_papers_are_short() -> None:
    text = (CASE / "short.py").read_text()
    classes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    assert [cls.name for cls in classes] == [*PAPERS["short"]]
    for cls in classes:
        lines = [line for line in (ast.get_source_segment(text, cls) or "").splitlines() if line.strip()]
        assert (cls.name, len(lines)) <= (cls.name, LONGEST)


@pytest.mark.parametrize("file", [pytest.param("recent", marks=pytest.mark.nightly), "short"])
def test_layers_of_papers_are_trained(file: str, netc: Netc) -> None:
    words = ("build", str(CASE / f"{file}.net"), "--plugin", str(CASE / f"{file}.py"))
    assert netc(*words)[0] == 0
    run = [sys.executable, "-I", f"{file}.py", "--device", "cpu"]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert float(re.findall(r"accuracy ([\d.]+)%", said)[-1]) > 60


def test_a_rule_that_made_a_script_fail_is_named(netc: Netc) -> None:
    Path("half.py").write_text(
        "from netc.layer import *\n\nclass Half(Layer):\n    infer = unchanged\n    source = '''\n"
        "class Half(nn.Module):\n    def forward(self, input):\n        return input[:, ::2]\n'''\n"
    )
    Path("a.net").write_text(
        "net A:\n    input 1x28x28\n    flatten\n    cut: Half\n    fc: Linear(10)\n\n"
        "train:\n    data: Digits(batch_size=64)\n    loss: CrossEntropyLoss\n    optimizer: Adam\n    epochs: 1\n"
    )
    code, _, err = netc("train", "a.net", "--plugin", "half.py", "--", "--device", "cpu")
    said = "error: `Half` of half.py (`cut`): its shape rule says (2, 784) for (2, 784), but it gives (2, 392)"
    assert (code, err.rstrip().splitlines()[-1]) == (1, said)


# ---- netc plugins --------------------------------------------------------------------------------


def test_plugins_are_listed(netc: Netc) -> None:
    code, out, err = netc("plugins", "--plugin", str(CASE / "swirl.py"))
    assert (code, err) == (0, "")
    first, *_, last = out.rstrip("\n").split("\n\n")
    assert first.startswith("netc 0.") and "\n  installed, module netc_std\n  layers: AdaptiveAvgPool, " in first
    assert "\n  optimizers: " in first and max(map(len, out.splitlines())) <= max(100, len(str(CASE)) + 40)
    assert last == f"{CASE / 'swirl.py'}\n  named by --plugin, file {CASE / 'swirl.py'}\n  layers: Swirl"


# ---- netc new plugin -----------------------------------------------------------------------------


def test_new_plugin(netc: Netc) -> None:
    said = "wrote netc-gain, with Gain; next: pip install --editable ./netc-gain && pytest netc-gain\n"
    assert netc("new", "plugin", "netc-gain") == (0, "", said)
    written = {str(path.relative_to("netc-gain")) for path in Path("netc-gain").rglob("*") if path.is_file()}
    assert written == {
        "pyproject.toml", "README.md", "tests/test_layers.py", "netc_gain/__init__.py", "netc_gain/layers.py",
        "netc_gain/py.typed",
    }  # fmt: skip
    text = "".join(path.read_text() for path in Path("netc-gain").rglob("*") if path.is_file())
    assert "netc-gain" in text and set(re.findall(r"\b[A-Z]{4,}\b", text)) <= {"README"}
    assert netc("new", "plugin", "netc-gain") == (1, "", "error: netc-gain exists\n")


def test_a_new_plugin_works_and_its_page_is_true(netc: Netc) -> None:
    netc("new", "plugin", "netc-gain")
    registry = load_registry(plugins=["netc-gain/netc_gain/layers.py"])
    text = "net Gained:\n    input 8\n    gain: Gain(0.5)\n    fc: Linear(2)\n"
    model = compile(Source("gained.net", text), registry=registry).load()
    assert model(torch.zeros(3, 8)).shape == (3, 2)
    cls = registry.layer("Gain")
    assert cls is not None and f"| `{cls.signature()}` | {cls.summary()} |" in Path("netc-gain/README.md").read_text()
    assert_conforms(cls, configurations=20)


def test_a_new_plugin_around_a_file(netc: Netc) -> None:
    code, _, said = netc("new", "plugin", "netc-papers", "--layers", str(CASE / "papers.py"))
    assert (code, said.partition(";")[0]) == (0, "wrote netc-papers, with EfficientChannelAttention, GRN, GatedMLP")
    folder = Path("netc-papers")
    assert (folder / "netc_papers" / "layers.py").read_text() == (CASE / "papers.py").read_text()
    assert '"GRN": "netc_papers.layers"' in (folder / "netc_papers" / "__init__.py").read_text()
    assert "import GRN, EfficientChannelAttention, GatedMLP" in (folder / "tests" / "test_layers.py").read_text()
    said = f"error: plugin `{CASE / 'empty.py'}` brings nothing: it has neither hooks nor a class such as a `Layer`\n"
    assert netc("new", "plugin", "netc-other", "--layers", str(CASE / "empty.py")) == (1, "", said)
    assert not Path("netc-other").exists()


NAMES = [("netc-value", "ValueLayer"), ("linear", "LinearLayer"), ("netc_none", "NoneLayer"), ("netc-", "MyLayer")]


@pytest.mark.parametrize(("name", "layer"), NAMES)
def test_a_new_layer_has_a_name_of_its_own(netc: Netc, name: str, layer: str) -> None:
    assert netc("new", "plugin", name)[2].startswith(f"wrote {name}, with {layer};")


@pytest.mark.parametrize("name", ["torch", "class", "netc"])
def test_a_name_of_python_is_refused(netc: Netc, name: str) -> None:
    said = f"error: Python has `{name}` already; `netc new plugin netc-{name}` has a name of its own\n"
    assert netc("new", "plugin", name) == (1, "", said)
    assert not Path(name).exists()


@pytest.mark.nightly
def test_a_new_plugin_can_be_installed_and_passes_its_tests(netc: Netc, tmp_path: Path) -> None:
    netc("new", "plugin", "netc-gain")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--target", "site", "./netc-gain"], check=True)
    path = os.pathsep.join([str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": path}
    test = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "netc-gain"]
    assert "1 passed" in subprocess.run(test, env=environment, check=True, capture_output=True, text=True).stdout
    Path("gained.net").write_text('needs "netc-gain"\n\nnet Gained:\n    input 8\n    gain: Gain(0.5)\n')
    shown = [sys.executable, "-m", "netc.cli"]
    done = subprocess.run([*shown, "check", "gained.net"], env=environment, check=True, capture_output=True, text=True)
    assert "gain  Gain(0.5)" in done.stdout
    done = subprocess.run([*shown, "plugins"], env=environment, check=True, capture_output=True, text=True)
    assert "netc-gain 0.1.0\n  installed, module netc_gain\n  layers: Gain" in done.stdout
