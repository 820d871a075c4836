"""`carry`: a state goes on from batch to batch, as in a loop written by hand, and a run is resumed in its midst."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.recipes.results import assert_same, rows
from tests.recipes.test_killing import run_killed
from tests.recipes.test_optimizers import script_module

import netc
from netc.diagnostics import SpecError

torch = pytest.importorskip("torch")
F = torch.nn.functional
SPEC = """\
net Reader(width=24):
    input characters: int(T)
    input h: (1, N, width)
    input c: (1, N, width)
    characters -> (embedding: Embedding(256, 16))
    y, (h_n, c_n) = _ -> (lstm: LSTM(width, h_0=h, c_0=c, batch_first=true))
    y -> (head: Linear(256))
    return Reading(logits=_, h=h_n, c=c_n)

train:
    data: {data}
    loss logits: CrossEntropyLoss
    optimizer: SGD(lr=0.5)
    epochs: 2
    carry: (h, c)
"""
DATA = "Sentences(length=12, count=90, batch_size=8, test_batch_size=5, continued=true)"


def write(folder: Path, data: str = DATA, *more: str) -> Path:
    folder.mkdir(exist_ok=True)
    spec = folder / "reader.net"
    spec.write_text(SPEC.format(data=data) + "".join(f"    {line}\n" for line in more))
    return spec


def settings(**given: Any) -> SimpleNamespace:
    return SimpleNamespace(seed=0, **given)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_state_goes_on_as_in_a_loop_by_hand(run: Callable[..., Path], tmp_path: Path, accumulate: int) -> None:
    """Eight rows of eleven windows, a long text each; the gradient stays within a window."""
    spec = write(tmp_path, DATA, f"accumulate: {accumulate}")
    state = torch.load(run(spec, tmp_path) / "last.pt", weights_only=True)["model"]
    script = script_module(netc.compile(spec).script)
    torch.manual_seed(0)
    (tokens,), targets, (test_tokens,), test_targets = script.load_data(settings(count=90, length=12))
    whole = torch.cat([tokens.flatten(), targets[-1, -1:]])
    assert torch.equal(targets.flatten(), whole[1:])
    model = script.Reader()
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    texts = whole[: 88 * 12].view(8, 132)
    following = whole[1 : 88 * 12 + 1].view(8, 132)
    for _ in range(2):
        h = c = torch.zeros(1, 8, 24)
        for window in range(11):
            part = slice(12 * window, 12 * window + 12)
            reading = model(texts[:, part], h, c)
            taken = min(accumulate, 11 - window // accumulate * accumulate)
            (F.cross_entropy(reading.logits.flatten(0, 1), following[:, part].flatten()) / taken).backward()
            h, c = reading.h.detach(), reading.c.detach()
            if (window + 1) % accumulate == 0 or window == 10:
                optimizer.step()
                optimizer.zero_grad()
    assert all(torch.allclose(state[key], tensor, atol=1e-5) for key, tensor in model.state_dict().items())
    # 18 windows of the test in 5 rows of 3; a text of three windows is read at once.
    texts, following = test_tokens[:15].reshape(5, 36), test_targets[:15].reshape(5, 36)
    with torch.inference_mode():
        logits = model(texts, torch.zeros(1, 5, 24), torch.zeros(1, 5, 24)).logits
    loss = F.cross_entropy(logits.flatten(0, 1), following.flatten()).item()
    assert rows(tmp_path)[-1]["test_loss"] == pytest.approx(loss, abs=1e-5)


def test_bytes_of_a_file_follow_one_another(tmp_path: Path) -> None:
    file = tmp_path / "book.txt"
    file.write_bytes(bytes(range(256)) * 2)
    script = script_module(netc.compile(write(tmp_path, f'TextFile("{file}", length=10, continued=true)')).script)
    (tokens,), targets, (test_tokens,), test_targets = script.load_data(settings(file=str(file), length=10, test=10))
    both = torch.cat([tokens.flatten(), test_tokens.flatten()])
    assert both.tolist() == [number % 256 for number in range(510)]
    assert torch.cat([targets.flatten(), test_targets.flatten()]).tolist() == [n % 256 for n in range(1, 511)]
    assert len(test_tokens) == 5


def test_a_run_is_resumed_between_two_batches(run: Callable[..., Path], tmp_path: Path) -> None:
    spec = write(tmp_path, DATA, "log_every: 1", "accumulate: 2", "modes: (evaluate, dry_run)")
    run(spec, tmp_path / "a")
    for flags, lines in (((), 4), (("--resume",), 9)):
        with pytest.raises(SystemExit):
            run(spec, tmp_path / "b", *flags, stop_after=lines)
    run(spec, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")
    run(spec, tmp_path / "c", "--dry-run")


@pytest.mark.nightly
def test_killed_at_random_instants(tmp_path: Path) -> None:
    script = tmp_path / "reader.py"
    script.write_text(netc.compile(write(tmp_path, DATA.replace("90", "400"), "log_every: 5", "keep: best(2)")).script)
    line = [sys.executable, str(script), "--device", "cpu", "--epochs", "30", "--output"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([*line, str(tmp_path / "a")], check=True, env=environment, stdout=subprocess.DEVNULL)
    chance, resumed = random.Random("carry"), [*line, str(tmp_path / "b"), "--resume"]
    for _ in range(10):
        if run_killed(resumed, chance):
            break
    subprocess.run(resumed, check=True, env=environment, stdout=subprocess.DEVNULL)
    assert_same(tmp_path / "a", tmp_path / "b")


def test_the_script_is_clean(tmp_path: Path) -> None:
    script = tmp_path / "reader.py"
    script.write_text(netc.compile(write(tmp_path, DATA, "ema: 0.9", "print_shapes: true", "accumulate: 2")).script)
    for check in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--diff"]):
        command = [sys.executable, "-m", "ruff", *check, "--isolated", str(script)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("carry: (h, c)", "carry: (h, characters)"), "`Reader` has no `characters` that it takes beside"),
        (("carry: (h, c)", "carry: (h, h)"), "`carry` names inputs of the network, each once"),
        (("carry: (h, c)", "carry: 3"), "`carry` names inputs of the network, each once"),
        (("h=h_n,", "h=y,"), "`h` comes out in another shape than it goes in"),
        ((", continued=true", ""), "the examples of Sentences do not go on from one another"),
        (("continued=true", "continued=true, shuffle=true"), "examples that go on from one another cannot be shuffled"),
        (("epochs: 2", "epochs: 2\n    distributed: ddp"), "what was read is carried on in one process only"),
        (("epochs: 2", "epochs: 2\n    precision: bf16"), "what is carried on is in `float32`"),
        (("epochs: 2", "epochs: 2\n    modes: overfit"), "one batch does not go on from another"),
        (("SGD(lr=0.5)", "LBFGS"), "an optimizer that asks again reads each batch several times"),
    ],
)  # fmt: skip
def test_misuse_is_told(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    spec = write(tmp_path)
    text = spec.read_text()
    assert change[0] in text
    spec.write_text(text.replace(*change))
    with pytest.raises(SpecError) as caught:
        _ = netc.compile(spec).script
    assert said in str(caught.value)
