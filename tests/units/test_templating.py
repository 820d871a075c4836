"""Compiled templates: made anew when a template changes, and never needed where the folder cannot be written."""

from pathlib import Path

import jinja2
import pytest

from netc.emit import templating
from netc.pipeline import compile

SPEC = Path(__file__).parents[2] / "specs" / "googlenet.net"


@pytest.fixture(autouse=True)
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's compiled templates go."""
    monkeypatch.setattr(templating, "COMPILED", str(tmp_path / "compiled"))
    monkeypatch.setattr(templating, "environment", templating.environment.__wrapped__)
    return tmp_path / "compiled"


def test_compiled_once(compiled: Path) -> None:
    first, second = templating.environment(), templating.environment()
    assert isinstance(first.loader, jinja2.ModuleLoader)
    assert isinstance(second.loader, jinja2.ModuleLoader)
    (folder,) = compiled.iterdir()
    assert len(list(folder.glob("*.py"))) == len(list(Path(templating.TEMPLATES).iterdir()))


def test_compiled_anew_after_a_change(compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    monkeypatch.setattr(templating, "TEMPLATES", str(templates))
    for text in ("one", "two"):
        (templates / "a.jinja").write_text(text)
        assert templating.environment().get_template("a.jinja").render() == text
    assert len(list(compiled.iterdir())) == 2


def test_folder_that_cannot_be_written(compiled: Path) -> None:
    compiled.write_text("in the way")
    environment = templating.environment()
    assert isinstance(environment.loader, jinja2.FileSystemLoader)
    assert environment.get_template("script.py.jinja")
    assert compiled.read_text() == "in the way"


def test_fault_leaves_nothing_behind(compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jinja").write_text("{% if %}")
    monkeypatch.setattr(templating, "TEMPLATES", str(tmp_path))
    with pytest.raises(jinja2.TemplateSyntaxError):
        templating.write_compiled(str(compiled))
    assert list(compiled.iterdir()) == []


def test_script_is_the_same(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netc.emit.script.environment", templating.environment)
    ahead = compile(SPEC).script
    monkeypatch.setattr(templating, "COMPILED", str(SPEC))
    assert compile(SPEC).script == ahead
