"""`cases/kinds.toml`: each kind of mistake that a good compiler tells apart has several broken specs of its own."""

from __future__ import annotations

import tomllib
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

CASES = Path(__file__).parents[1] / "cases"
TABLE = tomllib.loads((CASES / "kinds.toml").read_text(encoding="utf-8"))
KINDS = {kind["number"]: kind["cases"] for kind in TABLE["kind"]}
CLAIMED = [case for cases in KINDS.values() for case in cases]
KIND_COUNT, LEAST, LEAST_IN_ALL = 25, 3, 150


def existing() -> set[str]:
    """Every case, as `folder/name`; recipes with their messages in the same file are under `recipes`."""
    found = {f"{path.parent.name}/{path.stem}" for path in CASES.glob("*/*.net")}
    return found | {f"recipes/{path.stem}" for path in (CASES.parent / "recipes" / "errors").glob("*.txt")}


def test_every_kind_has_several_cases() -> None:
    assert sorted(KINDS) == list(range(1, KIND_COUNT + 1))
    assert {number: len(cases) for number, cases in KINDS.items() if len(cases) < LEAST} == {}
    assert len(CLAIMED) >= LEAST_IN_ALL


def test_every_case_is_of_one_kind() -> None:
    assert [case for case, count in Counter(CLAIMED).items() if count > 1] == []
    rest = existing() - set(CLAIMED)
    unnamed = [case for case in rest if not any(fnmatchcase(case, pattern) for pattern in TABLE["other"])]
    assert sorted(unnamed) == [], "name the kind of each case in tests/cases/kinds.toml"
    assert set(CLAIMED).isdisjoint(TABLE["other"])


def test_every_named_case_exists() -> None:
    named = [*CLAIMED, *(case for case in TABLE["other"] if "*" not in case)]
    assert [case for case in named if case not in existing()] == []


def test_every_case_has_its_messages() -> None:
    """A case whose messages are not written down tests nothing."""
    without = [case for case in existing() if not case.startswith("recipes/") if not (CASES / f"{case}.txt").exists()]
    assert without == []
