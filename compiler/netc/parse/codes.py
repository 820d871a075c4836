"""The codes of syntax errors, each with its meaning in a line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        "E0101": "a token stands where nothing of its kind can stand",
        "E0102": "a colon, a separator or another mark is missing",
        "E0103": "a bracket is never closed",
        "E0104": "a closing bracket does not match what is open",
        "E0105": "a string is never closed",
        "E0106": "a character that the language does not use",
        "E0107": "an invisible or bidirectional character",
        "E0108": "tabs and spaces mixed in the indentation",
        "E0109": "a line is indented though nothing above it opens a block",
        "E0110": "a line is indented like no line above it",
        "E0111": "a block is missing after a colon",
        "E0112": "a reserved word used as a name",
        "E0113": "a spelling from Python or PyTorch that has another form here",
        "E0114": "nested deeper than the limit",
        "E0115": "a number or a shape that cannot be read",
        "E0116": "braces in a string that do not fit",
        "E0117": "a table's row with too many or too few values",
        "E0118": "something other than a name on the left of `=`",
        "E0119": "a fork with an unknown way to join",
        "E0120": "the text ends in the middle of a statement",
        "E0121": "an argument without a name after one with a name",
        "E0122": "a statement at the left margin, where definitions stand",
    }
)
