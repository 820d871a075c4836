"""Makes a text that fails shorter, as long as it still fails: lines first, then tokens."""

from __future__ import annotations

from collections.abc import Callable

from tests.generator.mutations import TOKEN

Fails = Callable[[str], bool]


def shrink(text: str, fails: Fails) -> str:
    """A shorter text for which `fails` still holds; of its lines and tokens none can go."""
    while True:
        lines = reduced(text.splitlines(keepends=True), fails, "".join)
        shorter = reduced(tokens("".join(lines)), fails, "".join)
        if (found := "".join(shorter)) == text:
            return text
        text = found


def tokens(text: str) -> list[str]:
    """The text cut so that each piece holds one token and the blanks before it."""
    ends = [match.end() for match in TOKEN.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def reduced(parts: list[str], fails: Fails, join: Callable[[list[str]], str]) -> list[str]:
    """What is left when parts are taken out, many at a time and then one by one (delta debugging)."""
    size = max(len(parts) // 2, 1)
    while True:
        start, before = 0, len(parts)
        while start < len(parts):
            fewer = parts[:start] + parts[start + size :]
            if fails(join(fewer)):
                parts = fewer
            else:
                start += size
        if size == 1 and len(parts) == before:
            return parts
        size = max(size // 2, 1)
