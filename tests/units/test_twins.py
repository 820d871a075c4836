"""The hand-written twins have exactly the parameters that the networks are described to have."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

Shape = tuple[int, ...]

TWINS = Path(__file__).parents[1] / "twins"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"twin_{name}", TWINS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def inception(channels: int) -> dict[str, Shape]:
    return {
        "branch1_pool": (24, channels, 1, 1),
        "branch1x1": (16, channels, 1, 1),
        "branch5x5_1": (16, channels, 1, 1),
        "branch5x5_2": (24, 16, 5, 5),
        "branch1x3_1": (16, channels, 1, 1),
        "branch1x3_2": (24, 16, 3, 3),
        "branch1x3_3": (24, 24, 3, 3),
    }


# Per network: the file, what it calls, the input, the number of parameters, and the weight's shape of each
# layer in the order of the state dict. Each layer has a bias as long as its weight's first axis.
LAYERS: dict[str, tuple[tuple[str, str, Shape, int], dict[str, Shape]]] = {
    "lenet5": (
        ("lenet5", "LeNet5", (1, 28, 28), 61706),
        {
            "conv1": (6, 1, 5, 5),
            "conv2": (16, 6, 5, 5),
            "linear1": (120, 400),
            "linear2": (84, 120),
            "linear3": (10, 84),
        },
    ),
    "lenet_functional": (
        ("lenet_functional", "LeNet", (3, 32, 32), 62006),
        {"conv1": (6, 3, 5, 5), "conv2": (16, 6, 5, 5), "fc1": (120, 400), "fc2": (84, 120), "fc3": (10, 84)},
    ),
    "lenet_sequential": (
        ("lenet_sequential", "LeNetSequential", (3, 32, 32), 62006),
        {
            "features.0": (6, 3, 5, 5),
            "features.3": (16, 6, 5, 5),
            "classifier.0": (120, 400),
            "classifier.2": (84, 120),
            "classifier.4": (10, 84),
        },
    ),
    "lenet_named": (
        ("lenet_named", "LeNetNamed", (3, 32, 32), 62006),
        {
            "features.conv1": (6, 3, 5, 5),
            "features.conv2": (16, 6, 5, 5),
            "classifier.fc1": (120, 400),
            "classifier.fc2": (84, 120),
            "classifier.fc3": (10, 84),
        },
    ),
    "lenet_sigmoid": (
        ("lenet_sigmoid", "lenet_sigmoid", (1, 28, 28), 61706),
        {"0": (6, 1, 5, 5), "3": (16, 6, 5, 5), "7": (120, 400), "9": (84, 120), "11": (10, 84)},
    ),
    "lenet_sigmoid_reshape": (
        ("lenet_sigmoid", "lenet_sigmoid_reshape", (784,), 61706),
        {"1": (6, 1, 5, 5), "4": (16, 6, 5, 5), "8": (120, 400), "10": (84, 120), "12": (10, 84)},
    ),
    "mnist_dropout": (
        ("mnist_dropout", "MnistDropout", (1, 28, 28), 21840),
        {"conv1": (10, 1, 5, 5), "conv2": (20, 10, 5, 5), "fc1": (50, 320), "fc2": (10, 50)},
    ),
    "googlenet": (
        ("googlenet", "GoogLeNet", (1, 28, 28), 97298),
        {
            "conv1": (10, 1, 5, 5),
            "conv2": (20, 88, 5, 5),
            **{f"incep1.{name}": shape for name, shape in inception(10).items()},
            **{f"incep2.{name}": shape for name, shape in inception(20).items()},
            "fc": (10, 1408),
        },
    ),
    "residual": (
        ("residual", "Residual", (1, 28, 28), 41514),
        {
            "conv1": (16, 1, 5, 5),
            "rblock1.conv1": (16, 16, 3, 3),
            "rblock1.conv2": (16, 16, 3, 3),
            "conv2": (32, 16, 5, 5),
            "rblock2.conv1": (32, 32, 3, 3),
            "rblock2.conv2": (32, 32, 3, 3),
            "fc": (10, 512),
        },
    ),
    "linear_regression": (("linear_regression", "LinearRegression", (1,), 2), {"fc1": (1, 1)}),
    "hand_made": (("linear_regression", "HandMade", (1,), 2), {"": (1, 1)}),
    "bare_parameters": (("linear_regression", "BareParameters", (1,), 2), {"": (1, 1)}),
}


def expected_state(layers: dict[str, Shape]) -> list[tuple[str, Shape]]:
    state = []
    for path, shape in layers.items():
        prefix = f"{path}." if path else ""
        state += [(f"{prefix}weight", shape), (f"{prefix}bias", shape[:1])]
    return state


def actual_state(net: nn.Module) -> list[tuple[str, Shape]]:
    return [(key, tuple(value.shape)) for key, value in net.state_dict().items()]


@pytest.mark.parametrize("name", LAYERS)
def test_state_dict_and_output(name: str) -> None:
    (file, factory, shape, count), layers = LAYERS[name]
    net = getattr(load(file), factory)()
    assert actual_state(net) == expected_state(layers)
    assert sum(parameter.numel() for parameter in net.parameters()) == count
    classes = 1 if file == "linear_regression" else 10
    assert net(torch.randn(2, *shape)).shape == (2, classes)


@pytest.mark.parametrize(
    ("name", "factory", "children"),
    [
        ("lenet5", "LeNet5", "conv1 relu maxpool conv2 linear1 linear2 linear3"),
        ("mnist_dropout", "MnistDropout", "conv1 conv2 conv2_drop fc1 fc2"),
        ("googlenet", "GoogLeNet", "conv1 conv2 incep1 incep2 mp fc"),
        ("residual", "Residual", "conv1 rblock1 conv2 rblock2 fc"),
    ],
)
def test_registration_order(name: str, factory: str, children: str) -> None:
    net = getattr(load(name), factory)()
    assert [child for child, _ in net.named_children()] == children.split()


def test_lenet_named_works_in_place_but_for_relu3() -> None:
    net = load("lenet_named").LeNetNamed()
    in_place = {key: module.inplace for key, module in net.named_modules() if isinstance(module, nn.ReLU)}
    assert in_place == {
        "features.relu1": True,
        "features.relu2": True,
        "classifier.relu3": False,
        "classifier.relu4": True,
    }


def test_hand_made_linear_starts_as_the_built_in_one() -> None:
    twin = load("linear_regression")
    torch.manual_seed(0)
    hand_made = twin.HandMade(64, 32)
    torch.manual_seed(0)
    built_in = nn.Linear(64, 32)
    assert torch.equal(hand_made.weight, built_in.weight)
    assert torch.equal(hand_made.bias, built_in.bias)


@pytest.mark.parametrize(
    ("script", "name", "factory"),
    [
        ("googlenet_script", "googlenet", "GoogLeNet"),
        ("googlenet_digits_script", "googlenet", "GoogLeNet"),
        ("mnist_dropout_script", "mnist_dropout", "MnistDropout"),
    ],
)
def test_scripts_hold_the_same_network(script: str, name: str, factory: str) -> None:
    torch.manual_seed(0)
    twin = getattr(load(name), factory)().eval()
    torch.manual_seed(0)
    copy = getattr(load(script), factory)().eval()
    images = torch.randn(2, 1, 28, 28)
    assert actual_state(copy) == actual_state(twin)
    assert torch.equal(copy(images), twin(images))
