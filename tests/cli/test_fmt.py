"""`netc fmt`: which files it writes, what it prints, and its exit code."""

import io
import os
from pathlib import Path

import pytest

from netc import format as formatting
from netc.cli import main

UGLY = "net  A :\n  input 3 # three\n  fc:Linear( 2 )\n"
NICE = "net A:\n    input 3  # three\n    fc: Linear(2)\n"
WRONG = "net A(:\n    input 3\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inner").mkdir()
    for name, text in (("ugly", UGLY), ("nice", NICE), ("wrong", WRONG), ("inner/deep", UGLY)):
        (tmp_path / f"{name}.net").write_text(text)
    (tmp_path / "inner" / "other.txt").write_text(UGLY)
    return tmp_path


def give(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="ascii"))


def test_writes_what_is_not_in_style(capsys: pytest.CaptureFixture[str]) -> None:
    before = os.stat("nice.net")
    assert main(["fmt", "ugly.net", "nice.net"]) == 0
    assert Path("ugly.net").read_text() == NICE
    assert os.stat("nice.net").st_ino == before.st_ino
    assert capsys.readouterr() == ("", "formatted ugly.net\n1 file formatted, 1 already in style\n")


def test_folders_and_repeated_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "inner", "inner/deep.net", "./inner/../inner/deep.net"]) == 0
    assert capsys.readouterr().err == "formatted inner/deep.net\n1 file formatted\n"
    assert Path("inner/other.txt").read_text() == UGLY


def test_check_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--check", "ugly.net", "nice.net"]) == 1
    assert capsys.readouterr() == ("", "would format ugly.net\n1 file to be formatted, 1 already in style\n")
    assert Path("ugly.net").read_text() == UGLY
    assert main(["fmt", "--check", "nice.net"]) == 0
    assert capsys.readouterr().err == "1 file already in style\n"


@pytest.mark.parametrize("options", [["--diff"], ["--diff", "--check"]])
def test_diff_writes_nothing(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", *options, "ugly.net", "nice.net"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "--- ugly.net",
        "+++ ugly.net (formatted)",
        "@@ -1,3 +1,3 @@",
        *(f"-{line}" for line in UGLY.splitlines()),
        *(f"+{line}" for line in NICE.splitlines()),
    ]
    assert err == "1 file to be formatted, 1 already in style\n"
    assert Path("ugly.net").read_text() == UGLY
    assert main(["fmt", *options, "nice.net"]) == 0


def test_diff_says_that_the_last_line_has_no_end(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ugly.net").write_text(NICE.rstrip("\n"))
    assert main(["fmt", "--diff", "ugly.net"]) == 1
    assert "-    fc: Linear(2)\n\\ No newline at end of file\n+    fc: Linear(2)\n" in capsys.readouterr().out


def test_a_file_with_mistakes_is_left_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "wrong.net", "ugly.net", "missing.net"]) == 1
    err = capsys.readouterr().err
    assert "--> wrong.net:1:" in err
    assert "error: cannot read missing.net: no such file or directory" in err
    assert err.splitlines()[-1] == "1 file formatted, 2 with errors"
    assert Path("wrong.net").read_text() == WRONG
    assert Path("ugly.net").read_text() == NICE


def test_a_folder_without_specs(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert main(["fmt", "empty"]) == 1
    assert capsys.readouterr().err == "error: there is no .net file in empty\n1 file with errors\n"


def test_no_spec_is_wrong_usage() -> None:
    assert main(["fmt"]) == 2


# ---- standard input ------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [UGLY, NICE, "\ufeff" + UGLY.replace("\n", "\r\n")])
def test_standard_input(text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    give(monkeypatch, text.encode())
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr() == (NICE, "")


def test_standard_input_is_checked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    give(monkeypatch, UGLY.encode())
    assert main(["fmt", "-", "--check"]) == 1
    assert capsys.readouterr() == ("", "would format <stdin>\n")
    give(monkeypatch, UGLY.encode())
    assert main(["fmt", "-", "--diff"]) == 1
    assert capsys.readouterr().out.startswith("--- <stdin>\n+++ <stdin> (formatted)\n")


def test_standard_input_with_mistakes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    give(monkeypatch, WRONG.encode())
    assert main(["fmt", "-"]) == 1
    out, err = capsys.readouterr()
    assert (out, "--> <stdin>:1:" in err) == ("", True)
    give(monkeypatch, b"net \xff")
    assert main(["fmt", "-"]) == 1
    assert capsys.readouterr() == ("", "error: cannot read <stdin>: not UTF-8, byte 0xff in line 1\n")


# ---- files ---------------------------------------------------------------------------------------


def test_links_and_permissions_stay() -> None:
    os.chmod("ugly.net", 0o640)
    os.symlink("ugly.net", "link.net")
    assert main(["fmt", "link.net"]) == 0
    assert os.path.islink("link.net")
    assert (Path("ugly.net").read_text(), os.stat("ugly.net").st_mode & 0o777) == (NICE, 0o640)


def test_a_fault_of_the_formatter_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(formatting, "with_comments", lambda lines, width: [line.text for line in lines])
    assert main(["fmt", "ugly.net"]) == 1
    assert Path("ugly.net").read_text() == UGLY
    err = capsys.readouterr().err
    assert "internal error" in err
    assert "netc fmt ugly.net" in err
