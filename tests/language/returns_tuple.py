import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"width": 3}]
SIZES = {"H": 9, "W": 12}


class Twin(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.c1 = nn.Conv2d(3, width, 3, 2, 1)
        self.c2 = nn.Conv2d(width, 2 * width, 3, 2, 1)
        self.c3 = nn.Conv2d(2 * width, 4 * width, 3, 2, 1)

    def forward(self, x):
        fine = F.relu(self.c1(x))
        middle = F.relu(self.c2(fine))
        return F.relu(self.c3(middle)), middle, fine
