"""What emitted code takes for granted: what follows from a condition, and sizes that are computed once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netc.emit.folding import COMPARISONS, spoken
from netc.emit.implications import decided, follows, under
from netc.emit.sharing import named_once
from netc.terms import AND, COMPARE, NOT, OR, SUM, TERNARY, Place, Term, written

A, B = (Term.atom(Place("input", None, name)) for name in "ab")
VALUES = (-1, 0, 1, 2, 3)
TESTS = [source for source in COMPARISONS if "{1}" in source]

comparisons = st.builds(
    lambda source, left, right: written(source, (left, right), COMPARE, SUM),
    st.sampled_from(TESTS),
    st.sampled_from([A, B]),
    st.one_of(st.sampled_from([A, B]), st.sampled_from(VALUES).map(Term.of)),
)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(lambda a: written("not {0}", (a,), NOT, NOT), inner),
        st.builds(lambda a, b: written("{0} and {1}", (a, b), AND, AND), inner, inner),
        st.builds(lambda a, b: written("{0} or {1}", (a, b), OR, AND), inner, inner),
    ),
    max_leaves=4,
)
sums = st.builds(lambda a, b, n: A * a + B * b + n, *[st.integers(-3, 3)] * 3)


def worth(term: Term, a: float, b: float) -> Any:
    """What a term comes to in Python."""
    text = str(term.substitute(lambda atom: written(str(atom.key)) if isinstance(atom, Place) else None))
    return eval(text, {"a": a, "b": b})


@settings(deadline=None)
@given(conditions, conditions)
def test_what_follows_from_a_condition_holds_wherever_that_does(question: Term, fact: Term) -> None:
    for outcome in (True, False):
        found = follows(question, fact, outcome)
        for a in (*VALUES, 0.5, 2.5):
            for b in (*VALUES, 1.5):
                if found is not None and bool(worth(fact, a, b)) is outcome:
                    assert bool(worth(question, a, b)) is found


@settings(deadline=None)
@given(conditions, conditions, sums, sums)
def test_a_term_is_worth_the_same_under_its_condition(question: Term, fact: Term, then: Term, otherwise: Term) -> None:
    term = written("{0} if {1} else {2}", (then, question, otherwise), TERNARY, OR)
    for outcome in (True, False):
        changed = [decided(term, fact, outcome), under(term, fact, outcome)]
        for a in VALUES:
            for b in VALUES:
                if bool(worth(fact, a, b)) is outcome:
                    assert [worth(each, a, b) for each in changed] == [worth(term, a, b)] * 2


def test_stride_above_one_is_not_one() -> None:
    one, more = (written(s, (A, Term.of(1)), COMPARE, SUM) for s in ("{0} == {1}", "{0} > {1}"))
    assert follows(one, more, True) is False
    assert follows(one, more, False) is None
    assert follows(more, one, True) is False


@settings(deadline=None)
@given(sums, sums, st.integers(-4, 4), st.integers(-4, 4))
def test_a_name_stands_for_what_it_is_worth(term: Term, value: Term, a: int, b: int) -> None:
    told = spoken(term, value, Term.atom(Place("input", None, "v")))
    known = {"a": a, "b": b, "v": value.evaluate(lambda atom: {"a": a, "b": b}[atom.label])}
    assert told.evaluate(lambda atom: known[atom.label]) == term.evaluate(lambda atom: known[atom.label])


SHARED = {
    "the variable that carries the size": (
        "layers = [Block(3, round(w * m))]\nchannels = round(w * m)\nlayers.append(Block(channels))",
        "channels = round(w * m)\nlayers = [Block(3, channels)]\nlayers.append(Block(channels))",
    ),
    "the variable that an entry is kept in": (
        "self.a = nn.Conv2d(3, w[0])\nself.b = nn.Norm(w[0])\nchannels = w[0]",
        "channels = w[0]\nself.a = nn.Conv2d(3, channels)\nself.b = nn.Norm(channels)",
    ),
    "a name, since the variable is read": (
        "channels = 3\nself.a = Block(channels, round(w * m))\nchannels = round(w * m)",
        "channels = 3\nout_channels = round(w * m)\nself.a = Block(channels, out_channels)\nchannels = out_channels",
    ),
    "out of a loop that does not change it": (
        "channels = 3\nfor i in range(n):\n    self.add(Block(channels, round(w * m)))\n    channels = round(w * m)",
        """channels = 3
out_channels = round(w * m)
for i in range(n):
    self.add(Block(channels, out_channels))
    channels = out_channels""",
    ),
    "the argument": (
        "self.a = Block(k, padding=(k // 2, k))\nself.b = Block(k, padding=(k // 2, k))",
        "padding = (k // 2, k)\nself.a = Block(k, padding=padding)\nself.b = Block(k, padding=padding)",
    ),
    "Linear's": (
        "self.a = Sequential(Linear(3, round(w * m)), Linear(round(w * m), 2))",
        "features = round(w * m)\nself.a = Sequential(Linear(3, features), Linear(features, 2))",
    ),
}
KEPT = {
    "an entry that no variable keeps": "self.a = nn.Conv2d(3, w[-1])\nself.b = nn.Norm(w[-1])",
    "read in a loop that changes it": "for i in range(n):\n    self.a(Block(round(w * i)))\nself.b = Net(round(w * i))",
    "changed between": "w = 1\nself.a = Block(round(w * m))\nw += 1\nself.b = Net(round(w * m))",
    "on two sides": "if m:\n    self.a = Block(round(w * m))\nelse:\n    self.a = Block(1, round(w * m))",
    "asked only where a condition holds": "if m:\n    self.a = Block(round(w / m))\nself.b = Block(3, round(w / m))",
    "asked only where a loop runs": "for i in range(n):\n    self.a(Block(round(w / n)))\nself.b = Net(round(w / n))",
    "given alike by chance": "self.a = Dropout(max(w, m))\nself.b = Dropout(max(w, m))",
    "a choice of classes": "self.a = Block(3, w if m else n)\nself.b = Net(w if m else n)",
    "a choice of modules": "self.a = Block(3, ReLU(1) if m else n)\nself.b = Net(ReLU(1) if m else n)",
    "what an author wrote twice in a list": "rates = [sum(n) * k for k in range(sum(n))]",
    "a module": "self.a = Block(act(inplace=True))\nself.b = Block(3, act(inplace=True))",
}


@pytest.mark.parametrize(("before", "after"), SHARED.values(), ids=SHARED)
def test_a_size_is_computed_once(before: str, after: str) -> None:
    assert named_once(before.split("\n"), {"w", "m", "n", "k"}) == after.split("\n")


@pytest.mark.parametrize("lines", KEPT.values(), ids=KEPT)
def test_a_size_is_computed_where_it_stands(lines: str) -> None:
    assert named_once(lines.split("\n"), {"w", "m", "n", "act"}) == lines.split("\n")
