"""The modules that the specs become: clean to the linter, in the formatter's layout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.torchvision.reference import MODELS

import netc

# The first network of each family, and of families with several kinds of blocks another.
WRITTEN = [*{model.family: model for model in reversed(MODELS.values())}.values(),
           *map(MODELS.__getitem__, ("vgg11_bn", "resnet50", "efficientnet_v2_s", "deeplabv3_resnet50"))]  # fmt: skip


def test_emitted_modules_are_clean(tmp_path: Path) -> None:
    for model in WRITTEN:
        source = netc.compile(model.spec, model.name).model_source
        (tmp_path / f"{model.name}.py").write_text(source.rstrip("\n") + "\n", encoding="utf-8")
    for command in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--check", "--diff"]):
        line = [sys.executable, "-m", "ruff", *command, "--isolated", str(tmp_path)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
