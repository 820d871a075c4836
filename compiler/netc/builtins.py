"""The functions of the language: what they compute at compile time, and the Python that says the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from netc.record import Record

MAX_LENGTH = 100_000


class TooLarge(ValueError):
    """A result that no network needs; the message says the limit."""


class Builtin(Record, eq=True):
    """`call` computes; `python` is what stands in emitted code, `{}` for the arguments; `needs` is an import or a
    helper function that this source uses."""

    call: Callable[..., Any]
    python: str
    needs: str | None = None


def divisible(value: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `value`, at least `divisor`, never more than 10 % below `value`."""
    nearest = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * value else nearest


DIVISIBLE = '''\
def make_divisible(value: float, divisor: int = 8) -> int:
    """Round to a multiple of `divisor`, never more than 10 % below `value`."""
    nearest = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * value else nearest
'''


def bounded_range(*args: int) -> range:
    for arg in args:
        if not isinstance(arg, int) or isinstance(arg, bool):
            raise TypeError(f"it takes integers, not {arg}")
    result = range(*(int(arg) for arg in args))
    if len(result) > MAX_LENGTH:
        raise TooLarge(f"a range of {len(result)} entries; at most {MAX_LENGTH} are allowed")
    return result


def unique(items: list[Any]) -> list[Any]:
    return list(dict.fromkeys(items))


BUILTINS: dict[str, Builtin] = {
    "min": Builtin(min, "min({})"),
    "max": Builtin(max, "max({})"),
    "abs": Builtin(abs, "abs({})"),
    "sum": Builtin(sum, "sum({})"),
    "len": Builtin(len, "len({})"),
    "round": Builtin(round, "round({})"),
    "int": Builtin(int, "int({})"),
    "float": Builtin(float, "float({})"),
    "range": Builtin(bounded_range, "range({})"),
    "enumerate": Builtin(lambda items, start=0: list(enumerate(items, start)), "enumerate({})"),
    "zip": Builtin(lambda *items: list(zip(*items, strict=True)), "zip({}, strict=True)"),
    "reversed": Builtin(lambda items: list(reversed(items)), "reversed({})"),
    "sorted": Builtin(sorted, "sorted({})"),
    "ceil": Builtin(math.ceil, "math.ceil({})", "import math"),
    "floor": Builtin(math.floor, "math.floor({})", "import math"),
    "sqrt": Builtin(math.sqrt, "math.sqrt({})", "import math"),
    "log": Builtin(math.log, "math.log({})", "import math"),
    "exp": Builtin(math.exp, "math.exp({})", "import math"),
    "prod": Builtin(math.prod, "math.prod({})", "import math"),
    "unique": Builtin(unique, "list(dict.fromkeys({}))"),
    "count": Builtin(lambda items, item: list(items).count(item), "{0}.count({1})"),
    "divisible": Builtin(divisible, "make_divisible({})", DIVISIBLE),
}
