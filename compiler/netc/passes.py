"""The contract of a pass: a rule of one's own about whole networks, which a project asks for in its pyproject.toml."""

from __future__ import annotations

from collections.abc import Iterator

from netc.diagnostics import Span
from netc.graph import Network
from netc.layer import Signature
from netc.record import Record


class Finding(Record, eq=True):
    """What a pass finds: a sentence, the place (the net's name if there is none), a note at it, and the way out."""

    reason: str
    span: Span | None = None
    note: str = ""
    help: str | None = None


class Pass(Signature):
    """A rule about a checked network; its fields are what the project gives it.

        [tool.netc.passes]
        Budget = { parameters = 1_000_000 }

    It runs after netc's own rules, in every command that compiles. What it finds is the warning `project-rule`, which
    `deny` makes an error.
    """

    def run(self, network: Network) -> Iterator[Finding]:
        """What is found; the network is only read."""
        raise NotImplementedError("it has no `run`")
