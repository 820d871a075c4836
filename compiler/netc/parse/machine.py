"""The LALR machine: takes tokens, keeps the stack, and calls the builder for every rule that is complete."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netc.diagnostics import Source, Span, SpecError
from netc.parse.lexer import Token
from netc.parse.lexical import too_deep
from netc.parse.tables import Tables

Action = Callable[..., object]

MAX_DEPTH = 150
"""How deep a tree may become; chains such as `a + b + c` deepen it by one for each operator."""
MAX_STACK = 2000
"""More than this waits on the stack only where the tree would become too deep, as in `- - - ...`."""
_LAYOUT = frozenset(("_NL", "_INDENT", "_DEDENT", "$END"))


class Machine:
    """A parse under way. `states` is what the tables know of it, `entries` what has been built below them.

    An entry is a value, where its text starts, and how deep its tree is.
    """

    __slots__ = ("actions", "end", "entries", "last_end", "restores", "source", "states", "tables")

    def __init__(
        self, tables: Tables, actions: Sequence[Action | None], source: Source, start: str, offset: int, *,
        restores: bool = True,
    ) -> None:  # fmt: skip
        self.tables = tables
        self.actions = actions
        """One for each rule of the tables; None takes the list of the children."""
        self.source = source
        self.states = [tables.start[start]]
        self.end = tables.end[start]
        self.entries: list[tuple[object, int, int]] = []
        self.last_end = offset
        self.restores = restores
        """Whether a token that cannot stand leaves the stacks as they were, for one to ask what could."""

    def feed(self, token: Token) -> bool:
        """Take one token; False, with the stacks as before (but for the ends of lists) if they are restored, if it
        cannot stand here.
        """
        tables, states, kind = self.tables, self.states, token.type
        before: tuple[list[int], list[tuple[object, int, int]]] | None = None
        while True:
            action = tables.actions[states[-1]].get(kind)
            if action is None:
                if before is not None:
                    self.states, self.entries = before
                return False
            if action >= 0:
                states.append(action)
                self._shift(token, kind)
                return True
            if before is None and self.restores:
                before = (states.copy(), self.entries.copy())
            rule = tables.rules[~action]
            if rule.action == "pass" and rule.size == 1:
                states[-1] = tables.gotos[states[-2]][rule.origin]
            else:
                self._reduce(~action)
            if kind == "$END" and states[-1] == self.end:
                return True

    def _shift(self, token: Token, kind: str) -> None:
        if kind in _LAYOUT:
            self.entries.append((token, self.last_end, 0))
        else:
            self.entries.append((token, token.start, 0))
            self.last_end = token.end
        if len(self.states) > MAX_STACK:
            raise SpecError((too_deep(Span(self.source, token.start, token.end), f"{MAX_DEPTH} levels"),))

    def _reduce(self, number: int) -> None:
        rule = self.tables.rules[number]
        size = rule.size
        start, depth = self.last_end, 0
        popped: list[tuple[object, int, int]] = []
        if size:
            popped = self.entries[-size:]
            start = popped[0][1]
            depth = max([entry[2] for entry in popped])
            del self.entries[-size:]
            del self.states[-size:]
        children: list[object] = []
        for pick in rule.picks:
            value = popped[pick][0] if pick >= 0 else None
            if pick in rule.spliced:
                assert isinstance(value, list)
                if children:
                    children += value
                else:
                    children = value  # a list that grows by one at each step is not copied at each
            else:
                children.append(value)
        result: object = children
        if rule.action == "pass":
            result = children[0]
        else:
            action = self.actions[number]
            if action is not None:
                span = Span(self.source, start, self.last_end)
                depth += 1
                if depth > MAX_DEPTH:
                    raise SpecError((too_deep(span, f"{MAX_DEPTH} levels"),))
                result = action(span, *children)
        self.entries.append((result, start, depth))
        self.states.append(self.tables.gotos[self.states[-1]][rule.origin])
