"""The command line with the real compiler behind it, each command in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("netc.pipeline")

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").glob("*.net"))


def netc(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    script = (
        "import sys; from netc.cli import main; code = main();"
        "heavy = {'torch', 'lark', 'importlib.metadata'} & sys.modules.keys();"
        "print('imported', *sorted(heavy), file=sys.stderr) if heavy else None; sys.exit(code)"
    )
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / ".cache")}
    command = [sys.executable, "-c", script, *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
def test_every_spec_builds_without_torch(tmp_path: Path, spec: Path) -> None:
    netc(tmp_path, "layers")
    done = netc(tmp_path, "build", str(spec))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"wrote {spec.stem}.py\n")
    again = netc(tmp_path, "build", str(spec), "--check")
    assert (again.returncode, again.stderr) == (0, f"{spec.stem}.py is up to date\n")
    compile((tmp_path / f"{spec.stem}.py").read_text(), spec.stem, "exec")


@pytest.mark.parametrize("phase", ["ast", "graph", "shapes", "model", "script"])
def test_every_phase_can_be_the_last(tmp_path: Path, phase: str) -> None:
    done = netc(tmp_path, "build", str(ROOT / "specs" / "googlenet.net"), "--emit", phase)
    assert done.returncode == 0, done.stderr
    assert "incep1" in done.stdout
    assert "object at 0x" not in done.stdout


def test_check_prints_shapes(tmp_path: Path) -> None:
    done = netc(tmp_path, "check", str(ROOT / "specs" / "googlenet.net"))
    assert done.returncode == 0, done.stderr
    assert re.search(r"^  fc +Linear\(classes\) +\(N, 10\) +14,090$", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("\n  97,298 parameters\n")


def test_starter_checks_and_builds(tmp_path: Path) -> None:
    assert netc(tmp_path, "new", "net", "first").returncode == 0
    checked = netc(tmp_path, "check", "first.net")
    assert checked.returncode == 0, checked.stderr
    assert "warning" not in checked.stderr
    built = netc(tmp_path, "build", "first.net", "--set", "train.epochs=1")
    assert built.returncode == 0, built.stderr


@pytest.mark.nightly
def test_starter_trains(tmp_path: Path) -> None:
    netc(tmp_path, "new", "net", "first")
    done = netc(tmp_path, "train", "first.net")
    assert done.returncode == 0, done.stderr
    assert float(re.findall(r"accuracy\D*([\d.]+)", done.stdout + done.stderr)[-1]) > 95


def test_bad_spec(tmp_path: Path) -> None:
    (tmp_path / "bad.net").write_text("net Bad:\n    input 4\n    fc: Linnear(2)\n")
    done = netc(tmp_path, "build", "bad.net")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[E")
    assert "bad.net:3:9" in done.stderr
    assert "Linear" in done.stderr
    assert not (tmp_path / "bad.py").exists()
