"""The figures of a recipe's test part as source: what is added up over batches, and what follows from it."""

from __future__ import annotations

from netc.emit.layout import quoted, row
from netc.recipe import Metric, Recipe, Use, as_examples
from netc.shapes import Value


class Measuring:
    """What `evaluate` counts and gives, and how a line of the run says it; `read` reads the first output.

    Where each place of an example has a class (`placed`), places are counted; `partial` says that the loss is a mean
    over those that have one.
    """

    def __init__(self, recipe: Recipe, read: str, partial: bool):
        self.recipe = recipe
        self.read = read
        self.partial = partial and bool(recipe.target.shape)
        self.placed = recipe.classifies and bool(recipe.target.shape) and bool(recipe.metrics)
        self.scores, self.target, self.number = read, "target", "count"
        if self.placed:
            self.scores, self.target, self.number = "scores", "classes", "places"
        self.output = Value(())
        if recipe.metrics:
            self.given = recipe.network.outputs(False)[0].value
            self.output, _ = as_examples(self.given, recipe.target)
        # Accuracy is counted for every classifier.
        self.metrics = [use for use in recipe.metrics if not (recipe.classifies and use.part.key == "accuracy")]

    @property
    def judge(self) -> Metric | None:
        """The metric by which the best is told."""
        return next((use.part for use in self.recipe.metrics if use.part.key == self.recipe.judge), None)

    @property
    def flattened(self) -> list[str]:
        """The statements that make an example of each place."""
        if not self.placed:
            return []
        axis = "" if self.given.channel == self.given.rank - 1 else ".movedim(1, -1)"
        if self.recipe.target.partial:
            return ["known = target >= 0", f"scores = {self.read}{axis}[known]", "classes = target[known]"]
        return [f"scores = {self.read}{axis}.flatten(0, -2)", "classes = target.flatten()"]

    @property
    def weight(self) -> str:
        """How much the mean loss of a batch counts."""
        return "len(classes)" if self.placed and self.partial else "len(target)"

    @property
    def counters(self) -> list[str]:
        """The names of what is counted for all: examples, places."""
        return ["count"] * (not self.partial) + ["places"] * self.placed

    @property
    def counted(self) -> list[str]:
        """The statements that count the whole of it."""
        partial = self.recipe.target.partial
        found = {"count": "len(targets)", "places": "(targets >= 0).sum().item()" if partial else "targets.numel()"}
        return [f"{name} = {found[name]}" for name in self.counters]

    @property
    def totals(self) -> list[str]:
        """The names of what is added up."""
        return ["loss", *["correct"] * self.recipe.classifies, *(use.part.key for use in self.metrics)]

    @property
    def shapes(self) -> str:
        accurate = [()] * self.recipe.classifies
        shapes = [(), *[()] * len(self.counters), *accurate, *(use.part.shape(self.output) for use in self.metrics)]
        return row("shapes = [", map(repr, shapes), "]", 4)

    def counts(self, loss: str) -> list[str]:
        """What each batch adds to them."""
        found = [loss, *[f"({self.scores}.argmax(1) == {self.target}).sum()"] * self.recipe.classifies]
        return found + [use.part.count(self.scores, self.target, self.output) for use in self.metrics]

    def added(self, counts: list[str]) -> str:
        """What each batch adds, as a list, with the number of its examples."""
        own = {"count": "torch.tensor(len(target))", "places": "torch.tensor(len(classes))"}
        return row("added = [", [*(own[name] for name in self.counters), *counts], "]", 8)

    @property
    def returned(self) -> str:
        """`return {...}`."""
        entries = [f'"test_loss": loss.item() / {self.number if self.partial else "count"}']
        entries += [f'"accuracy": correct.item() / {self.number}'] * self.recipe.classifies
        for use in self.metrics:
            entries.append(f"{quoted(use.part.key)}: {use.part.figure(use.part.key, self.number, self.output)}")
        return "    return {\n" + "".join(f"        {entry},\n" for entry in entries) + "    }"

    @property
    def pieces(self) -> list[str]:
        """What a line says of each."""
        said = ["test loss {figures['test_loss']:.4f}"]
        said += ["accuracy {figures['accuracy']:.2%}"] * self.recipe.classifies
        return said + [piece(use) for use in self.metrics if use.part.form]


def piece(use: Use[Metric]) -> str:
    return f"{use.part.label} {{figures['{use.part.key}']:{use.part.form}}}"
