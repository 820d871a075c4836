"""The plugin door: what is found, what is remembered, and what is said when a plugin is at fault."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import netc.hooks
from netc.manifest import cache_folder, manifest_path
from netc.plugins import PluginError, load_registry
from netc.registry import CATEGORIES, Clash

MAPPING = """
from netc.hooks import hookimpl

@hookimpl
def netc_layers():
    return {"Swirl": "swirl_layers", "swirl": "swirl_layers"}
"""
CLASSES = """
from netc.hooks import hookimpl
from netc.layer import Layer

class Swirl(Layer):
    module = "torch.nn.Identity"
    function = "torch.nn.functional.swirl"

@hookimpl
def netc_layers():
    return [Swirl]
"""
LAYERS = CLASSES.partition("@hookimpl")[0]

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a distribution with one plugin where Python finds it; gives the plugin's file."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    known = set(sys.modules)

    def add(distribution: str, module: str, text: str) -> Path:
        info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[netc]\nmain = {module}\n")
        path = site / f"{module}.py"
        path.write_text(text)
        return path

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield add
    for name in set(sys.modules) - known:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").is_relative_to(site):
            del sys.modules[name]


def in_fresh_process(cache: Path, site: Path | str | None = None) -> dict[str, Any]:
    """What a new interpreter finds, and whether it had to ask the plugins."""
    script = (
        "import json, sys; from pathlib import Path; from netc.plugins import load_registry;"
        "r = load_registry(Path(sys.argv[1]));"
        "asked = 'pluggy' in sys.modules or 'netc_std' in sys.modules;"
        "found = r.find('layers', 'Swirl');"
        "print(json.dumps({'asked': asked, 'layers': r.names('layers'), 'swirl': found and found.__qualname__}))"
    )
    environment = os.environ | ({"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"} if site else {})
    command = [sys.executable, "-c", script, str(cache)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_built_ins_come_by_the_door(tmp_path: Path) -> None:
    registry = load_registry(tmp_path)
    conv = registry.layer("Conv")
    assert conv is not None
    assert conv.__module__.startswith("netc_std.")
    assert registry.owner("layers", "Conv") == "netc"
    assert "SGD" in registry.names("optimizers")


def test_second_start_asks_no_plugin(tmp_path: Path) -> None:
    first, second = in_fresh_process(tmp_path), in_fresh_process(tmp_path)
    assert first["asked"] is True
    assert second["asked"] is False
    assert first["layers"] == second["layers"] != []


def test_each_path_has_a_manifest_of_its_own(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    paths = [os.pathsep.join([str(site), *sys.path]) for site in (tmp_path, tmp_path.parent)]
    assert [in_fresh_process(cache, path)["asked"] for path in paths] == [True, True]
    assert [in_fresh_process(cache, path)["asked"] for path in paths] == [False, False]


@pytest.mark.parametrize("text", [MAPPING, CLASSES], ids=["names", "classes"])
def test_stranger_is_served_like_the_built_ins(install: Install, tmp_path: Path, text: str) -> None:
    site = install("netc-swirl", "netc_swirl", text).parent
    (site / "swirl_layers.py").write_text(LAYERS)
    registry = load_registry(tmp_path / "cache")
    assert registry.owner("layers", "Swirl") == "netc-swirl"
    assert registry.layer("Swirl") is registry.layer("swirl") is not None
    again = load_registry(tmp_path / "cache")
    assert again is not registry
    assert again.layer("Swirl") is registry.layer("Swirl")
    for asked in (True, False):
        found = in_fresh_process(tmp_path / "fresh", site)
        assert found["swirl"] == "Swirl"
        assert found["asked"] is asked


def test_class_that_no_name_leads_to_is_not_remembered(install: Install, tmp_path: Path) -> None:
    inside = CLASSES.replace("class Swirl", "def make():\n  class Swirl").replace("    module", "      module")
    inside = inside.replace("    function", "      function").replace("@hookimpl", "  return Swirl\n\n@hookimpl")
    site = install("netc-swirl", "netc_swirl", inside.replace("[Swirl]", "[make()]")).parent
    for _ in range(2):
        found = in_fresh_process(tmp_path / "cache", site)
        assert found["asked"] is True
        assert found["swirl"] == "make.<locals>.Swirl"


def test_manifest_is_stale_after_an_installation(install: Install, tmp_path: Path) -> None:
    assert "Swirl" not in load_registry(tmp_path).names("layers")
    install("netc-swirl", "netc_swirl", CLASSES)
    assert "Swirl" in load_registry(tmp_path).names("layers")


def test_manifest_is_stale_after_an_edit(install: Install, tmp_path: Path) -> None:
    path = install("netc-swirl", "netc_swirl", CLASSES)
    assert "Swirl" in in_fresh_process(tmp_path, path.parent)["layers"]
    path.write_text(CLASSES.replace("Swirl", "Twirler"))
    found = in_fresh_process(tmp_path, path.parent)
    assert "Twirler" in found["layers"]
    assert "Swirl" not in found["layers"]


def test_manifest_is_stale_where_the_plugin_is_found_elsewhere(install: Install, tmp_path: Path) -> None:
    install("acme-swirl", "swirl", MAPPING)
    site = tmp_path / "site"
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "swirl.py").write_text((site / "swirl.py").read_text().replace("Swirl", f"Swirl{folder}"))
    (site / "swirl.py").unlink()
    for folder in ("one", "two"):
        path = os.pathsep.join([str(tmp_path / folder), str(site)])
        assert f"Swirl{folder}" in in_fresh_process(tmp_path, path)["layers"]


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"environment": null}', "\xff"])
def test_damaged_manifest_is_written_anew(tmp_path: Path, damage: str) -> None:
    load_registry(tmp_path)
    path = manifest_path(tmp_path)
    assert path is not None
    good = path.read_text()
    path.write_text(damage, encoding="latin-1")
    assert "Conv" in load_registry(tmp_path).names("layers")
    assert path.read_text() == good
    path.write_text(good.replace('"layers"', '"lairs"'))
    assert "Conv" in load_registry(tmp_path).names("layers")
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_cache_that_cannot_be_written_is_no_matter(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    assert "Conv" in load_registry(file / "cache").names("layers")
    assert file.read_text() == "in the way"


def test_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_folder() == Path("/caches/netc")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/ada")
    assert cache_folder() == Path("/home/ada/.cache/netc")


def test_every_hook_says_what_it_gives_and_has_a_user() -> None:
    registry = load_registry()
    hooks = {name: hook for name, hook in vars(netc.hooks).items() if name.startswith("netc_")}
    assert {name.removeprefix("netc_") for name in hooks} == {*CATEGORIES, "foreign_names"}
    assert all((hook.__doc__ or "").strip().endswith(".") for hook in hooks.values())
    assert all(registry.entries[category] for category in CATEGORIES) and registry.foreign
    page = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in hooks)


def test_clash_names_both_owners(install: Install, tmp_path: Path) -> None:
    install("netc-other", "netc_other", CLASSES.replace("Swirl", "Linear").replace("swirl", "twirl"))
    with pytest.raises(Clash, match="both `netc` and `netc-other` define `Linear` among the layers"):
        load_registry(tmp_path)


HOOK = "from netc.hooks import hookimpl\n@hookimpl\ndef netc_layers({}):\n    {}\n"
LOAD, CALL = "plugin `netc-bad:main` cannot be loaded: ", "plugin `netc-bad:main` failed in `netc_layers`: "
FAULTS = {
    "raise ValueError('no\\nluck')": f"{LOAD}ValueError: no luck",
    "raise SystemExit(3)": f"{LOAD}SystemExit: 3",
    "class Quit(BaseException): pass\nraise Quit('enough')": f"{LOAD}Quit: enough",
    "import pytest\npytest.skip('no')": f"{LOAD}Skipped: no",
    HOOK.format("", "raise BaseException('enough')"): f"{CALL}BaseException: enough",
    "import nothing_at_all": f"{LOAD}ModuleNotFoundError: No module named 'nothing_at_all'",
    HOOK.format("", "1 / 0"): f"{CALL}ZeroDivisionError: division by zero",
    HOOK.format("", "return 3"): "plugin `netc-bad:main` must give classes, or names and modules, from `netc_layers`",
    HOOK.format("", "return 'Conv'"): "from `netc_layers`, not 'Conv'",
    HOOK.format("", "return {'a': 1}"): "from `netc_layers`, not {'a': 1}",
    HOOK.format("", "return [1]"): "from `netc_layers`, not [1]",
    HOOK.format("", "pass"): "from `netc_layers`, not None",
    HOOK.replace("layers", "foreign_names").format("", "return [int]"): (
        "plugin `netc-bad:main` must give names and what is written for them from `netc_foreign_names`"
    ),
    HOOK.replace("@hookimpl\n", "").format("", "return []"): (
        "plugin `netc-bad:main` has `netc_layers` without `@hookimpl` of netc.hooks, which makes it a hook"
    ),
    HOOK.format("shape", "pass"): f"{LOAD}PluginValidationError: ",
    HOOK.format("", "pass").replace("layers", "lairs"): (
        "plugin `netc-bad:main` implements `netc_lairs`, which is no hook; did you mean `netc_layers`?"
    ),
}


@pytest.mark.parametrize("text", FAULTS, ids=[str(i) for i in range(len(FAULTS))])
def test_faulty_plugin_is_named(install: Install, tmp_path: Path, text: str) -> None:
    install("netc-bad", "netc_bad", text)
    with pytest.raises(PluginError) as caught:
        load_registry(tmp_path)
    assert FAULTS[text] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*.json"))


def test_whoever_interrupts_a_plugin_is_heard(install: Install, tmp_path: Path) -> None:
    install("netc-bad", "netc_bad", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_registry(tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "main = netc_good layers",
            "`netc-good:main` cannot be loaded: its entry point is `netc_good layers`, which is no module",
        ),
        (
            "main = netc_good.py:",
            "`netc-good:main` cannot be loaded: its entry point is `netc_good.py:`, which is no module",
        ),
        (
            "main = netc_good:nothing",
            "`netc-good:main` cannot be loaded: AttributeError: module 'netc_good' has no attribute",
        ),
        (
            "netc_good",
            "`netc-good` cannot be loaded: its entry_points.txt cannot be read: below `[netc]` stand lines `name = ",
        ),
    ],
)
def test_an_entry_point_that_is_none(install: Install, tmp_path: Path, line: str, said: str) -> None:
    path = install("netc-good", "netc_good", CLASSES)
    (path.parent / "netc_good-1.0.dist-info" / "entry_points.txt").write_text(f"[netc]\n{line}\n")
    with pytest.raises(PluginError) as caught:
        load_registry(tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_entry_points_of_others_are_no_concern(install: Install, tmp_path: Path) -> None:
    path = install("other", "other", "")
    (path.parent / "other-1.0.dist-info" / "entry_points.txt").write_text("[console_scripts]\nother\n")
    assert "Linear" in load_registry(tmp_path).names("layers")


def test_two_versions_in_one_folder(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a broken upgrade leaves behind. In two folders, as of a development install, Python finds the first."""
    path = install("netc-good", "netc_good", CLASSES)
    old = path.parent / "netc_good-1.0.dist-info"
    new = path.parent / "Netc_Good-1.1.dist-info"
    shutil.copytree(old, new)
    (new / "METADATA").write_text("Metadata-Version: 2.1\nName: Netc.Good\nVersion: 1.1\n")
    wanted = f"is in {path.parent} twice, as 1.0 and 1.1; uninstall it, then install it again"
    with pytest.raises(PluginError, match=re.escape(wanted)):
        load_registry(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    new.rename(elsewhere / new.name)
    monkeypatch.syspath_prepend(str(elsewhere))
    assert load_registry(tmp_path).plugins["Netc.Good"].version == "1.1"


def test_nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.distributions", list)
    with pytest.raises(PluginError, match="netc is not installed here"):
        load_registry(tmp_path)
