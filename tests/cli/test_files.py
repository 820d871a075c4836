"""What `netc check` says of files whose bytes are odd: encodings, line ends, nothing at all; with goldens."""

from __future__ import annotations

from pathlib import Path

import pytest

from netc.cli import main

FILES = Path(__file__).parents[1] / "cases" / "files"


@pytest.mark.parametrize("path", sorted(FILES.glob("*.net")), ids=lambda path: path.stem)
def test_file(path, golden, monkeypatch, capsys):
    monkeypatch.chdir(FILES)
    code = main(["check", path.name])
    out, err = capsys.readouterr()
    golden(path.with_suffix(".txt"), f"{out}{err}exit {code}")
