"""Lines of a spec as people write them: `;` chains, suites on one line, groups over several lines, comments, blanks."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.generator.trees import Line

COMMENTS = ("as in the paper", "what flows: (N, C)", "x", "no bias: a norm has one", "a 'quoted' word", "-> relu")
# Statements that people give lines of their own, and that would swallow what follows.
ALONE = ("return", "input", "init", "order", "def ", "net ", "use ", "needs ", "language", "table", "train")


@dataclass
class Layout:
    """How freely a file is laid out: its indentation, and how often each liberty is taken."""

    chance: random.Random
    indent: str = "    "
    liberty: float = 0.2

    def lines(self, body: Sequence[Line], depth: int = 0) -> list[str]:
        """The lines of a block."""
        found: list[str] = []
        chain: list[str] = []
        for text, inner in body:
            if inner is None and chain and self.chance.random() < self.liberty and not text.startswith(ALONE):
                chain.append(text)
                continue
            self.flush(chain, found, depth)
            if inner is None:
                chain = [text] if not text.startswith(ALONE) else []
                if not chain:
                    found.append(self.line(text, depth))
            else:
                chain = []
                found += self.compound(text, inner, depth)
        self.flush(chain, found, depth)
        return found

    def flush(self, chain: list[str], found: list[str], depth: int) -> None:
        if chain:
            glue = self.chance.choice(["; ", ";  ", " ; "])
            found.append(self.line(glue.join(chain), depth))
            chain.clear()

    def compound(self, head: str, inner: Sequence[Line], depth: int) -> list[str]:
        """A head with its suite, on one line where it may stand there."""
        if head.startswith(("table", "train", "optimizer")) or re.search(r"\bfork\b", head):
            return [self.line(head, depth), *(line for part in inner for line in self.row(part, depth + 1))]
        on_one = head.startswith(("def ", "for ", "if ", "elif ", "else")) and len(inner) < 3
        if on_one and all(below is None for _, below in inner) and self.chance.random() < self.liberty:
            return [self.line(f"{head} {'; '.join(text for text, _ in inner)}", depth)]
        return [self.line(head, depth), *self.lines(inner, depth + 1)]

    def row(self, part: Line, depth: int) -> list[str]:
        """A line that stands alone: of a table, a recipe or a fork."""
        text, inner = part
        return [self.line(text, depth)] if inner is None else self.compound(text, inner, depth)

    def line(self, text: str, depth: int) -> str:
        before = ""
        if self.chance.random() < self.liberty / 4:
            before = f"{self.indent * depth}{self.comment()}\n"
        elif self.chance.random() < self.liberty / 8:
            before = "\n"
        after = f"  {self.comment()}" if self.chance.random() < self.liberty / 3 else ""
        return f"{before}{self.indent * depth}{self.loosened(text)}{after}"

    def comment(self) -> str:
        return self.chance.choice(["# ", "#", "## "]) + self.chance.choice(COMMENTS)

    def loosened(self, text: str) -> str:
        """Line ends and comments inside of brackets, and blanks where they do nothing."""
        found, depth, quoted = [], 0, False
        for i, sign in enumerate(text):
            found.append(sign)
            quoted ^= sign == '"'
            if quoted:
                continue
            depth += (sign in "([{") - (sign in ")]}")
            if depth > 0 and sign in ",;([{" and text[i + 1 : i + 2] not in ")]}":
                found.append(self.gap())
            elif sign in ":," and text[i + 1 : i + 2] == " " and self.chance.random() < self.liberty / 6:
                found.append(" ")
        return "".join(found)

    def gap(self) -> str:
        if self.chance.random() > self.liberty / 6:
            return ""
        comment = f" {self.comment()}" if self.chance.random() < 0.3 else ""
        return f"{comment}\n{' ' * self.chance.randint(0, 12)}"
