"""What a dotted PyTorch name is called in emitted code, and the import line that it needs."""

from __future__ import annotations

import keyword

TORCH_IMPORTS = (
    ("torch.nn.functional.", "F.", "import torch.nn.functional as F"),
    ("torch.nn.", "nn.", "from torch import nn"),
    ("torch.", "torch.", "import torch"),
)
# What every module has already (a label of that name would hide it, and torch refuses most of them).
MODULE_ATTRIBUTES = frozenset(
    "T_destination add_module append apply bfloat16 buffers "
    "call_super_init children compile cpu cuda double dump_patches "
    "eval extend extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half insert ipu "
    "load_state_dict modules mtia named_buffers named_children named_modules named_parameters parameters pop "
    "register_backward_hook register_buffer "
    "register_forward_hook register_forward_pre_hook register_full_backward_hook "
    "register_full_backward_pre_hook register_load_state_dict_post_hook "
    "register_load_state_dict_pre_hook register_module "
    "register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state "
    "set_submodule share_memory state_dict to to_empty train training type xpu zero_grad "
    "_apply _backward_hooks _backward_pre_hooks _buffers _call_impl _compiled_call_impl _forward_hooks "
    "_forward_hooks_always_called _forward_hooks_with_kwargs _forward_pre_hooks _forward_pre_hooks_with_kwargs "
    "_get_backward_hooks _get_backward_pre_hooks _get_item_by_idx _get_name _is_full_backward_hook "
    "_load_from_state_dict _load_state_dict_post_hooks _load_state_dict_pre_hooks _maybe_warn_non_full_backward_hook "
    "_modules _named_members _non_persistent_buffers_set _parameters _register_load_state_dict_pre_hook "
    "_register_state_dict_hook _replicate_for_data_parallel _save_to_state_dict _slow_forward _state_dict_hooks "
    "_state_dict_pre_hooks _version _wrapped_call_impl".split()
)
# What a ModuleDict has besides.
DICT_ATTRIBUTES = frozenset("clear items keys pop update values".split())
# Classes that emitted files import or define besides the model's.
TAKEN = frozenset(
    {"F", "Tensor", "OrderedDict", "Sequence", "Callable", "NamedTuple", "Path", "Figure", "nn", "torch", "math"}
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


def reached(dotted: str, prefix: str = "") -> str:
    """How a script calls a class: PyTorch's from what it imports, without `prefix`, any other by its bare name."""
    if dotted.startswith(("own:", prefix or "torch.")):
        return dotted.removeprefix("own:").removeprefix(prefix)
    return dotted if dotted.startswith("torch.") else short_name(dotted)[0]


def python_name(name: str) -> str:
    """A name of the spec as an identifier of Python; what is taken there gets an underscore."""
    return f"{name}_" if keyword.iskeyword(name) or name in RESERVED else name


def class_name(label: str) -> str:
    """`layer_norm` -> `LayerNorm`."""
    parts = label.replace("-", "_").split("_")
    return "".join(part[:1].upper() + part[1:] for part in parts if part) or "Block"


def snake_case(name: str) -> str:
    """`ResBlock` -> `res_block`."""
    return "".join(
        f"_{c.lower()}" if c.isupper() and i and not name[i - 1].isupper() else c.lower() for i, c in enumerate(name)
    )
