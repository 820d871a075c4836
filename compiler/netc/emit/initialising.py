"""Parameters of a class's own, and how parameters start."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby
from keyword import iskeyword
from typing import Any

from netc import syntax
from netc.diagnostics import Span
from netc.emit.layout import quoted
from netc.emit.resolve import own_names
from netc.emit.sequentials import Sequentials
from netc.emit.wording import is_settled, negated
from netc.graph import Argument, InitRule
from netc.layer import Initializer
from netc.terms import AND, UNARY, print_term


class Initialising(Sequentials):
    """Writes parameters, buffers and `init` rules."""

    def parameter(self, statement: syntax.Param) -> None:
        use = self.use(statement)
        if use is None:
            return
        shape = ", ".join(self.text(argument.term) for argument in use.arguments)
        value, arguments = use.layer  # type: ignore[misc]
        tensor = self.initial(value, arguments, shape)
        if statement.kind == "param":
            self.lines.add(f"self.{statement.name} = {self.imported('torch.nn.Parameter')}({tensor})")
        else:
            self.lines.add(f'self.register_buffer("{statement.name}", {tensor})')

    def initial(self, value: Any, arguments: Sequence[Argument], shape: str) -> str:
        """A tensor of a shape with its first values."""
        torch = self.imported("torch.zeros").rpartition(".")[0]
        if not isinstance(value, Initializer):
            term = self.resolver.write(self.template, arguments[0].term)
            if isinstance(value, list | tuple):
                return f"{torch}.tensor({floats(value) if is_settled(term) else self.text(term)}).reshape({shape})"
            if not is_settled(term):
                return f"{print_term(term, UNARY)} * {torch}.ones({shape or '()'})"
            if value in (0, 1):
                return f"{torch}.{('zeros', 'ones')[int(value)]}({shape or '()'})"
            return f"{torch}.full(({shape}{',' * (', ' not in shape and bool(shape))}), {float(value)})"
        name = type(value).__name__
        if name in ("zeros", "ones"):
            return f"{torch}.{name}({shape or '()'})"
        rest = "".join(f", {a.name}={self.text(a.term)}" for a in arguments)
        return f"{self.imported(value.call)}({torch}.empty({shape or '()'}){rest})"

    @property
    def each(self) -> str:
        """What a loop over all modules calls one of them."""
        return next(name for name in ("module", "part", "each") if name not in own_names(self.template))

    def initialise(self) -> None:
        """The `init` rules of the class: inner rules ran in the constructors of the members."""
        order = {"type": 0, "pattern": 1, "label": 2}
        rules = sorted(self.template.inits, key=lambda rule: order[rule.kind])
        typed = [rule for rule in rules if rule.kind == "type"]
        for path, condition in dict.fromkeys((rule.path, self.condition_around(rule)) for rule in typed):
            by_type = [rule for rule in typed if (rule.path, self.condition_around(rule)) == (path, condition)]
            with self.under(condition), self.lines.block(f"for {self.each} in {member_at(path)}.modules():"):
                keyword = "if"
                for same in grouped_rules(by_type):
                    self.init_type(same, keyword)
                    keyword = "elif"
        for condition, group in groupby((rule for rule in rules if rule.kind != "type"), self.condition_around):
            with self.under(condition):
                for rule in group:
                    self.init_named(rule)

    def init_named(self, rule: InitRule) -> None:
        if rule.kind == "pattern":
            return self.init_pattern(rule)
        member = f"{rule.path}{rule.target}"
        own = [each for each in rule.rules if self.classes.is_parameter(f"{member}.{each[0]}")]  # type: ignore[attr-defined]
        for name, value, arguments in own:
            target = f"{member_at(member)}.{name}"
            if self.may_be_none(f"{member}.{name}"):
                with self.lines.block(f"if {target} is not None:"):
                    self.lines.add(self.init_call(value, arguments, target))
            else:
                self.lines.add(self.init_call(value, arguments, self.parameter_at(f"{member}.{name}")))
        self.init_within(member, [each for each in rule.rules if each not in own])
        return None

    def init_within(self, member: str, rules: Sequence[tuple[str, Any, tuple[Argument, ...]]]) -> None:
        """Rules for the parameters of whatever stands inside a member."""
        rules = [each for each in rules if self.classes.is_within(member, each[0])]  # type: ignore[attr-defined]
        if not rules:
            return
        keyword = "if"
        with self.lines.block(f"for name, parameter in {member_at(member)}.named_parameters():"):
            for name, value, arguments in rules:
                with self.lines.block(f'{keyword} name.endswith(".{name}"):'):
                    self.lines.add(self.init_call(value, arguments, "parameter"))
                keyword = "elif"

    def under(self, condition: str) -> AbstractContextManager[None]:
        """A block for what only a condition brings about, if there is one."""
        return self.lines.block(f"if {condition}:") if condition else nullcontext()

    def condition_around(self, rule: InitRule) -> str:
        """The conditions under which a rule stands, as far as the class must ask them."""
        asked = []
        for condition, holds, optional in conditions_above(self.template.body, rule.span) or ():
            if self.decide(condition, optional=optional) is None:
                text = self.text(self.template.sites[condition].condition, AND)  # type: ignore[union-attr]
                asked.append(text if holds else negated(text))
        return " and ".join(asked)

    def init_type(self, rules: Sequence[InitRule], keyword: str) -> None:
        """Rules that say the same of several layer types, as one branch."""
        rule = rules[0]
        found = {c for each in rules for c in self.classes.torch_classes(each.target)}  # type: ignore[attr-defined]
        classes = sorted(found)
        if not classes:
            return
        types = " | ".join(self.imported(c) for c in classes)
        may_lack, home = self.classes.may_lack, self.template  # type: ignore[attr-defined]
        optional = [name for name, _, _ in rule.rules if any(may_lack(each.target, name, home) for each in rules)]
        condition = f"isinstance({self.each}, {types})"
        if len(rule.rules) == 1 and optional:
            condition, optional = f"{condition} and {self.each}.{optional[0]} is not None", []
        with self.lines.block(f"{keyword} {condition}:"):
            for name, value, arguments in rule.rules:
                line = self.init_call(value, arguments, f"{self.each}.{name}")
                if name in optional:
                    with self.lines.block(f"if {self.each}.{name} is not None:"):
                        self.lines.add(line)
                else:
                    self.lines.add(line)

    def may_be_none(self, path: str) -> bool:
        """Whether the parameter at a path is left out somewhere, or PyTorch's types say so of a member's."""
        missing: bool = self.classes.is_missing(path)  # type: ignore[attr-defined]
        return missing or (is_members(path) and self.classes.is_optional(path))  # type: ignore[attr-defined]

    def parameter_at(self, path: str) -> str:
        """The parameter at a path, as an attribute where its type is known to be a tensor."""
        if is_members(path) and not self.classes.is_optional(path):  # type: ignore[attr-defined]
            return f"self.{path}"
        return f"self.get_parameter({quoted(path)})"

    def init_pattern(self, rule: InitRule) -> None:
        if not set("*?[") & set(rule.target):
            for leaf, value, arguments in rule.rules:
                path = f"{rule.path}{rule.target}.{leaf}"
                if self.classes.is_parameter(path):  # type: ignore[attr-defined]
                    self.lines.add(self.init_call(value, arguments, self.parameter_at(path)))
            return
        for leaf, value, arguments in rule.rules:
            with self.lines.block(f"for name, parameter in {member_at(rule.path)}.named_parameters():"):
                with self.lines.block(f"if {self.matching(f'{rule.target}.{leaf}')}:"):
                    self.lines.add(self.init_call(value, arguments, "parameter"))

    def matching(self, pattern: str) -> str:
        """The test of a name against a pattern."""
        end = pattern.removeprefix("*")
        if end != pattern and not set("*?[") & set(end):
            return f"name.endswith({quoted(end)})"
        self.plan.requires["from fnmatch import fnmatchcase"] = None
        return f"fnmatchcase(name, {quoted(pattern)})"

    def init_call(self, value: Any, arguments: Sequence[Argument], target: str) -> str:
        if not isinstance(value, Initializer):
            return f"{self.imported('torch.nn.init.constant_')}({target}, {self.text(arguments[0].term)})"
        rest = "".join(f", {a.name}={self.text(a.term)}" for a in arguments)
        return f"{self.imported(value.call)}({target}{rest})"


def conditions_above(
    body: Sequence[syntax.Stmt], place: Span
) -> list[tuple[syntax.Expr, bool, bool]] | None:
    """The conditions of the branches in which a statement stands, each with what it comes to there and whether the
    other way is to leave something out; None where the statement is not in the body."""
    for statement in body:
        if statement.span == place:
            return []
        match statement:
            case syntax.Flow(body=syntax.Suite(body=inner)) | syntax.Flow(body=syntax.Group(body=inner)):
                if (found := conditions_above(inner, place)) is not None:
                    return found
            case syntax.If(branches=branches, otherwise=otherwise, optional=optional):
                before: list[tuple[syntax.Expr, bool, bool]] = []
                for condition, inner in branches:
                    if (found := conditions_above(inner, place)) is not None:
                        return [*before, (condition, True, optional), *found]
                    before.append((condition, False, optional))
                if (found := conditions_above(otherwise, place)) is not None:
                    return [*before, *found]
    return None


def is_members(path: str) -> bool:
    """Whether a path leads to a parameter of a member that is an attribute."""
    parts = path.split(".")
    return len(parts) == 2 and all(part.isidentifier() and not iskeyword(part) for part in parts)


def member_at(path: str) -> str:
    """The source of the module at a path: `self` itself, a member, or one whose name is no attribute."""
    parts = [part for part in path.split(".") if part]
    if all(part.isidentifier() and not iskeyword(part) for part in parts):
        return ".".join(["self", *parts])
    return f'self.get_submodule("{".".join(parts)}")'


def grouped_rules(rules: Sequence[InitRule]) -> list[list[InitRule]]:
    """Neighbouring rules that say the same, together; an empty rule says nothing."""
    groups: list[list[InitRule]] = []
    for rule in rules:
        if groups and rule_key(groups[-1][0]) == rule_key(rule):
            groups[-1].append(rule)
        elif rule.rules:
            groups.append([rule])
    return groups


def rule_key(rule: InitRule) -> list[tuple[str, str, list[tuple[str, str]]]]:
    return [(name, type(value).__name__, [(a.name, str(a.term)) for a in args]) for name, value, args in rule.rules]


def floats(values: Any) -> str:
    """Numbers, nested in lists, as floats."""
    if isinstance(values, list | tuple):
        return f"[{', '.join(map(floats, values))}]"
    return str(float(values))
