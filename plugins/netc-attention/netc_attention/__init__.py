"""What decoders of language models use and PyTorch lacks; each layer brings the source that emitted files contain."""

from __future__ import annotations

from netc.hooks import hookimpl

# Each module of this package and the names that it defines: a layer's as a module and as a function.
LAYERS = {
    "netc_attention.attention": "GroupedQueryAttention rotary_embedding",
    "netc_attention.gated": "SwiGLU",
}


@hookimpl
def netc_layers() -> dict[str, str]:
    return {name: module for module, names in LAYERS.items() for name in names.split()}
