"""The parser: the tree of every construct, one error for each broken text, and nothing worse for any text."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netc.diagnostics import Source, Span, SpecError
from netc.parse import parse, tables
from netc.parse.codes import CODES
from netc.parse.generate import generate
from netc.render import render
from netc.syntax import File, Node, Table

CASES = Path(__file__).parents[1] / "cases" / "syntax"
BROKEN = sorted(CASES.glob("*.net"))
WHOLE = sorted((CASES / "whole").glob("*.net"))
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in WHOLE)


def tree(text: str) -> File:
    return parse(Source("a.net", text))


def shown(value: object) -> str:
    """A node in one line: its type, and its fields without the span."""
    if isinstance(value, Node):
        kept = [
            getattr(value, field.name) for field in fields(value) if field.name not in ("span", "name_span", "key_span")
        ]
        return f"{type(value).__name__}({', '.join(shown(item) for item in kept)})"
    if isinstance(value, tuple):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    return repr(value)


def nodes(value: object) -> list[Node]:
    if isinstance(value, tuple):
        return [node for item in value for node in nodes(item)]
    if not isinstance(value, Node):
        return []
    return [value, *(node for field in fields(value) for node in nodes(getattr(value, field.name)))]


def body(*lines: str) -> str:
    """The statements of a def, in one line each."""
    text = "def A:\n" + "".join(f"    {line}\n" for line in lines)
    item = tree(text).items[0]
    return "\n".join(shown(stmt) for stmt in item.body)  # type: ignore[union-attr]


def value(text: str) -> str:
    return shown(tree(f"a = {text}\n").items[0].value)  # type: ignore[union-attr]


# ---- trees ----


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_whole_files(path, golden):
    """Each file beside its tree, an item a line."""
    file = tree(path.read_text(encoding="utf-8"))
    lines = [f"doc {file.doc!r}", *(shown(item) for item in file.items)]
    golden(path.with_suffix(".txt"), "\n".join(lines))


EXPRESSIONS = {
    "a + b * c": "Binary('+', Name('a'), Binary('*', Name('b'), Name('c')))",
    "(a + b) * c": "Binary('*', Binary('+', Name('a'), Name('b')), Name('c'))",
    "a - b - c": "Binary('-', Binary('-', Name('a'), Name('b')), Name('c'))",
    "-a ** -b": "Unary('-', Binary('**', Name('a'), Unary('-', Name('b'))))",
    "a // b % c / d": "Binary('/', Binary('%', Binary('//', Name('a'), Name('b')), Name('c')), Name('d'))",
    "not a and b or c": "Binary('or', Binary('and', Unary('not', Name('a')), Name('b')), Name('c'))",
    "a not in b": "Unary('not', Binary('in', Name('a'), Name('b')))",
    "a if b else c if d else e": "IfElse(Name('a'), Name('b'), IfElse(Name('c'), Name('d'), Name('e')))",
    "n * Block(a)": "Binary('*', Name('n'), Call(Name('Block'), [Arg(None, Name('a'))]))",
    "f(a, b=A -> B)": "Call(Name('f'), [Arg(None, Name('a')), Arg('b', Pipe([Name('A'), Name('B')]))])",
    "f(input=a, init=init, in=3)": "Call(Name('f'), [Arg('input', Name('a')), Arg('init', Name('init')),"
    " Arg('in', Literal_(3, '3'))])",
    "a.weight.c": "Attribute(Attribute(Name('a'), 'weight'), 'c')",
    "a.in": "Attribute(Name('a'), 'in')",
    "a[:i + 1]": "Index(Name('a'), Slice(None, Binary('+', Name('i'), Literal_(1, '1'))))",
    "a[0, 1:]": "Index(Name('a'), TupleExpr([Literal_(0, '0'), Slice(Literal_(1, '1'), None)]))",
    "[i for i, (a, b) in c if a]": "Comprehension(Name('i'), Target(None, [Target('i', []), Target(None,"
    " [Target('a', []), Target('b', [])])]), Name('c'), Name('a'))",
    "[a, b,]": "ListExpr([Name('a'), Name('b')])",
    "[]": "ListExpr([])",
    "()": "TupleExpr([])",
    "(a,)": "TupleExpr([Name('a')])",
    "(a)": "Name('a')",
    "{a: b, c: d -> e}": "DictExpr([['a', Name('b')], ['c', Pipe([Name('d'), Name('e')])]])",
    "1x7": "ShapeLiteral([1, 7])",
    "3xHxW": "ShapeLiteral([3, 'H', 'W'])",
    "x1x2": "Name('x1x2')",
    "true": "Literal_(True, 'true')",
    "none": "Literal_(None, 'none')",
    "1e-3": "Literal_(0.001, '1e-3')",
    ".5": "Literal_(0.5, '.5')",
    "2.": "Literal_(2.0, '2.')",
    '"a{i + 1}b"': "String(['a', Binary('+', Name('i'), Literal_(1, '1')), 'b'])",
    '"{{{i}}}"': "String(['{', Name('i'), '}'])",
    '""': "String([])",
    "(a: B; c)": "Group([Flow(None, Name('a'), Name('B'), None), Flow(None, None, Name('c'), None)])",
    "(A when b)": "Group([Flow(None, None, Name('A'), Name('b'))])",
    "a -> (b -> c)": "Pipe([Name('a'), Pipe([Name('b'), Name('c')])])",
    "fork cat(a | b; c)": "Fork('cat', [Flow(None, None, Name('a'), None), Flow(None, None, Group([Flow(None, None,"
    " Name('b'), None), Flow(None, None, Name('c'), None)]), None)])",
    "f(\n  a,  # one\n\n  b\n)": "Call(Name('f'), [Arg(None, Name('a')), Arg(None, Name('b'))])",
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions(text):
    assert value(text) == EXPRESSIONS[text]


STATEMENTS = {
    "a: B; c": "Flow(None, Name('a'), Name('B'), None)\nFlow(None, None, Name('c'), None)",
    "+ x -> (d: C when s)": "Flow('+', None, Pipe([Name('x'), Group([Flow(None, Name('d'), Name('C'),"
    " Name('s'))])]), None)",
    "side aux: A when b": "Flow('side', Name('aux'), Name('A'), Name('b'))",
    '& "l{i}": A': "Flow('&', String(['l', Name('i')]), Name('A'), None)",
    "inline A(b)": "Flow('inline', None, Call(Name('A'), [Arg(None, Name('b'))]), None)",
    "* g": "Flow('*', None, Name('g'), None)",
    '"input": A': "Flow(None, String(['input']), Name('A'), None)",
    "y = A -> B when c": "Assign(Target('y', []), Pipe([Name('A'), Name('B')]), Name('c'))",
    "y, (h, c) = f": "Assign(Target(None, [Target('y', []), Target(None, [Target('h', []), Target('c', [])])]),"
    " Name('f'), None)",
    "(h, c), y = f": "Assign(Target(None, [Target(None, [Target('h', []), Target('c', [])]), Target('y', [])]),"
    " Name('f'), None)",
    "param p(1, x.c) = zeros": "Param('param', 'p', [Literal_(1, '1'), Attribute(Name('x'), 'c')], Name('zeros'))",
    "buffer b()": "Param('buffer', 'b', [], None)",
    "default A(b=c); default B()": "Default(Name('A'), [Arg('b', Name('c'))])\nDefault(Name('B'), [])",
    "init Conv: normal(std=1), bias=zeros": "Init([Name('Conv')], [Arg(None, Call(Name('normal'),"
    " [Arg('std', Literal_(1, '1'))])), Arg('bias', Name('zeros'))])",
    'init "a.*": zeros': "Init([String(['a.*'])], [Arg(None, Name('zeros'))])",
    "init Conv, fc: zeros": "Init([Name('Conv'), Name('fc')], [Arg(None, Name('zeros'))])",
    "l: [A(i) for i in a]": "Flow(None, Name('l'), Suite([For(Target('i', []), Name('a'), [Flow(None, None,"
    " Call(Name('A'), [Arg(None, Name('i'))]), None)])]), None)",
    "[i for i in a if b]": "For(Target('i', []), Name('a'), [Flow(None, None, Name('i'), Name('b'))])",
    'order a, "b{i}"': "Order([Name('a'), String(['b', Name('i')])])",
    "tie a.weight = b.weight": "Tie(Attribute(Name('a'), 'weight'), Attribute(Name('b'), 'weight'))",
    "return a, b": "Return(TupleExpr([Name('a'), Name('b')]))",
    "return Out(k=_) if a else _": "Return(IfElse(Call(Name('Out'), [Arg('k', Name('_'))]), Name('a'), Name('_')))",
    "input left: 3x8x8": "Input('left', ShapeLiteral([3, 8, 8]))",
    "input (c, 8)": "Input(None, TupleExpr([Name('c'), Literal_(8, '8')]))",
    "input ids: int(T)": "Input('ids', Call(Name('int'), [Arg(None, Name('T'))]))",
    "for i in a: b; c": "For(Target('i', []), Name('a'), [Flow(None, None, Name('b'), None), Flow(None, None,"
    " Name('c'), None)])",
    "group: A": "Flow(None, Name('group'), Name('A'), None)",
}


@pytest.mark.parametrize("text", STATEMENTS)
def test_statements(text):
    assert body(text) == STATEMENTS[text]


def test_blocks():
    assert body("if a:", "    b", "elif c: d", "else:", "    e") == (
        "If([[Name('a'), [Flow(None, None, Name('b'), None)]], [Name('c'), [Flow(None, None, Name('d'), None)]]],"
        " [Flow(None, None, Name('e'), None)])"
    )
    assert body("+ l: fork add:", "    a; b", "    for i in c: d; e") == (
        "Flow('+', Name('l'), Fork('add', [Flow(None, None, Group([Flow(None, None, Name('a'), None),"
        " Flow(None, None, Name('b'), None)]), None), For(Target('i', []), Name('c'), [Flow(None, None,"
        " Group([Flow(None, None, Name('d'), None), Flow(None, None, Name('e'), None)]), None)])]), None)"
    )
    assert (
        body("fork:", "    y = a") == "Flow(None, None, Fork(None, [Assign(Target('y', []), Name('a'), None)]), None)"
    )
    assert body("l:", "    a") == "Flow(None, Name('l'), Suite([Flow(None, None, Name('a'), None)]), None)"


def test_a_shape_table_and_a_recipe():
    text = 'table t(a, b):\n    A 1x3\n    "s" (2 * n)\n    -1 none\n'
    item = tree(text).items[0]
    assert isinstance(item, Table) and [shown(row) for row in item.rows] == [
        "[Name('A'), ShapeLiteral([1, 3])]",
        "[String(['s']), Binary('*', Literal_(2, '2'), Name('n'))]",
        "[Unary('-', Literal_(1, '1')), Literal_(None, 'none')]",
    ]
    text = "train a:\n    optimizer critic: B(lr=1)\n        group bias, 'c': lr=2\n    schedule: w(5) -> c\n".replace(
        "'", '"'
    )
    assert shown(tree(text).items[0]) == (
        "Train('a', [Setting('optimizer', 'critic', Call(Name('B'), [Arg('lr', Literal_(1, '1'))]),"
        " [GroupSetting([Name('bias'), String(['c'])], [Arg('lr', Literal_(2, '2'))])]),"
        " Setting('schedule', None, Pipe([Call(Name('w'), [Arg(None, Literal_(5, '5'))]), Name('c')]), [])])"
    )


def test_docs_are_the_comments_right_above():
    file = tree("# one\n#  two\ndef A: a\n# far\n\ndef B: b\n# three\nnet C: c\n")
    assert file.doc == "one\n two"
    assert [item.doc for item in file.items] == ["one\n two", "", "three"]  # type: ignore[union-attr]


def test_spans_hold_what_was_written():
    text = 'def A:\n    + "l{i + 1}": (a + b) * c -> d(e=2)  # end\n    fork cat:\n        a\n\n\nb = 3\n'
    written = {(type(node).__name__, node.span.text) for node in nodes(tree(text)) if not isinstance(node, File)}
    assert {
        ("Binary", "i + 1"),
        ("Binary", "(a + b) * c"),
        ("Pipe", "(a + b) * c -> d(e=2)"),
        ("Flow", '+ "l{i + 1}": (a + b) * c -> d(e=2)'),
        ("Arg", "e=2"),
        ("Fork", "fork cat:\n        a"),
        ("Constant", "b = 3"),
        ("Define", text[: text.index("\n\n\nb")]),
    } <= written


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_spans_nest(path):
    def check(node: Node, around: Span) -> None:
        assert around.start <= node.span.start <= node.span.end <= around.end, shown(node)
        for field in fields(node):
            for child in nodes(getattr(node, field.name))[:1]:
                check(child, node.span)

    file = tree(path.read_text(encoding="utf-8"))
    for item in file.items:
        check(item, file.span)


def test_line_ends_marks_and_tabs():
    text = "# a\ndef A:\n    b:\n        c(\n  1)\n\n    d\nnet E: f\n"
    plain = shown(tree(text).items)
    for other in (
        text.replace("\n", "\r\n"),
        "\ufeff" + text,
        text.replace("    ", "\t"),
        text.rstrip(),
        text + "  # end",
    ):
        assert shown(tree(other).items) == plain
    assert tree("").items == tree("# only\n").items == tree(" \n\n").items == ()


# ---- errors ----


def messages(text: str, name: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse(Source(name, text))
    return "\n\n".join(render(diagnostic) for diagnostic in caught.value.diagnostics)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_broken_files(path, golden):
    golden(path.with_suffix(".txt"), messages(path.read_bytes().decode(), path.name))


def test_every_code_has_a_case():
    told = "\n".join(path.with_suffix(".txt").read_text(encoding="utf-8") for path in BROKEN)
    assert {code for code in CODES if f"[{code}]" in told} == set(CODES)


def parses_or_reports(text: str) -> None:
    try:
        parse(Source("noise.net", text))
    except SpecError as error:
        for diagnostic in error.diagnostics:
            assert diagnostic.code in CODES and len(diagnostic.message) < 120
            render(diagnostic, width=60)


def test_noise_gives_an_error_or_a_tree():
    chance = random.Random(7)
    for _ in range(250):
        start = chance.randrange(len(TEXT))
        text = TEXT[start : start + chance.randrange(600)] if chance.random() < 0.5 else TEXT[: chance.randrange(1500)]
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(text) + 1)
            noise = chance.choice(
                ["", "(", ")", '"', "{", "}", ":", "\n", "\t", "\r", "if", "\x00", "é", "  ", "x1", "->"]
            )
            text = text[:at] + noise + text[at + chance.randrange(3) :]
        parses_or_reports(text)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([*tables.load_tables().spelling.values(), "a", "B", "1", "2x3", '"s{i}"', "\n", "    "]))
)
def test_any_tokens_give_an_error_or_a_tree(words):
    parses_or_reports("net A:\n    " + " ".join(words))


@pytest.mark.parametrize(
    "text",
    ["a = " + "(" * 10000, "a = " + "not " * 10000 + "b", "a = " + "b." * 10000 + "c", "a = " + "2 ** " * 10000 + "2",
     "net A:\n" + "".join(" " * i + "b:\n" for i in range(1, 300))],
    ids=["brackets", "not", "dots", "powers", "blocks"],
)  # fmt: skip
def test_depth_is_limited(text):
    with pytest.raises(SpecError) as caught:
        tree(text)
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["E0114"]


def test_a_long_run_of_spaces_before_an_odd_character_takes_no_time():
    with pytest.raises(SpecError, match="unexpected character"):
        tree("a =" + " " * 5000 + "$")


def test_independent_errors_come_together():
    text = "table t(a):\n    1 2\ndef A:\n    fork cut:\n        b\n    y = 007\n"
    with pytest.raises(SpecError) as caught:
        tree(text)
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["E0117", "E0119", "E0115"]


# ---- tables ----


def test_the_grammar_has_no_conflict_and_the_tables_are_its_own():
    data = generate(tables.read("grammar.lark"), strict=True)
    kept = tables.load_tables()
    assert kept == tables.unpack(data)
    builder_methods = {rule.action for rule in kept.rules} - {"items", "pass"}
    from netc.parse.driver import Driver

    assert all(callable(getattr(Driver, name)) for name in builder_methods)


def test_a_conflict_is_refused():
    from lark.exceptions import GrammarError

    grammar = tables.read("grammar.lark").replace("?sum: term", "?sum: sum PLUS sum -> binary | term")
    with pytest.raises(GrammarError, match="conflict"):
        generate(grammar, strict=True)


@pytest.mark.parametrize("content", [None, "", "[]", '{"key": "old"}', '{"key": 3}'])
def test_absent_or_stale_tables_are_made_anew(tmp_path, monkeypatch, content):
    from netc.parse import generate as generator

    for name in ("grammar.lark", "generate.py"):
        (tmp_path / name).write_text(tables.read(name), encoding="utf-8")
    if content is not None:
        (tmp_path / "tables.json").write_text(content)
    monkeypatch.setattr(tables, "FOLDER", str(tmp_path))
    monkeypatch.setattr(generator, "FOLDER", str(tmp_path))
    made = tables.load_tables.__wrapped__()
    assert json.loads((tmp_path / "tables.json").read_text())["key"] == tables.current_key()
    assert made == tables.load_tables.__wrapped__()
    assert sorted(os.listdir(tmp_path)) == ["generate.py", "grammar.lark", "tables.json"]


def test_parsing_does_not_wait_for_lark():
    code = (
        "import sys; from netc.parse import parse; from netc.diagnostics import Source; parse(Source('a', 'a = 1'));"
        "print([name for name in ('lark', 'torch', 'click', 'jinja2', 'pathlib') if name in sys.modules])"
    )
    root = Path(tables.FOLDER).parents[1]
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(root)!r}); {code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout.strip() == "[]"
