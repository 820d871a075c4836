from torch import nn

PARAMS = [{}, {"k": 3}, {"k": 0, "wide": 2}]
SEEDED = False  # `three` tells its size and is made before `fc`


class Block(nn.Module):
    def __init__(self, features, k):
        super().__init__()
        self.out = max(1, 8 // k) if k else features
        self.a = nn.Linear(features, self.out) if k else nn.Identity()
        self.b = nn.LayerNorm(self.out) if k else nn.Identity()

    def forward(self, x):
        return self.b(self.a(x)).relu()


class Twin(nn.Module):
    def __init__(self, k=2, wide=4):
        super().__init__()
        self.one = Block(8, k)
        self.fc = nn.Linear(self.one.out, wide)
        self.three = Block(wide, wide)
        self.last = nn.Linear(self.three.out, self.three.out + 1)

    def forward(self, x):
        return self.last(self.three(self.fc(self.one(x).relu())))
