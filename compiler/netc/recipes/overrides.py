"""`--set train.optimizer.lr=0.01`: a `train` block with settings and arguments replaced.

`train.loss.aux` is the loss of that name, `train.loss.aux.label_smoothing` an argument of it; `train.loss` is all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from netc import syntax
from netc.diagnostics import Diagnostic, Label, Source, Span, SpecError

# The names of the arguments of what a setting (its key) calls by a name, in order; empty where there are none.
FieldsOf = Callable[[str, str], Sequence[str]]


def apply_overrides(
    train: syntax.Train, overrides: Mapping[str, syntax.Expr | str], fields: FieldsOf
) -> syntax.Train:
    """The block with `train.setting` and `train.setting.argument` set to other values; raises SpecError."""
    for path, value in overrides.items():
        expr = _plain_expression(path, value) if isinstance(value, str) else value
        train = _apply(train, path.removeprefix("train."), expr, fields)
    return train


def _apply(train: syntax.Train, path: str, value: syntax.Expr, fields: FieldsOf) -> syntax.Train:
    key, _, argument = path.partition(".")
    same = [setting for setting in train.settings if setting.key == key]
    name, _, rest = argument.partition(".")
    old = next((setting for setting in same if setting.name and setting.name == name), None)
    if old is not None:
        argument = rest
    elif same:
        old = same[0]
        if len(same) > 1 and argument:
            names = ", ".join(f"`train.{key}.{setting.name}.{argument}`" for setting in same if setting.name)
            raise _error(f"the recipe has several `{key}`: say which, {names}", value.span)
        if not argument:
            train = replace(train, settings=tuple(s for s in train.settings if s is old or s.key != key))
    if old is None and argument:
        raise _error(f"the recipe has no `{key}` whose `{argument}` could be set", value.span)
    if old is None:
        new = syntax.Setting(value.span, key, value.span, None, value.span, value, ())
        return replace(train, settings=(*train.settings, new))
    if argument:
        changed = replace(old, value=_with_argument(old.value, old.key, argument, value, fields))
    else:
        changed = replace(old, value=value, groups=())
    return replace(train, settings=tuple(changed if setting is old else setting for setting in train.settings))


def _with_argument(
    old: syntax.Expr, key: str, name: str, value: syntax.Expr, fields: FieldsOf
) -> syntax.Expr:
    """The call of a setting with one argument replaced or added; all go by name from here on."""
    if isinstance(old, syntax.Pipe) and key == "loss":
        return replace(old, stages=(*old.stages[:-1], _with_argument(old.stages[-1], key, name, value, fields)))
    if isinstance(old, syntax.Binary):
        return replace(old, right=_with_argument(old.right, key, name, value, fields))
    call = old if isinstance(old, syntax.Call) else syntax.Call(old.span, old, ())
    known = fields(key, call.function.id) if isinstance(call.function, syntax.Name) else []
    if not known:
        raise _error(f"`{key}` has no arguments to set", value.span)
    args = [_named(arg, index, known) for index, arg in enumerate(call.args)]
    kept = (arg for arg in args if arg.name != name)
    return replace(call, args=(*kept, syntax.Arg(value.span, name, value)))


def _named(arg: syntax.Arg, index: int, fields: Sequence[str]) -> syntax.Arg:
    return arg if arg.name or index >= len(fields) else replace(arg, name=fields[index])


def _plain_expression(path: str, given: str) -> syntax.Expr:
    """A number, a word, `true`, `false` or `none`; anything longer comes parsed."""
    text = given.strip()
    span = Span(Source(f"--set {path}", text), 0, len(text))
    words = {"true": True, "false": False, "none": None}
    if text in words:
        return syntax.Literal_(span, words[text], text)
    for convert in (int, float):
        try:
            return syntax.Literal_(span, convert(text), text)
        except ValueError:
            pass
    if text.isidentifier():
        return syntax.Name(span, text)
    raise _error(f"cannot read `{text}`", span)


def _error(message: str, span: Span) -> SpecError:
    return SpecError((Diagnostic("E0519", message, Label(span)),))
