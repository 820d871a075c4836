"""`netc explain`: the page of a code however it is written, the list, and a line that leads there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netc.cli import main
from netc.codes import CODES, WARNINGS
from netc.explain import FAMILIES, render
from netc.parse.codes import CODES as SYNTAX

KNOWN = {**SYNTAX, **CODES}
WRITTEN = ["E0301", "e0301", "[E0301]", "error[E0301]", "error[E0301]:"]
UNKNOWN = {
    "E0305": "did you mean `E0304`?",
    "W0301": "did you mean `E0301`?",
    "E7777": "`netc explain` lists all",
    "EO301": "did you mean `E0301`?",
    "shape": "`netc explain` lists all",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_page_of_a_code(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"E0301: {KNOWN['E0301']}\n\n") and err == ""
    assert "\x1b" not in out
    assert "    fc: Linnear(10)\n" in out and "error[E0301]: there is no layer `Linnear`\n" in out


def test_warnings_go_by_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    for code in WARNINGS.values():
        assert main(["explain", code]) == 0
    by_code = capsys.readouterr().out
    for name in WARNINGS:
        assert main(["explain", name]) == 0
    by_name = capsys.readouterr().out
    assert by_name == by_code
    assert all(f"`--allow {name}` silences" in " ".join(by_code.split()) for name in WARNINGS)


def test_pages_of_several_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "E0301", "w0702"]) == 0
    assert re.findall(r"^([EW]\d{4}): ", capsys.readouterr().out, re.MULTILINE) == ["E0301", "W0702"]


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_code(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name]) == 1
    assert capsys.readouterr() == ("", f"error: no error or warning has the code `{name}`; {UNKNOWN[name]}\n")


def test_list_of_all_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    out = capsys.readouterr().out
    listed = re.findall(r"^  ([EW]\d{4})  \S", out, re.MULTILINE)
    assert sorted(listed) == sorted(KNOWN)
    titles = re.findall(r"^[A-Z].*$", out, re.MULTILINE)
    assert [title.lower() for title in titles] == [title.lower() for title in FAMILIES.values()]


@pytest.mark.parametrize("width", [40, 72, 200])
@pytest.mark.parametrize("code", ["E0107", "E0604"])
def test_pages_keep_to_the_width(code: str, width: int) -> None:
    """Prose does; an example stays as it is."""
    lines = render(code, KNOWN[code], width).splitlines()
    prose = [line for line in lines if not line.startswith("    ")]
    assert max(map(len, prose)) <= min(width, 100)
    assert "\x1b" in render(code, KNOWN[code], width, color=True)


def test_errors_end_with_the_way_to_the_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.net").write_text("net A:\n    input 16\n    fc: Linnear(10)\n    y = z\n")
    Path("b.net").write_text("net B:\n    input 16\n    fc: Linear(0)\n    y = _\n")
    Path("c.net").write_text("net C:\n    input 16\n    fc: Linear(1)\n    y = _\n")
    assert main(["check", "a.net", "b.net"]) == 1
    err = capsys.readouterr().err
    assert err.endswith("\n\nfor more about an error: netc explain E0301 E0302 E0404\n") and err.count("explain") == 1
    assert main(["build", "b.net"]) == 1
    assert capsys.readouterr().err.endswith("\n\nfor more about an error: netc explain E0404\n")
    assert main(["check", "c.net"]) == 0
    assert "explain" not in capsys.readouterr().err
