"""Sizes that variables of a constructor carry: around a loop, out of a branch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from netc import syntax
from netc.emit.calls import Calls
from netc.emit.python import Lines
from netc.emit.wording import assignment, negated
from netc.terms import Term


class Carrying(Calls):
    """Writes what is assigned to running sizes, and the branches that change them."""

    lines: Lines
    keys: list[str]
    ahead: dict[tuple[syntax.Node, Any], int]

    def carried(self, node: syntax.Node) -> list[tuple[Any, str]]:
        return [(key, name) for (owner, key), name in self.plan.running.items() if owner is node]

    def terms_of(self, node: syntax.Node, key: Any) -> dict[int, Term]:
        """What a size is after each way."""
        joined = self.template.joins.get((node, key))
        return self.resolver.ways(self.template, node, joined) if joined is not None else {}

    def assign_running(self, node: syntax.Node, outcome: int) -> None:
        """The variables that carry a size around a loop or out of a guard."""
        changed: dict[str, str] = {}
        for key, name in self.carried(node):
            terms = self.terms_of(node, key)
            if outcome not in terms or self.ahead.get((node, key)) == outcome:
                continue
            source = self.text(terms[outcome])
            if source != name:
                changed[name] = source
        for line in at_once(changed):
            self.lines.add(line)
        for key, name in self.carried(node):
            self.plan.current[name] = (node, key)

    def both_ways(self, statement: syntax.Flow, write: Callable[[], None], flag: str = "") -> None:
        """What stands under a condition, which may be in a flag, and the sizes with it and without."""
        if not self.beforehand(statement, 0, lambda: self.each_way(statement, write, flag)):
            self.each_way(statement, write, flag)

    def beforehand(self, node: syntax.Node, skipped: int, write: Callable[[], None]) -> bool:
        """Sets the sizes before a branch to what they are without it, and then writes the branch.

        False, and nothing written, where the branch asks for what these variables held before.
        """
        texts = [(key, name, self.without(node, key, skipped)) for key, name in self.carried(node)]
        if not any(name != text for _, name, text in texts if text) or not all(text for _, _, text in texts):
            return False
        others = " ".join(text for _, name, text in texts if len(texts) > 1 and name != text)
        if {name for _, name, _ in texts} & set(re.findall(r"\w+", others)):
            return False
        start, current, renamed = len(self.lines.items), dict(self.plan.current), dict(self.plan.renamed)
        keys, worth, ahead = len(self.keys), list(self.worth), dict(self.ahead)
        for key, name, text in texts:
            if text != name:
                self.lines.add(assignment(name, text))
            if not re.fullmatch(r"\w+", text):
                self.worth.append((self.resolver.normalise(self.template, self.terms_of(node, key)[skipped]), name))
            self.ahead[node, key] = skipped
            self.plan.current[name] = (node, key)
        write()
        self.worth, self.ahead = worth, ahead
        if self.plan.renamed == renamed:
            return True
        del self.lines.items[start:], self.keys[keys:]
        self.plan.current, self.plan.renamed = current, renamed
        return False

    def without(self, node: syntax.Node, key: Any, skipped: int) -> str:
        """What a size is without a branch, empty where that is unknown."""
        terms = self.terms_of(node, key)
        return self.text(terms[skipped]) if skipped in terms else ""

    def each_way(self, statement: syntax.Flow, write: Callable[[], None], flag: str) -> None:
        assert statement.when is not None
        before, header = dict(self.plan.current), len(self.lines.items)
        asked = self.asked_condition(statement.when)
        condition = flag or self.condition(statement.when)
        with self.lines.block(f"if {condition}:"), self.where(asked, True):
            write()
            self.assign_running(statement, 1)
        self.plan.current = before
        alone = len(self.lines.items) == header
        with self.lines.block(f"if {negated(condition)}:" if alone else "else:"), self.where(asked, False):
            self.assign_running(statement, 0)


def at_once(changed: Mapping[str, str]) -> Iterator[str]:
    """Assignments that each read what the variables held before: one after the other where there is such an order."""
    pending = dict(changed)
    while pending:
        read = {name: set(re.findall(r"\w+", source)) for name, source in pending.items()}
        free = (name for name in pending if not any(name in read[other] for other in pending if other != name))
        if (first := next(free, None)) is None:
            yield f"{', '.join(pending)} = {', '.join(pending.values())}"
            return
        yield assignment(first, pending.pop(first))
