"""Digests of texts by SHA-256, without OpenSSL, which takes longer to load than a spec to compile.

As in the standard library's `random`, the lean module behind `hashlib` is asked first.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def digest_of(text: str) -> str:
    """The SHA-256 of a text in UTF-8, as 64 hexadecimal digits."""
    found: str = _sha256()(text.encode()).hexdigest()
    return found


def _sha256() -> Any:
    for lean in ("_sha2", "_sha256"):  # Python 3.12 and later, Python 3.11
        try:
            return import_module(lean).sha256
        except ImportError:
            continue
    return import_module("hashlib").sha256
