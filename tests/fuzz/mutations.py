"""Single mistakes in a spec, as a person makes them: a token lost, doubled, swapped, misspelt, or another's place."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|\d[\w.]*|[A-Za-z_]\w*|->|\*\*|//|[=!<>]=|\S')
NUMBERS = ("0", "1", "2", "3", "7", "10", "100", "-1", "1.5", "1e-3", "1000000", "99999999999", "1x3", "none", "true")
WORDS = ("x", "_", "training", "relu", "ReLU", "Conv", "Linear", "Flatten", "LSTM", "chunk", "none", "[]", "cat", "min")


@dataclass(frozen=True)
class Mutant:
    """A text with one mistake: what kind of mistake, in which line, and the text."""

    kind: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.kind} in line {self.line}: {self.text.splitlines()[self.line - 1].strip()}"


def mutants(text: str, count: int, seed: int) -> list[Mutant]:
    """`count` different texts with one mistake each, the same ones for the same seed."""
    chance = random.Random(seed)
    tokens = [match for match in TOKEN.finditer(text) if not match[0].startswith("#")]
    names = sorted({match[0] for match in tokens if match[0].isidentifier()})
    found: dict[str, Mutant] = {}
    for _ in range(20 * count):
        if len(found) == count:
            break
        at = chance.randrange(len(tokens))
        kind, start, end, new = mistake(chance, tokens, at, names)
        changed = text[:start] + new + text[end:]
        if changed != text:
            found.setdefault(changed, Mutant(kind, text.count("\n", 0, start) + 1, changed))
    return list(found.values())


def mistake(chance: random.Random, tokens: list[re.Match[str]], at: int, names: list[str]) -> tuple[str, int, int, str]:
    """One mistake at a token: its kind, the part of the text that it replaces, and the new text."""
    token, word = tokens[at], tokens[at][0]
    kinds = ["delete", "double", "swap"]
    if word.isidentifier():
        kinds += ["misspell", "misspell", "rename", "rename", "rename", "misplace", "misplace"]
    elif word[0].isdigit():
        kinds += ["number", "number", "number", "number", "misplace"]
    kind = chance.choice(kinds)
    start, end = token.span()
    if kind == "swap":
        other = tokens[at + 1] if at + 1 < len(tokens) else tokens[at - 1]
        first, second = sorted((token, other), key=re.Match.start)
        between = first.string[first.end() : second.start()]
        return kind, first.start(), second.end(), second[0] + between + first[0]
    new = {
        "delete": lambda: "",
        "double": lambda: f"{word} {word}",
        "misspell": lambda: misspelt(chance, word),
        "rename": lambda: chance.choice(names),
        "misplace": lambda: chance.choice(WORDS),
        "number": lambda: chance.choice(NUMBERS),
    }[kind]()
    return kind, start, end, new


def misspelt(chance: random.Random, word: str) -> str:
    """The word with a letter lost, doubled or changed, or its case turned."""
    at = chance.randrange(len(word))
    return chance.choice(
        [
            word[:at] + word[at + 1 :] or "q",
            word[:at] + word[at] + word[at:],
            word[:at] + chance.choice("aeiouqz") + word[at + 1 :],
            word.swapcase() if len(word) == 1 else word[0].swapcase() + word[1:],
        ]
    )
