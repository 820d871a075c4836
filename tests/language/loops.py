import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"count": 2, "step": 3}, {"widths": [5, 3], "kernels": [1, 3], "classes": 2}]


class Chain(nn.Module):
    def __init__(self):
        super().__init__()
        self.names = []

    def put(self, name, module):
        self.add_module(name, module)
        self.names.append(name)

    def forward(self, x):
        for name in self.names:
            x = self.get_submodule(name)(x)
        return x


class Grow(Chain):
    def __init__(self, channels, step, count):
        super().__init__()
        for i in range(count):
            self.put(f"conv{i}", nn.Conv2d(channels + i * step, channels + (i + 1) * step, 1))

    def forward(self, x):
        for name in self.names:
            x = F.relu(self.get_submodule(name)(x))
        return x


class Alternating(Chain):
    def __init__(self, channels, widths, kernels):
        super().__init__()
        for i, (w, k) in enumerate(zip(widths, kernels, strict=True)):
            name = f"odd{i}" if i % 2 else f"even{i}"
            size = 1 if i % 2 else k
            self.put(name, nn.Conv2d(channels, w, size, padding=size // 2))
            channels = w
        self.put("back1", nn.Conv2d(channels, channels + 1, 1))
        self.put("back0", nn.Conv2d(channels + 1, channels + 1, 1))


class Twin(Chain):
    def __init__(self, widths=(4, 6, 5), kernels=(3, 1, 5), step=2, count=3, classes=3):
        super().__init__()
        self.put("grow", Grow(3, step, count))
        self.put("alternating", Alternating(3 + step * count, widths, kernels))
        total = sum(widths)
        self.put("sum", nn.Conv2d(widths[-1] + 1, total, 1))
        self.put("tall0", nn.Sequential(nn.Conv2d(total, 4, (1, 3), padding=(0, 1)), nn.ReLU()))
        self.put("tall1", nn.Sequential(nn.Conv2d(4, 6, (3, 1), padding=(1, 0)), nn.ReLU()))
        channels = 6
        for i in range(1, count):
            for j in range(i):
                self.put(f"grid{i}{j}", nn.Conv2d(channels, total - i - j, 1))
                channels = total - i - j
        for i, (w, k) in enumerate(zip(widths, kernels, strict=True)):
            self.put(f"pair{i}", nn.Conv2d(channels, w, k, padding=k // 2))
            channels = w
        for i, w in enumerate(reversed(widths)):
            self.put(f"turned{i}", nn.Conv2d(channels, w, 1))
            channels = w
        self.put("alpha", nn.BatchNorm2d(channels))
        self.put("beta", nn.BatchNorm2d(channels))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        return self.fc(super().forward(x).mean((2, 3)))
