from collections import OrderedDict

from torch import nn

PARAMS = [{}, {"classes": 4}, {"count": 2}, {"deep": True}]
FROZEN = ["deep", "count"]


class Twin(nn.Module):
    def __init__(self, deep=False, count=0, classes=3):
        super().__init__()
        self.itself = nn.Conv2d(4, 5, 1)
        self.one = nn.Sequential(*(nn.ReLU() for _ in range(count)))
        self.suite = nn.Sequential(nn.ReLU())
        members = [("0", nn.ReLU())] if deep else []
        self.nothing = nn.Sequential(OrderedDict(members + [(f"act{i}", nn.Tanh()) for i in range(count)]))
        self.single = nn.Sequential(nn.Conv2d(5, 6, 1), nn.ReLU())
        self.group = nn.Sequential(nn.Conv2d(6, 6, 1), nn.ReLU())
        self.chain = nn.Sequential(nn.Flatten(), nn.Linear(96, 8), nn.ReLU())
        if deep:
            self.more = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
        else:
            self.less = nn.Linear(8, 8)
        self.fc = nn.Linear(8, classes)

    def forward(self, x):
        for member in self.children():
            x = member(x)
        return x
