"""What a dotted PyTorch name is called in emitted code, and the import line that it needs."""

from __future__ import annotations

import keyword

TORCH_IMPORTS = (
    ("torch.nn.functional.", "F.", "import torch.nn.functional as F"),
    ("torch.nn.", "nn.", "from torch import nn"),
    ("torch.", "torch.", "import torch"),
)
RESERVED = frozenset({"self", "nn", "torch", "F", "math", "super", "partial", "OrderedDict", "Tensor"})


def short_name(dotted: str) -> tuple[str, str | None]:
    """`torch.nn.Conv2d` -> `nn.Conv2d`, `from torch import nn`; `own:Reshape` is a class of the emitted file."""
    if dotted.startswith("own:"):
        return dotted[4:], None
    for prefix, short, line in TORCH_IMPORTS:
        if dotted.startswith(prefix):
            return short + dotted.removeprefix(prefix), line
    module, _, name = dotted.rpartition(".")
    return name, f"from {module} import {name}"


def python_name(name: str) -> str:
    """A name of the spec as an identifier of Python; what is taken there gets an underscore."""
    return f"{name}_" if keyword.iskeyword(name) or name in RESERVED else name


def class_name(label: str) -> str:
    """`layer_norm` -> `LayerNorm`."""
    parts = label.replace("-", "_").split("_")
    return "".join(part[:1].upper() + part[1:] for part in parts if part) or "Block"


def snake_case(name: str) -> str:
    """`ResBlock` -> `res_block`."""
    return "".join(f"_{c.lower()}" if c.isupper() and i and not name[i - 1].isupper() else c.lower() for i, c in enumerate(name))
