"""`metrics`, and what `keep` and `plot` say of them, against the data and the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netc import syntax
from netc.diagnostics import Diagnostic, Diagnostics, Label, Span
from netc.layer import Reject
from netc.recipe import Metric, NetworkFacts, Term, Use, as_examples
from netc.recipes.fitting import Settings, entries, output_label, rejected_span


class Figures:
    """Holds metrics against the first output and the target; what is wrong is gathered in `found`."""

    def __init__(self, values: Settings, terms: Sequence[Term], network: NetworkFacts, found: Diagnostics):
        self.values = values
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
        if text == "loss":
            return "test_loss"
        texts = {"".join(i.span.text.split()): u for i, u in zip(self.items, self.metrics, strict=True)}
        found = texts.get(text) or next((use for use in self.metrics if use.name == text), None)
        if found is None or not found.part.form:
            known = ", ".join(f"`best({name})`" for name, use in texts.items() if use.part.form)
            reason, way = f"the recipe has no metric `{text}`", f"`metrics: {text}`, or `best(loss)`"
            if found is not None:
                reason, way = f"`{text}` is no single number", "`best(loss)`"
            self.error(reason, judge.span, f"there is {known} and `best(loss)`" if known else way)
            return None
        return found.part.key

    @property
    def items(self) -> Sequence[syntax.Expr]:
        return entries(self.values["metrics"][1].value) if "metrics" in self.values else ()

    def error(self, text: str, span: Span, help: str | None = None, where: Any = ()) -> None:
        self.found.add(Diagnostic("E0516", text, Label(span), tuple(where), help=help))
