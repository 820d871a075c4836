"""The figures of a recipe's test part as source: what is added up over batches, and what follows from it."""

from __future__ import annotations

from netc.emit.layout import quoted, row
from netc.recipe import Metric, Recipe, Use
from netc.shapes import Value


class Measuring:
    """What `evaluate` counts and gives, and how a line of the run says it; `scores` reads the first output."""

    def __init__(self, recipe: Recipe, scores: str):
        self.recipe = recipe
        self.scores = scores
        self.output = recipe.network.outputs(False)[0].value if recipe.metrics else Value(())
        # Accuracy is counted for every classifier.
        self.metrics = [use for use in recipe.metrics if not (recipe.classifies and use.part.key == "accuracy")]

    @property
    def judge(self) -> Metric | None:
        """The metric by which the best is told."""
        return next((use.part for use in self.recipe.metrics if use.part.key == self.recipe.judge), None)

    @property
    def totals(self) -> list[str]:
        """The names of what is added up."""
        return ["loss", *["correct"] * self.recipe.classifies, *(use.part.key for use in self.metrics)]

    @property
    def shapes(self) -> str:
        shapes = [(), (), *[()] * self.recipe.classifies, *(use.part.shape(self.output) for use in self.metrics)]
        return row("shapes = [", map(repr, shapes), "]", 4)

    def counts(self, loss: str) -> list[str]:
        """What each batch adds to them."""
        found = [loss, *[f"({self.scores}.argmax(1) == target).sum()"] * self.recipe.classifies]
        return found + [use.part.count(self.scores, "target", self.output) for use in self.metrics]

    def added(self, counts: list[str]) -> str:
        """What each batch adds, as a list, with the number of its examples."""
        return row("added = [", ["torch.tensor(len(target))", *counts], "]", 8)

    @property
    def returned(self) -> str:
        """`return {...}`."""
        entries = ['"test_loss": loss.item() / count']
        entries += ['"accuracy": correct.item() / count'] * self.recipe.classifies
        for use in self.metrics:
            entries.append(f"{quoted(use.part.key)}: {use.part.figure(use.part.key, 'count', self.output)}")
        return "    return {\n" + "".join(f"        {entry},\n" for entry in entries) + "    }"

    @property
    def pieces(self) -> list[str]:
        """What a line says of each."""
        said = ["test loss {figures['test_loss']:.4f}"]
        said += ["accuracy {figures['accuracy']:.2%}"] * self.recipe.classifies
        return said + [piece(use) for use in self.metrics if use.part.form]


def piece(use: Use[Metric]) -> str:
    return f"{use.part.label} {{figures['{use.part.key}']:{use.part.form}}}"
