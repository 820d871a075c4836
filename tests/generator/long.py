"""A long spec of the kind that a model zoo has: blocks, nets of many layers, tables of variants; always the same."""

from __future__ import annotations

from collections.abc import Iterator

BLOCK = """\
# A bottleneck of kind {i}, with a squeeze of its own.
def Block{i}(width, stride=1, expand=4, drop=0.0, act=ReLU):
    mid = width * expand
    conv1: Conv(mid, 1, bias=false); bn1: BatchNorm; act1: act
    conv2: Conv(mid, 3, stride, padding=1, bias=false)
    bn2: BatchNorm
    act2: act
    * squeeze:
        adaptive_avg_pool(1)
        reduce: Conv(max(4, mid // 16), 1); relu
        expand: Conv(mid, 1); sigmoid
    conv3: Conv(width, 1, bias=false)
    bn3: BatchNorm
    dropout(drop) when drop
    + x -> (proj: Conv(width, 1, stride, bias=false) -> BatchNorm when stride != 1 or x.c != width)
    relu

"""
NET = """\
net Net{i}(block, depths=[1, 1, 2, 1], width=8, classes=10):
    input 3x64x64
    stem: Conv(width, 3, 2, padding=1, bias=false) -> BatchNorm -> ReLU
    for i, n in enumerate(depths):
        "stage{{i + 1}}": block(width * 2**i, 1 if i == 0 else 2) -> (n - 1) * block(width * 2**i)
"""
HEAD = "    mean((2, 3))\n    fc: Linear(classes)\n\n"


def long_spec(lines: int = 1_000) -> str:
    """A valid file of that many lines; its first net is the variant of a long body."""
    parts: list[str] = []
    count = 0
    for part in pieces():
        size = part.count("\n")
        if count + size > lines:
            break
        parts.append(part)
        count += size
    return "".join(parts) + "# the end\n" * (lines - count)


def pieces() -> Iterator[str]:
    """A net of a long body first, then blocks, nets and variants without an end."""
    yield written()
    i = 0
    while True:
        i += 1
        yield BLOCK.format(i=i)
        yield NET.format(i=i) + HEAD
        for depth in range(1, 6):
            yield f"net{i}_{depth} = Net{i}(Block{i}, depths=[{depth}, 1, 2, {depth}])\n"
        yield "\n"


def written(count: int = 120) -> str:
    """A net whose layers are written out, in three lines each time."""
    body = "".join(
        f"    conv{i}: Conv({16 + i % 5}, 3, padding=1)\n    norm{i}: BatchNorm; relu\n    + (mix{i}: Conv(_.c, 1))\n"
        for i in range(count)
    )
    return f"net Written(classes=10):\n    input 3x32x32\n{body}{HEAD}"


__all__ = ["long_spec"]
