"""An autoencoder whose unpooling puts values back where the pooling found them."""

import torch.nn.functional as F
from torch import Tensor, nn


class UnpoolAutoencoder(nn.Module):
    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.deconv2 = nn.ConvTranspose2d(2 * width, width, 3, padding=1)
        self.deconv1 = nn.ConvTranspose2d(width, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x, places1 = F.max_pool2d(F.relu(self.conv1(x)), 2, return_indices=True)
        x, places2 = F.max_pool2d(F.relu(self.conv2(x)), 2, return_indices=True)
        x = F.relu(self.deconv2(F.max_unpool2d(x, places2, [2, 2])))
        return self.deconv1(F.max_unpool2d(x, places1, [2, 2]))
