"""The two networks of a DCGAN for pictures of 64 x 64."""

import torch
from torch import Tensor, nn


def init_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def up(in_channels: int, out_channels: int, stride: int, padding: int) -> list[nn.Module]:
    conv = nn.ConvTranspose2d(in_channels, out_channels, 4, stride, padding, bias=False)
    return [conv, nn.BatchNorm2d(out_channels), nn.ReLU()]


def down(in_channels: int, out_channels: int) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=False)
    return [conv, nn.BatchNorm2d(out_channels), nn.LeakyReLU(0.2)]


class Generator(nn.Sequential):
    def __init__(self, latent: int = 100, width: int = 64, channels: int = 3) -> None:
        super().__init__(
            *up(latent, 8 * width, 1, 0),
            *up(8 * width, 4 * width, 2, 1),
            *up(4 * width, 2 * width, 2, 1),
            *up(2 * width, width, 2, 1),
            nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False),
            nn.Tanh(),
        )
        self.apply(init_weights)


class Blur(nn.Module):
    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        return x + self.std * torch.randn_like(x) if self.training else x


class Discriminator(nn.Sequential):
    def __init__(self, width: int = 64, channels: int = 3, blur: float = 0.0) -> None:
        super().__init__(
            *([Blur(blur)] if blur else []),
            nn.Conv2d(channels, width, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2),
            *down(width, 2 * width),
            *down(2 * width, 4 * width),
            *down(4 * width, 8 * width),
            nn.Conv2d(8 * width, 1, 4, bias=False),
            nn.Flatten(),
        )
        self.apply(init_weights)


class DCGAN(nn.Module):
    def __init__(self, latent: int = 100, width: int = 64, channels: int = 3, blur: float = 0.0) -> None:
        super().__init__()
        self.latent = latent
        self.discriminator = Discriminator(width, channels, blur)
        self.generator = Generator(latent, width, channels)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        real = self.discriminator(picture)
        noise = torch.randn(len(picture), self.latent, 1, 1, dtype=picture.dtype)
        return real, self.discriminator(self.generator(noise))


def dcgan_small() -> DCGAN:
    return DCGAN(latent=32, width=8, channels=1, blur=0.3)
