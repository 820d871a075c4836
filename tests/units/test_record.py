"""Records are dataclasses to whoever uses them, frozen or not."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, field, fields, is_dataclass, replace
from typing import Any

import pytest

from netc.record import Mutable, Record


class Point(Record, eq=True):
    """A point with a name."""

    x: int
    y: int = 0
    name: str | None = None


class Place(Record):
    x: int


class Farther(Place):
    y: int = 1


class Basket(Mutable):
    owner: str
    size: int = 3
    items: list[str] = field(default_factory=list)


def test_construction() -> None:
    assert repr(Point(1)) == "Point(x=1, y=0, name=None)"
    assert repr(Point(1, name="a")) == "Point(x=1, y=0, name='a')"
    assert repr(Farther(1, 2)) == "Farther(x=1, y=2)"


@pytest.mark.parametrize(
    ("given", "named"), [((), {}), ((1, 2, "a", 4), {}), ((1,), {"x": 2}), ((1,), {"z": 2}), ((), {"y": 1})]
)
def test_wrong_construction(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"Point\(x, y, name\) cannot take"):
        Point(*given, **named)


def test_frozen() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.x


def test_comparison() -> None:
    assert Point(1) == Point(1, 0, None)
    assert hash(Point(1)) == hash(Point(1, 0))
    assert Point(1) != Point(2)
    other: object = 1
    assert Point(1) != other
    assert Place(1) != Place(1)
    assert len({Place(1), Place(1)}) == 2


def test_dataclass_functions() -> None:
    assert is_dataclass(Point(1))
    assert [field.name for field in fields(Farther)] == ["x", "y"]
    assert replace(Point(1, 2), y=3) == Point(1, 3)
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda point: pickle.loads(pickle.dumps(point))])
def test_copies(again: Any) -> None:
    assert again(Point(1, name="a")) == Point(1, name="a")


def test_mutable() -> None:
    one, other = Basket("a"), Basket("a", size=4)
    one.items.append("apple")
    one.size = 5
    assert (one.size, one.items, other.size, other.items) == (5, ["apple"], 4, [])
    assert one != Basket("a")
    assert replace(one, owner="b").items is one.items
    assert [each.name for each in fields(Basket)] == ["owner", "size", "items"]
    wrong: tuple[tuple[Any, ...], ...] = ((), ("a", 1, [], 4))
    for given in wrong:
        with pytest.raises(TypeError, match=r"Basket\(owner, size, items\) cannot take"):
            Basket(*given)
