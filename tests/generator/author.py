"""Writes the statements of a block: proposes one, runs it on what reaches it, and keeps it if it fits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tests.generator.chains import Call, Group, InlineFork, Named, Repeat, Stage
from tests.generator.drawing import Drawer, has_state, layers
from tests.generator.running import Invalid, Made
from tests.generator.sketch import Place, Sketch
from tests.generator.trees import (
    Define,
    Flow,
    For,
    Fork,
    If,
    Keep,
    Own,
    Parameter,
    Rule,
    Statement,
    Suite,
    flat,
    written,
)

from netc.layer import Bool, Float, show
from netc.shapes import Value

BLOCKS = "Block Cell Unit Mixer Stem Head Gate Tower Branch Lift".split()
UNSUITABLE = ("padding_idx", "sparse", "max_norm", "scale_grad_by_freq")
PARAMETERS = {
    "width": ["4", "6", "8", "10"],
    "depth": ["1", "2", "3"],
    "deep": ["true", "false"],
    "drop": ["0.0", "0.1", "0.5"],
    "act": ["ReLU", "Tanh", "GELU", "LeakyReLU(0.1)", "SiLU"],
    "kernel": ["1", "3"],
    "wide": ["false", "true"],
}

# How often which statement is proposed, where a class and where a Sequential is written.
IN_CLASS = {
    "module": 6, "function": 6, "chain": 2, "repeat": 1, "grouped": 1, "residual": 4, "guarded": 3, "suite": 2,
    "fork": 2, "fork_of_names": 1, "keep": 2, "cut": 1, "both": 2, "back": 1, "own": 1, "loop": 2, "choose": 1,
    "default": 1, "use": 4, "put_in": 1, "applied": 2,
}  # fmt: skip
IN_SEQUENTIAL = {
    "module": 8, "chain": 1, "repeat": 1, "guarded": 2, "suite": 1, "loop": 1, "choose": 1, "use": 2, "applied": 1,
}  # fmt: skip


class Author(Sketch):
    """Writes blocks of one file."""

    # ---- writing -------------------------------------------------------------------------------

    def block(self, place: Place, count: int) -> list[Statement]:
        """So many statements, or fewer where little fits."""
        body: list[Statement] = []
        for _ in range(6 * count):
            if len(body) >= count:
                break
            body += self.statement(place)
        return body

    def statement(self, place: Place) -> list[Statement]:
        """A proposal that fits, or none."""
        table = IN_SEQUENTIAL if place.sequential else IN_CLASS
        choice = getattr(self, self.choices(list(table), weights=list(table.values()))[0])
        labels, made = set(place.labels), list(self.made)
        found: Any = choice(place)
        found = [] if found is None else [found] if not isinstance(found, list) else found
        if not isinstance(place.flow, Value):
            found = []
        if found and all(self.fits(statement, place) for statement in found):
            return list(found)
        place.labels.clear()
        place.labels.update(labels)
        self.made[:] = made
        return []

    # ---- statements of a class -----------------------------------------------------------------

    def grouped(self, place: Place) -> Flow | None:
        group = self.group(place)
        return Flow([group]) if group else None

    def residual(self, place: Place) -> Flow | None:
        """`+ (…)`, `* gate: …`, `& new: …`, a projected shortcut, or a value that was kept."""
        op = self.choice("++*&")
        tensors = self.tensors(place)
        way = self.random()
        if way < 0.3 and tensors:
            return Flow([Named(self.choice(tensors))], op=op)
        if way < 0.5 and tensors:
            return self.projected(place, self.choice(tensors))
        found = self.group(place) if way < 0.8 else self.module(place)
        if isinstance(found, Group):
            return Flow([found], op=op)
        return Flow(found.stages, found.label, op) if found else None

    def projected(self, place: Place, name: str) -> Flow:
        """`+ x -> (proj: Conv(_.c, 1) when x.c != 8)`: the shortcut is made as wide as the flow."""
        flow = place.flow
        call = Call("Linear", [str(flow.shape[-1])]) if flow.rank < 4 else Call("Conv", [str(flow.shape[1]), "1"])
        condition = f"{name}.c != {call.args[0]}" if self.random() < 0.5 else None
        return Flow([Named(name), Group([Flow([call], self.label(place), when=condition)])], op="+")

    def guarded(self, place: Place) -> Flow | None:
        """A statement with `when`."""
        choices = [self.module, self.residual, self.grouped, self.chain]
        if not place.sequential:
            choices.append(self.function)
        found = self.choice([self.module, self.chain] if place.sequential else choices)(place)
        condition = self.condition(place)
        if found is None or condition is None:
            return None
        return Flow(found.stages, found.label, found.op, condition)

    def suite(self, place: Place) -> Suite | None:
        """A labelled suite, a Sequential or a class."""
        if place.depth > 2:
            return None
        sequential = self.random() < 0.5
        hidden = frozenset([*self.tensors(place), "x"]) | place.hidden if place.sequential else place.hidden
        runs = [run.inner(run.flow) for run in place.runs]
        inner = place.on(runs, sequential=sequential, labels=set(), loops=(), hidden=hidden)
        body = self.block(inner, self.randint(1, 4))
        op = "+" if not place.sequential and self.random() < 0.2 else ""
        return Suite(self.label(place), body, op) if body else None

    def fork(self, place: Place) -> Statement | None:
        join = self.choice(["cat", "cat", "add", "mul"])
        start = [run.copy() for run in place.runs]
        branches: list[Flow] = [Flow([Named("_")])] if self.random() < 0.3 else []
        inline = self.random() < 0.3
        for _ in range(self.randint(1, 3)):
            inner = place.on([run.copy() for run in start])
            found = self.choice([self.module, self.grouped, self.chain, self.guarded])(inner)
            if found and self.fits(found, inner):
                branches.append(found)
        if len(branches) < 2 or (inline and any(branch.when for branch in branches)):
            return None
        self.shuffle(branches)
        return Flow([InlineFork(join, branches)]) if inline else Fork(join, branches)

    def fork_of_names(self, place: Place) -> list[Statement] | None:
        """`fork:` with assignments, and what they name joined."""
        kept: list[Statement] = []
        names: list[str] = []
        for _ in range(2):
            group = self.group(place.on([run.copy() for run in place.runs]))
            if group is None:
                return None
            names.append(self.fresh())
            kept.append(Keep([names[-1]], [Named("_"), group]))
        return [Fork("", kept), Flow([Call(self.choice(["cat", "maximum", "sub", "add"]), names)])]

    def keep(self, place: Place) -> Statement | None:
        way = self.random()
        name = self.fresh()
        if way < 0.5:
            group = self.group(place) if self.random() < 0.3 else None
            return Keep([name], [Named("_"), group] if group else [Named("_")])
        if way < 0.8:
            return Keep([name], expression=self.width(place))
        found = self.layer(place, "module")
        return Keep([name], layer=Call(found[1].name)) if found and not has_arguments(found[1]) else None

    def cut(self, place: Place) -> list[Statement]:
        """`a, b = chunk(_, 2)`, and the parts used."""
        a, b = self.fresh(), self.fresh()
        cuts = [("chunk", ["_", "2"]), ("split", ["_", "(1, _.c - 1)"]), ("split", ["_", "_.c // 2"])]
        call = Call(*self.choice(cuts))
        use = [Flow([Named(a)]), Flow([Named(b)], op=self.choice("+*&"))]
        return [Keep([a, b], [call]), *use]

    def both(self, place: Place) -> Flow | None:
        """A function of the flow and of a tensor that was kept."""
        tensors = self.tensors(place)
        names = [cls.names()[1] for cls in layers() if len(cls.inputs) > 1 or cls.inputs == ("*tensors",)]
        name = self.choice([name for name in names if name])
        return Flow([Call(name, [self.choice(tensors)])]) if tensors else None

    def back(self, place: Place) -> Flow | None:
        """A module applied again."""
        labels = [label for label in place.runs[0].labels if label in place.labels]
        return Flow([Named(self.choice(labels))]) if labels and not place.loops else None

    def own(self, place: Place) -> list[Statement] | None:
        """A `param` or `buffer`, and its use."""
        flow, name = place.flow, self.fresh()
        if place.loops or place.depth or flow.channel is None:
            return None
        sizes = ["x.c" if place.runs[0].x is not None and self.random() < 0.4 else "_.c"]
        sizes += ["1"] * (flow.rank - 1 - flow.channel)
        inits = ["ones", "zeros", "0.5", "normal(0, 0.02)", "uniform(-0.1, 0.1)", "trunc_normal(std=0.02)"]
        keyword = self.choice(["param", "param", "buffer"])
        return [Own(keyword, name, sizes, self.choice(inits)), Flow([Named(name)], op=self.choice("+*"))]

    def loop(self, place: Place) -> Statement | None:
        if len(place.loops) > 1 or place.depth > 2:
            return None
        variable = next(name for name in "ijkabcd" if name not in (place.runs[0].names if self.plain else place.loops))
        names = [n for n, v in self.worths(place).items() if type(v) is int and 1 < v < 4]
        target, items = variable, f"range({self.choice([*names, '2', '3'])})"
        lists = [n for n, v in {**self.file, **place.runs[0].names}.items() if isinstance(v, list) and len(v) < 4]
        if self.random() < 0.4:
            items = f"enumerate({self.choice(lists)})" if lists else f"enumerate([{self.width(place)}, 4])"
            target = f"{variable}, {self.choice(['w', 'n', 'size'])}{len(place.loops) or ''}"
            if lists and isinstance((rows := {**self.file, **place.runs[0].names}[items[10:-1]])[0], tuple):
                target = f"{variable}, ({', '.join(f'{letter}{len(place.loops)}' for letter in 'abc'[: len(rows[0])])})"
        first = [run.copy() for run in place.runs]
        try:
            for run in first:
                entry = next(iter(run.evaluate(items)))
                exec(f"{target} = entry", {"entry": entry}, run.names)
        except (Invalid, TypeError, StopIteration, ValueError):
            return None
        for run in first:
            run.names.pop("__builtins__", None)
        inner = place.on(first, loops=(*place.loops, variable))
        body = self.block(inner, self.randint(1, 3))
        if self.plain and inner.flow.rank != place.flow.rank:
            return None
        self.looped = True
        return For(target, items, body) if body else None

    def choose(self, place: Place) -> Statement | None:
        """`if` with its ways."""
        condition = self.condition(place)
        if condition is None or place.depth > 2:
            return None
        ways = []
        for _ in range(self.randint(1, 3)):
            inner = place.on([run.copy() for run in place.runs])
            ways.append(self.block(inner, self.randint(1, 2)))
        if not all(ways):
            return None
        otherwise = ways.pop() if len(ways) > 1 else []
        conditions = [condition, *(self.condition(place) or "true" for _ in ways[1:])]
        return If(list(zip(conditions, ways, strict=True)), otherwise)

    def default(self, place: Place) -> Statement | None:
        """`default Layer(…)` of an argument that changes no size."""
        cls = self.choice([cls for cls in layers() if has_state(cls) and cls.names()[1] is None])
        arguments = [n for n, f in cls.fields.items() if isinstance(f, Bool | Float) and n not in UNSUITABLE]
        if place.depth or place.loops or not arguments:
            return None
        name = self.choice(arguments)
        drawn = Drawer(self, str, lambda _: None).drawn(name, cls.fields[name], 4)
        if drawn.get(name) is None:
            return None
        return Rule(f"default {cls.__name__}({name}={show(drawn[name])})", default=(cls.__name__, drawn))

    # ---- blocks --------------------------------------------------------------------------------

    def use(self, place: Place) -> Flow | None:
        """A block, one that there is or a new one; labelled, in a Sequential perhaps not."""
        call = self.block_call(place)
        if call is None:
            return None
        labelled = not place.sequential or self.random() < 0.4
        repeated = self.random() < 0.25
        if repeated and self.plain and call.value(place.runs[0].copy()).rank != place.flow.rank:
            return None
        stages: list[Stage] = [call]
        if repeated:
            stages.append(Repeat(self.choice(["1", "2", "(3 - 1)"]), call))
        return Flow(stages, self.label(place) if labelled else None)

    def put_in(self, place: Place) -> Flow | None:
        """`inline Block(…)`."""
        call = self.block_call(place)
        if call is None or place.loops:
            return None
        define = self.file[call.name]
        brought = self.brought(define)
        if define.sequential or brought & place.labels or place.depth:
            return None
        place.labels.update(brought)
        return Flow([call], op="inline")

    def brought(self, define: Define) -> set[str]:
        """The labels that come with a block, and with those that it inlines itself."""
        inner = [other for other in self.made if other.name in define.labels]
        return define.labels.union(*map(self.brought, inner))

    def block_call(self, place: Place) -> Call | None:
        known = [define for define in self.made if define.keyword == "def"]
        if known and (self.random() < 0.6 or place.depth > 2):
            define = self.choice(known)
        else:
            new = self.define(place)
            if new is None:
                return None
            define = new
        for _ in range(4):
            chosen = [p for p in define.parameters if p.default is None or self.random() < 0.5]
            given = {p.name: self.choice(p.others) for p in chosen}
            args = []
            if self.random() < 0.5:
                for parameter in define.parameters:
                    if parameter.name not in given:
                        break
                    args.append(given.pop(parameter.name))
            call = Call(define.name, args, given)
            if self.tries(Flow([call]), place) and isinstance(call.value(place.runs[0].copy()), Value):
                return call
        return None

    def define(self, place: Place) -> Define | None:
        """A new block for what flows here."""
        if place.depth > 2 or not isinstance(place.flow, Value):
            return None
        parameters = self.parameters()
        runs = []
        for run in place.runs:
            inner = run.call({}, run.flow)
            inner.names = {p.name: inner.worth(p.default or p.others[0]) for p in parameters}
            runs.append(inner)
        sequential = self.random() < 0.3
        body = self.block(Place(runs, sequential, depth=place.depth + 1 if place.depth else 0), self.randint(2, 6))
        if len(body) < 2:
            return None
        self.counts["block"] = self.counts.get("block", 0) + 1
        name = f"{self.choice(BLOCKS)}{self.counts['block']}"
        define = self.finished("def", name, parameters, body, sequential)
        self.file[name] = define
        self.made.append(define)
        return define

    def finished(self, keyword: str, name: str, parameters: Sequence[Parameter], body: list[Statement],
                 sequential: bool) -> Define:  # fmt: skip
        """The block with those of the parameters that it uses."""
        text = "\n".join(flat(written(body)))
        kept = [parameter for parameter in parameters if re.search(rf"\b{parameter.name}\b", text)]
        return Define(keyword, name, kept, body, sequential)

    def parameters(self) -> list[Parameter]:
        """Parameters of every kind; those without a default stand first."""
        kinds = self.sample(list(PARAMETERS), self.randint(0, 4))
        found = []
        for name in kinds:
            options = PARAMETERS[name]
            default = None if self.random() < 0.3 else self.choice(options)
            found.append(Parameter(name, default, options))
        return sorted(found, key=lambda parameter: parameter.default is not None)

    def applied(self, place: Place) -> Flow | None:
        """A parameter or name that stands for a layer."""
        names = [n for n, v in place.runs[0].names.items() if isinstance(v, Made)]
        if not names:
            return None
        name = self.choice(names)
        return Flow([Call(name)], self.label(place) if self.random() < 0.7 or place.loops else None)


def has_arguments(call: Call) -> bool:
    return bool(call.args or call.kwargs)
