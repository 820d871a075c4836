"""A budget of parameters and multiplications, which a project sets for its networks."""

from __future__ import annotations

from netc.hooks import hookimpl


@hookimpl
def netc_passes() -> dict[str, str]:
    return {"Budget": "netc_budget.budget"}
