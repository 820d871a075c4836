"""`metrics`, and what `keep` and `plot` say of them, against the data and the network."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from netc import syntax
from netc.diagnostics import Diagnostic, Diagnostics, Label, Span
from netc.layer import Reject
from netc.recipe import Metric, NetworkFacts, Term, Use, as_examples
from netc.recipes.fitting import Settings, classified, entries, output_label, rejected_span


class Figures:
    """Holds metrics, of which there are the `known`, against the first output and the target.

    What is wrong is gathered in `found`.
    """

    def __init__(
        self, values: Settings, terms: Sequence[Term], network: NetworkFacts, found: Diagnostics, known: Container[str]
    ):
        self.values = values
        self.known = known
        self.terms = terms
        self.network = network
        self.found = found

    @property
    def metrics(self) -> tuple[Use[Metric], ...]:
        return self.values["metrics"][0] if "metrics" in self.values else ()

    def check(self, judge: syntax.Expr | None) -> str | None:
        """The key of the figure by which the best is told, None where `keep` does not say."""
        if "data" in self.values and "metrics" in self.values:
            self.fits()
        self.plotted()
        return None if judge is None else self.judged(judge)

    def fits(self) -> None:
        data, setting = self.values["data"][0], self.values["metrics"][1]
        outputs = self.network.outputs(False)
        if not data.part.held_out:
            self.error(f"{data.name} has no test part of which figures could be told", setting.value.span)
            return
        for use, item in zip(self.metrics, entries(setting.value), strict=True):
            try:
                use.part.check(*as_examples(outputs[0].value, data.part.fitted(self.network.inputs)))
            except Reject as reject:
                where = output_label(self.network, outputs[0].name)
                self.error(reject.reason, rejected_span(item, type(use.part), reject.field), reject.help, where)

    def plotted(self) -> None:
        """Curves of metrics that the recipe does not have."""
        if "plot" not in self.values:
            return
        names = {use.name for use in self.metrics}
        for name in self.values["plot"][0]:
            if name not in ("loss", "accuracy", *names):
                span = self.values["plot"][1].value.span
                self.error(f"the recipe has no metric `{name}` to plot", span, f"`metrics: {name}`")

    def judged(self, judge: syntax.Expr) -> str | None:
        text = "".join(judge.span.text.split())
        if text in (plain := self.plain):
            return plain[text]
        texts = {"".join(i.span.text.split()): u for i, u in zip(self.items, self.metrics, strict=True)}
        found = texts.get(text) or next((use for use in self.metrics if use.name == text), None)
        if found is None or not found.part.form:
            *most, last = (f"`best({name})`" for name in (*(n for n, u in texts.items() if u.part.form), *plain))
            reason = f"`{text}` is no single number" if found is not None else f"the recipe has no metric `{text}`"
            there = f"there is {', '.join(most)} and {last}" if most else last
            missing = found is None and text.partition("(")[0] in self.known
            self.error(reason, judge.span, f"`metrics: {text}`, or {last}" if missing else there)
            return None
        return found.part.key

    @property
    def plain(self) -> dict[str, str]:
        """The figures that every recipe has, by the names that `best` knows."""
        data = self.values["data"][0].part if "data" in self.values else None
        classes = data is not None and data.held_out and classified(data.fitted(self.network.inputs), self.terms)
        return {**({"accuracy": "accuracy"} if classes else {}), "loss": "test_loss"}

    @property
    def items(self) -> Sequence[syntax.Expr]:
        return entries(self.values["metrics"][1].value) if "metrics" in self.values else ()

    def error(self, text: str, span: Span, help: str | None = None, where: Any = ()) -> None:
        self.found.add(Diagnostic("E0516", text, Label(span), tuple(where), help=help))
