"""Layers that torchvision's networks use and PyTorch lacks; each brings the source that the emitted file contains."""

from __future__ import annotations

from netc.hooks import hookimpl

# Each module of this package and the names that it defines: a layer's as a module and as a function.
LAYERS = {
    "netc_vision.deformable": "DeformConv2d",
    "netc_vision.dropping": "StochasticDepth stochastic_depth",
    "netc_vision.normalization": "LayerNorm2d",
    "netc_vision.patches": "patch_merging pad_to_multiple",
    "netc_vision.squeezing": "SqueezeExcitation",
    "netc_vision.windows": "ShiftedWindowAttention ShiftedWindowAttentionV2 ShiftedWindowAttention3d",
}


@hookimpl
def netc_layers() -> dict[str, str]:
    return {name: module for module, names in LAYERS.items() for name in names.split()}
