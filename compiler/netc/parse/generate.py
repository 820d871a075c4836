"""Makes the parser's tables from the grammar with Lark: `python -m netc.parse.generate` writes `tables.json`.

Lark is imported here alone, and only where tables are made. The generated file is plain data; a reader needs the key of
the grammar that it was made of to match, and nothing else.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from netc.parse.tables import FOLDER, current_key, read

LAYOUT = ("_NL", "_INDENT", "_DEDENT")
Data = dict[str, Any]


def write_tables() -> Path:
    """Generate the tables of the current grammar beside it; raises OSError where the folder cannot be written."""
    data = generate(read("grammar.lark"), strict=True)
    return _write(data)


def write(data: Data) -> None:
    """Keep tables for the next start, if the folder allows it."""
    with suppress(OSError):
        _write(data)


def _write(data: Data) -> Path:
    path = Path(FOLDER, "tables.json")
    fresh = Path(FOLDER, f".tables.{os.getpid()}.json")
    try:
        fresh.write_text(json.dumps(data, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path


def generate(grammar: str, *, strict: bool | None = None) -> Data:
    """The tables as plain data.

    Strict mode (no shift/reduce conflict, no two terminals that match the same text) needs `interegular`; by default it
    is on where that is installed. Raises lark's GrammarError or LexError for a grammar with a conflict.
    """
    from lark import Lark, __version__
    from lark.grammar import Rule
    from lark.indenter import Indenter
    from lark.lexer import TerminalDef

    class Layout(Indenter):
        NL_type, INDENT_type, DEDENT_type = LAYOUT
        OPEN_PAREN_types = ["LPAR", "LSQB", "LBRACE"]
        CLOSE_PAREN_types = ["RPAR", "RSQB", "RBRACE"]
        tab_len = 8

    lark = Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        strict=find_spec("interegular") is not None if strict is None else strict,
        start=["file", "expression"],
        postlex=Layout(),
    )
    plain, memo = lark.memo_serialize([TerminalDef, Rule])
    return {
        "key": current_key(),
        "lark": __version__,
        **_states(plain["parser"]["parser"], memo),
        **_words([entry for entry in memo.values() if entry["__type__"] == "TerminalDef"], lark.ignore_tokens),
    }


def _states(table: Data, memo: dict[int, Data]) -> Data:
    """States and rules numbered as a walk from the start meets them, so that the same grammar gives the same file."""
    names: dict[int, str] = table["tokens"]
    order = [state for _, state in sorted(table["start_states"].items())]
    numbers = {state: number for number, state in enumerate(order)}
    rules: dict[int, int] = {}
    action_rows: list[dict[str, int]] = []
    goto_rows: list[dict[str, int]] = []
    states = []
    for state in order:  # grows on the way
        actions: dict[str, int] = {}
        gotos: dict[str, int] = {}
        for name, (reduces, argument) in sorted((names[token], move) for token, move in table["states"][state].items()):
            if reduces:
                actions[name] = ~rules.setdefault(argument["@"], len(rules))
                continue
            if argument not in numbers:
                numbers[argument] = len(order)
                order.append(argument)
            terminal = name.isupper() or name == "$END"
            (actions if terminal else gotos)[name] = numbers[argument]
        states.append((_place(actions, action_rows), _place(gotos, goto_rows)))
    return {
        "states": states,
        "action_rows": action_rows,
        "goto_rows": goto_rows,
        "rules": [_rule(memo[number]) for number in rules],
        "start": {name: numbers[state] for name, state in table["start_states"].items()},
        "end": {name: numbers[state] for name, state in table["end_states"].items()},
    }


def _place(row: dict[str, int], rows: list[dict[str, int]]) -> int:
    if row not in rows:
        rows.append(row)
    return rows.index(row)


def _rule(rule: Data) -> tuple[str, int, str, list[int], list[int]]:
    """`origin, size, action, picks, spliced` of a rule; `[optional]` parts that are absent count as picks of -1."""
    origin, options, symbols = rule["origin"]["name"], rule["options"], rule["expansion"]
    absent = "".join("1" if empty else "0" for empty in options["empty_indices"] or [False] * len(symbols))
    gaps = [len(run) for run in absent.split("0")]
    picks: list[int] = []
    spliced: list[int] = []
    for index, symbol in enumerate(symbols):
        picks += [-1] * gaps[index]
        if symbol["__type__"] == "Terminal" and symbol["filter_out"]:
            continue
        picks.append(index)
        if symbol["__type__"] == "NonTerminal" and symbol["name"].startswith("_"):
            spliced.append(index)
    picks += [-1] * gaps[-1]
    if origin.startswith("_"):
        action = "items"
    elif rule["alias"]:
        action = rule["alias"]
    elif options["expand1"]:
        assert len(picks) == 1 and not spliced, f"`{origin}` has an alternative that needs an alias"
        action = "pass"
    else:
        action = origin
    return origin, len(symbols), action, picks, spliced


def _words(terminals: list[Data], ignored: list[str]) -> Data:
    """One regular expression for all tokens, the longest fixed texts first; keywords are told apart later.

    What is skipped is never given back (`*+`): trying all ways to divide a run of spaces would take forever.
    """
    by_name = {terminal["name"]: terminal["pattern"] for terminal in terminals}
    name = re.compile(by_name["NAME"]["value"])
    fixed = {key: pattern["value"] for key, pattern in by_name.items() if pattern["__type__"] == "PatternStr"}
    keywords = {text: key for key, text in fixed.items() if name.fullmatch(text)}
    marks = sorted((key for key, text in fixed.items() if text not in keywords), key=lambda key: -len(fixed[key]))
    patterns = [key for key in by_name if key not in fixed and key not in ignored]
    groups = [f"(?P<{key}>{by_name[key]['value']})" for key in patterns]
    groups += [f"(?P<{key}>{re.escape(fixed[key])})" for key in marks]
    groups.append(r"(?P<END>\Z)")
    skipped = "|".join(by_name[key]["value"] for key in ignored)
    return {
        "words": f"(?:{skipped})*+(?:{'|'.join(groups)})",
        "keywords": keywords,
        "spelling": fixed,
    }


if __name__ == "__main__":
    print(write_tables())
