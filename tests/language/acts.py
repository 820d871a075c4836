from torch import nn

PARAMS = [{}, {"slope": 0.7, "classes": 2}]
STAGES = ((4, 1, nn.ReLU), (4, 2, nn.SiLU), (6, 2, nn.Hardswish))


def conv_norm_act(channels, out, kernel=3, act=nn.ReLU):
    layers = [nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(out)]
    return nn.Sequential(*layers, *([act(inplace=True)] if act is not None else []))


class Block(nn.Module):
    def __init__(self, channels, out, act):
        super().__init__()
        self.first = conv_norm_act(channels, out, 3, act)
        self.second = conv_norm_act(out, out, 1, None)
        self.third = conv_norm_act(out, out, 1, nn.SiLU)
        self.adds = channels == out

    def forward(self, x):
        out = self.third(self.second(self.first(x)))
        return out + x if self.adds else out


class Plain(nn.Module):
    def __init__(self, channels, act):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)
        self.act = act

    def forward(self, x):
        return self.act(self.conv(x))


class Twin(nn.Module):
    def __init__(self, slope=0.1, classes=3):
        super().__init__()
        self.features = nn.Sequential(conv_norm_act(3, 4))
        channels = 4
        for out, count, act in STAGES:
            for _ in range(count):
                self.features.append(Block(channels, out, act))
                channels = out
        self.leaky = Plain(channels, nn.LeakyReLU(0.3))
        self.plain = Plain(channels, nn.ReLU())
        self.steep = Plain(channels, nn.LeakyReLU(slope))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.steep(self.plain(self.leaky(self.features(x))))
        return self.fc(x.mean((2, 3)))
