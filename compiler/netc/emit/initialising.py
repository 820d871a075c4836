"""Parameters of a class's own, and how parameters start."""

from __future__ import annotations

from collections.abc import Sequence
from keyword import iskeyword
from typing import Any

from netc import syntax
from netc.emit.resolve import own_names
from netc.emit.sequentials import Sequentials, is_settled
from netc.graph import Argument, InitRule
from netc.layer import Initializer
from netc.terms import UNARY, print_term


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
        by_type = [rule for rule in rules if rule.kind == "type"]
        if by_type:
            with self.lines.block(f"for {self.each} in self.modules():"):
                keyword = "if"
                for same in grouped_rules(by_type):
                    self.init_type(same, keyword)
                    keyword = "elif"
        for rule in rules:
            if rule.kind == "label":
                for name, value, arguments in rule.rules:
                    self.lines.add(self.init_call(value, arguments, f"self.{rule.target}.{name}"))
            elif rule.kind == "pattern":
                self.init_pattern(rule)

    def init_type(self, rules: Sequence[InitRule], keyword: str) -> None:
        """Rules that say the same of several layer types, as one branch."""
        rule = rules[0]
        found = {c for each in rules for c in self.classes.torch_classes(each.target)}  # type: ignore[attr-defined]
        classes = sorted(found)
        if not classes:
            return
        types = " | ".join(self.imported(c) for c in classes)
        with self.lines.block(f"{keyword} isinstance({self.each}, {types}):"):
            for name, value, arguments in rule.rules:
                line = self.init_call(value, arguments, f"{self.each}.{name}")
                if any(self.classes.may_lack(each.target, name) for each in rules):  # type: ignore[attr-defined]
                    with self.lines.block(f"if {self.each}.{name} is not None:"):
                        self.lines.add(line)
                else:
                    self.lines.add(line)

    def init_pattern(self, rule: InitRule) -> None:
        if not set("*?[") & set(rule.target):
            path = "".join(
                f".{part}" if part.isidentifier() and not iskeyword(part) else f"[{part}]"
                for part in rule.target.split(".")
            )
            holder = f"self{path}" if "[" not in path else f'self.get_submodule("{rule.target}")'
            for leaf, value, arguments in rule.rules:
                self.lines.add(self.init_call(value, arguments, f"{holder}.{leaf}"))
            return
        self.plan.requires["from fnmatch import fnmatchcase"] = None
        for leaf, value, arguments in rule.rules:
            with self.lines.block("for name, parameter in self.named_parameters():"):
                with self.lines.block(f'if fnmatchcase(name, "{rule.target}.{leaf}"):'):
                    self.lines.add(self.init_call(value, arguments, "parameter"))

    def init_call(self, value: Any, arguments: Sequence[Argument], target: str) -> str:
        if not isinstance(value, Initializer):
            return f"{self.imported('torch.nn.init.constant_')}({target}, {self.text(arguments[0].term)})"
        rest = "".join(f", {a.name}={self.text(a.term)}" for a in arguments)
        return f"{self.imported(value.call)}({target}{rest})"


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
