from torch import nn

PARAMS = [{}, {"deep": False}]


class Twin(nn.Module):
    def __init__(self, deep=True):
        super().__init__()
        self.deep = deep
        self.fc = nn.Linear(128, 6)
        self.last = nn.Linear(6, 3)

    def forward(self, x):
        y = self.fc(x.flatten(1))
        return self.last(y) if self.deep else y
