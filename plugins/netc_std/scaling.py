"""How pictures of bytes are scaled and normalised, a batch at a time."""

from __future__ import annotations

from typing import Any

from netc.layer import Field

Channels = float | tuple[float, ...]


class Normalize(Field[tuple[Channels, Channels]]):
    """`(mean, std)`, each a number or one for each channel."""

    def __init__(self, channels: int):
        super().__init__(None, doc="Mean and standard deviation of the pictures scaled to 0-1.")
        self.channels = channels
        each = f", or {channels} numbers for each" if channels > 1 else ""
        self.expected = f"(mean, std), two numbers with std above 0{each}"

    def convert(self, value: Any) -> tuple[Channels, Channels]:
        if not isinstance(value, tuple | list) or len(value) != 2:
            raise self.fail(value)
        mean, std = (self._side(side, value) for side in value)
        if min(std if isinstance(std, tuple) else (std,)) <= 0:
            raise self.fail(value)
        return mean, std

    def _side(self, side: Any, value: Any) -> Channels:
        items = tuple(side) if isinstance(side, tuple | list) else (side,)
        if not all(isinstance(i, int | float) and not isinstance(i, bool) for i in items):
            raise self.fail(value)
        if isinstance(side, tuple | list):
            if len(items) != self.channels:
                raise self.fail(value)
            return items if self.channels > 1 else float(items[0])
        return float(side)


def scaling(normalize: tuple[Channels, Channels] | None, channels: int) -> str:
    """`prepare` of a script: bytes to 0-1, normalised where `normalize` is said."""
    if normalize is None:
        return PREPARE.format(doc="Scale bytes to 0-1.", body="    return images / 255")
    mean, std = normalize
    if not isinstance(mean, tuple) and not isinstance(std, tuple):
        body = f"    return (images / 255 - {mean}) / {std}"
    else:
        sides = (side if isinstance(side, tuple) else (side,) * channels for side in (mean, std))
        body = PER_CHANNEL.format(*(", ".join(str(float(item)) for item in side) for side in sides))
    return PREPARE.format(doc="Scale bytes to 0-1 and normalize them.", body=body)


PREPARE = '''\
def prepare(images):
    """{doc}"""
{body}
'''

PER_CHANNEL = """\
    mean = torch.tensor([{}], device=images.device)
    std = torch.tensor([{}], device=images.device)
    return (images / 255 - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)"""
