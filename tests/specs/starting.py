"""Whether two modules start alike: the same constants, and random numbers of the same distributions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FEW = 64
"""Of fewer numbers nothing is known of the distribution but its bounds."""
TOO_FEW = 8
"""Of fewer numbers nothing is known but whether they are constant, and of a single one not even that."""


def moments(tensor: Tensor, scale: Tensor) -> Tensor:
    """Mean and deviation by a scale, and mean distance from the mean by deviation: 0.87 if uniform, 0.80 if normal."""
    spread = (tensor - tensor.mean()).abs().mean() / tensor.std()
    return torch.stack([tensor.mean() / scale, (tensor.std() / scale).log(), spread])


def unlike(ours: Tensor, theirs: Tensor) -> str | None:
    """In what two tensors that were drawn apart differ more than chance allows."""
    a, b = ours.detach().double().flatten(), theirs.detach().double().flatten()
    if b.numel() == 1:
        return None
    if (b == b[0]).all():
        return None if torch.equal(a, b) else f"is not {b[0]:.3g} everywhere"
    if (a == a[0]).all():
        return "is constant"
    if a.numel() < TOO_FEW:
        return None
    if a.numel() < FEW:
        bounds = a.abs().max(), b.abs().max()
        return None if 0.2 < bounds[0] / bounds[1] < 5 else f"reaches to {bounds[0]:.3g}, not {bounds[1]:.3g}"
    found, wanted = moments(a, b.std()), moments(b, b.std())
    off = (found - wanted).abs().max() > 8 / a.numel() ** 0.5
    return f"has moments {found.tolist()}, not {wanted.tolist()}" if off else None


def unlike_starts(ours: nn.Module, theirs: nn.Module) -> dict[str, str]:
    state = ours.state_dict()
    found = {key: unlike(state[key], tensor) for key, tensor in theirs.state_dict().items()}
    return {key: text for key, text in found.items() if text is not None}
