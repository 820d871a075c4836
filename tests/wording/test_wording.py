"""How emitted classes say things: small specs, each beside the source made of it, to be read when it changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import netc

CASES = sorted(Path(__file__).parent.glob("*.net"))


@pytest.mark.parametrize("spec", CASES, ids=lambda spec: spec.stem)
def test_source_is_the_expected(spec: Path, golden: Callable[[Path, str], None]) -> None:
    golden(spec.with_suffix(".txt"), netc.compile(spec).model_source.rstrip("\n") + "\n")
