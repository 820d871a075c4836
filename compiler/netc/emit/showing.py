"""What `samples` draws: pictures under their classes, or pictures that the network makes of them, as source."""

from __future__ import annotations

from netc.emit.layout import call
from netc.recipe import Recipe


class Showing:
    """The pictures of the test part and what becomes of them; `net` is the network that is asked."""

    def __init__(self, recipe: Recipe, net: str, prepared: bool):
        self.recipe = recipe
        self.titled = recipe.samples is not None and not recipe.target.shape and recipe.classifies
        self.output = f"{net}.eval()({'prepare(pictures)' if prepared else 'pictures'})"

    @property
    def chosen(self) -> list[str]:
        """The statements that take pictures, and draw them."""
        first = "test_inputs[: args.samples]"
        if not self.titled:
            return [f"    pictures = {first}", '    draw(args.output / "samples.png", pictures)']
        labels = "test_targets[: args.samples]"
        taken = f"    pictures, labels = {first}, {labels}"
        return [taken, '    draw(args.output / "samples.png", pictures, labels.tolist())']

    @property
    def predicted(self) -> str:
        """The classes that the network tells, or the pictures that it makes."""
        found = self.recipe.picture or next(iter(self.recipe.network.outputs(False)), None)
        read = "" if found is None else found.source.removeprefix("output")
        if self.titled:
            return f"{self.output}{read}.argmax(1).tolist()"
        if self.recipe.classifies:
            return f"{self.output}{read}.argmax(1, keepdim=True)"
        return f"{self.output}{read}.detach()"

    @property
    def drawn(self) -> str:
        """The statement that draws what became of them."""
        shared = self.recipe.distributed
        args = ['args.output / "predictions.png"', *["pictures"] * self.titled]
        return call("draw", [*args, "predicted" if shared else self.predicted], 8 if shared else 4)
