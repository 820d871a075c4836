"""Lines of a class: its docstring, its constructor without locals that nothing reads, where its attributes are kept."""

from __future__ import annotations

import ast
import re
from collections import Counter
from itertools import groupby, takewhile
from textwrap import wrap

from netc.emit.wrapping import INDENT, WIDTH

NAMES = re.compile(r"[\w.]+")


def docstring(doc: str) -> list[str]:
    """The lines of a comment as a docstring; those that are too wide are wrapped."""
    text = doc.strip().replace("\\", "\\\\").replace('"""', "'''")
    width = WIDTH - len(INDENT) - 2 * len('"""')
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    lines = "\n\n".join("\n".join(wrap(part, width)) for part in paragraphs).splitlines()
    if len(lines) == 1:
        return [f'{INDENT}"""{lines[0]}"""']
    return [f'{INDENT}"""{lines[0]}', *(f"{INDENT}{line}".rstrip() for line in lines[1:]), f'{INDENT}"""']


def pruned(lines: list[str]) -> list[str]:
    """Without assignments to locals that nothing else names."""
    heads = [line.strip().partition(" = ") for line in lines]
    assigned = {index: name for index, (name, equals, _) in enumerate(heads) if equals and name.isidentifier()}
    if not assigned:
        return lines
    named = names_by_line(lines)
    uses = Counter(name for names in named for name in names.elements())
    gone: set[int] = set()
    pending = list(assigned)
    while pending:
        index = pending.pop()
        if index not in gone and uses[assigned[index]] == named[index][assigned[index]]:
            gone.add(index)
            uses.subtract(named[index])
            pending += [other for other, name in assigned.items() if name in named[index]]
    return without_empty([line for index, line in enumerate(lines) if index not in gone])


def without_empty(lines: list[str]) -> list[str]:
    """Without the headers of blocks that have lost all their lines."""
    kept: list[str] = []
    for line in reversed(lines):
        depth = len(line) - len(line.lstrip())
        inside = kept and len(kept[-1]) - len(kept[-1].lstrip()) > depth
        if not line.endswith(":") or inside:
            kept.append(line)
    return kept[::-1]


def names_by_line(lines: list[str]) -> list[Counter[str]]:
    """The names in each of several lines, which together are statements."""
    places = [index for index, line in enumerate(lines) for _ in line.split("\n")]
    named: list[Counter[str]] = [Counter() for _ in lines]
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.Name):
            named[places[node.lineno - 1]][node.id] += 1
    return named


def direct(lines: list[str]) -> list[str]:
    """`self.s = ...` at once where a local of that worth is read nowhere else."""
    named = names_by_line(lines)
    uses = Counter(name for names in named for name in names.elements())
    found = list(lines)
    for index in range(len(lines) - 1, 0, -1):
        target, _, name = lines[index].partition(" = ")
        head, equals, source = lines[index - 1].partition(" = ")
        if equals and target.startswith("self.") and head == name and uses[name] == 2:
            found[index - 1 : index + 1] = [f"{target} = {source}"]
    return found


def together(lines: list[str]) -> list[str]:
    """Neighbouring blocks under one condition as one, if the first assigns nothing that the condition reads."""
    result: list[str] = []
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        if line.startswith(f"{indent}if "):
            body = block_above(result, indent)
            above = result[-len(body) - 1] if body and len(body) < len(result) else ""
            assigned = {name for each in body for name in NAMES.findall(each.partition(" = ")[0])}
            if above == line and not assigned & set(NAMES.findall(line)):
                continue
        result.append(line)
    return result


def joined(lines: list[str]) -> list[str]:
    """A condition that holds nothing but another condition as one, where neither has another way."""
    result = list(lines)
    for index in range(len(lines) - 2, -1, -1):
        depth = depth_of(result[index])
        end = next((i for i in range(index + 1, len(result)) if depth_of(result[i]) <= depth), len(result))
        block = result[index + 1 : end]
        inner = depth + len(INDENT)
        conditions = [line.strip() for line in (result[index], *block[:1])]
        alone = all(line.startswith("if ") for line in conditions) and all(depth_of(line) > inner for line in block[1:])
        otherwise = end < len(result) and result[end].lstrip().startswith(("else:", "elif "))
        if len(block) > 1 and alone and not otherwise and not any("\n" in line for line in block):
            both = " and ".join(operand(line.removeprefix("if ").removesuffix(":")) for line in conditions)
            result[index:end] = [f"{' ' * depth}if {both}:", *(line.removeprefix(INDENT) for line in block[1:])]
    return result


def depth_of(line: str) -> int:
    return len(line) - len(line.lstrip())


def operand(condition: str) -> str:
    """A condition as one side of an `and`."""
    match ast.parse(condition, mode="eval").body:
        case ast.IfExp() | ast.BoolOp(op=ast.Or()):
            return f"({condition})"
    return condition


def block_above(lines: list[str], indent: str) -> list[str]:
    """The last lines that are indented deeper."""
    return list(takewhile(lambda line: line.startswith(f"{indent} "), reversed(lines)))


def extended(lines: list[str]) -> list[str]:
    """Neighbouring `layers.append(...)` of a list as one `layers += [...]`."""
    lists = {match[1] for line in lines if (match := re.fullmatch(r"\s*(\w+): list\[nn\.Module\] = \[\]", line))}
    result: list[str] = []
    for key, group in groupby(lines, key=lambda line: appended(line)[0]):
        run = list(group)
        if key is not None and key[1] in lists and len(run) > 1:
            run = [f"{key[0]}{key[1]} += [{', '.join(appended(line)[1] for line in run)}]"]
        result += run
    return result


def appended(line: str) -> tuple[tuple[str, str] | None, str]:
    """Indentation and name of a list to which a line appends, and what; no name where it does something else."""
    found = re.fullmatch(r"(\s*)(\w+)\.append\((.*)\)", line)
    return ((found[1], found[2]), found[3]) if found else (None, "")


def place_for(stored: str, statements: list[str], first: int) -> int:
    """Where `self.name = name` can stand: among the first statements, or behind the last that makes the name."""
    source = stored.rpartition(" = ")[2]
    made = [index for index, line in enumerate(statements) if re.match(rf"\s*{source} [-+*/]*= ", line)]
    if not made or made[-1] < first:
        return first
    end = made[-1] + 1
    while end < len(statements) and statements[end].startswith((" ", "else:", "elif ")):
        end += 1
    return end
