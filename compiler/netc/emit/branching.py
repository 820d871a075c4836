"""Branches and loops in `forward`, each of which leaves the flow under one name."""

from __future__ import annotations

from collections.abc import Sequence

from netc import syntax
from netc.emit.keyed import all_in_turn
from netc.emit.python import Py
from netc.emit.targets import render_loop
from netc.emit.tensors import Tensors
from netc.emit.wrapping import INDENT, WIDTH, split
from netc.graph import Guard
from netc.terms import TERNARY


class Branching(Tensors):
    """Writes `if` and `for`."""

    def block(self, body: Sequence[syntax.Stmt]) -> None:
        """Writes statements."""
        raise NotImplementedError

    def name_flow(self, name: str) -> None:
        """Ends a branch: the flow gets the name that it had before."""
        target = self.variable if name != self.variable else name
        if self.flow.text != target:
            self.out.add(f"{target} = {self.flow.text}")
        if name != target:
            self.out.items.insert(self.header_index(), "    " * (self.out.depth - 1) + f"{target} = {name}")
        self.flow = Py(target)

    def header_index(self) -> int:
        """Where the innermost open block begins."""
        indent = "    " * (self.out.depth - 1)
        for index in range(len(self.out.items) - 1, -1, -1):
            item = self.out.items[index]
            if (
                not item.startswith(indent + " ")
                and item.endswith(":")
                and not item.lstrip().startswith(("else", "elif"))
            ):
                return index
        return 0

    def choice(self, expr: syntax.IfElse) -> None:
        settled = self.decide(expr.condition)
        if settled is not None:
            return self.run(expr.then if settled else expr.otherwise)
        guard = self.template.sites[expr.condition]
        assert isinstance(guard, Guard)
        entered = Py(self.flush())
        self.run(expr.then)
        then, self.flow = self.flow, entered
        self.run(expr.otherwise)
        condition = self.at_run_time(guard.condition)
        self.flow = Py(f"{then.at(TERNARY + 1)} if {condition.at(TERNARY + 1)} else {self.flow.text}", TERNARY)
        return None

    def conditional(self, statement: syntax.If) -> None:
        live = self.live(statement)
        optional = statement.optional
        if all(self.decide(condition, optional=optional) is not None for condition, _ in live):
            for condition, body in live:
                if self.decide(condition, optional=optional):
                    return self.block(body)
            return self.block(statement.otherwise)
        self.name_input()
        name = self.flow.text
        first = len(self.out.items)
        keyword = "if"
        otherwise: Sequence[syntax.Stmt] = statement.otherwise
        for condition, body in live:
            settled = self.decide(condition, optional=optional)
            if settled is False:
                continue
            if settled is True:
                otherwise = body
                break
            guard = self.template.sites[condition]
            assert isinstance(guard, Guard)
            self.branch_block(f"{keyword} {self.at_run_time(guard.condition).text}:", body, name)
            keyword = "elif"
        self.branch_block("else:", otherwise, name)
        self.choose(first, name)
        return None

    def choose(self, first: int, name: str) -> None:
        """Two branches that only assign the flow, from a line on, are a conditional expression if that fits a line."""
        lines = [item.strip() for item in self.out.items[first:]]
        if len(lines) != 4 or not lines[0].startswith("if ") or lines[2] != "else:":
            return
        condition, then, otherwise = lines[0][3:-1], *(lines[i].removeprefix(f"{name} = ") for i in (1, 3))
        parts = (then, condition, otherwise)
        if lines[1] == then or lines[3] == otherwise or any(len(split(part, (" if ",))) > 1 for part in parts):
            return
        chosen = f"{then} if {condition} else {otherwise}"
        if len(f"{INDENT * (self.out.depth + 2)}{name} = {chosen}") <= WIDTH:
            del self.out.items[first:]
            self.flow = Py(chosen, TERNARY)

    def name_input(self) -> None:
        """The flow under the name that branches and loops assign to."""
        self.flush()
        if self.flow.text != self.variable:
            self.out.add(f"{self.variable} = {self.flow.text}")
            self.flow = Py(self.variable)

    def branch_block(self, header: str, body: Sequence[syntax.Stmt], name: str) -> None:
        self.flow = Py(name)
        self.out.add(header)
        self.out.depth += 1
        before = len(self.out.items)
        self.block(body)
        if self.flow.text != name:
            self.out.add(f"{name} = {self.flow.text}")
        if len(self.out.items) == before:
            if header == "else:":
                self.out.items.pop()
            else:
                self.out.add("pass")
        self.out.depth -= 1
        self.flow = Py(name)

    def loop_over(self, statement: syntax.For) -> None:
        copies = self.unrolled(statement)
        if copies is not None:
            return self.block(copies)
        loop = self.loop(statement)
        if loop is None:
            return None
        self.name_input()
        name = self.flow.text
        names = set(statement.target.names)
        self.loop_names |= names
        header = len(self.out.items)
        self.open_loops.append(statement)
        with self.out.block("for"):
            self.block(statement.body)
            if self.flow.text != name:
                self.out.add(f"{name} = {self.flow.text}")
        self.open_loops.pop()
        if len(self.out.items) > header and not all_in_turn(self, statement, header, self.called):
            rendered = render_loop(statement.target, self.at_run_time(loop.iterable).text, self.out.items[header + 1 :])
            self.out.items[header] = "    " * self.out.depth + f"for {rendered}:"
        self.loop_names -= names
        self.flow = Py(name)
        return None
