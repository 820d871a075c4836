"""The tutorial of plugins is true: its files are written, its commands run in order, and they print what it says."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from docs.generate import ROOT, blocks
from tests.conftest import Golden

PAGE = ROOT / "docs" / "plugin-tutorial.md"
SHIMS = {
    "python": '"$PYTHON" "$@"',
    "netc": '"$PYTHON" -m netc.cli "$@"',
    # Nothing is fetched: what builds and runs is here.
    "pip": '"$PYTHON" -m pip --quiet --disable-pip-version-check "$@" --no-deps --no-build-isolation',
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment of its own into which the tutorial can install, with all that this one has."""
    folder = tmp_path / "venv"
    venv.create(folder)
    python = folder / "bin" / "python"
    inside = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    here = [*site.getsitepackages(), sysconfig.get_path("purelib")]
    lines = [f"import site; site.addsitedir({place!r})" for place in dict.fromkeys(here)]
    (inside / "outer.pth").write_text("\n".join(lines))
    shims = tmp_path / "bin"
    shims.mkdir()
    for name, command in SHIMS.items():
        (shims / name).write_text(f"#!/bin/sh\nexec {command}\n".replace("$PYTHON", str(python)))
        (shims / name).chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if key != "NETC_PLUGINS"}
    path = os.pathsep.join([str(shims), os.environ["PATH"]])
    return kept | {"PATH": path, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.skipif(sys.platform == "win32", reason="the page is written for a POSIX shell")
def test_the_tutorial_works(tmp_path: Path, environment: dict[str, str], golden: Golden) -> None:
    work = tmp_path / "work"
    work.mkdir()
    page, pieces, position, printed = PAGE.read_text(encoding="utf-8"), [], 0, ""
    for block in blocks(page):
        kind, _, option = block.tag.partition(" ")
        if option.startswith("file="):
            (work / option.removeprefix("file=")).write_text(block.text, encoding="utf-8")
        elif block.tag == "sh run":
            command = ["sh", "-ec", block.text]
            done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"line {block.line}: {done.stdout}{done.stderr}"
            printed = done.stdout
        elif block.tag == "text output":
            pieces += [page[position : block.start], printed.rstrip("\n") + "\n"]
            position = block.end
        else:
            pytest.fail(f"line {block.line}: nothing is done with a block `{kind}`")
    golden(PAGE, "".join([*pieces, page[position:]]))
    assert list((work / "netc-dyt" / "dist").glob("netc_dyt-0.1.0-*.whl"))


@pytest.mark.parametrize("name", ["DyT", "TokenMerge"])
def test_the_classes_are_as_short_as_promised(name: str) -> None:
    begin = f"class {name}(Layer)"
    text = next(block.text for block in blocks(PAGE.read_text(encoding="utf-8")) if begin in block.text)
    lines = [line for line in text[text.index(begin) :].splitlines() if line.strip()]
    assert len(lines) <= 25
