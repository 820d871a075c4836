"""The networks of `specs/`: of each net its hand-written twin, inputs, and the settings at which both are compared."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch
from tests.specs.comparing import Input, Whole
from torch import nn

import netc

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").glob("*.net"))


class Network(NamedTuple):
    """A net, by default the first of its spec, what makes its twin, and the parameters that both are given."""

    spec: str
    net: str | None
    factory: str
    inputs: tuple[Input, ...]
    given: dict[str, Any] = {}

    @property
    def path(self) -> Path:
        return ROOT / "specs" / f"{self.spec}.net"

    def ours(self) -> nn.Module:
        return netc.load(self.path, self.net, **self.given)

    def theirs(self) -> nn.Module:
        made: nn.Module = getattr(twin(self.spec), self.factory)(**self.given)
        return made


def twin(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"twin_{name}", ROOT / "tests" / "twins" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SMALL_TEXT = {"vocabulary": 50, "length": 16, "depth": 2, "heads": 2, "width": 8}
DEEPER_TEXT = {"vocabulary": 60, "length": 12, "depth": 3, "heads": 4, "width": 16, "rate": 0.2}
NARROW = {"columns": 3, "categories": 4, "features": 8}
WORDS, TRUTHS = Whole((12,), 50), Whole((12,), 2, torch.bool)
NETWORKS = [
    Network("lenet5", None, "LeNet5", ((1, 28, 28),)),
    Network("lenet_functional", None, "LeNet", ((3, 32, 32),)),
    Network("lenet_sequential", None, "LeNetSequential", ((3, 32, 32),)),
    Network("lenet_named", None, "LeNetNamed", ((3, 32, 32),)),
    Network("lenet_sigmoid", None, "lenet_sigmoid", ((1, 28, 28),)),
    Network("lenet_sigmoid", "lenet_sigmoid_reshape", "lenet_sigmoid_reshape", ((784,),)),
    Network("mnist_dropout", None, "MnistDropout", ((1, 28, 28),)),
    Network("googlenet", None, "GoogLeNet", ((1, 28, 28),)),
    Network("residual", None, "Residual", ((1, 28, 28),)),
    Network("small_cnn", None, "SmallCNN", ((3, 32, 32),)),
    Network("small_cnn", None, "SmallCNN", ((3, 32, 32),), {"classes": 3}),
    Network("linear_regression", "LinearRegression", "LinearRegression", ((1,),)),
    Network("linear_regression", "HandMade", "HandMade", ((1,),)),
    Network("linear_regression", "BareParameters", "BareParameters", ((1,),)),
    Network("mlp_blocks", None, "MlpBlocks", ((1, 28, 28),)),
    Network("mlp_blocks", None, "MlpBlocks", ((1, 28, 28),), {"depth": 1, "width": 8, "classes": 3}),
    Network("edge_detector", "EdgeDetector", "EdgeDetector", ((1, 6, 8),)),
    Network("edge_detector", "ByHand", "ByHand", ((1, 28, 28),)),
    Network("recurrent", "RowReader", "RowReader", ((9, 28),)),
    Network("recurrent", "RowReader", "RowReader", ((28, 28),), {"classes": 4, "width": 16, "layers": 1}),
    Network("text_classifier", None, "TextClassifier", (WORDS,)),
    Network("text_classifier", None, "TextClassifier", (WORDS,), {"width": 8, "layers": 3, "rate": 0.1}),
    Network("tagger", None, "Tagger", (WORDS,)),
    Network("recurrent", "Continuing", "Continuing", ((5, None, 8), (2, None, 32))),
    Network("recurrent", "Continuing", "Continuing", ((5, None, 3), (1, None, 6)),
            {"features": 3, "width": 6, "layers": 1, "rate": 0.0}),
    Network("siamese_pair", None, "SiamesePair", ((1, 105, 105),) * 2, {"features": 64}),
    Network("siamese_pair", None, "SiamesePair", ((1, 105, 105),) * 2, {"width": 6, "features": 10}),
    Network("siamese_triplet", None, "SiameseTriplet", ((1, 28, 28),) * 3),
    Network("unpool_autoencoder", None, "UnpoolAutoencoder", ((1, 28, 28),)),
    Network("unpool_autoencoder", None, "UnpoolAutoencoder", ((1, 28, 28),), {"width": 4}),
    Network("layer_norms", None, "LayerNorms", ((1, 28, 28),)),
    Network("layer_norms", "layer_norm", "layer_norm", ((1, 28, 28),)),
    Network("layer_norms", "instance_norm", "instance_norm", ((1, 28, 28),), {"width": 8}),
    Network("layer_norms", "group_norm", "group_norm", ((1, 28, 28),), {"classes": 3}),
    Network("cats_and_dogs", None, "CatsAndDogs", ((3, 64, 64),)),
    Network("cats_and_dogs", None, "CatsAndDogs", ((3, 48, 80),), {"classes": 5, "rate": 0.2}),
    Network("unet", None, "UNet", ((3, 32, 48),), {"width": 8}),
    Network("unet", None, "UNet", ((3, 16, 16),), {"width": 4, "classes": 5}),
    Network("vae", None, "VAE", ((1, 28, 28),)),
    Network("vae", None, "VAE", ((1, 28, 28),), {"hidden": 32, "latent": 3}),
    Network("dcgan", None, "DCGAN", ((3, 64, 64),), {"width": 8}),
    Network("dcgan", None, "DCGAN", ((1, 64, 64),), {"latent": 16, "width": 4, "channels": 1}),
    Network("dcgan", "dcgan_small", "dcgan_small", ((1, 64, 64),)),
    Network("pointnet", None, "PointNet", ((3, 50),)),
    Network("pointnet", None, "PointNet", ((3, 20),), {"classes": 4, "rate": 0.5}),
    Network("tcn", None, "TemporalConvNet", ((2, 40),)),
    Network("tcn", None, "TemporalConvNet", ((30, 25),),
            {"features": 30, "widths": [30, 8], "kernel": 3, "outputs": 4}),
    Network("char_lm", None, "CharacterModel", (WORDS, (2, None, 256), (2, None, 256))),
    Network("char_lm", None, "CharacterModel", (WORDS, (3, None, 16), (3, None, 16)),
            {"width": 16, "layers": 3, "rate": 0.4}),
    Network("gpt2", None, "GPT", (WORDS,), SMALL_TEXT),
    Network("gpt2", None, "GPT", (WORDS,), DEEPER_TEXT | {"bias": False}),
    Network("bert", None, "BERT", (WORDS, Whole((12,), 2), TRUTHS), SMALL_TEXT | {"hidden": 16}),
    Network("bert", None, "BERT", (WORDS, Whole((12,), 2), TRUTHS), DEEPER_TEXT | {"hidden": 24}),
    Network("picture_and_table", None, "PictureAndTable", ((3, 32, 32), (12,), Whole((), 20))),
    Network("picture_and_table", None, "PictureAndTable", ((3, 32, 32), (3,), Whole((), 4)), NARROW),
]  # fmt: skip
