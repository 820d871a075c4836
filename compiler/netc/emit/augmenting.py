"""`augment` as source: the changes of each picture, and the mixtures of a batch."""

from __future__ import annotations

from collections.abc import Sequence

from netc.emit.flags import Flags
from netc.emit.layout import WIDTH, call
from netc.naming import reached
from netc.recipe import Recipe, Transform, Use
from netc.shapes import Value


class Augmenting:
    """What a script makes before the loop, and what it does with each batch."""

    def __init__(self, recipe: Recipe, flags: Flags):
        self.recipe = recipe
        self.flags = flags
        self.changes = self.parts([use for use in recipe.augment if not use.part.mixes])
        self.mixtures = [use for use in recipe.augment if use.part.mixes]

    def parts(self, changes: list[Use[Transform]]) -> dict[str, list[Use[Transform]]]:
        """What changes a whole batch before and after that which changes its pictures one by one."""
        drawn = [number for number, use in enumerate(changes) if not use.part.batched]
        if not drawn:
            return {"augment": changes} if changes else {}
        first, last = drawn[0], drawn[-1] + 1
        parts = {"before": changes[:first], "augment": changes[first:last], "after": changes[last:]}
        return {name: uses for name, uses in parts.items() if uses}

    @property
    def applied(self) -> list[str]:
        """The statements that change the inputs of a step."""
        found = []
        for name, uses in self.changes.items():
            batched = all(use.part.batched for use in uses)
            made = f"{name}(inputs)" if batched else f"torch.stack([{name}(image) for image in inputs])"
            found.append(f"inputs = {made}")
        return found

    @property
    def made(self) -> list[str]:
        """The statements that make it, in `main`."""
        lines = [several(name, "v2.Compose", self.calls(uses)) for name, uses in self.changes.items()]
        return lines + [several("mix", "v2.RandomChoice", self.calls(self.mixtures))] * bool(self.mixtures)

    def calls(self, uses: Sequence[Use[Transform]]) -> list[tuple[str, list[str]]]:
        found = []
        for use in uses:
            required = [name for name, field in use.part.fields.items() if field.required]
            stated = self.flags.given(use.part).items()
            given = [text if name in required else f"{name}={text}" for name, text in stated]
            if use.part.mixes:
                given.append(f"num_classes={self.classes}")
            found.append((reached(use.part.module, "torchvision.transforms."), given))
        return found

    @property
    def classes(self) -> int | None:
        """How many scores the losses that are given a target compare."""
        term = next(term for term in self.recipe.terms if term.operands[-1].kind == "target")
        scores = term.operands[0].value
        size = scores.shape[1] if isinstance(scores, Value) else None
        return int(size) if isinstance(size, int) else self.recipe.target.classes


def several(name: str, head: str, calls: Sequence[tuple[str, list[str]]]) -> str:
    """`name = head([...])`, laid out; a single call stands for itself."""
    if len(calls) == 1:
        return call(f"{name} = {calls[0][0]}", calls[0][1])
    flat = ", ".join(f"{made}({', '.join(given)})" for made, given in calls)
    flat = f"[{flat}]"
    if len(line := f"    {name} = {head}({flat})") <= WIDTH:
        return line
    if len(f"        {flat}") <= WIDTH:
        return f"    {name} = {head}(\n        {flat}\n    )"
    items = "\n".join(call(made, given, 12, ",") for made, given in calls)
    return f"    {name} = {head}(\n        [\n{items}\n        ]\n    )"
