"""What the wheel holds, and that it works from a folder of its own; `make wheel-test` installs it for real."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("netc-*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def test_wheel_ships_every_file(site: Path) -> None:
    for package in ("compiler/netc", "plugins/netc_std"):
        top = ROOT / package
        here = {path.relative_to(top.parent) for path in top.rglob("*") if path.is_file()}
        here = {path for path in here if "__pycache__" not in path.parts and not path.name.startswith(".")}
        assert {path for path in here if not (site / path).is_file()} == set()
    for resource in ("parse/grammar.lark", "parse/tables.json", "starter.net", "py.typed"):
        assert (site / "netc" / resource).is_file()
    templates = len(list((ROOT / "compiler/netc/emit/templates").iterdir()))
    assert len(list((site / "netc/emit/compiled").glob("*/*.py"))) == templates


def test_wheel_ships_nothing_else(site: Path) -> None:
    assert {path.name.partition("-")[0] for path in site.iterdir()} == {"netc", "netc_std"}


def test_wheel_is_used_without_the_checkout(site: Path, tmp_path: Path) -> None:
    script = (
        "import netc, netc_std, sys; from netc.cli import main; from netc.parse.tables import FOLDER;"
        "print(netc.__file__, netc_std.__file__, FOLDER, sep='\\n', flush=True);"
        "sys.exit(main(['new', 'net', 'first']) or main(['layers', 'Conv']))"
    )
    environment = os.environ | {"PYTHONPATH": str(site), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-P", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *places, page = done.stdout.split("\n", 3)
    assert all(place.startswith(str(site)) for place in places)
    assert page.startswith("Conv(out_channels, kernel_size, ")


def test_oldest_ends_can_be_read() -> None:
    script = ROOT / "tests" / "packaging" / "oldest.py"
    pins = subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True).stdout.split()
    assert "torch==2.6" in pins
    assert len(pins) == len(PROJECT["dependencies"]) + 2
    assert all(pin.count("==") == 1 and "," not in pin for pin in pins)


def test_everything_installed_is_pinned() -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    names = {line.partition("==")[0].lower() for line in pins if "==" in line}
    for requirement in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"][1:]]:
        assert requirement.partition(">")[0].partition("[")[0] in names
