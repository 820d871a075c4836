"""What a shell is told to complete: names of plugins as of netc, each from its one class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from netc.cli import cli, main

ROOT = Path(__file__).parents[2]
SHORT = str(Path(__file__).parent / "cases" / "plugins" / "short.py")
Complete = Callable[[str], dict[str, str | None]]


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch) -> Complete:
    """What a line could go on with, each with its help; an empty word at its end is written as `_`."""

    def completed(line: str) -> dict[str, str | None]:
        monkeypatch.setenv("COMP_WORDS", line.replace("_", ""))
        *words, last = line.split()[1:]
        items = ShellComplete(cli, {}, "netc", "_NETC_COMPLETE").get_completions(words, last.strip("_"))
        return {item.value if item.type == "plain" else f"a {item.type}": item.help for item in items}

    return completed


def test_layers_of_plugins_are_completed_as_those_of_netc(complete: Complete) -> None:
    assert complete("netc layers ConvT") == {
        "ConvTranspose": "Spreads each input position over the output by learned kernels: the gradient of a convolution"
    }
    assert complete(f"netc layers --plugin {SHORT} Soft")["SoftMoE"] == (
        "Experts that each work on mixtures of all positions: (N, L, E) to the same; Puigcerver et al. 2023"
    )
    assert "SoftMoE" not in complete("netc layers Soft")
    assert {"Linear", "Adam", "MNIST", "SqueezeExcitation"} <= complete("netc layers _").keys()


def test_other_names(complete: Complete) -> None:
    assert complete("netc explain E0601") == {"E0601": "a layer cannot take what reaches it"}
    assert complete("netc check --deny project") == {"project-rule": "a network that breaks a rule of its project"}
    assert complete("netc la").keys() == {"layers"}
    spec = ROOT / "specs" / "googlenet.net"
    assert complete(f"netc build {spec} --train _").keys() == {"digits"}
    assert complete(f"netc build {ROOT}/specs/torchvision/resnet.net --net resnet1").keys() == {
        "resnet18", "resnet101", "resnet152",
    }  # fmt: skip


def test_files(complete: Complete) -> None:
    for line in ("netc check _", "netc train _", "netc layers --plugin _"):
        assert complete(line).keys() == {"a file"}


def test_what_is_wrong_is_left_to_the_command(complete: Complete) -> None:
    assert complete("netc layers --plugin nowhere.py Co") == {}
    assert complete("netc build nowhere.net --net a") == {}


def test_the_shell_is_answered(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("_NETC_COMPLETE", "zsh_complete")
    monkeypatch.setenv("COMP_WORDS", "netc layers SELU")
    monkeypatch.setenv("COMP_CWORD", "2")
    with pytest.raises(SystemExit):
        main([])
    assert capfd.readouterr().out.startswith("plain\nSELU\nThe ELU whose fixed scales")
