import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"classes": 5}, {"boxes": 2}]


class Twin(nn.Module):
    def __init__(self, classes=3, boxes=4):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU())
        self.score = nn.Linear(16, classes)
        self.box = nn.Linear(16, boxes)

    def forward(self, x):
        pooled = F.adaptive_avg_pool2d(self.trunk(x), 1).flatten(1)
        return {"scores": (self.score(pooled), pooled), "boxes": self.box(pooled)}
