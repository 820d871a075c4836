"""`keep: best(3)`: the checkpoints of the best epochs and no others, whatever a run met on its way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.recipes.making import block
from tests.recipes.results import assert_same, rows

torch = pytest.importorskip("torch")
DATA = ("data: Digits(batch_size=100)", "loss: CrossEntropyLoss", "optimizer: AdamW(2e-2)", "epochs: 8")
# By what the best is told, and whether more of it is better; what loads to it is evaluated to the same figure.
CASES: dict[str, tuple[tuple[str, ...], str, bool]] = {
    "accuracy": (("keep: best(3)",), "accuracy", True),
    "F1": (("keep: best(F1, 3)", "metrics: F1"), "f1", True),
    "loss": ((), "test_loss", False),
}
SPEC = Path(__file__).parent / "specs" / "vae.net"


def recipe(name: str) -> str:
    return block(*DATA, *CASES[name][0], "modes: evaluate")


@pytest.mark.parametrize("name", CASES)
def test_the_best_are_kept(
    run: Callable[..., Path], tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text: str | Path = recipe(name)
    if name == "loss":
        text = tmp_path / "vae.net"
        text.write_text(SPEC.read_text() + "    keep: best(3)\n    modes: evaluate\n")
    _, key, rising = CASES[name]
    (tmp_path / "epoch_99.pt").touch()  # of an earlier run
    run(text, tmp_path, "--epochs", "8")
    scores = [row[key] for row in rows(tmp_path)]
    ranked = sorted(range(8), key=lambda epoch: -scores[epoch] if rising else scores[epoch])
    kept = {path.name: torch.load(path, weights_only=True) for path in tmp_path.glob("epoch_*.pt")}
    assert kept.keys() == {f"epoch_{epoch + 1}.pt" for epoch in ranked[:3]}
    for epoch in ranked[:3]:
        assert kept[f"epoch_{epoch + 1}.pt"]["epoch"] == epoch + 1
        capsys.readouterr()
        run(text, tmp_path, "--evaluate", str(tmp_path / f"epoch_{epoch + 1}.pt"))
        found = json.loads(capsys.readouterr().out)[key]
        assert found == pytest.approx(scores[epoch], abs=0.02 * (name == "loss"))  # it draws in evaluation, too
    assert torch.load(tmp_path / "best.pt", weights_only=True)["best"] == scores[ranked[0]]


def test_of_equals_the_earlier(run: Callable[..., Path], tmp_path: Path) -> None:
    """A step of nothing, so that all epochs have one accuracy."""
    run(recipe("accuracy").replace("AdamW(2e-2)", "SGD(0.0)"), tmp_path)
    scores = [row["accuracy"] for row in rows(tmp_path)]
    first = sorted(range(8), key=lambda epoch: -scores[epoch])[:3]
    assert {path.name for path in tmp_path.glob("epoch_*.pt")} == {f"epoch_{epoch + 1}.pt" for epoch in first}


def test_a_stopped_run_keeps_the_same(run: Callable[..., Path], tmp_path: Path) -> None:
    text = recipe("F1") + "    log_every: 1\n"
    run(text, tmp_path / "a")
    for flags, lines in (((), 40), (("--resume",), 33)):
        with pytest.raises(SystemExit):
            run(text, tmp_path / "b", *flags, stop_after=lines)
    run(text, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")
