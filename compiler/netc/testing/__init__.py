"""The conformance suite that every layer passes, ours or a stranger's; for the tests of a plugin.

    from netc.testing import assert_conforms

    def test_mine():
        assert_conforms(MyLayer)

- `assert_conforms(*definitions)` says all that is wrong with layers, losses, optimizers and schedules.
- `check_layer(cls)` gives the report on a layer's rule alone: how often it agreed with torch, and each disagreement
  with what reproduces it.
- `materialize(cls, target)` is the class or function that a layer's own source defines, for tests of what it computes.

A field of a type of one's own may list values to try, valid and invalid, as `samples`.
"""

from __future__ import annotations

from netc.testing.conforming import assert_conforms
from netc.testing.rules import Report, check_layer, materialize

__all__ = ["Report", "assert_conforms", "check_layer", "materialize"]
