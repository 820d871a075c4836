"""Train GoogLeNet on MNIST.

    python googlenet_script.py
    python googlenet_script.py --resume --epochs 20

Ctrl-C finishes the step, saves and leaves; --resume continues to the same weights.
"""

import argparse
import json
import os
import signal
import threading
import time
from pathlib import Path

if __name__ == "__main__":  # before torch is imported, so that --help is quick
    parser = argparse.ArgumentParser(
        description="Train GoogLeNet on MNIST.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--epochs", type=int, default=10, help="epochs in all")
    parser.add_argument("--batch-size", type=int, default=64, help="pictures a step")
    parser.add_argument("--lr", type=float, default=0.01, help="learning rate")
    parser.add_argument("--momentum", type=float, default=0.5, help="of SGD")
    parser.add_argument("--seed", type=int, default=0, help="of weights and order")
    parser.add_argument("--device", help="such as cpu or cuda:1; else the accelerator")
    parser.add_argument("--data", default="data", help="where MNIST is or will be")
    parser.add_argument("--output", type=Path, default="runs/googlenet", help="results")
    parser.add_argument("--resume", action="store_true", help="continue from last.pt")
    arguments = parser.parse_args()

import torch
import torch.nn.functional as F
from torch import nn

try:
    from torchvision.datasets import MNIST
except ImportError as error:
    raise SystemExit(f"{error}: pip install torchvision") from error


class Inception(nn.Module):
    def __init__(self, in_channels):
        super().__init__()
        self.branch1_pool = nn.Conv2d(in_channels, 24, 1)
        self.branch1x1 = nn.Conv2d(in_channels, 16, 1)
        self.branch5x5_1 = nn.Conv2d(in_channels, 16, 1)
        self.branch5x5_2 = nn.Conv2d(16, 24, 5, padding=2)
        self.branch1x3_1 = nn.Conv2d(in_channels, 16, 1)
        self.branch1x3_2 = nn.Conv2d(16, 24, 3, padding=1)
        self.branch1x3_3 = nn.Conv2d(24, 24, 3, padding=1)

    def forward(self, x):
        branch1x1 = self.branch1x1(x)
        branch5x5 = self.branch5x5_2(self.branch5x5_1(x))
        branch1x3 = self.branch1x3_3(self.branch1x3_2(self.branch1x3_1(x)))
        branch1_pool = self.branch1_pool(F.avg_pool2d(x, 3, stride=1, padding=1))
        return torch.cat([branch1x1, branch5x5, branch1x3, branch1_pool], dim=1)


class GoogLeNet(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5)
        self.conv2 = nn.Conv2d(88, 20, 5)
        self.incep1 = Inception(10)
        self.incep2 = Inception(20)
        self.mp = nn.MaxPool2d(2)
        self.fc = nn.Linear(1408, classes)

    def forward(self, x):
        x = F.relu(self.mp(self.conv1(x)))
        x = self.incep1(x)
        x = F.relu(self.mp(self.conv2(x)))
        x = self.incep2(x)
        return self.fc(torch.flatten(x, 1))


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
        total[0] += F.cross_entropy(output, label, reduction="sum")
        total[1] += (output.argmax(1) == label).sum()
    return (total / len(labels)).tolist()


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
    model = GoogLeNet().to(device)
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=args.lr,
        momentum=args.momentum,
        fused=True,
    )
    total = torch.zeros(2, device=device)  # loss and right answers, of this epoch
    start, done, best, history = 0, 0, 0.0, []
    if args.resume:
        path = args.output / "last.pt"
        state = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        start, done, best = state["epoch"], state["step"], state["best"]
        total.copy_(state["total"])
        history = state["history"]
        set_rng(device, state["rng"])

    def checkpoint(name, epoch, step):
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": epoch,
            "step": step,
            "best": best,
            "total": total,
            "history": history,
            "rng": get_rng(device),
        }
        save(state, args.output / name)

    args.output.mkdir(parents=True, exist_ok=True)
    settings = json.dumps(vars(args), default=str, indent=2)
    (args.output / "settings.json").write_text(settings + "\n")
    log = (args.output / "log.jsonl").open("w", buffering=1)
    log.writelines(json.dumps(row) + "\n" for row in history)
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    for epoch in range(start, args.epochs):
        began = time.perf_counter()
        model.train()
        shuffle = torch.Generator().manual_seed(args.seed + epoch)
        order = torch.randperm(len(train_labels), generator=shuffle).to(device)
        batches = order.split(args.batch_size)
        for step in range(done, len(batches)):
            label = train_labels[batches[step]]
            output = model(normalize(train_images[batches[step]]))
            loss = F.cross_entropy(output, label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total[0] += loss.detach() * len(label)
            total[1] += (output.argmax(1) == label).sum()
            if stop.is_set():
                checkpoint("last.pt", epoch, step + 1)
                raise SystemExit(f"stopped in epoch {epoch + 1}; --resume continues")
        train_loss, train_accuracy = (total / len(train_labels)).tolist()
        test_loss, accuracy = evaluate(model, test_images, test_labels, args.batch_size)
        seconds = time.perf_counter() - began
        print(
            f"epoch {epoch + 1}/{args.epochs}  loss {train_loss:.4f}  "
            f"accuracy {train_accuracy:.2%}  test loss {test_loss:.4f}  "
            f"test accuracy {accuracy:.2%}  {seconds:.1f} s",
            flush=True,
        )
        row = {
            "epoch": epoch + 1,
            "loss": train_loss,
            "accuracy": train_accuracy,
            "test_loss": test_loss,
            "test_accuracy": accuracy,
            "seconds": seconds,
        }
        history.append(row)
        log.write(json.dumps(row) + "\n")
        done = 0
        total.zero_()
        if accuracy > best:
            best = accuracy
            checkpoint("best.pt", epoch + 1, 0)
        checkpoint("last.pt", epoch + 1, 0)

    _, accuracy = evaluate(model, test_images, test_labels, args.batch_size)
    print(f"final test accuracy {accuracy:.2%}, best {best:.2%}")


if __name__ == "__main__":
    main(arguments)
