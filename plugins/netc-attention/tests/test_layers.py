"""Every layer against its own source, and a decoder against one written by hand: keys, numbers, gradients."""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from netc.diagnostics import Source, SpecError
from netc.layer import Layer
from netc.pipeline import Compiled, compile
from netc.testing import assert_conforms, materialize
from netc_attention.attention import GroupedQueryAttention, rotary_embedding
from netc_attention.gated import SwiGLU

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8").partition("```net\n")[2].partition("```")[0]
LAYERS = (GroupedQueryAttention, rotary_embedding, SwiGLU)


def by_hand() -> Any:
    """The module beside this file, wherever the tests are run from."""
    spec = importlib.util.spec_from_file_location("llama", Path(__file__).with_name("llama.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def decoder(**params: int) -> Compiled:
    return compile(Source("decoder.net", TEXT), params=params)


@pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.__name__)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_conforms(cls: type[Layer]) -> None:
    assert_conforms(cls)
    assert all(f"`{name}(" in README.read_text(encoding="utf-8") for name in cls.names() if name)


@pytest.mark.parametrize("kv_heads", [1, 2, 8])
def test_decoder_is_the_one_written_by_hand(kv_heads: int) -> None:
    torch.manual_seed(0)
    ours: Any = decoder(num_kv_heads=kv_heads).load()
    torch.manual_seed(0)
    other = by_hand().Decoder(kv_heads=kv_heads)
    theirs = other.state_dict()
    assert list(ours.state_dict()) == list(theirs)
    assert all(torch.equal(tensor, theirs[key]) for key, tensor in ours.state_dict().items())
    tokens = torch.randint(0, 1000, (2, 17))
    found, wanted = ours(tokens), other(tokens)
    assert torch.equal(found, wanted)
    for output in (found, wanted):
        torch.nn.functional.cross_entropy(output[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()).backward()
    gradients = {name: parameter.grad for name, parameter in other.named_parameters()}
    assert all(torch.equal(parameter.grad, gradients[name]) for name, parameter in ours.named_parameters())


def test_a_position_sees_none_after_it() -> None:
    torch.manual_seed(0)
    model: Any = decoder(depth=1).load()
    tokens = torch.randint(0, 1000, (1, 12))
    later = tokens.clone()
    later[0, 7] = (later[0, 7] + 1) % 1000
    with torch.no_grad():
        same = (model(tokens) == model(later)).all(-1)[0].tolist()
    assert same == [True] * 7 + [False] * 5


def test_products_tell_how_far_apart_two_positions_are() -> None:
    rotary = materialize(rotary_embedding, "own:rotary_embedding")
    query, key = torch.randn(2, 8, dtype=torch.float64)
    q, k = rotary(query.expand(1, 20, 8)), rotary(key.expand(1, 20, 8))
    products = (q @ k.transpose(1, 2))[0]
    for distance in (-5, 0, 3):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), rtol=1e-5, atol=1e-5)
    first = rotary(torch.tensor([[[1.0, 0.0]] * 3]))[0]
    expected = torch.tensor([[math.cos(i), math.sin(i)] for i in range(3)])
    torch.testing.assert_close(first, expected)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("GroupedQueryAttention(5, 1)", "cannot split 24 features among 5 heads"),
        ("GroupedQueryAttention(6, 4)", "cannot share 4 heads of keys among 6 of queries"),
        ("GroupedQueryAttention(8, 2)", "turns features in pairs, but a head has 3 of them"),
    ],
)
def test_heads_that_do_not_fit_are_refused(call: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        compile(Source("bad.net", f"net Bad:\n    input 5x24\n    a: {call}\n"))
    assert said in str(caught.value)


def test_the_emitted_file_stands_alone(tmp_path: Path) -> None:
    source = decoder().model_source
    assert "netc" not in source
    assert source.count("\ndef rotary_embedding(") == source.count("\nclass GroupedQueryAttention(") == 1
    (tmp_path / "decoder.py").write_text(source)
    script = (
        "import sys, torch, decoder; model = decoder.Decoder();"
        "assert model(torch.zeros(2, 9, dtype=torch.long)).shape == (2, 9, 1000);"
        "assert not [name for name in sys.modules if name.startswith('netc')]"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)
