"""Bad input before the real compiler: exit code 1, a message with its place, and nothing written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from netc.cli import main

SPEC = """\
net Tiny(classes=10):
    input 1x28x28
    flatten
    fc: Linear(classes)

small = Tiny(classes=10)

train quick:
    data: MNIST(batch_size=64)
    loss: CrossEntropyLoss
    optimizer: SGD(lr=0.1)
    epochs: 1
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `netc ARGUMENTS` in a folder that holds `tiny.net` alone; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent / f"{tmp_path.name}-cache"))
    Path("tiny.net").write_text(SPEC)

    def netc(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capfd.readouterr()
        return code, out, err

    return netc


def test_the_spec_itself_is_good(run: Run) -> None:
    assert run("build", "tiny.net", "--net", "small", "--train", "quick", "--set", "train.epochs=2")[0] == 0
    assert Path("tiny.py").exists()


CHOICES = {
    ("--net", "smal"): ("there is no net `smal` in this file", "did you mean `small`?"),
    ("--net", "Resnet"): ("there is no net `Resnet` in this file", "it has `Tiny`, `small`"),
    ("--train", "quik"): ("there is no recipe `quik`", "did you mean `quick`?"),
    ("--train", "long"): ("there is no recipe `long`", "it has `quick`"),
    ("--set", "clases=3"): ("`Tiny` has no parameter `clases`", "did you mean `classes`?"),
    ("--set", "classes=none"): ("`out_features` must be an integer of at least 1, not none", "tiny.net:4:16"),
    ("--set", "classes=0"): ("`out_features` must be an integer of at least 1, not 0", "tiny.net:4:16"),
    ("--set", "classes=1.5"): ("`out_features` must be an integer of at least 1, not 1.5", "`int(classes)`"),
    ("--set", "classes="): ("cannot read `` as a value", "--set classes"),
    ("--set", "classes=(1"): ("cannot read `(1` as a value", "--set classes"),
    ("--set", "classes=1; other = 2"): ("cannot read `1; other = 2` as a value", "--set classes"),
    ("--set", "classes=1\nother = 2"): ("cannot read `1\nother = 2` as a value", "--set classes"),
    ("--set", "classes=many"): ("there is no name `many`", "--set classes"),
    ("--set", "classes=10 ** 10 ** 9"): ("a number of more than 1,000 digits", "--set classes"),
    ("--set", "classes=[1] * 10 ** 9"): ("a list of 1,000,000,000 entries", "--set classes"),
    ("--set", "classes=__import__"): ("there is no name `__import__`", "--set classes"),
    ("--set", "classes=Linear"): ("not the layer `Linear`", "tiny.net:4:16"),
    ("--set", "train.epochs=0"): ("`epochs` must be an integer of at least 1, not 0", "--set train.epochs"),
    ("--set", "train.epoch=3"): ("a recipe has no setting `epoch`", "`epochs`"),
    ("--set", "train.data=Digit"): ("unknown data source `Digit`", "`Digits`"),
    ("--set", "train.optimizer.lrr=3"): ("`SGD` has no argument `lrr`", "`lr`"),
    ("--set", "train.=3"): ("a recipe has no setting ``", "a recipe can set"),
}


@pytest.mark.parametrize("command", ["build", "check"])
@pytest.mark.parametrize("options", CHOICES, ids=" ".join)
def test_choices_that_cannot_be_had(run: Run, command: str, options: tuple[str, str]) -> None:
    code, out, err = run(command, "tiny.net", *options)
    assert (code, out) == (1, ""), err
    assert err.startswith("error[E")
    for said in CHOICES[options]:
        assert said in err
    assert "Traceback" not in err and "internal" not in err
    assert os.listdir() == ["tiny.net"]


BROKEN = {
    "": "this file has no net",
    "\n\n# only a comment\n": "this file has no net",
    "\ufeff": "this file has no net",
    "def Unit:\n    relu\n": "this file has no net",
    "train:\n    epochs: 3\n": "this file has no net",
    "net A:\n": "E01",
    "net A:\n    input 784\n    fc: Linear(10": "`(` is never closed",
    "net A:\n    fc: Linear(10)\n": "nothing flows here yet",
    'use "nowhere.net": B\nnet A:\n    input 784\n    b: B\n': 'cannot read "nowhere.net": no such file or directory',
    'use ".": B\nnet A:\n    input 784\n    b: B\n': 'cannot read ".": is a directory',
    'use "tiny.net": B\nnet A:\n    input 784\n    b: B\n': '"tiny.net" uses itself',
    'use "latin.net": B\nnet A:\n    input 784\n    b: B\n': "not UTF-8, byte 0xe9 in line 2",
    "\x7fELF\x02\x01": "E010",
    "a = " + "(" * 5000: "nested more than 50 brackets deep",
    "net A:\n    input 784\n" + "    " * 2 + "relu\n": "E0109",
    "# -*- coding: latin-1 -*-\nimport torch\n": "`import` is a word of Python",
}


@pytest.mark.parametrize("command", ["build", "check", "train"])
@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_broken_specs_write_nothing(run: Run, command: str, text: str) -> None:
    Path("tiny.net").write_text(text)
    Path("latin.net").write_bytes("# B\n# café\n".encode("latin-1"))
    code, out, err = run(command, "tiny.net")
    assert (code, out) == (1, ""), err
    assert err.startswith("error[E")
    assert BROKEN[text] in err
    assert "Traceback" not in err and "internal" not in err
    assert sorted(os.listdir()) == ["latin.net", "tiny.net"]


def test_an_error_leaves_what_was_built(run: Run) -> None:
    run("build", "tiny.net")
    before = Path("tiny.py").read_text()
    Path("tiny.net").write_text(SPEC.replace("Linear", "Linnear"))
    code, _, err = run("build", "tiny.net", "--force")
    assert code == 1
    assert "did you mean `Linear`?" in err
    assert Path("tiny.py").read_text() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_without_permission(run: Run) -> None:
    Path("tiny.net").chmod(0)
    assert run("build", "tiny.net") == (1, "", "error: cannot read tiny.net: permission denied\n")
    Path("tiny.net").chmod(0o600)
    Path.cwd().chmod(0o500)
    assert run("build", "tiny.net") == (1, "", "error: cannot write tiny.py: permission denied\n")
