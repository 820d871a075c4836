"""Parameters that are given as values of Python: which the language has, and what is said of others."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

import netc
from netc.diagnostics import SpecError

TEXT = """
net Small(sizes=[4, 5], deep=false, scale=1.0, norm=none):
    input 8
    for i, size in enumerate(sizes):
        "fc{i}": Linear(int(size * scale)); norm when norm
    (more: Linear(3)) when deep
"""


@pytest.mark.parametrize(
    ("params", "written"),
    [
        ({"sizes": (6, 7)}, {"sizes": "(6, 7)"}),
        ({"sizes": [np.int64(6)]}, {"sizes": "(6,)"}),
        ({"sizes": "[6, 7]", "norm": "BatchNorm"}, {"sizes": "[6, 7]", "norm": "BatchNorm"}),
        ({"scale": np.float32(0.5)}, {"scale": "0.5"}),
        ({"scale": Fraction(1, 2), "deep": True}, {"scale": "0.5", "deep": "true"}),
        ({"deep": None}, {"deep": "none"}),
    ],
)
def test_values_of_python(params: dict[str, Any], written: dict[str, str]) -> None:
    """Each is what its text on the command line is."""
    found = netc.loads(TEXT, **params).state_dict()
    expected = netc.loads(TEXT, **written).state_dict()  # type: ignore[arg-type]
    assert {key: tensor.shape for key, tensor in found.items()} == {key: t.shape for key, t in expected.items()}


@pytest.mark.parametrize(
    ("value", "reason", "help"),
    [
        (object, "`<class 'object'>`", "of Python's type `type`"),
        ({1: 2}, "`{1: 2}`", "of Python's type `dict`"),
        ({1}, "`{1}`", "of Python's type `set`"),
        (iter([1]), "`<list_iterator object at 0x", "of Python's type `list_iterator`"),
        ([1, [3j]], "`3j`", "of Python's type `complex`"),
        (float("nan"), "`nan`", "not a finite number"),
        (float("inf"), "`inf`", "not a finite number"),
        (Decimal(3), "`Decimal('3')`", "of Python's type `Decimal`"),
        (torch.nn.BatchNorm2d, "`<class 'torch.nn.modules.batchnorm.BatchNorm2d'>`", '`norm="BatchNorm"`'),
        (torch.tensor([4, 5]), "`tensor([4, 5])`", "`.tolist()` gives the numbers in it"),
        (np.array([4, 5]), "`array([4, 5])`", "`.tolist()` gives the numbers in it"),
        ([*range(3000), {}], "`{}`", "of Python's type `dict`"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_values_that_the_language_does_not_have(value: Any, reason: str, help: str) -> None:
    with pytest.raises(SpecError) as caught:
        netc.loads(TEXT, sizes=value)
    said = str(caught.value)
    assert said.startswith(f"error[E0206]: cannot read {reason}") and help in said
    assert " --> --set sizes:1:1" in said


@pytest.mark.parametrize("value", [1, 0, 0.5, "[true]", '"false"'])
def test_what_is_true_or_false_is_nothing_else(value: Any) -> None:
    with pytest.raises(SpecError, match=re.escape("error[E0402]: `deep` is `true` or `false`, not ")):
        netc.loads(TEXT, deep=value)


def test_a_net_is_chosen_by_its_name() -> None:
    with pytest.raises(TypeError, match="a net is chosen by its name, not by 50"):
        netc.loads(TEXT, 50)  # type: ignore[arg-type]
