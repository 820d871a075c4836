"""Train GoogLeNet on scikit-learn's digits.

    python googlenet_digits_script.py
    python googlenet_digits_script.py --resume

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
        description="Train GoogLeNet on scikit-learn's digits.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--epochs", type=int, default=20, help="epochs in all")
    parser.add_argument("--batch-size", type=int, default=64, help="pictures a step")
    parser.add_argument("--lr", type=float, default=3e-3, help="learning rate")
    parser.add_argument("--seed", type=int, default=0, help="of split and training")
    parser.add_argument("--device", help="such as cpu or cuda:1; else the accelerator")
    parser.add_argument("--output", type=Path, default="runs/digits", help="results")
    parser.add_argument("--resume", action="store_true", help="continue from last.pt")
    arguments = parser.parse_args()

import torch
import torch.nn.functional as F
from torch import nn

try:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
except ImportError as error:
    raise SystemExit(f"{error}: pip install scikit-learn") from error


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


def load(seed, device):
    """Training and test pictures (N, 1, 28, 28) with labels (N), normalised."""
    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)
    images = F.interpolate(images, size=(28, 28), mode="bilinear").to(device)
    labels = torch.tensor(digits.target, device=device)
    train, test = train_test_split(
        range(len(labels)),
        test_size=360,
        stratify=digits.target,
        random_state=seed,
    )
    images = (images - images[train].mean()) / images[train].std()
    return images[train], labels[train], images[test], labels[test]


@torch.inference_mode()
def evaluate(model, images, labels, batch_size):
    """The mean loss and the accuracy."""
    model.eval()
    total = torch.zeros(2, device=labels.device)
    for start in range(0, len(labels), batch_size):
        label = labels[start : start + batch_size]
        output = model(images[start : start + batch_size])
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
    train_images, train_labels, test_images, test_labels = load(args.seed, device)
    model = GoogLeNet().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)
    total = torch.zeros(2, device=device)  # loss and right answers, of this epoch
    start, done, best, history = 0, 0, 0.0, []
    if args.resume:
        path = args.output / "last.pt"
        state = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        start, done, best = state["epoch"], state["step"], state["best"]
        total.copy_(state["total"])
        history = state["history"]
        set_rng(device, state["rng"])

    def checkpoint(name, epoch, step):
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
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
            output = model(train_images[batches[step]])
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
        schedule.step()
        if accuracy > best:
            best = accuracy
            checkpoint("best.pt", epoch + 1, 0)
        checkpoint("last.pt", epoch + 1, 0)

    _, accuracy = evaluate(model, test_images, test_labels, args.batch_size)
    print(f"final test accuracy {accuracy:.2%}, best {best:.2%}")


if __name__ == "__main__":
    main(arguments)
