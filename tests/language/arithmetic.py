import torch
import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"width": 5, "power": 3, "scale": 2.0}]


class Gate(nn.Module):
    def __init__(self, width, scale):
        super().__init__()
        self.scale = scale
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x, other):
        return (1 - torch.sigmoid(other)) * x + self.scale * (other + self.bias)


class Twin(nn.Module):
    def __init__(self, width=8, power=2, scale=0.5):
        super().__init__()
        self.width, self.power, self.scale = width, power, scale
        self.mu = nn.Linear(16, width)
        self.logvar = nn.Linear(16, width)
        self.gate = Gate(width, scale)
        self.proj = nn.Linear(16, width)
        self.out = nn.Linear(width, 3)

    def forward(self, x):
        mean, log_variance = self.mu(x), self.logvar(x)
        drawn = self.gate(mean + torch.exp(log_variance / 2) * torch.randn_like(mean), mean)
        kept = self.proj(x)
        out = torch.tanh(drawn - (kept - mean)) / self.width
        out = out + F.relu(drawn * kept)
        y = -(out**self.power) - -mean
        out = 2 / (1 + y**2)
        out = out * -y
        out = self.out(2 * torch.cos(out - 1))
        return out, drawn - kept / 3.0, 2 * torch.abs(mean) - self.scale
