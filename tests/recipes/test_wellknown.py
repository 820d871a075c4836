"""Training loops of well-known scripts, written by hand, and what the recipes that say the same log."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from tests.recipes.making import block, script_of
from tests.recipes.results import assert_same, rows
from tests.recipes.test_optimizers import script_module

import netc
from netc.diagnostics import Source
from netc.pipeline import compile as compile_spec

torch = pytest.importorskip("torch")
F = torch.nn.functional
KIND = "plain 1x8x8"
PRETRAINING = block(
    "data: Digits(batch_size=100)", "loss: CrossEntropyLoss", "epochs: 3", "steps_per_epoch: 9", "accumulate: 2",
    "optimizer: AdamW(lr=1e-2, betas=(0.9, 0.95), weight_decay=0.1)\n    group vector: weight_decay=0",
    "schedule: warmup(5, start_factor=0.16666666666666666) -> cosine(eta_min=1e-3)", "schedule_interval: step",
    "clip_norm: 1.0", "keep: best(loss)", "log_every: 1",
)  # fmt: skip
FINE_TUNING = block(
    "data: Digits(batch_size=100)", "loss: CrossEntropyLoss", "epochs: 2", "drop_last: true", "log_every: 1",
    "optimizer: SGD(lr=0.05, momentum=0.9, weight_decay=1e-4)\n    group fc: lr=0.5", "schedule: SCHEDULE",
    "schedule_interval: step",
)  # fmt: skip

WASSERSTEIN = """\
net WGAN(latent=8):
    input 1x8x8
    real = _ -> (critic: (Flatten; Linear(32); ReLU; Linear(1)))
    picture = x -> randn(latent) -> (generator: (Linear(64); Tanh; Unflatten(1, (1, 8, 8))))
    fake = picture -> critic
    return real, fake

train:
    data: Digits(batch_size=100, normalize=(0.5, 0.5))
    loss real: real -> -1 * Mean
    loss fake: fake -> Mean
    loss fool: fake -> -1 * Mean
    optimizer critic: RMSprop(lr=1e-3)
    optimizer generator: RMSprop(lr=1e-3)
    steps: critic(real, fake) -> generator(fool, every=5)
    epochs: 1
"""


def begun(text: str) -> tuple[Any, Any]:
    """The network as a run begins with it, and the data."""
    script = script_module(script_of(text, KIND))
    torch.manual_seed(0)
    data = script.load_data(type("", (), {"seed": 0}))
    return script.Small(), data


def examples() -> Iterator[int]:
    """The examples one after another, shuffled anew whenever all have been seen."""
    for number in count():
        yield from torch.randperm(1437, generator=torch.Generator().manual_seed(number)).tolist()


def logged(folder: Path) -> list[float]:
    return [row["loss"] for row in rows(folder) if "loss" in row]


def test_a_pretraining_by_steps(run: Callable[..., Path], tmp_path: Path) -> None:
    """The loop of nanoGPT: a warm-up and a cosine by formulas, matrices decay, a test after so many steps."""
    model, (pictures, labels, test_pictures, test_labels) = begun(PRETRAINING)
    run(PRETRAINING, tmp_path / "a", kind=KIND)
    parameters = [*model.parameters()]
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-2, betas=(0.9, 0.95), fused=True)
    stream, losses, tests, best, states = examples(), [], [], [], []
    for step in range(27):
        ratio = (step - 5) / (27 - 5)
        rate = 1e-2 * (step + 1) / 6 if step < 5 else 1e-3 + 0.5 * (1 + math.cos(math.pi * ratio)) * (1e-2 - 1e-3)
        for group in optimizer.param_groups:
            group["lr"] = rate
        for _ in range(2):
            chosen = torch.tensor([*islice(stream, 100)])
            loss = F.cross_entropy(model(pictures[chosen]), labels[chosen])
            (loss / 2).backward()
            losses.append(loss.item())
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if (step + 1) % 9 == 0:
            with torch.no_grad():
                tests.append(F.cross_entropy(model(test_pictures), test_labels).item())
            best.append(min(tests))
            states.append({key: tensor.clone() for key, tensor in model.state_dict().items()})
    found = [row for row in rows(tmp_path / "a") if "test_loss" in row]
    assert logged(tmp_path / "a") == pytest.approx(losses, rel=1e-5)
    assert [row["test_loss"] for row in found] == pytest.approx(tests, rel=1e-5)
    assert [row["examples"] for row in found] == [1800, 3600, 5400]
    kept = torch.load(tmp_path / "a/best.pt", weights_only=True)
    assert kept["best"] == pytest.approx(best[-1], rel=1e-5)
    chosen = states[tests.index(best[-1])]
    assert all(torch.allclose(kept["model"][key], tensor, atol=1e-5) for key, tensor in chosen.items())
    with pytest.raises(SystemExit):
        run(PRETRAINING, tmp_path / "b", kind=KIND, stop_after=23)
    run(PRETRAINING, tmp_path / "b", "--resume", kind=KIND)
    assert_same(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("schedule", "factor"),
    [
        ("polynomial(power=0.9)", lambda step: (1 - step / 28) ** 0.9),
        ("warmup(4) -> linear", lambda step: 0.01 + 0.99 * step / 4 if step < 4 else (28 - step) / 24),
        ("linear(end_factor=0.1)", lambda step: 1 - 0.9 * step / 28),
    ],
)
def test_a_fine_tuning_without_the_last_batch(
    run: Callable[..., Path], tmp_path: Path, schedule: str, factor: Callable[[int], float]
) -> None:
    """The loop of torchvision's segmentation: schedules by steps as a formula, a head with a greater rate."""
    text = FINE_TUNING.replace("SCHEDULE", schedule)
    model, (pictures, labels, *_) = begun(text)
    run(text, tmp_path, kind=KIND)
    optimizer = torch.optim.SGD(
        [{"params": model.conv1.parameters()}, {"params": model.fc.parameters(), "lr": 0.5}],
        lr=0.05, momentum=0.9, weight_decay=1e-4, fused=True,
    )  # fmt: skip
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    losses = []
    for epoch in range(2):
        order = torch.randperm(1437, generator=torch.Generator().manual_seed(epoch))
        for chosen in order[:1400].split(100):
            loss = F.cross_entropy(model(pictures[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
    assert logged(tmp_path) == pytest.approx(losses, rel=1e-4)
    means = [row["train_loss"] for row in rows(tmp_path) if "train_loss" in row]
    assert means == pytest.approx([sum(losses[:14]) / 14, sum(losses[14:]) / 14], rel=1e-4)
    assert [row["examples"] for row in rows(tmp_path) if "train_loss" in row] == [1400, 2800]


def test_a_critic_whose_scores_are_the_loss(run: Callable[..., Path], tmp_path: Path) -> None:
    """The loop of a Wasserstein GAN, without its limits of the critic: five steps of it to one of the generator."""
    spec = tmp_path / "wgan.net"
    spec.write_text(WASSERSTEIN)
    state = torch.load(run(spec, tmp_path) / "last.pt", weights_only=True)["model"]
    script = script_module(netc.compile(spec).script)
    torch.manual_seed(0)
    pictures, *_ = script.load_data(type("", (), {"seed": 0}))
    model = script.WGAN()
    critic = torch.optim.RMSprop(model.critic.parameters(), lr=1e-3)
    generator = torch.optim.RMSprop(model.generator.parameters(), lr=1e-3)
    order = torch.randperm(1437, generator=torch.Generator().manual_seed(0))
    for number, chosen in enumerate(order.split(100), 1):
        real = pictures[chosen]
        fake = model.generator(torch.randn(len(real), 8)).detach()
        critic.zero_grad()
        (model.critic(fake).mean() - model.critic(real).mean()).backward()
        critic.step()
        if number % 5 == 0:
            generator.zero_grad()
            (-model.critic(model.generator(torch.randn(len(real), 8))).mean()).backward()
            generator.step()
    assert all(torch.allclose(state[key], tensor, atol=1e-5) for key, tensor in model.state_dict().items())


def test_probabilities_in_another_shape_are_no_less_so() -> None:
    """The siamese network of PyTorch's examples ends with a sigmoid, and its loop squeezes what it gives."""
    text = "net Pair:\n    input 1x8x8\n    flatten\n    fc: Linear(1)\n    sigmoid\n    squeeze(1)\n\n" + block(
        'data: Function("pairs:drawn", shape=())', "loss: BCELoss", "optimizer: Adam", "epochs: 1"
    )
    assert compile_spec(Source("pair.net", text)).check_recipes() == ()


@pytest.mark.parametrize("stride", [1, 5])
def test_stretches_of_a_text_from_anywhere(run: Callable[..., Path], tmp_path: Path, stride: int) -> None:
    """As nanoGPT reads: any stretch of the training part, its target one byte on; nothing of the test among them."""
    text = bytes(torch.randint(97, 123, (1003,), generator=torch.Generator().manual_seed(1)).tolist())
    (tmp_path / "text.txt").write_bytes(text)
    spec = tmp_path / "reader.net"
    spec.write_text(
        "net Reader:\n    input int(T)\n    embedding: Embedding(256, 8)\n    fc: Linear(256)\n\n"
        + block(f'data: TextFile("{tmp_path}/text.txt", length=16, stride={stride}, batch_size=8)')
        + "    loss: CrossEntropyLoss\n    optimizer: Adam(1e-2)\n"
        + "    epochs: 2\n    steps_per_epoch: 5\n    log_every: 5\n"
    )
    run(spec, tmp_path)
    assert [row["examples"] for row in rows(tmp_path)] == [40, 40, 80, 80]
    script = script_module(netc.compile(spec).script)
    settings = type("", (), {"file": f"{tmp_path}/text.txt", "length": 16, "stride": stride, "test": 10})
    inputs, targets, test_inputs, test_targets = script.load_data(settings)
    tested = text[1003 - 5 * 17 :]
    assert bytes(torch.cat([test_inputs[:, :1], test_targets], 1).flatten().tolist()) == tested
    starts = range(0, 1003 - len(tested) - 16, stride)
    assert len(inputs) == len(targets) == len(starts)
    for part, shift in ((inputs, 0), (targets, 1)):
        found = part[torch.arange(len(starts))]
        assert found.dtype == torch.int64
        assert [bytes(row) for row in found.tolist()] == [text[n + shift : n + shift + 16] for n in starts]
