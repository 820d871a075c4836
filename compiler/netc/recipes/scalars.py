"""Settings of a recipe that are numbers, words and texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from netc import syntax
from netc.diagnostics import Diagnostic, Diagnostics, Label, Span, SpecError
from netc.layer import is_int, show
from netc.registry import Registry

Evaluate = Callable[[syntax.Expr], Any]

DEVICES = ("cpu", "cuda", "mps", "xpu", "hpu", "mtia")
DEVICE = re.compile(rf"({'|'.join(DEVICES)})(:(0|[1-9]\d*))?")
MAX_SEED = 2**32 - 1
"""The largest seed that NumPy takes, with which scikit-learn splits data."""


def lone_error(code: str, message: str, span: Span, **more: Any) -> SpecError:
    return SpecError((Diagnostic(code, message, Label(span), **more),))


@dataclass
class Scalars:
    """Reads values of settings; what is wrong with one is raised."""

    registry: Registry
    evaluate: Evaluate
    found: Diagnostics = field(default_factory=Diagnostics)

    def error(self, code: str, message: str, span: Span, label: str = "", **more: Any) -> None:
        self.found.add(Diagnostic(code, message, Label(span, label), **more))

    def value(self, expr: syntax.Expr, words: Iterable[str] = ()) -> Any:
        if isinstance(expr, syntax.Name) and expr.id in words:
            return expr.id
        return self.evaluate(expr)

    def bad(self, setting: syntax.Setting, expected: str, value: Any, help: str | None = None) -> SpecError:
        quoted = isinstance(setting.value, syntax.String)
        shown = f"the text {setting.value.span.text}" if quoted else show(value)
        return lone_error("E0513", f"`{setting.key}` must be {expected}, not {shown}", setting.value.span, help=help)

    def boolean(self, setting: syntax.Setting) -> bool:
        value = self.value(setting.value)
        if not isinstance(value, bool):
            raise self.bad(setting, "true or false", value)
        return value

    def positive(self, setting: syntax.Setting) -> int:
        value = self.value(setting.value)
        if not is_int(value) or value < 1:
            raise self.bad(setting, "an integer of at least 1", value)
        return int(value)

    def text(self, setting: syntax.Setting) -> str:
        expr, known = setting.value, ("gpu", *DEVICES)
        value = self.value(expr, known)
        if not isinstance(value, str) or not DEVICE.fullmatch(value):
            help = "`cuda` is NVIDIA's or AMD's, `mps` Apple's, `xpu` Intel's" if value == "gpu" else None
            raise self.bad(setting, 'a device such as cpu or "cuda:1"', value, help)
        return value

    def seed(self, setting: syntax.Setting) -> int:
        value = self.value(setting.value)
        if not is_int(value) or not 0 <= value <= MAX_SEED:
            raise self.bad(setting, f"an integer from 0 to {MAX_SEED}", value)
        return int(value)

    def number(self, setting: syntax.Setting, above: float = 0, below: float = float("inf")) -> float:
        value = self.value(setting.value)
        if not isinstance(value, int | float) or isinstance(value, bool) or not above < value < below:
            most = f" and below {show(below)}" if below != float("inf") else ""
            raise self.bad(setting, f"a number above {show(above)}{most}", value)
        return float(value)

    def path(self, setting: syntax.Setting) -> str:
        value = self.value(setting.value)
        if not isinstance(value, str) or not value:
            raise self.bad(setting, "the name of a file, in quotes", value)
        return value

    def word(self, setting: syntax.Setting, *options: str) -> str:
        value = self.value(setting.value, options)
        if value not in options:
            raise self.bad(setting, listed(options), value)
        return str(value)

    def words(self, setting: syntax.Setting, *options: str) -> tuple[str, ...]:
        """One of the options, or several in brackets."""
        items = setting.value.items if isinstance(setting.value, syntax.TupleExpr) else (setting.value,)
        values = tuple(self.value(item, options) for item in items)
        wrong = [value for value in values if value not in options]
        if wrong or len(set(values)) != len(values):
            both = "both" if len(options) == 2 else "several"
            raise self.bad(setting, f"{listed(options, both)} in brackets", values if len(values) > 1 else values[0])
        return values


def listed(options: Iterable[str], last: str = "") -> str:
    names = [f"`{option}`" for option in options]
    names += [last] * bool(last)
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} or {names[-1]}"
