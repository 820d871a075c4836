"""Batches may have any size: what asks for a certain one is refused where it does."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from netc.constraints import needed, passing, symbols
from netc.diagnostics import Label, Span
from netc.elaborate.values import Tensor, fault
from netc.shapes import BATCH, product, show_dim
from netc.terms import Ledger


def refuse_batches(ledger: Ledger, known: int, place: Span, inputs: Sequence[Tensor | None]) -> None:
    """Raises where a place asks something of the batch; `known` relations were assumed before it."""
    for relation in list(islice(ledger.relations, known, None)):
        if BATCH in symbols(relation):
            del ledger.relations[relation]
            sides = [side for side in inputs if side is not None]
            what = "it" if len(sides) == 1 else "one side"
            made = {t.span: Label(t.span, f"this makes {what} {t.value}") for t in sides if t.span != place}
            count = show_dim(product(sides[0].value.shape[1:]))
            told = len(sides) == 1 and f"{count} * {BATCH}" in str(relation)
            notes = (f"each example has {count} values here",) if told else ()
            help = "a batch may have any size N, and is dimension 0; the sizes of an example begin at dimension 1"
            if told and passing([relation], 2) == [1]:
                help = "the first size is that of the batch, which may be any: write -1 for it, in front of the others"
            raise fault(
                "E0607", place, f"`{place.brief}` fits only batches of some sizes", f"needs {needed(relation)}",
                secondary=tuple(made.values()), notes=notes, help=help,
            )  # fmt: skip
