"""Layers whose gradients are not those of what they compute; each brings the source that the emitted file contains."""

from __future__ import annotations

from netc.hooks import hookimpl


@hookimpl
def netc_layers() -> dict[str, str]:
    names = ("GradientReversal", "gradient_reversal", "StraightThroughSign", "straight_through_sign")
    return dict.fromkeys(names, "netc_gradients.layers")
