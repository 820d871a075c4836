from torch import nn

NET = "small"
PARAMS = [
    {},
    {"width": 6, "depth": 3},
    {"hidden": 5, "ratio": 1.5, "flag": False},
    {"word": "other", "pair": (3, 5), "deep": [[1, 4], [2], [3]], "classes": 2},
]
FROZEN = ["nothing"]


class Block(nn.Module):
    def __init__(self, channels, width, hidden=None, kernel=3, padding=1, mode="zeros", act=None, heads=None):
        super().__init__()
        hidden = 2 * width if hidden is None else hidden
        heads = [1, hidden] if heads is None else heads
        self.conv1 = nn.Conv2d(channels, hidden, kernel, padding=padding, bias=mode == "zeros")
        self.act = act
        self.conv2 = nn.Conv2d(hidden, width, heads[0])
        self.scale = width**-0.5
        self.out = nn.Conv2d(width, heads[1] + 1, 1)

    def forward(self, x):
        x = self.conv1(x)
        x = x if self.act is None else self.act(x)
        return self.out(self.conv2(x) * self.scale)


class Twin(nn.Module):
    def __init__(
        self,
        width=4,
        depth=2,
        hidden=None,
        ratio=0.5,
        flag=True,
        word="zeros",
        pair=(1, 3),
        deep=((1, 2), (3,)),
        classes=None,
    ):
        super().__init__()
        hidden = width * depth if hidden is None else hidden
        classes = len(deep) + 1 if classes is None else classes
        self.first = Block(3, width)
        hidden = round(hidden * ratio)
        self.second = Block(2 * width + 1, width, hidden, mode=word, act=nn.ReLU())
        heads = [1, deep[0][1]]
        self.third = Block(hidden + 1, width, kernel=pair, padding=(0, pair[1] // 2), heads=heads)
        channels = heads[1] + 1
        self.fourth = None
        if flag:
            self.fourth = Block(channels, width, heads=(1, depth))
            channels = depth + 1
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.third(self.second(self.first(x)))
        x = x if self.fourth is None else self.fourth(x)
        return self.fc(x.mean((2, 3)))
