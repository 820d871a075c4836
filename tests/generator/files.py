"""Whole specs: what stands at the top of a file, one or several nets, their variants and their recipes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.generator.author import Author
from tests.generator.chains import Call, Named
from tests.generator.drawing import Drawer, registry
from tests.generator.layout import Layout
from tests.generator.recipes import Task, recipes, task
from tests.generator.running import Invalid, Run, limit
from tests.generator.sketch import Place
from tests.generator.trees import Define, Flow, Input, Line, Parameter, Return, Rule, Statement

from netc.layer import Initializer
from netc.shapes import Value

INPUTS = (
    "3x16x16", "1x12x12", "4x9x11", "2x8x8", "3xHxW", "2xHx12", "(3, 14, 10)", "(size, 8, 8)", "(7, 8)", "4x10",
    "(T, 6)", "(size, 6)", "8", "13", "2x4x5x6",
)  # fmt: skip
SIZE = Parameter("size", "7", ["7", "9"])


@dataclass
class Spec:
    """A generated spec: its text, and the nets and variants in it that can be built."""

    text: str
    nets: Sequence[str]


def spec(seed: int, size: int = 8, plain: bool = False) -> Spec:
    """A random valid spec; a net has about `size` statements, and its blocks have some each.

    `plain` leaves out the constructs for which the emitter cannot write classes yet.
    """
    return File(seed, size, plain).spec()


class File:
    """Writes one file."""

    def __init__(self, seed: int, size: int, plain: bool):
        self.chance = random.Random(seed)
        self.size, self.plain = size, plain
        self.names: dict[str, Any] = {}
        self.base: dict[str, dict[str, Any]] = {}
        self.head: list[Line] = []
        self.counts: dict[str, int] = {}

    def spec(self) -> Spec:
        self.constants()
        wanted = task(self.chance) if self.chance.random() < 0.3 else None
        nets: list[str] = []
        items: list[list[Line]] = []
        for number in range(1 if wanted else self.chance.choice([1, 1, 1, 2, 3])):
            made = self.net(number, wanted)
            items += [define.lines() for define in made]
            nets.append(made[-1].name)
            items += self.variants(made[-1], nets, wanted)
        if self.chance.random() < 0.3:
            items.sort(key=lambda item: item[0][0].startswith("def "))
        if wanted:
            items += recipes(self.chance, wanted)
        return Spec(self.laid_out(items), nets)

    def laid_out(self, items: Sequence[Sequence[Line]]) -> str:
        chance = self.chance
        layout = Layout(chance, chance.choice(["    "] * 4 + ["  ", "\t"]), chance.choice([0.0, 0.1, 0.3, 0.6]))
        blocks = ["\n".join(layout.lines(item)) for item in [[line] for line in self.head] + list(items)]
        head = f"# {chance.choice(['A network for tests.', 'Drawn at random.'])}\n" if chance.random() < 0.5 else ""
        return head + chance.choice(["\n\n", "\n\n", "\n\n\n"]).join(blocks) + "\n"

    def run(self, symbolic: bool) -> Run:
        return Run(registry(), self.names, base=self.base, symbolic=symbolic, plain=self.plain)

    # ---- the top -------------------------------------------------------------------------------

    def constants(self) -> None:
        """Constants, a function, a table, a default."""
        chance = self.chance
        offers: list[tuple[str, Any, str]] = [
            ("base", 6, "6"),
            ("ratio", 0.25, "0.25"),
            ("widths", [4, 8], "[4, 8]"),
            ("doubled", [8, 12], "[2 * n for n in [4, 6]]"),
            ("flag", True, "true"),
        ]
        if chance.random() < 0.1:
            self.head.append(("language 1", None))
        for name, value, text in chance.sample(offers, chance.randint(0, 3)):
            self.names[name] = value
            self.head.append((f"{name} = {text}", None))
        if chance.random() < 0.2:
            self.names["scaled"] = lambda n, by=2: n * by + 1
            self.head.append(("scaled(n, by=2) = n * by + 1", None))
        if chance.random() < 0.2:
            rows = [(4, 3, 1), (6, 1, 1)]
            self.names["rows"] = rows
            self.head.append(("table rows(out, kernel, stride):", [("  ".join(map(str, row)), None) for row in rows]))
        if chance.random() < 0.2:
            self.base["Conv"] = {"bias": False}
            self.head.append(("default Conv(bias=false)", None))

    # ---- nets ----------------------------------------------------------------------------------

    def net(self, number: int, wanted: Task | None) -> list[Define]:
        """A net, after the blocks that are made for it."""
        for _ in range(40):
            names = dict(self.names)
            author = Author(self.chance.randrange(10**9), self.names, self.plain)
            author.counts = dict(self.counts)
            found = self.attempt(author, number, wanted)
            if found is not None and self.holds(found, {}):
                self.counts = author.counts
                return [*author.made, found]
            self.names.clear()
            self.names.update(names)
        raise AssertionError("no network in forty attempts")

    def attempt(self, author: Author, number: int, wanted: Task | None) -> Define | None:
        parameters = [p for p in author.parameters() if p.default is not None]
        inputs = [Input(wanted.input)] if wanted else self.inputs()
        parameters += [SIZE] if any("size" in given.sizes for given in inputs) else []
        runs = [self.run(symbolic) for symbolic in (False, True)]
        for run in runs:
            run.names = {p.name: run.worth(p.default or "") for p in parameters}
        sequential = not inputs[0].name and inputs[0].kind == "float" and not wanted and self.chance.random() < 0.15
        place = Place(runs, sequential)
        body: list[Statement] = [*inputs]
        for statement in [*inputs, *self.opening(author, place, inputs)]:
            if not author.fits(statement, place):
                return None
            body += [] if isinstance(statement, Input) else [statement]
        body += author.block(place, self.size)
        if len(body) < 3 or not isinstance(place.flow, Value):
            return None
        if not sequential:
            ending = self.ending(author, place, wanted)
            if ending is None:
                return None
            body += ending
        return author.finished("net", ["Net", "Small", "Other"][number], parameters, body, sequential)

    def inputs(self) -> list[Input]:
        """One input or several."""
        chance = self.chance
        way = chance.random()
        if way < 0.7:
            return [Input(chance.choice(INPUTS))]
        if way < 0.8:
            return [Input(chance.choice(["6", "T", "3, 4"]), kind="int")]
        sizes = chance.choice(INPUTS)
        return [Input(sizes, "left"), Input(sizes if chance.random() < 0.7 else "6", "right")]

    def opening(self, author: Author, place: Place, inputs: Sequence[Input]) -> list[Statement]:
        """What makes a flow of several inputs, or of integers."""
        if inputs[0].kind == "int":
            return [Flow([Call("Embedding", ["50", author.choice(["6", "8"])])], author.label(place))]
        if not inputs[0].name:
            return []
        alike = inputs[0].sizes == inputs[1].sizes
        return [Flow([Call(author.choice(["add", "sub", "maximum"]), ["left", "right"]) if alike else Named("left")])]

    def ending(self, author: Author, place: Place, wanted: Task | None) -> list[Statement] | None:
        """What a recipe needs at the end, rules about the labels, and what is returned."""
        last: list[Statement] = []
        if wanted:
            last += [Flow([Call("Flatten")], "flat")] if place.flow.rank > 2 else []
            last += [Flow([Call("Linear", [wanted.output])], "classifier")]
            last += [Flow([Call("log_softmax", ["-1"])])] if wanted.loss == "NLLLoss" else []
            if not all(author.fits(statement, place) for statement in last):
                return None
        more = self.rules(author, place)
        more += [] if wanted else self.returned(author, place)
        return last + [statement for statement in more if author.fits(statement, place)]

    def rules(self, author: Author, place: Place) -> list[Statement]:
        """`init`, `order`, `tie`."""
        chance, found = self.chance, list[Statement]()
        labels = [label for label in place.runs[0].labels if label in place.labels]
        weighted = [n for n in labels if (made := place.runs[0].labels[n])[0] and "weight" in made[0].state(made[1][0])]
        if weighted and chance.random() < 0.3:
            label = chance.choice(weighted)
            target = label if chance.random() < 0.5 else type(place.runs[0].labels[label][0]).__name__
            found.append(Rule(f"init {target}: {self.initializer(author)}", [label]))
        if len(weighted) > 1 and chance.random() < 0.3:
            a, b = chance.sample(weighted, 2)
            found.append(Rule(f"tie {a}.weight = {b}.weight", [a, b], tied=True))
        looped = self.plain and author.looped
        if labels and not looped and chance.random() < 0.2:
            first = chance.sample(labels, min(len(labels), 2))
            found.append(Rule(f"order {', '.join(first)}", first))
        return found

    def initializer(self, author: Author) -> str:
        """A rule that any weight takes."""
        name = self.chance.choice(["uniform", "normal", "trunc_normal", "constant", "ones", "zeros"])
        cls: type[Initializer] = registry().find("initializers", name)
        drawer = Drawer(author, str, lambda _: None)
        given = {n: "0.1" for n, field in cls.fields.items() if field.required or self.chance.random() < 0.3}
        given |= {"b": "0.9"} if "b" in given else {}
        return drawer.spelt(name, cls, given).text

    def returned(self, author: Author, place: Place) -> list[Statement]:
        """`side` and `return`."""
        chance = self.chance
        names = [n for n in author.tensors(place) if n != "x" and self.is_output(Named(n), place)]
        if chance.random() < 0.15 and (chain := author.chain(place)) is not None and chain.label in place.labels:
            side = Flow(chain.stages, chain.label, "side", "training")
            return [side, Return(f"return Scores(main=_, aux={side.label}) if training else _", ["_", str(side.label)])]
        if not names or chance.random() < 0.5:
            return []
        name = chance.choice(names)
        texts = [f"_, {name}", f"{{out: _, {name}: {name}}}", f"Outcome(out=_, {name}={name})", f"{name}, _"]
        return [Return(f"return {chance.choice(texts)}", ["_", name])]

    def is_output(self, named: Named, place: Place) -> bool:
        try:
            limit(named.value(place.runs[0]))
        except Invalid:
            return False
        return True

    def holds(self, net: Define, given: dict[str, str]) -> bool:
        """Whether a net can be built with these arguments."""
        try:
            for symbolic in (False, True):
                run = self.run(symbolic)
                net.call(run, [], {name: run.worth(text) for name, text in given.items()})
        except Invalid:
            return False
        return True

    def variants(self, net: Define, nets: list[str], wanted: Task | None) -> list[list[Line]]:
        """Nets with arguments."""
        found: list[list[Line]] = []
        for number in range(self.chance.choice([0, 0, 1, 2])):
            chosen = [p for p in net.parameters if self.chance.random() < 0.6]
            given = {p.name: self.chance.choice(p.others) for p in chosen}
            if not given or not self.holds(net, given):
                continue
            name = f"{net.name.lower()}{number + 1}"
            found.append([(f"{name} = {net.name}({', '.join(f'{n}={v}' for n, v in given.items())})", None)])
            nets.append(name)
        return found





def generate(seed: int, size: int = 8) -> str:
    """The text of a random valid spec; a net in it has about `size` statements."""
    return spec(seed, size).text
