"""`augment` as source: the changes of each picture, and the mixtures of a batch."""

from __future__ import annotations

from collections.abc import Sequence

from netc.emit.flags import Flags
from netc.emit.layout import WIDTH, call
from netc.naming import reached
from netc.recipe import Opening, Reading, Recipe, Transform, Use
from netc.shapes import Value

Made = tuple[str, list[str] | None]
"""What makes an object: a callable with its arguments, or, without them, what is there already."""


class Augmenting:
    """What a script makes before the loop, and what it does with each batch."""

    def __init__(self, recipe: Recipe, flags: Flags):
        self.recipe = recipe
        self.flags = flags
        changes = [use for use in recipe.augment if not use.part.mixes]
        self.opening, self.read = self.opened(changes) if recipe.data.part.decoded else (None, [])
        self.changes = self.parts(changes[len(self.read) :])
        self.mixtures = [use for use in recipe.augment if use.part.mixes]

    def opened(self, changes: list[Use[Transform]]) -> tuple[Opening | None, list[Use[Transform]]]:
        """How pictures in files are changed one by one when they are decoded: what comes first, and the changes."""
        opening = self.recipe.data.part.opening(self.recipe.network.inputs[0][1], [use.part for use in changes])
        drawn = [number + 1 for number, use in enumerate(changes) if not use.part.batched]
        count = max([opening.count, *drawn])
        return (opening, changes[:count]) if count else (None, [])

    @property
    def reading(self) -> Reading:
        """What the script does with pictures in files."""
        recipe, tested = self.recipe, self.recipe.data.part.held_out
        shown = recipe.samples or recipe.print_shapes or {"predict", "export"} & {*recipe.modes}
        return Reading(
            self.opening,
            tuple(dict.fromkeys(name for use in self.read for name in use.part.draws)),
            tested=tested,
            sliced=bool(shown or (tested and recipe.sharded)),
            shared=bool(tested and recipe.distributed),
        )

    def parts(self, changes: list[Use[Transform]]) -> dict[str, list[Use[Transform]]]:
        """What changes a whole batch before and after that which changes its pictures one by one."""
        drawn = [number for number, use in enumerate(changes) if not use.part.batched]
        if not drawn:
            return {"after" if self.read else "augment": changes} if changes else {}
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
        before: list[Made] = [(source, None) for source in self.opening.before] if self.opening else []
        lines = [several("augment", "v2.Compose", before + self.calls(self.read))] if self.read else []
        lines += [several(name, "v2.Compose", self.calls(uses)) for name, uses in self.changes.items()]
        return lines + [several("mix", "v2.RandomChoice", self.calls(self.mixtures))] * bool(self.mixtures)

    def calls(self, uses: Sequence[Use[Transform]]) -> list[Made]:
        found: list[Made] = []
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


def several(name: str, head: str, made: Sequence[Made]) -> str:
    """`name = head([...])`, laid out; a single one stands for itself."""
    if len(made) == 1:
        return laid_out(f"{name} = ", made[0], 4)
    flat = ", ".join(source if given is None else f"{source}({', '.join(given)})" for source, given in made)
    flat = f"[{flat}]"
    if len(line := f"    {name} = {head}({flat})") <= WIDTH:
        return line
    if len(f"        {flat}") <= WIDTH:
        return f"    {name} = {head}(\n        {flat}\n    )"
    items = "\n".join(laid_out("", one, 12, ",") for one in made)
    return f"    {name} = {head}(\n        [\n{items}\n        ]\n    )"


def laid_out(before: str, made: Made, indent: int, tail: str = "") -> str:
    source, given = made
    return f"{indent * ' '}{before}{source}{tail}" if given is None else call(before + source, given, indent, tail)
