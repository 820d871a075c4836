"""Train a digit classifier with dropout on MNIST.

    python mnist_dropout_script.py
    python mnist_dropout_script.py --resume --epochs 8

Ctrl-C finishes the step, saves and leaves; --resume continues to the same weights.
"""

import argparse
import json
import os
import signal
import threading
from pathlib import Path

if __name__ == "__main__":  # before torch is imported, so that --help is quick
    parser = argparse.ArgumentParser(
        description="Train a digit classifier with dropout on MNIST.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--epochs", type=int, default=3, help="epochs in all")
    parser.add_argument("--batch-size", type=int, default=64, help="pictures a step")
    parser.add_argument("--test-batch-size", type=int, default=1000, help="in a test")
    parser.add_argument("--lr", type=float, default=0.01, help="learning rate")
    parser.add_argument("--momentum", type=float, default=0.5, help="of SGD")
    parser.add_argument("--log-every", type=int, default=10, help="batches a line")
    parser.add_argument("--seed", type=int, default=0, help="of weights and order")
    parser.add_argument("--device", help="such as cpu or cuda:1; else the accelerator")
    parser.add_argument("--data", default="data", help="where MNIST is or will be")
    parser.add_argument("--output", type=Path, default="runs/dropout", help="results")
    parser.add_argument("--resume", action="store_true", help="continue from last.pt")
    arguments = parser.parse_args()

import torch
import torch.nn.functional as F
from torch import nn

try:
    from matplotlib.figure import Figure
    from torchvision.datasets import MNIST
except ImportError as error:
    raise SystemExit(f"{error}: pip install matplotlib torchvision") from error


class MnistDropout(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5)
        self.conv2 = nn.Conv2d(10, 20, 5)
        self.conv2_drop = nn.Dropout2d()
        self.fc1 = nn.Linear(320, 50)
        self.fc2 = nn.Linear(50, classes)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2_drop(self.conv2(x)), 2))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.dropout(x, training=self.training)
        return F.log_softmax(self.fc2(x), dim=1)


def load(folder, train, device):
    """All pictures as one uint8 tensor (N, 1, 28, 28), and their labels (N)."""
    try:
        data = MNIST(folder, train=train, download=True)
    except (OSError, RuntimeError) as error:
        raise SystemExit(f"no MNIST in {folder}: {error}") from error
    return data.data.unsqueeze(1).to(device), data.targets.to(device)


def normalize(images):
    return (images.float() / 255 - 0.1307) / 0.3081


@torch.inference_mode()
def evaluate(model, images, labels, batch_size):
    """The mean loss and the accuracy."""
    model.eval()
    total = torch.zeros(2, device=labels.device)
    for start in range(0, len(labels), batch_size):
        label = labels[start : start + batch_size]
        output = model(normalize(images[start : start + batch_size]))
        total[0] += F.nll_loss(output, label, reduction="sum")
        total[1] += (output.argmax(1) == label).sum()
    return (total / len(labels)).tolist()


@torch.inference_mode()
def predict(model, images):
    model.eval()
    return model(normalize(images)).argmax(1).tolist()


def draw_samples(images, titles, path):
    figure = Figure(figsize=(1.5 * len(images), 2))
    for i, axes in enumerate(figure.subplots(1, len(images))):
        axes.imshow(images[i, 0].cpu(), cmap="gray")
        axes.set_title(titles[i])
        axes.set_axis_off()
    figure.savefig(path)


def draw_losses(history, path):
    figure = Figure()
    axes = figure.subplots()
    for key, style in (("loss", "-"), ("test_loss", "o")):
        rows = [row for row in history if key in row]
        seen = [row["examples"] for row in rows]
        axes.plot(seen, [row[key] for row in rows], style, label=key)
    axes.set_xlabel("examples seen")
    axes.set_ylabel("loss")
    axes.legend()
    figure.savefig(path)


def get_rng(device):
    states = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        states[device.type] = torch.get_device_module(device).get_rng_state()
    return states


def set_rng(device, states):
    torch.set_rng_state(states["cpu"])
    if device.type in states and device.type != "cpu":
        torch.get_device_module(device).set_rng_state(states[device.type])


def save(state, path):
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    os.replace(temporary, path)


def main(args):
    torch.manual_seed(args.seed)
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    device = torch.device(args.device or accelerator or "cpu")
    train_images, train_labels = load(args.data, True, device)
    test_images, test_labels = load(args.data, False, device)
    model = MnistDropout().to(device)
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=args.lr,
        momentum=args.momentum,
        fused=True,
    )
    start, done, history = 0, 0, []
    if args.resume:
        path = args.output / "last.pt"
        state = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        start, done, history = state["epoch"], state["step"], state["history"]
        set_rng(device, state["rng"])

    args.output.mkdir(parents=True, exist_ok=True)
    settings = json.dumps(vars(args), default=str, indent=2)
    (args.output / "settings.json").write_text(settings + "\n")
    log = (args.output / "log.jsonl").open("w", buffering=1)
    log.writelines(json.dumps(row) + "\n" for row in history)

    def record(**row):
        history.append(row)
        log.write(json.dumps(row) + "\n")

    def checkpoint(epoch, step):
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": epoch,
            "step": step,
            "history": history,
            "rng": get_rng(device),
        }
        save(state, args.output / "last.pt")

    def test(epoch):
        loss, accuracy = evaluate(model, test_images, test_labels, args.test_batch_size)
        print(f"test loss {loss:.4f}  accuracy {accuracy:.2%}", flush=True)
        examples = epoch * len(train_labels)
        record(examples=examples, test_loss=loss, test_accuracy=accuracy)

    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    samples, labels = test_images[:6], test_labels[:6].tolist()
    draw_samples(samples, labels, args.output / "samples.png")
    if not args.resume:
        test(0)

    for epoch in range(start, args.epochs):
        model.train()
        shuffle = torch.Generator().manual_seed(args.seed + epoch)
        order = torch.randperm(len(train_labels), generator=shuffle).to(device)
        batches = order.split(args.batch_size)
        for step in range(done, len(batches)):
            output = model(normalize(train_images[batches[step]]))
            loss = F.nll_loss(output, train_labels[batches[step]])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % args.log_every == 0:
                seen = epoch * len(order) + step * args.batch_size
                print(
                    f"epoch {epoch + 1}  step {step}  loss {loss.item():.4f}",
                    flush=True,
                )
                record(examples=seen + len(output), loss=loss.item())
            if stop.is_set():
                checkpoint(epoch, step + 1)
                raise SystemExit(f"stopped in epoch {epoch + 1}; --resume continues")
        done = 0
        test(epoch + 1)
        checkpoint(epoch + 1, 0)

    draw_losses(history, args.output / "loss.png")
    draw_samples(samples, predict(model, samples), args.output / "predictions.png")
    _, accuracy = evaluate(model, test_images, test_labels, args.test_batch_size)
    print(f"final test accuracy {accuracy:.2%}")


if __name__ == "__main__":
    main(arguments)
