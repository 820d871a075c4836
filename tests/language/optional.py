from torch import nn

PARAMS = [{}, {"deep": False}, {"wide": False, "width": 3}, {"drop": 0.0, "classes": 2}, {"head": False}]
FROZEN = ["head"]


class Stem(nn.Module):
    def __init__(self, width, deep=True):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1) if deep else None
        self.act = nn.ReLU()
        self.conv3 = nn.Conv2d(2 * width, 3 * width, 1) if deep else None

    def forward(self, x):
        x = self.conv1(x)
        x = self.act(x if self.conv2 is None else self.conv2(x))
        return x if self.conv3 is None else self.conv3(x)


class Twin(nn.Module):
    def __init__(self, width=4, deep=True, wide=True, head=True, drop=0.5, classes=3):
        super().__init__()
        self.stem = Stem(width, deep)
        channels = 3 * width if deep else width
        self.wide = nn.Conv2d(channels, channels + 2, 1) if wide else None
        channels += 2 if wide else 0
        members = [nn.Conv2d(channels, 5, 1), nn.ReLU()]
        members += [nn.Conv2d(5, 7, 1)] if head else []
        members += [nn.Dropout(drop)] if drop else []
        self.features = nn.Sequential(*members)
        self.fc = nn.Linear(7 if head else 5, classes)

    def forward(self, x):
        x = self.stem(x)
        x = x if self.wide is None else self.wide(x)
        x = self.features(x)
        x = x.flatten(2).mean(2) if len(self.features) > 2 and self.fc.in_features == 7 else x.mean((2, 3))
        return self.fc(x)
