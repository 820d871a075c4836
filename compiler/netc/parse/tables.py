"""The parser's tables as plain data: loaded from the generated `tables.json`, or made anew from the grammar."""

from __future__ import annotations

import json
import os
import re
import zlib
from functools import cache
from typing import Any, NamedTuple

FOLDER = os.path.dirname(__file__)
"""Names of files are plain texts here: the start of the compiler does not wait for `pathlib`."""


class Rule(NamedTuple):
    """What a reduction does: pop `size` values, pick the children, hand them to the action."""

    origin: str
    size: int
    action: str
    """A method of the builder, or `items`: a plain list, or `pass`: the only child as it is."""
    picks: tuple[int, ...]
    """Indices of the children kept; below zero: an absent optional."""
    spliced: frozenset[int]
    """Those of `picks` whose lists are taken apart."""


class Tables(NamedTuple):
    """LALR(1) tables; an action at or above zero shifts to that state, below zero reduces by rule `~action`."""

    actions: list[dict[str, int]]
    gotos: list[dict[str, int]]
    rules: list[Rule]
    start: dict[str, int]
    end: dict[str, int]
    words: re.Pattern[str]
    """One match of it skips what is ignored and takes one token; the group's name is the token's type."""
    keywords: dict[str, str]
    spelling: dict[str, str]
    """Token type -> its text, for every token that has only one."""

    def advance(self, states: list[int], kind: str) -> bool:
        """Move a stack of states over one token, values left out; False if the token cannot stand there."""
        while True:
            action = self.actions[states[-1]].get(kind)
            if action is None:
                return False
            if action >= 0:
                states.append(action)
                return True
            rule = self.rules[~action]
            if rule.size:
                del states[-rule.size :]
            state = self.gotos[states[-1]][rule.origin]
            states.append(state)
            if kind == "$END" and state in self.end.values():
                return True

    def viable(self, states: list[int], kind: str) -> bool:
        """Whether a token of that type can come next."""
        action = self.actions[states[-1]].get(kind)
        return action is not None and (action >= 0 or self.advance(states.copy(), kind))

    def expected(self, states: list[int]) -> set[str]:
        """The types of all the tokens that can come next."""
        return {kind for kind in self.actions[states[-1]] if self.viable(states, kind)}


def read(name: str) -> str:
    """A file of this package."""
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


def current_key() -> str:
    """A checksum of what the tables are made of: the grammar, and the generator that reads it."""
    made_of = read("grammar.lark") + read("generate.py")
    return f"{len(made_of)}-{zlib.crc32(made_of.encode()):08x}"


@cache
def load_tables() -> Tables:
    """The generated tables; where they are absent or stale, made anew and, if the folder allows it, written."""
    try:
        data = json.loads(read("tables.json"))
        if data["key"] == current_key():
            return unpack(data)
    except (OSError, ValueError, LookupError, TypeError):
        pass
    from netc.parse.generate import generate, write

    data = generate(read("grammar.lark"))
    write(data)
    return unpack(data)


def unpack(data: dict[str, Any]) -> Tables:
    action_rows, goto_rows = data["action_rows"], data["goto_rows"]
    return Tables(
        actions=[action_rows[row] for row, _ in data["states"]],
        gotos=[goto_rows[row] for _, row in data["states"]],
        rules=[
            Rule(origin, size, action, tuple(picks), frozenset(spliced))
            for origin, size, action, picks, spliced in data["rules"]
        ],
        start=data["start"],
        end=data["end"],
        words=re.compile(data["words"]),
        keywords=data["keywords"],
        spelling=data["spelling"],
    )
