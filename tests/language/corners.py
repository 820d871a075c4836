import torch
import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"count": 2}]
FROZEN = {"depth"}
SEEDED = False  # what `order` names first is made first


class Ruled(nn.Module):
    def __init__(self, features, out, width, affine):
        super().__init__()
        self.inner = nn.ModuleDict({"lin": nn.Linear(features, out)} if width == 4 else {})
        self.norm = nn.LayerNorm(out, elementwise_affine=affine)

    def forward(self, x):
        for lin in self.inner.values():
            x = lin(x)
        return self.norm(F.relu(x))


class TwoRules(nn.Sequential):
    def __init__(self, features, out):
        super().__init__()
        self.first = Ruled(features, out, 4, True)
        self.second = Ruled(out, out, 6, False)


class Doubling(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(16)
        self.lin0 = nn.Linear(4, 8)
        self.lin1 = nn.Linear(8, 16)

    def forward(self, x):
        return self.norm(F.relu(self.lin1(F.relu(self.lin0(x)))))


class Folded(nn.Module):
    def __init__(self):
        super().__init__()
        self.flat = nn.Sequential(nn.Identity(), nn.Identity(), nn.LayerNorm(96))

    def forward(self, x):
        return self.flat(x.reshape(len(x), 1, 96))


class Gated(nn.Module):
    def __init__(self, count):
        super().__init__()
        self.count = count
        self.lin = nn.Linear(96, 96)
        self.out = nn.Linear(96 // 2**count, 96 // 2**count + 1)

    def forward(self, x):
        x = self.lin(x)
        for _ in range(self.count):
            x = F.glu(x)
        return self.out(x)


class Half(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.third = nn.ModuleDict({"lin": nn.Linear((features + 1) // 2, 3)})

    def forward(self, x):
        half = (x.shape[1] + 1) // 2
        return torch.cat([self.third["lin"](x[:, :half]), x[:, half:]], 1)


class Counted(nn.Module):
    def __init__(self, features, count):
        super().__init__()
        self.names = [f"lin{i}" for i in range(count)]
        for i, name in enumerate(self.names):
            self.add_module(name, nn.Linear(features, 4 + i))
            features = 4 + i
        self.norm = nn.LayerNorm(features) if count > 1 else nn.Identity()

    def forward(self, x):
        for name in self.names:
            x = self.get_submodule(name)(x)
        return F.relu(self.norm(x))


class Twin(nn.Module):
    def __init__(self, depth=2, count=1):
        super().__init__()
        self.wide = TwoRules(8, 6)
        self.fc = nn.Linear(6, 4)
        self.rules = TwoRules(4, 4)
        self.doubling = Doubling()
        self.folded = [f"folded{i}" for i in range(depth)]
        for name in self.folded:
            self.add_module(name, Folded())
        self.gated = Gated(count)
        rows = nn.Sequential(nn.Linear(96 // 2**count + 1, 6), nn.Linear(6, 6))
        self.steps = nn.ModuleDict({"stage": nn.ModuleDict({"rows": rows})})
        self.even = Half(6)
        self.small = nn.Linear(6, 5)
        self.odd = Half(5)
        self.one = Counted(5, 1)
        self.three = Counted(4, 3)
        self.kept = nn.ModuleDict({"part": nn.ModuleDict({"lin": nn.Linear(6, 6)})})
        self.stacked = nn.Sequential(nn.Module())
        self.stacked[0].add_module("lin-1", nn.Linear(6, 8))
        self.nested = nn.ModuleDict({"norm": nn.LayerNorm(5)})
        self.last = nn.Linear(5, 4)
        self.register_buffer("shift", torch.full((4,), 0.5))

    def forward(self, x):
        for _ in range(2):
            x = F.batch_norm(x, None, None, training=True)
        x = self.doubling(self.rules(F.relu(self.fc(self.wide(x)))))
        for name in self.folded:
            x = self.get_submodule(name)(x)
        x = F.relu(self.gated(x)).flatten(1)
        x = self.odd(self.small(self.even(self.steps.get_submodule("stage.rows")(x))))
        x = F.softsign(self.kept.get_submodule("part.lin")(self.three(self.one(x)))).abs()
        x = F.relu(self.stacked[0].get_submodule("lin-1")(x))
        return self.last(self.nested["norm"](x[:, :5])) + self.shift
