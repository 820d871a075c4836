"""The parameters of the specs at other values, against what torchvision builds with the same arguments."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch
from tests.specs.comparing import assert_same
from tests.torchvision.reference import MODELS
from torch import nn
from torchvision import models
from torchvision.models import (
    convnext,
    densenet,
    efficientnet,
    mobilenetv2,
    mobilenetv3,
    regnet,
    resnet,
    shufflenetv2,
    swin_transformer,
    vgg,
)
from torchvision.models.segmentation import deeplabv3
from torchvision.models.video import resnet as video_resnet

from netc.diagnostics import SpecError


class Case(NamedTuple):
    """A network, parameters of its spec, and what torchvision builds; by default from arguments of the same builder.

    `frozen` are those parameters that select parts of the network: the emitted class has no argument for them.
    """

    name: str
    params: dict[str, Any]
    arguments: dict[str, Any] = {}
    build: Callable[..., nn.Module] | None = None
    frozen: tuple[str, ...] = ()
    shape: tuple[int, ...] | None = None

    def reference(self) -> nn.Module:
        if self.build is None:
            return MODELS[self.name].reference(**self.arguments)
        return self.build(**self.arguments)


def efficient_net(width_mult: float, depth_mult: float, **arguments: Any) -> nn.Module:
    stages, last = efficientnet._efficientnet_conf("efficientnet_b0", width_mult=width_mult, depth_mult=depth_mult)
    module: nn.Module = models.EfficientNet(stages, last_channel=last, **arguments)
    return module


def efficient_net_v2(stem: int, depth_mult: float, **arguments: Any) -> nn.Module:
    stages, _ = efficientnet._efficientnet_conf("efficientnet_v2_s")
    stages[0].input_channels = stem  # the first stage widens, although it expands nothing
    for stage in stages:
        stage.num_layers = math.ceil(stage.num_layers * depth_mult)
    module: nn.Module = models.EfficientNet(stages, **arguments)
    return module


def reg_net(bottleneck_multiplier: float, se_ratio: float, **arguments: Any) -> nn.Module:
    with torch.device("cpu"):  # computes with tensors
        params = regnet.BlockParams.from_init_params(10, 24, 30.0, 2.2, 16, bottleneck_multiplier, se_ratio)
    module: nn.Module = models.RegNet(params, **arguments)
    return module


def visual(layers: list[int | str], batch_norm: bool = False, **arguments: Any) -> nn.Module:
    module: nn.Module = models.VGG(vgg.make_layers(layers, batch_norm), **arguments)
    return module


def mobile_net(last_channel: int) -> nn.Module:
    rows = [(16, 3, 16, 16, True, "RE", 2), (16, 3, 72, 24, False, "HS", 2), (24, 5, 72, 40, True, "HS", 1)]
    stages = [mobilenetv3.InvertedResidualConfig(*row, dilation=1, width_mult=1.0) for row in rows]
    module: nn.Module = models.MobileNetV3(stages, last_channel)
    return module


def efficient_stages(last_channel: int) -> nn.Module:
    stages = [efficientnet.FusedMBConvConfig(4, 3, 2, 16, 24, 2), efficientnet.MBConvConfig(6, 5, 2, 24, 40, 2)]
    module: nn.Module = models.EfficientNet(stages, 0.2, last_channel=last_channel)
    return module


def backbone(layers: list[int]) -> nn.Module:
    dilated = [False, True, True]
    module: nn.Module = models.ResNet(resnet.Bottleneck, layers, replace_stride_with_dilation=dilated)
    return module


def deep_lab(layers: list[int]) -> nn.Module:
    module: nn.Module = deeplabv3._deeplabv3_resnet(backbone(layers), 21, None)
    return module


def video(layers: list[int], **arguments: Any) -> nn.Module:
    makers = [video_resnet.Conv3DSimple] + [video_resnet.Conv3DNoTemporal] * 3
    module: nn.Module = models.video.VideoResNet(
        video_resnet.BasicBlock, makers, layers, video_resnet.BasicStem, **arguments
    )
    return module


NORM = partial(nn.BatchNorm2d, eps=1e-4)
VIT = {"patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 16, "mlp_dim": 24, "image_size": 32,
       "dropout": 0.2, "attention_dropout": 0.1}  # fmt: skip
SWIN = {"embed_dim": 8, "depths": (2, 1, 3), "num_heads": (2, 4, 4), "mlp_ratio": 2.5, "dropout": 0.2,
        "attention_dropout": 0.1, "stochastic_depth_prob": 0.4}  # fmt: skip
CASES = [
    Case("resnet18", {"layers": (1, 2, 1, 1), "classes": 7},
         {"block": resnet.BasicBlock, "layers": [1, 2, 1, 1], "num_classes": 7}, models.ResNet),
    Case("resnet18", {"norm": "GroupNorm(8)"}, {"norm_layer": partial(nn.GroupNorm, 8)}, frozen=("norm",)),
    Case("resnet18", {"block": "Bottleneck", "layers": (1, 1, 1, 2)},
         {"block": resnet.Bottleneck, "layers": [1, 1, 1, 2]}, models.ResNet, frozen=("block",)),
    Case("resnet50", {"groups": 2, "width_per_group": 32}, {"groups": 2, "width_per_group": 32}),
    Case("resnet50", {"replace_stride_with_dilation": (False, True, True)},
         {"replace_stride_with_dilation": [False, True, True]}),
    Case("vgg11", {"depths": (1, 1), "widths": (8, 512), "classes": 7, "dropout": 0.2},
         {"layers": [8, "M", 512, "M"], "num_classes": 7, "dropout": 0.2}, visual),
    Case("vgg11", {"depths": (1, 1), "widths": (8, 512), "norm": "BatchNorm"},
         {"layers": [8, "M", 512, "M"], "batch_norm": True}, visual, frozen=("norm",)),
    Case("alexnet", {"classes": 7, "dropout": 0.2}, {"num_classes": 7, "dropout": 0.2}),
    Case("densenet121",
         {"growth_rate": 12, "block_config": (2, 3), "num_init_features": 16, "bn_size": 3, "classes": 7},
         {"growth_rate": 12, "block_config": (2, 3), "num_init_features": 16, "bn_size": 3, "num_classes": 7},
         densenet.DenseNet),
    Case("densenet121", {"block_config": (2, 3), "drop_rate": 0.2}, {"block_config": (2, 3), "drop_rate": 0.2},
         densenet.DenseNet, frozen=("drop_rate",)),
    Case("mobilenet_v2", {"width_mult": 0.5, "round_nearest": 4, "classes": 7, "dropout": 0.4},
         {"width_mult": 0.5, "round_nearest": 4, "num_classes": 7, "dropout": 0.4}),
    Case("mobilenet_v2", {"norm": "GroupNorm(8)"}, {"norm_layer": partial(nn.GroupNorm, 8)}, frozen=("norm",)),
    Case("mobilenet_v2", {"stages": ((1, 16, 1, 1), (4, 24, 2, 2))},
         {"inverted_residual_setting": [[1, 16, 1, 1], [4, 24, 2, 2]]}, mobilenetv2.MobileNetV2),
    Case("mobilenet_v3_large", {"width_mult": 0.5, "classes": 7, "dropout": 0.4, "eps": 1e-4},
         {"width_mult": 0.5, "num_classes": 7, "dropout": 0.4, "norm_layer": partial(NORM, momentum=0.01)}),
    Case("mobilenet_v3_large", {"reduced_tail": True, "dilated": True}, {"reduced_tail": True, "dilated": True}),
    Case("mobilenet_v3_large",
         {"blocks": "[(3, 16, 16, true, ReLU, 2), (3, 72, 24, false, Hardswish, 2), (5, 72, 40, true, Hardswish, 1)]",
          "last": 64}, {"last_channel": 64}, mobile_net, frozen=("blocks",)),
    Case("shufflenet_v2_x0_5",
         {"stages_out_channels": (12, 24, 32, 48, 64), "stages_repeats": (2, 3, 1), "classes": 7},
         {"stages_out_channels": [12, 24, 32, 48, 64], "stages_repeats": [2, 3, 1], "num_classes": 7},
         shufflenetv2.ShuffleNetV2),
    Case("regnet_y_400mf",
         {"depth": 10, "w_0": 24, "w_a": 30.0, "w_m": 2.2, "group_width": 16, "bottleneck": 0.5,
          "se_ratio": 0.5, "stem_width": 16, "classes": 7},
         {"bottleneck_multiplier": 0.5, "se_ratio": 0.5, "stem_width": 16, "num_classes": 7}, reg_net),
    Case("regnet_y_400mf", {"norm": "BatchNorm(eps=1e-4)"}, {"norm_layer": NORM}, frozen=("norm",)),
    Case("efficientnet_b0",
         {"width_mult": 0.5, "depth_mult": 1.4, "stochastic_depth_prob": 0.5, "dropout": 0.4, "classes": 7, "eps": 1e-4,
          "momentum": 0.02},
         {"width_mult": 0.5, "depth_mult": 1.4, "stochastic_depth_prob": 0.5, "dropout": 0.4, "num_classes": 7,
          "norm_layer": partial(NORM, momentum=0.02)}, efficient_net),
    Case("efficientnet_b0",
         {"stages": "[(FusedMBConv, 4, 3, 2, 24, 2), (MBConv, 6, 5, 2, 40, 2)]", "stem": 16, "last_channel": 64},
         {"last_channel": 64}, efficient_stages, frozen=("stages", "last_channel")),
    Case("efficientnet_v2_s", {"stem": 16, "depth_mult": 0.2, "last_channel": 40, "classes": 7},
         {"stem": 16, "depth_mult": 0.2, "last_channel": 40, "dropout": 0.2, "num_classes": 7,
          "norm_layer": partial(nn.BatchNorm2d, eps=1e-3)}, efficient_net_v2),
    Case("convnext_tiny",
         {"widths": (16, 24), "depths": (2, 3), "stochastic_depth_prob": 0.4, "layer_scale": 0.1, "classes": 7},
         {"block_setting": [convnext.CNBlockConfig(16, 24, 2), convnext.CNBlockConfig(24, None, 3)],
          "stochastic_depth_prob": 0.4, "layer_scale": 0.1, "num_classes": 7}, models.ConvNeXt),
    Case("convnext_tiny", {"widths": (16, 24), "depths": (2, 1), "norm": "LayerNorm2d(eps=1e-2)"},
         {"block_setting": [convnext.CNBlockConfig(16, 24, 2), convnext.CNBlockConfig(24, None, 1)],
          "stochastic_depth_prob": 0.1, "norm_layer": partial(convnext.LayerNorm2d, eps=1e-2)}, models.ConvNeXt,
         frozen=("norm",)),
    Case("googlenet", {"aux_logits": False, "classes": 7, "dropout": 0.4},
         {"aux_logits": False, "num_classes": 7, "dropout": 0.4}),
    Case("googlenet", {"transform_input": True, "dropout_aux": 0.4}, {"transform_input": True, "dropout_aux": 0.4},
         frozen=("transform_input",)),
    Case("fcn_resnet50", {"aux_loss": True, "classes": 7}, {"aux_loss": True, "num_classes": 7}, frozen=("aux_loss",)),
    Case("deeplabv3_resnet50", {"aux_loss": True, "classes": 7}, {"aux_loss": True, "num_classes": 7},
         frozen=("aux_loss",)),
    Case("fcn_resnet50", {"layers": (1, 1, 1, 2), "head": "DeepLabHead"}, {"layers": [1, 1, 1, 2]}, deep_lab,
         frozen=("head",)),
    Case("r3d_18", {"temporal": (True, False, False, False), "layers": (1, 2, 1, 1), "classes": 7},
         {"layers": [1, 2, 1, 1], "num_classes": 7}, video),
    Case("vit_b_32", VIT | {"classes": 7}, VIT | {"num_classes": 7}, models.VisionTransformer, shape=(3, 32, 32)),
    Case("vit_b_32", VIT | {"representation_size": 12}, VIT | {"representation_size": 12}, models.VisionTransformer,
         frozen=("representation_size",), shape=(3, 32, 32)),
    Case("vit_b_32", VIT | {"norm": "RMSNorm"}, VIT | {"norm_layer": nn.RMSNorm}, models.VisionTransformer,
         frozen=("norm",), shape=(3, 32, 32)),
    Case("swin_t", SWIN | {"window_size": (5, 4), "patch_size": (4, 2), "classes": 7},
         SWIN | {"window_size": [5, 4], "patch_size": (4, 2), "num_classes": 7}, models.SwinTransformer),
    Case("swin_t", SWIN | {"block": "SwinBlockV2", "downsample": "PatchMergingV2"},
         {**SWIN, "window_size": [7, 7], "patch_size": (4, 4), "block": swin_transformer.SwinTransformerBlockV2,
          "downsample_layer": swin_transformer.PatchMergingV2}, models.SwinTransformer, frozen=("block", "downsample")),
    Case("swin_t", SWIN | {"norm": "RMSNorm"},
         SWIN | {"window_size": [7, 7], "patch_size": (4, 4), "norm_layer": nn.RMSNorm}, models.SwinTransformer,
         frozen=("norm",)),
    Case("swin_v2_t", SWIN | {"classes": 7}, {**SWIN, "window_size": [8, 8], "patch_size": (4, 4), "num_classes": 7,
         "block": swin_transformer.SwinTransformerBlockV2, "downsample_layer": swin_transformer.PatchMergingV2},
         models.SwinTransformer),
    Case("swin3d_t", SWIN | {"window_size": (2, 5, 4), "patch_size": (3, 4, 2), "classes": 7},
         SWIN | {"window_size": [2, 5, 4], "patch_size": (3, 4, 2), "num_classes": 7}, models.video.SwinTransformer3d),
    Case("swin3d_t", SWIN | {"norm": "RMSNorm"}, SWIN | {"window_size": [8, 7, 7], "patch_size": (2, 4, 4),
         "norm_layer": nn.RMSNorm}, models.video.SwinTransformer3d, frozen=("norm",)),
]  # fmt: skip
LARGE = ("alexnet", "vgg11", "fcn_resnet50", "deeplabv3_resnet50", "resnet50", "r3d_18")


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=c.name, marks=[pytest.mark.nightly] if c.name in LARGE else []) for c in CASES]
)
def test_other_values(case: Case) -> None:
    """The spec compiled with them, and the class as it was emitted without them."""
    model = MODELS[case.name]
    emitted = type(model.load())
    shape = case.shape or model.shape
    assert assert_same(lambda: model.load(**case.params), case.reference, shape)
    kept = inspect.signature(emitted).parameters
    assert tuple(name for name in case.params if name not in kept) == case.frozen
    if not case.frozen:
        assert assert_same(lambda: emitted(**case.params), case.reference, shape)


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("swin_t", {"depths": [2, 2]}, "`depths` has 2 and `num_heads` has 4"),
        ("swin_v2_t", {"num_heads": [3, 6]}, "`depths` has 4 and `num_heads` has 2"),
        ("swin3d_t", {"depths": [2, 2]}, "`depths` has 2 and `num_heads` has 4"),
        ("convnext_tiny", {"widths": [96, 192]}, "`depths` has 4 and `widths` has 2"),
        ("vgg11", {"depths": [1, 1]}, "`widths` has 5 and `depths` has 2"),
        ("resnet18", {"layers": [1] * 5}, "`dilate` has no entry 4"),
        ("mc3_18", {"temporal": [True]}, "`temporal` has no entry 1"),
        ("shufflenet_v2_x1_0", {"stages_out_channels": [24, 48]}, "`stages_out_channels` has no entry 2"),
    ],
)
def test_lists_that_do_not_go_together(name: str, params: dict[str, Any], said: str) -> None:
    """No stage is left out silently."""
    with pytest.raises(SpecError, match=said):
        MODELS[name].load(**params)
