"""Slips of the fingers in the shipped specs: one error each, at the place, and never a crash."""

from __future__ import annotations

from collections import Counter

import pytest
from benchmarks.mutations import measure, shipped


def total(sample: int = 0) -> tuple[Counter[str], str]:
    figures = measure(sample).values()
    failures = [failure for figure in figures for failure in figure.failures]
    return sum((figure.counts for figure in figures), Counter()), "\n".join(failures)


def test_a_sample_of_slips():
    counts, failures = total(300)
    assert counts["crashes"] == 0, failures
    assert counts["invalid"] > 250
    assert counts["both"] >= 0.93 * counts["invalid"], failures


@pytest.mark.nightly
def test_all_slips():
    """The figure that `python -m benchmarks mutations` prints."""
    counts, failures = total()
    assert counts["crashes"] == 0, failures
    for column in ("one error", "within a line", "both"):
        assert counts[column] >= 0.95 * counts["invalid"], failures


def test_every_kind_of_slip_is_tried():
    found = Counter(mutant.kind for _, mutant in shipped())
    assert set(found) == {"delete", "duplicate", "misspell", "swap"}
    assert min(found.values()) > 400
