"""Weights from a file into a module: read without running code, renamed, and fitted key by key."""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import torch
from torch import Tensor, nn

from netc.diagnostics import nearest
from netc.files import FileError

Weights = str | os.PathLike[str] | Mapping[str, Tensor]
Shapes = tuple[tuple[int, ...], tuple[int, ...]]
LISTED = 8
"""Of each kind of misfit, as many keys are named in the message."""


class WeightsError(ValueError):
    """Weights that do not fit a network; the message names the keys.

    `missing` are keys that only the network has, `unexpected` those that only the weights have, `mismatched` those
    whose shapes differ: the one of the weights, then the one of the network.
    """

    def __init__(
        self,
        message: str,
        missing: tuple[str, ...] = (),
        unexpected: tuple[str, ...] = (),
        mismatched: Mapping[str, Shapes] | None = None,
    ):
        super().__init__(message)
        self.missing, self.unexpected, self.mismatched = missing, unexpected, dict(mismatched or {})


def load_weights(module: nn.Module, weights: Weights, rename: Mapping[str, str] | None = None) -> None:
    """Copies weights into a module, all of them or none.

    `weights` is a state dict, the path of a file that holds one (of `torch.save`, or `.safetensors`), or of a
    checkpoint that an emitted script wrote. `rename` maps regular expressions to replacements; each is applied to every
    key, in order. Weights of a time when norms did not count their batches (`num_batches_tracked`) fit as well. Raises
    FileError for a file that cannot be read, WeightsError for what does not fit.
    """
    if isinstance(weights, Mapping):
        name, state = "the state dict", weights
    else:
        name = os.fspath(weights)
        state = read(Path(name))
    fit(module, renamed(tensors(state, name), rename or {}, name), name)


def read(path: Path) -> Any:
    """What a file holds. Nothing in it is executed."""
    try:
        if path.suffix == ".safetensors":
            return read_safetensors(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError) as error:
        text = f"{path} is not a file of `torch.save`"
        if isinstance(error, pickle.UnpicklingError) and is_zipfile(path):
            text = f"{path} holds more than tensors, and reading that would run code; save a `state_dict()` instead"
        raise WeightsError(text) from error


def read_safetensors(path: Path) -> Any:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise WeightsError(f"{path} needs a package: `pip install safetensors`") from error
    try:
        return load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a file of safetensors") from error


def tensors(found: Any, name: str) -> Mapping[str, Tensor]:
    """The state dict that was found, or the one of the model in a checkpoint."""
    if isinstance(found, Mapping) and isinstance(found.get("model"), Mapping):
        found = found["model"]
    if not isinstance(found, Mapping):
        raise WeightsError(f"{name} holds {type(found).__name__}, not a state dict")
    others = [str(key) for key, value in found.items() if not (isinstance(key, str) and isinstance(value, Tensor))]
    if others:
        listed = ", ".join(f"`{key}`" for key in others[:LISTED])
        raise WeightsError(f"{name} is not a state dict: it holds {listed}, which are no tensors")
    return found


def renamed(state: Mapping[str, Tensor], rename: Mapping[str, str], name: str) -> Mapping[str, Tensor]:
    """The state dict with its keys rewritten; each pattern changes a key, and no two keys become one."""
    for pattern, replacement in rename.items():
        try:
            pairs = [(re.sub(pattern, replacement, key), key) for key in state]
        except (re.error, IndexError) as error:
            raise WeightsError(f"cannot rename by {pattern!r}: {error}") from error
        if all(new == old for new, old in pairs):
            raise WeightsError(f"renaming by {pattern!r} changes no key of {name}")
        origin: dict[str, str] = {}
        for new, old in pairs:
            if origin.setdefault(new, old) != old:
                raise WeightsError(f"renaming by {pattern!r} makes `{new}` of both `{origin[new]}` and `{old}`")
        state = {new: state[old] for new, old in pairs}
    return state


def fit(module: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Copies a state dict whose keys and shapes are those of the module."""
    own = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
    given = {key: tuple(tensor.shape) for key, tensor in state.items()}
    mismatched = {key: (shape, own[key]) for key, shape in given.items() if own.get(key, shape) != shape}
    unexpected = tuple(key for key in given if key not in own)
    missing = tuple(key for key in own if key not in given)
    if missing == tuple(key for key in own if key.endswith(".num_batches_tracked")):
        missing = ()
    if missing or unexpected or mismatched:
        head = f"{name} does not fit {type(module).__name__}"
        lines = [head, *report(missing, unexpected, mismatched, own, given)]
        raise WeightsError("\n".join(lines), missing, unexpected, mismatched)
    module.load_state_dict(state, strict=False)


def report(
    missing: tuple[str, ...],
    unexpected: tuple[str, ...],
    mismatched: Mapping[str, Shapes],
    own: Mapping[str, tuple[int, ...]],
    given: Mapping[str, tuple[int, ...]],
) -> Iterator[str]:
    """The lines of the message: each kind of misfit with its keys, and a way out where there is one."""
    if missing:
        yield from listed("only in the network", [f"{key} {own[key]}" for key in missing])
    if unexpected:
        nearby = {key: nearest(key, [k for k in missing if own[k] == given[key]]) for key in unexpected[:LISTED]}
        hints = {key: f", did you mean {near}?" for key, near in nearby.items() if near}
        yield from listed("only in the weights", [f"{key} {given[key]}{hints.get(key, '')}" for key in unexpected])
    if mismatched:
        rows = [f"{key} is {a} in the weights and {b} in the network" for key, (a, b) in mismatched.items()]
        yield from listed("of another shape", rows)
    prefix = surplus(missing, unexpected)
    if prefix is not None:
        yield f"  help: `rename={{r\"^{re.escape(prefix)}\": \"\"}}` takes `{prefix}` off each key"
    elif mismatched and not missing and not unexpected:
        yield "  help: give the network the parameters that the weights were made with"


def listed(title: str, rows: list[str]) -> Iterator[str]:
    yield f"  {title}:"
    yield from (f"    {row}" for row in rows[:LISTED])
    if len(rows) > LISTED:
        yield f"    and {len(rows) - LISTED} more"


def surplus(missing: tuple[str, ...], unexpected: tuple[str, ...]) -> str | None:
    """What all keys of the weights begin with and those of the network do not, such as `module.`"""
    if not missing or not unexpected or not unexpected[0].endswith(missing[0]):
        return None
    prefix = unexpected[0].removesuffix(missing[0])
    return prefix if prefix and tuple(prefix + key for key in missing) == unexpected else None
