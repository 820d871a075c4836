"""Lays a spec out anew at random: spaces, line ends in brackets, indentation, blank lines, and comments everywhere."""

from __future__ import annotations

import random

from netc.diagnostics import Source
from netc.parse.lexer import RESERVED
from netc.parse.lossless import Leaf, leaves, read_tree

OPENERS, CLOSERS = ("(", "[", "{"), (")", "]", "}")


def scramble(text: str, seed: int, *, notes: bool = True) -> str:
    """A text that says the same; without `notes` no comments and no blank lines are added, only what means nothing."""
    return _Scrambler(random.Random(seed), notes).run(text)


class _Scrambler:
    def __init__(self, chance: random.Random, notes: bool) -> None:
        self.chance = chance
        self.notes = notes
        self.count = 0
        self.wild = chance.choice((0.02, 0.1, 0.5))
        """How often something happens at a place where it can."""
        self.indent = chance.choice((" ", " ", "\t")) * chance.randint(1, 3)

    def run(self, text: str) -> str:
        depth = 0
        previous: Leaf | None = None
        parts = []
        for leaf in leaves(read_tree(Source("spec.net", text.removeprefix("\ufeff").replace("\r\n", "\n")))):
            if depth == 0 and ("\n" in leaf.before or previous is None or leaf.type == "$END"):
                parts.append(self.between_lines(leaf, previous))
            elif "#" in leaf.before or (previous and previous.text == "(" and "\n" in leaf.before):
                parts.append(leaf.before)
            elif depth and self.may_break(leaf, previous):
                parts.append(self.in_brackets(leaf, previous))
            else:
                parts.append(self.in_line(leaf, previous))
            parts.append(leaf.text)
            depth += (leaf.text in OPENERS) - (leaf.text in CLOSERS)
            previous = leaf
        made = "".join(parts)
        if self.happens():
            made = made.rstrip("\n") if "\n" in made else made
        if self.happens():
            made = made.replace("\n", "\r\n")
        return "\ufeff" + made if self.happens() else made

    def happens(self) -> bool:
        return self.chance.random() < self.wild

    def note(self) -> str:
        self.count += 1
        return self.chance.choice(("# note {}", "#note {}", "#    conv{}: Conv(8, 3)", '## "{}')).format(self.count)

    def between_lines(self, leaf: Leaf, previous: Leaf | None) -> str:
        lines = leaf.before.split("\n")
        made = []
        if previous is not None:
            behind = lines.pop(0).strip()
            if not behind and self.notes and self.happens():
                behind = self.note()
            made.append(" " * self.chance.randint(0, 3) + behind if behind or self.happens() else "")
        *middle, last = lines or [""]
        for line in middle:
            made += self.extra()
            indent = len(line) - len(line.lstrip())
            made.append(self.indent * indent + line.strip())
            if not line.strip() and self.happens():
                made.append(" " * self.chance.randint(0, 9))
        made += self.extra()
        return "\n".join([*made, self.indent * len(last)])

    def extra(self) -> list[str]:
        """Lines that nobody asked for."""
        if not self.notes or not self.happens():
            return []
        return [self.chance.choice(("", " " * self.chance.randint(0, 14) + self.note()))]

    def may_break(self, leaf: Leaf, previous: Leaf | None) -> bool:
        """Whether a line end between the tokens would mean nothing: it keeps `(` open, and parts `in` from `=`."""
        if previous is None or (previous.text in RESERVED and leaf.text == "="):
            return False
        return self.notes or previous.text != "("

    def in_brackets(self, leaf: Leaf, previous: Leaf | None) -> str:
        if self.happens():
            comment = self.note() if self.notes and self.chance.random() < 0.5 else ""
            rest = f"\n{' ' * self.chance.randint(0, 9)}{self.note()}" if self.notes and self.happens() else ""
            return f" {comment}{rest}\n{' ' * self.chance.randint(0, 9)}"
        return self.in_line(leaf, previous)

    def in_line(self, leaf: Leaf, previous: Leaf | None) -> str:
        if not self.happens():
            return leaf.before
        if previous and (previous.text in (*OPENERS, ",", ";", ":") or leaf.text in (*CLOSERS, ",", ";", ":")):
            return " " * self.chance.randint(0, 2)
        return self.chance.choice((" ", "  ", "\t", " \t  "))
