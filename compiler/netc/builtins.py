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
    helper function that this source uses; `arithmetic` is what works on numbers, for which true and false do not count.
    """

    call: Callable[..., Any]
    python: str
    needs: str | None = None
    arithmetic: bool = False


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
        raise TooLarge(f"a range of {len(result):,} entries; at most {MAX_LENGTH:,} are allowed")
    return result


def unique(items: list[Any]) -> list[Any]:
    return list(dict.fromkeys(items))


BUILTINS: dict[str, Builtin] = {
    "min": Builtin(min, "min({})", arithmetic=True),
    "max": Builtin(max, "max({})", arithmetic=True),
    "abs": Builtin(abs, "abs({})", arithmetic=True),
    "sum": Builtin(sum, "sum({})", arithmetic=True),
    "len": Builtin(len, "len({})"),
    "round": Builtin(round, "round({})", arithmetic=True),
    "int": Builtin(int, "int({})"),
    "float": Builtin(float, "float({})"),
    "range": Builtin(bounded_range, "range({})"),
    "enumerate": Builtin(lambda items, start=0: list(enumerate(items, start)), "enumerate({})"),
    "zip": Builtin(lambda *items: list(zip(*items, strict=True)), "zip({}, strict=True)"),
    "reversed": Builtin(lambda items: list(reversed(items)), "reversed({})"),
    "sorted": Builtin(sorted, "sorted({})"),
    "ceil": Builtin(math.ceil, "math.ceil({})", "import math", arithmetic=True),
    "floor": Builtin(math.floor, "math.floor({})", "import math", arithmetic=True),
    "sqrt": Builtin(math.sqrt, "math.sqrt({})", "import math", arithmetic=True),
    "log": Builtin(math.log, "math.log({})", "import math", arithmetic=True),
    "exp": Builtin(math.exp, "math.exp({})", "import math", arithmetic=True),
    "prod": Builtin(math.prod, "math.prod({})", "import math", arithmetic=True),
    "unique": Builtin(unique, "list(dict.fromkeys({}))"),
    "count": Builtin(lambda items, item: list(items).count(item), "{0}.count({1})"),
    "divisible": Builtin(divisible, "make_divisible({})", DIVISIBLE, arithmetic=True),
}
