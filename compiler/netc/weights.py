"""Weights from a file into a module: read without running code, renamed, and fitted key by key."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch
from torch import Tensor, nn

from netc.files import read_start
from netc.misfits import LISTED, Shapes, misfit
from netc.misfits import WeightsError as WeightsError

Weights = str | os.PathLike[str] | Mapping[str, Tensor]
ZIP, PICKLE = b"PK\x03\x04", b"\x80"
CODE = re.compile(r"GLOBAL ([\w.]+)")
"""What PyTorch says of a pickle that would call something."""
SAVE = "save a `state_dict()` instead"


def load_weights(
    module: nn.Module,
    weights: Weights,
    rename: Mapping[str, str] | None = None,
    nets: Iterable[tuple[str, Shapes]] = (),
) -> None:
    """Copies weights into a module, all of them or none.

    `weights` is a state dict, the path of a file that holds one (of `torch.save`, or of safetensors), or of a
    checkpoint that an emitted script wrote: its averaged weights, if it has them. `rename` maps regular expressions to
    replacements; each is applied to every key, in order. Weights of a time when norms did not count their batches
    (`num_batches_tracked`) fit as well. `nets` are other networks with the shapes of their state, to be named where the
    weights are theirs. Raises FileError for a file that cannot be read, WeightsError for what does not fit.
    """
    if isinstance(weights, Mapping):
        name, state = "the state dict", weights
    elif isinstance(weights, str | os.PathLike):
        name = os.fspath(weights)
        state = read(name)
    else:
        ways = [way for way in ("state_dict", "get_state_dict") if callable(getattr(weights, way, None))]
        help = f"; give what its `{ways[0]}()` gives" if ways else ""
        raise WeightsError(f"weights are a state dict or the path of a file, not {article(weights)}{help}")
    fit(module, renamed(tensors(state, name), rename or {}, name), name, nets)


def article(value: Any) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIO' else 'a'} {kind}"


def read(path: str) -> Any:
    """What a file holds, whose kind its first bytes tell. Nothing in it is executed."""
    if re.match(r"\w+://", path):
        raise WeightsError(f"weights are read from a file: download {path} first")
    start = read_start(path, 64)
    if start[8:9] == b"{":
        return read_safetensors(path)
    if not start.startswith((ZIP, PICKLE)):
        line = start.decode("latin-1").split("\n")[0]
        looks = f": it begins with `{line}`" if line.isprintable() else ""
        looks = looks if start else ": it is empty"
        raise WeightsError(f"{path} is neither a file of `torch.save` nor of safetensors{looks}")
    try:
        with open(path, "rb") as file:  # for torch goes by the name
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WeightsError(f"{path} {fault(path, start, str(error))}") from error


def fault(path: str, start: bytes, said: str) -> str:
    """Why PyTorch did not read a file."""
    code = CODE.search(said)
    if code is not None:
        return f"holds more than tensors, and reading `{code[1]}` would run code; {SAVE}"
    if not start.startswith(ZIP):
        return "is a pickle that `torch.save` did not write, or damaged"
    try:
        with ZipFile(path) as file:
            names = {name.partition("/")[2] for name in file.namelist()}
    except (BadZipFile, OSError):
        return "is cut off: its end is missing"
    if "data.pkl" not in names:
        return "is a zip file, but not of `torch.save`"
    return f"is TorchScript, which is code; {SAVE}" if "constants.pkl" in names else "is damaged"


def read_safetensors(path: str) -> Any:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise WeightsError(f"{path} needs a package: `pip install safetensors`") from error
    try:
        return load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is a damaged file of safetensors: {error}") from error


def tensors(found: Any, name: str) -> Mapping[str, Tensor]:
    """The state dict that was found, or the one of the model in a checkpoint, averaged where it is."""
    if not isinstance(found, Mapping):
        raise WeightsError(f"{name} holds {article(found)}, not a state dict")
    for part in ("average", "model"):
        if isinstance(found.get(part), Mapping):
            return tensors(found[part], f"`{part}` in {name}")
    if "n_averaged" in found and all(str(key).startswith(("module.", "n_averaged")) for key in found):
        found = {key.removeprefix("module."): value for key, value in found.items() if key != "n_averaged"}
    others = [key for key, value in found.items() if not isinstance(value, Tensor)]
    if others:
        listed = ", ".join(f"`{key}`" for key in others[:LISTED])
        more = f" and {len(others) - LISTED} more" if len(others) > LISTED else ""
        inner = next((key for key in others if isinstance(found[key], Mapping) and found[key]), None)
        help = f'\n  help: is it `torch.load(…, weights_only=True)["{inner}"]`?' if inner is not None else ""
        verb = "is no tensor" if len(others) == 1 else "are no tensors"
        raise WeightsError(f"{name} is not a state dict: {listed}{more} {verb}{help}")
    if names := [key for key in found if not isinstance(key, str)]:
        raise WeightsError(f"{name} is not a state dict: the key {names[0]!r} is no text")
    state: Mapping[str, Tensor] = found
    for key, value in state.items():
        if kind := unusual(value):
            raise WeightsError(f"`{key}` of {name} is {kind}; weights are plain tensors")
    return state


def unusual(tensor: Tensor) -> str | None:
    """How the numbers of a tensor are kept, if otherwise than one after the other."""
    if tensor.is_meta:
        return "on the meta device, without numbers"
    if tensor.is_quantized:
        return "quantized"
    return None if tensor.layout == torch.strided and not tensor.is_nested else "sparse or nested"


def renamed(state: Mapping[str, Tensor], rename: Mapping[str, str], name: str) -> Mapping[str, Tensor]:
    """The state dict with its keys rewritten; each pattern changes a key, and no two keys become one."""
    if not isinstance(rename, Mapping):
        raise WeightsError(f'`rename` maps patterns to texts, `{{"old": "new"}}`, and is not {article(rename)}')
    for pattern, replacement in rename.items():
        try:
            pairs = [(re.sub(pattern, replacement, key), key) for key in state]
        except (re.error, IndexError, TypeError) as error:
            raise WeightsError(f"cannot rename by {pattern!r}: {error}") from error
        if all(new == old for new, old in pairs):
            raise WeightsError(f"renaming by {pattern!r} changes no key of {name}")
        origin: dict[str, str] = {}
        for new, old in pairs:
            if origin.setdefault(new, old) != old:
                raise WeightsError(f"renaming by {pattern!r} makes `{new}` of both `{origin[new]}` and `{old}`")
        state = {new: state[old] for new, old in pairs}
    return state


def fit(module: nn.Module, state: Mapping[str, Tensor], name: str, nets: Iterable[tuple[str, Shapes]] = ()) -> None:
    """Copies a state dict whose keys, shapes and kinds of numbers are those of the module."""
    own = module.state_dict()
    both = {key: (tensor, own[key]) for key, tensor in state.items() if key in own}
    retyped = {key: (dtype(a), dtype(b)) for key, (a, b) in both.items() if changes_kind(a, b)}
    head = f"{name} does not fit {type(module).__name__}"
    error = misfit(head, shapes(own), shapes(state), retyped, nets)
    if error is not None:
        raise error
    module.load_state_dict(state, strict=False)


def shapes(state: Mapping[str, Tensor]) -> Shapes:
    return {key: tuple(tensor.shape) for key, tensor in state.items()}


def dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def changes_kind(given: Tensor, own: Tensor) -> bool:
    """Whether numbers would become others when they are copied, beyond how exact they are."""
    kinds = [(t.is_complex(), t.is_floating_point(), t.dtype == torch.bool) for t in (given, own)]
    whole = given.is_floating_point() and not any(kinds[1]) and torch.equal(given, given.round())
    return kinds[0] != kinds[1] and not whole
