"""Random specs: valid ones that use the whole language, and specs broken by one token.

`generate(seed)` gives a valid text; `spec(seed)` says also which nets it holds. `mutations(text)` are all texts with
one token wrong, `mutate(text, seed)` is one of them. `shrink(text, fails)` makes a text shorter that still fails.
The same seed always gives the same text. `python -m tests.generator --seed 7` prints one.
"""

from __future__ import annotations

from tests.generator.files import Spec, generate, spec
from tests.generator.long import long_spec, written
from tests.generator.mutations import Mutant, mutants, mutate, mutations
from tests.generator.shrinking import shrink

__all__ = ["Mutant", "Spec", "generate", "long_spec", "mutants", "mutate", "mutations", "shrink", "spec", "written"]
