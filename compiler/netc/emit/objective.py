"""The losses of a recipe as source: one object, or a function of what the network gives."""

from __future__ import annotations

from collections.abc import Sequence

from netc.emit.flags import Flags
from netc.emit.layout import WIDTH, call, literal, quoted, row, snake
from netc.naming import reached
from netc.recipe import Operand, Recipe, Term
from netc.shapes import Value


class Objective:
    """How a script makes its loss, and how it calls it."""

    def __init__(self, recipe: Recipe, flags: Flags):
        self.recipe = recipe
        self.flags = flags
        self.terms = recipe.terms

    @property
    def summed(self) -> bool:
        """Whether it gives a batch's sum rather than its mean."""
        return all(term.use.part.summed for term in self.terms)

    @property
    def partial(self) -> bool:
        """Whether it is a mean over the targets that are not below 0, of which a batch may have more or fewer."""
        left_out = (getattr(term.use.part, "ignore_index", None) == -100 for term in self.terms)
        targeted = (term.operands[-1].kind == "target" for term in self.terms)
        mean = not (self.recipe.turns or self.summed)
        return self.recipe.target.partial and mean and all(left_out) and all(targeted)

    @property
    def plain(self) -> bool:
        """Whether it is one loss of the one output and the target."""
        if self.recipe.turns:
            return False
        term, outputs = self.terms[0], self.recipe.network.outputs(True)
        kinds = [operand.kind for operand in term.operands]
        lone = len(self.terms) == 1 and term.factor == 1 and len(outputs) == 1 and not term.use.part.function
        return lone and kinds == ["output", "target"] and not term.operands[0].moved

    @property
    def given(self) -> tuple[str, ...]:
        """The parameters that it has beside the output."""
        kinds = {operand.kind for term in self.terms for operand in term.operands}
        return (*["inputs"] * ("input" in kinds), *["target"] * ("target" in kinds))

    def called(self, output: str, inputs: str, target: str) -> str:
        """The call of it."""
        values = {"inputs": inputs, "target": target}
        return f"criterion({', '.join([output, *(values[name] for name in self.given)])})"

    @property
    def made(self) -> list[str]:
        """The statements that make it, in `main`."""
        if self.plain:
            return self.constructed("criterion", self.terms[0])
        return [line for name, term in self.named() for line in self.constructed(name, term)]

    def named(self) -> list[tuple[str, Term]]:
        """A variable for each loss that is made and differs from those before it."""
        found: dict[str, tuple[str, Term]] = {}
        for term in self.terms:
            if term.use.part.function:
                continue
            key = repr(self.constructed("", term))
            name = f"{term.name}_loss" if term.name and len(self.terms) > 1 else snake(term.use.name)
            taken = {"train_loss", "test_loss", *(name for name, _ in found.values())}
            found.setdefault(key, (name if name not in taken else f"loss_{len(found) + 1}", term))
        return list(found.values())

    def constructed(self, name: str, term: Term) -> list[str]:
        loss = term.use.part
        given = self.flags.given(loss)
        tensors = [field for field in loss.tensors if given.get(field, "None") != "None"]
        given |= {f: f"torch.tensor({literal(list(map(float, getattr(loss, f))))})" for f in tensors}
        module = reached(loss.module, "torch.")
        lines = [call(f"{name} = {module}", [f"{field}={text}" for field, text in given.items()])]
        return [*lines, f"    {name}.to(device)"] if tensors else lines

    @property
    def defined(self) -> list[str]:
        """The function `criterion`, where it is more than one loss; in training and outside of it."""
        if self.plain:
            return []
        network = self.recipe.network
        trained, evaluated = network.outputs(True), network.outputs(False)
        head = f"    def criterion({', '.join(['output', *self.given])}):"
        lines = [head, f'        """{self.doc}"""']
        if trained != evaluated:
            lines += ["        if torch.is_inference_mode_enabled():  # in evaluate", *self.returned(False, 12)]
        return [*lines, *self.returned(True, 8)]

    @property
    def doc(self) -> str:
        names = [term.name or term.use.name for term in self.terms]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return f"The losses of a batch: {listed}." if self.recipe.turns else f"The loss of a batch: {listed}."

    def returned(self, training: bool, indent: int) -> list[str]:
        """`return ...`, over several lines where it is long."""
        if self.recipe.turns:
            return self.by_turns(training, indent)
        parts = self.sources(self.terms, training)
        space = " " * indent
        flat = [f"{head}({', '.join(given)})" for head, given in parts]
        line = f"{space}return {' + '.join(flat)}"
        if len(line) <= WIDTH:
            return [line]
        sums = [call(f"loss = {'loss + ' * bool(i)}{head}", given, indent) for i, (head, given) in enumerate(parts)]
        return [*sums, f"{space}return loss"]

    def by_turns(self, training: bool, indent: int) -> list[str]:
        """The loss of each optimizer, by its name."""
        lines, names = [], []
        for stepper in self.recipe.steppers:
            parts = self.sources(stepper.terms, training)
            name = f"{stepper.key.lower()}_total"
            flat = " + ".join(f"{head}({', '.join(given)})" for head, given in parts)
            line = f"{' ' * indent}{name} = {flat}"
            if len(line) <= WIDTH:
                lines += [line] * bool(parts)
            else:
                lines += [call(f"{name} = {f'{name} + ' * bool(i)}{h}", g, indent) for i, (h, g) in enumerate(parts)]
            names += [f"{quoted(stepper.key)}: {name}"] * bool(parts)
        return [*lines, row("return {", names, "}", indent)]

    def sources(self, terms: Sequence[Term], training: bool) -> list[tuple[str, list[str]]]:
        return [part for term in terms if (part := self.source(term, training)) is not None]

    def source(self, term: Term, training: bool) -> tuple[str, list[str]] | None:
        """One loss with its factor, and its arguments; None where what it is given is not there."""
        read = {o.name: o.source for o in self.recipe.network.outputs(training)}
        first = self.recipe.network.outputs(True)[0].name
        if not training and len(read) == 1 and "" in read:
            read[first] = read.pop("")
        given = [text for o in term.operands if (text := self.operand(o, read, term)) is not None]
        if len(given) < len(term.operands):
            return None
        key = repr(self.constructed("", term))
        names = (name for name, other in self.named() if repr(self.constructed("", other)) == key)
        name = reached(term.use.part.module) if term.use.part.function else next(names)
        factor = "" if term.factor == 1 else f"{literal(term.factor)} * "
        return f"{factor}{name}", given

    def operand(self, operand: Operand, read: dict[str, str], term: Term) -> str | None:
        if operand.kind == "output":
            source = read.get(operand.name)
            if source is None or not operand.moved or not isinstance(operand.value, Value):
                return source
            return f"{source}.transpose(1, 2)" if operand.value.rank == 3 else f"{source}.movedim(-1, 1)"
        if operand.kind == "constant":
            first = self.operand(term.operands[0], read, term)
            return f"torch.full_like({first}, {operand.value})"
        if operand.kind == "target":
            return "target"
        names = [name for name, _ in self.recipe.network.inputs]
        return f"inputs[{names.index(operand.name)}]" if self.recipe.several else "inputs"
