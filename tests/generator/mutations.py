"""Single mistakes in a spec, as a person makes them: a token lost, doubled, swapped, misspelt, or another's place."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|\d[\w.]*|[A-Za-z_]\w*|->|\*\*|//|[=!<>]=|\S')
NUMBERS = ("0", "1", "2", "3", "7", "10", "100", "-1", "1.5", "1e-3", "1000000", "99999999999", "1x3", "none", "true")
WORDS = ("x", "_", "training", "relu", "ReLU", "Conv", "Linear", "Flatten", "LSTM", "chunk", "none", "[]", "cat", "min")
KINDS = ("delete", "duplicate", "swap", "misspell")
"""What a slip of the fingers does; `mutations` are all of these."""


@dataclass(frozen=True)
class Mutant:
    """A text with one mistake: what kind of mistake, the lines that it touches (from 1 on), and the text."""

    kind: str
    line: int
    text: str
    last: int = 0

    def __str__(self) -> str:
        return f"{self.kind} in line {self.line}: {self.text.splitlines()[self.line - 1].strip()}"

    def distance(self, line: int) -> int:
        """How many lines a line is away from the mistake."""
        return max(self.line - line, line - max(self.line, self.last), 0)


def mutations(text: str, kinds: Sequence[str] = KINDS, seed: int = 0) -> Iterator[Mutant]:
    """Every text with one token deleted, duplicated, swapped with the next, or misspelt; comments are left alone.

    Only words are misspelt, each once; the seed says how.
    """
    chance = random.Random(seed)
    tokens = written(text)
    for at, token in enumerate(tokens):
        for kind in KINDS:
            misspelling = misspelt(chance, token[0])  # drawn for all, so that the kinds do not depend on each other
            if kind not in kinds or (kind == "misspell" and not token[0].isidentifier()):
                continue
            if kind == "swap" and (at + 1 == len(tokens) or tokens[at + 1][0] == token[0]):
                continue
            if kind == "swap":
                yield mutant(kind, text, *swapped(token, tokens[at + 1]))
                continue
            new = {"delete": "", "duplicate": f"{token[0]} {token[0]}", "misspell": misspelling}[kind]
            yield mutant(kind, text, *token.span(), new)


def mutate(text: str, seed: int) -> Mutant:
    """One of the mutations of a text."""
    return random.Random(seed).choice(list(mutations(text, seed=seed)))


def mutants(text: str, count: int, seed: int) -> list[Mutant]:
    """`count` different texts with one mistake each, the same ones for the same seed.

    Beside the kinds of `mutations` there are names and numbers that stand elsewhere in the text, or nowhere.
    """
    chance = random.Random(seed)
    tokens = written(text)
    names = sorted({match[0] for match in tokens if match[0].isidentifier()})
    found: dict[str, Mutant] = {}
    for _ in range(20 * count):
        if len(found) == count:
            break
        kind, start, end, new = mistake(chance, tokens, chance.randrange(len(tokens)), names)
        made = mutant(kind, text, start, end, new)
        if made.text != text:
            found.setdefault(made.text, made)
    return list(found.values())


def written(text: str) -> list[re.Match[str]]:
    """The tokens of a text, comments left out."""
    return [match for match in TOKEN.finditer(text) if not match[0].startswith("#")]


def mutant(kind: str, text: str, start: int, end: int, new: str) -> Mutant:
    first, last = (text.count("\n", 0, at) + 1 for at in (start, end))
    return Mutant(kind, first, text[:start] + new + text[end:], last)


def mistake(chance: random.Random, tokens: list[re.Match[str]], at: int, names: list[str]) -> tuple[str, int, int, str]:
    """One mistake at a token: its kind, the part of the text that it replaces, and the new text."""
    token, word = tokens[at], tokens[at][0]
    kinds = ["delete", "duplicate", "swap"]
    if word.isidentifier():
        kinds += ["misspell", "misspell", "rename", "rename", "rename", "misplace", "misplace"]
    elif word[0].isdigit():
        kinds += ["number", "number", "number", "number", "misplace"]
    kind = chance.choice(kinds)
    if kind == "swap":
        other = tokens[at + 1] if at + 1 < len(tokens) else tokens[at - 1]
        return kind, *swapped(*sorted((token, other), key=re.Match.start))
    new = {
        "delete": lambda: "",
        "duplicate": lambda: f"{word} {word}",
        "misspell": lambda: misspelt(chance, word),
        "rename": lambda: chance.choice(names),
        "misplace": lambda: chance.choice(WORDS),
        "number": lambda: chance.choice(NUMBERS),
    }[kind]()
    return kind, *token.span(), new


def swapped(first: re.Match[str], second: re.Match[str]) -> tuple[int, int, str]:
    """Two neighbours in each other's place, with what stands between them where it was."""
    between = first.string[first.end() : second.start()]
    return first.start(), second.end(), second[0] + between + first[0]


def misspelt(chance: random.Random, word: str) -> str:
    """The word with a letter lost, doubled or changed, or its case turned."""
    at = chance.randrange(len(word))
    return chance.choice(
        [
            word[:at] + word[at + 1 :] or "q",
            word[:at] + word[at] + word[at:],
            word[:at] + chance.choice("aeiouqz".replace(word[at], "")) + word[at + 1 :],
            word.swapcase() if len(word) == 1 else word[0].swapcase() + word[1:],
        ]
    )
