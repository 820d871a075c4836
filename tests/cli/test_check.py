"""`netc check` over files and folders: what it prints in each format, what it mends, and what remains.

A case is a folder in `cases`: `commands` holds command lines, `expected.txt` all that comes of them: what is printed,
exit codes, the files that change. All other files lie where the commands run, `project.case` as `pyproject.toml`.
"""

import difflib
import io
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from netc.cli import main
from netc.codes import CODES, WARNINGS
from netc.explain import Piece
from netc.reports.sarif import rule

ROOT = Path(__file__).parents[2]
CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())
SCHEMAS = {"json": ROOT / "docs" / "check.schema.json", "sarif": Path(__file__).parent / "sarif.schema.json"}
OWN = {"commands", "expected.txt"}


def texts(folder: Path) -> dict[str, str]:
    """Each spec's text, by its path in the folder, with its line ends visible."""
    found = ((path, path.read_bytes().decode(errors="replace")) for path in sorted(folder.rglob("*.net")))
    return {str(path.relative_to(folder)): text.replace("\r", "<CR>") for path, text in found}


def changes(before: dict[str, str], after: dict[str, str]) -> str:
    """The lines that went and came, file by file."""
    lines: list[str] = []
    for name, text in after.items():
        old, new = before[name].splitlines(keepends=True), text.splitlines(keepends=True)
        lines += difflib.unified_diff(old, new, name, name, n=0)
    return "".join(lines)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A copy of the case; what is printed has neither the version nor the pages of the codes."""
    case: Path = request.param
    shutil.copytree(case, tmp_path / "case", ignore=lambda place, names: OWN & set(names))
    for path in (tmp_path / "case").rglob("project.case"):
        path.rename(path.with_name("pyproject.toml"))
    monkeypatch.chdir(tmp_path / "case")
    monkeypatch.setattr("netc.reports.document.VERSION", "VERSION", raising=False)
    monkeypatch.setattr("netc.reports.sarif.VERSION", "VERSION", raising=False)
    monkeypatch.setattr("netc.explain.pieces", lambda code: [Piece(f"The page of {code}.")])
    return case


def check_places(document: Any) -> None:
    """Line and column, character and byte of each place are the same place, in every record that has one."""
    if isinstance(document, list):
        for item in document:
            check_places(item)
    elif isinstance(document, dict):
        for item in document.values():
            check_places(item)
        if "byte_start" in document and Path(document["file"]).exists():
            data = Path(document["file"]).read_bytes()
            lines = data.decode().split("\n")
            for end in ("", "end_"):
                line, column = document[f"{end}line"], document[f"{end}column"]
                before = "\n".join([*lines[: line - 1], lines[line - 1][: column - 1]])
                assert len(before) == document["end" if end else "start"]
                assert len(before.encode()) == document["byte_end" if end else "byte_start"]


@pytest.mark.parametrize("folder", CASES, ids=lambda case: case.name, indirect=True)
def test_case(folder: Path, golden: Any, capfd: pytest.CaptureFixture[str]) -> None:
    transcript = ""
    for line in (folder / "commands").read_text(encoding="utf-8").splitlines():
        before = texts(Path())
        code = main(shlex.split(line)[1:])
        out, err = capfd.readouterr()
        assert "Traceback" not in err and "internal error" not in err
        if "--output-format json" in line:
            check_places(json.loads(out))
        found = re.search(r"--output-format (json|sarif)", line)
        if found:
            jsonschema.validate(json.loads(out), json.loads(SCHEMAS[found[1]].read_text(encoding="utf-8")))
        parts = (("", out), ("--- stderr\n", err), ("--- changes\n", changes(before, texts(Path()))))
        transcript += f"$ {line}\n" + "".join(head + text for head, text in parts if text) + f"--- exit code {code}\n\n"
    golden(folder / "expected.txt", transcript.replace(str(Path().resolve()), "FOLDER"))


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas(name: str) -> None:
    schema = json.loads(SCHEMAS[name].read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({}, schema)


def test_every_warning_has_a_name() -> None:
    assert sorted(WARNINGS.values()) == sorted(code for code in CODES if code.startswith("W"))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in WARNINGS)


def test_every_warning_is_documented() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for name, code in WARNINGS.items():
        assert f"| `{code}` | `{name}` | {CODES[code]}" in page


def test_a_rule_has_the_page_of_its_code() -> None:
    found = rule("W0702")
    assert found["name"] == "unused-value" and found["defaultConfiguration"] == {"level": "warning"}
    assert found["help"]["text"].endswith("\n\n`netc explain W0702` shows examples.")
    assert len(found["help"]["text"]) > 100 and "```" not in found["help"]["text"]


def test_a_file_that_cannot_be_written(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.net").write_text("net A:\n    input 4\n    fc: Linear(2, bias=True)\n")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert main(["check", "--fix", "a.net"]) == 1
    assert capfd.readouterr().err == "error: cannot write a.net: no space left on device\n"
    assert "True" in Path("a.net").read_text()


def test_standard_input(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blocks.net").write_text("def Head(n):\n    flatten\n    fc: Linear(n)\n")
    monkeypatch.chdir(tmp_path)
    spec = b'use "blocks.net": Head\nnet A:\n    input 3x4x4\n    head: Haed(2)\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(spec), encoding="ascii"))
    assert main(["check", "-"]) == 1
    assert "--> <stdin>:4:11\n" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(spec.replace(b"Haed", b"Head")), encoding="ascii"))
    assert main(["check", "-"]) == 0
    assert capsys.readouterr().out.startswith("A (<stdin>)\n")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff"), encoding="ascii"))
    assert main(["check", "-"]) == 1
    assert capsys.readouterr().err == "error: cannot read <stdin>: not UTF-8, byte 0xff in line 1\n"
    assert main(["check", "-", "--fix"]) == 2
