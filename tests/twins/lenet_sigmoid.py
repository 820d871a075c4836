"""LeNet with sigmoids and average pooling as one flat Sequential, Xavier-uniform."""

from torch import nn


class Reshape(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(self.shape)


def xavier(module):
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)


def lenet_sigmoid(classes=10, reshape=False):
    net = nn.Sequential(
        *([Reshape(-1, 1, 28, 28)] if reshape else []),
        nn.Conv2d(1, 6, 5, padding=2),
        nn.Sigmoid(),
        nn.AvgPool2d(2, stride=2),
        nn.Conv2d(6, 16, 5),
        nn.Sigmoid(),
        nn.AvgPool2d(2, stride=2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120),
        nn.Sigmoid(),
        nn.Linear(120, 84),
        nn.Sigmoid(),
        nn.Linear(84, classes),
    )
    return net.apply(xavier)


def lenet_sigmoid_reshape(classes=10):
    return lenet_sigmoid(classes, reshape=True)
