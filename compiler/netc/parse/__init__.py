"""From text to syntax tree: `parse(source)` gives a `syntax.File` or raises a `SpecError`.

The grammar is `grammar.lark`; its tables are generated ahead: `python -m netc.parse.generate` writes `tables.json`.
The codes of syntax errors stand in `codes.py`.
"""

from netc.parse.driver import parse

__all__ = ["parse"]
