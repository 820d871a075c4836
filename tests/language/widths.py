from torch import nn

PARAMS = [{}, {"trunk": [5], "classes": 2}, {"hidden": [6, 4]}]


def trunk(channels, widths, act=nn.ReLU):
    members = []
    for w in widths:
        members += [nn.Conv2d(channels, w, 3, padding=1), act()]
        channels = w
    return nn.Sequential(*members)


class Mlp(nn.Module):
    def __init__(self, features, widths):
        super().__init__()
        self.count = len(widths)
        for i, w in enumerate(widths):
            self.add_module(f"fc{i}", nn.Linear(features, w))
            features = w

    def forward(self, x):
        for i in range(self.count):
            x = self.get_submodule(f"fc{i}")(x)
            x = x.relu() if i < self.count - 1 else x
        return x


class Twin(nn.Module):
    def __init__(self, trunk=(4, 6), hidden=(8, 5, 7), classes=3):
        super().__init__()
        make, widths = globals()["trunk"], trunk
        self.trunk = make(3, widths)
        self.second = make(widths[-1], [6, 2 * len(hidden)], nn.Tanh)
        self.join = nn.Conv2d(2 * len(hidden), 4, 1)
        self.flat = make(4, widths)
        self.mlp = Mlp(widths[-1], hidden)
        self.norm = nn.BatchNorm1d(hidden[-1])
        self.again = Mlp(hidden[-1], [hidden[-1], 4])
        self.fc = nn.Linear(4, classes)

    def forward(self, x):
        x = self.flat(self.join(self.second(self.trunk(x)))).mean((2, 3))
        return self.fc(self.again(self.norm(self.mlp(x))))
