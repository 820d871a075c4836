"""LeNet for colour pictures as two Sequentials with named members."""

from collections import OrderedDict

import torch
from torch import nn


class LeNetNamed(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(3, 6, 5),
                relu1=nn.ReLU(inplace=True),
                pool1=nn.MaxPool2d(2),
                conv2=nn.Conv2d(6, 16, 5),
                relu2=nn.ReLU(inplace=True),
                pool2=nn.MaxPool2d(2),
            )
        )
        self.classifier = nn.Sequential(
            OrderedDict(
                fc1=nn.Linear(16 * 5 * 5, 120),
                relu3=nn.ReLU(),
                fc2=nn.Linear(120, 84),
                relu4=nn.ReLU(inplace=True),
                fc3=nn.Linear(84, classes),
            )
        )

    def forward(self, x):
        x = torch.flatten(self.features(x), 1)
        return self.classifier(x)
