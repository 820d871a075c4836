"""The `forward` of a class: the flow of the text as calls, assignments, branches and loops."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from netc import syntax
from netc.emit.branching import Branching
from netc.emit.calls import TRAINING, handed_over, settled_label
from netc.emit.elimination import Inexpressible
from netc.emit.forks import write_fork
from netc.emit.python import Lines, Py
from netc.emit.results import settled_side, takes_flow_once, write_result
from netc.emit.sequentials import statements_of
from netc.emit.tensors import QUIET, flow_inputs, is_tuple, names_in, reads_input
from netc.emit.turns import write_turns
from netc.emit.wording import is_optional_member
from netc.emit.wrapping import WIDTH
from netc.graph import Guard, Template, Use
from netc.naming import python_name
from netc.shapes import Value
from netc.terms import ATOM, TERNARY

__all__ = ["TRAINING", "Forward", "Template", "Value", "statements_of"]


class Forward(Branching):
    """Writes the statements of `forward`, after the constructor."""

    def write_forward(self) -> tuple[list[str], Lines]:
        """The names of the inputs, and the statements."""
        self.out = Lines()
        self.symbols: dict[str, str] = {}
        self.stored: dict[str, str] = {}
        self.absent: set[str] = set()
        self.named: set[str] = set()
        self.parts: set[str] = set()
        self.side_lines: dict[str, str] = {}
        self.entered: list[str] = []
        self.held: list[str] = []
        self.taken_apart: syntax.Expr | None = None
        self.loop_names: set[str] = set()
        self.open_loops: list[Any] = []
        self.called = ""
        inputs = self.inputs()
        self.variable = self.flow_variable()
        self.flow = self.entering(inputs)
        self.last_line = -1
        self.block(self.template.body)
        if not self.returned:
            self.out.add(f"return {self.flow.text}")
        self.drop_unread_sides()
        self.drop_unread_names()
        return inputs, self.out

    def entering(self, inputs: Sequence[str]) -> Py:
        """What flows at first: the input, or several that came together."""
        known = flow_inputs(self.template)
        flowing = [name for name, own in zip(inputs, self.template.inputs, strict=False) if own in known]
        return Py(", ".join(flowing), 0) if len(flowing) > 1 else Py(inputs[0])

    @property
    def returned(self) -> bool:
        return bool(self.out.items) and self.out.items[-1].startswith(("return", "    return"))

    def inputs(self) -> list[str]:
        names = [python_name(name) for name in self.template.inputs]
        if self.reads_outer_input():
            names[0] = self.flow_variable()
        return [*names, *(python_name(name) for name in self.classes.outer_tensors(self.template))]  # type: ignore[attr-defined]

    def reads_outer_input(self) -> bool:
        """Whether this is a suite that reads the `x` of the definition around it."""
        if self.template.parent is None or self.template.entered_by_x:
            return False
        return any(name.id == "x" for name in names_in(self.template.body))

    def flow_variable(self) -> str:
        """`x`, or another name where the input is still needed after the flow has moved."""
        taken = {n.id for n in names_in(self.template.body)} | set(self.template.inputs)
        if "x" in self.template.inputs and not reads_input(self.template.body) and not self.reads_outer_input():
            return "x"
        if "x" not in self.template.inputs and "x" not in taken:
            return "x"
        return next(name for name in ("out", "y", "h", "flow", "current") if name not in taken)

    def flush(self) -> str:
        """Gives the flow a name, or leaves it several names."""
        if not self.flow.text.isidentifier() and not is_tuple(self.flow):
            self.out.add(f"{self.variable} = {self.flow.text}")
            self.flow = Py(self.variable)
        return self.flow.text

    def apply(self, make: Any) -> None:
        """Moves the flow through a call; a line that grows too long is broken off before."""
        moved: Py = make(self.flow)
        if len(moved.text) + 4 * self.out.depth + 8 + len(self.variable) + 3 > WIDTH and not self.flow.is_name:
            self.flush()
            moved = make(self.flow)
        self.flow = moved

    def block(self, body: Sequence[syntax.Stmt]) -> None:
        for statement in body:
            if self.vanishes(statement):
                continue
            line = statement.span.line
            if line != self.last_line and not isinstance(statement, QUIET) and not self.returns_flow(statement):
                self.flush()
            self.last_line = line
            self.statement(statement)

    def returns_flow(self, statement: syntax.Stmt) -> bool:
        """Whether a statement returns the flow, alone or beside values that have names."""
        value = statement.value if isinstance(statement, syntax.Return) else None
        while isinstance(value, syntax.IfElse):
            value = settled_side(self, value)
        if value is None or not takes_flow_once(value):
            return False
        return isinstance(value, syntax.Name) or (self.flow.level > TERNARY and not is_tuple(self.flow))

    def vanishes(self, statement: syntax.Stmt) -> bool:
        """Whether a statement is left out for good."""
        if isinstance(statement, syntax.If):
            settled = [self.decide(condition, optional=statement.optional) for condition, _ in self.live(statement)]
            return not statement.otherwise and all(outcome is False for outcome in settled)
        if not isinstance(statement, syntax.Flow) or statement.when is None or statement.operator == "side":
            return False
        return self.decide(statement.when, optional=True) is False

    def statement(self, statement: syntax.Stmt) -> None:
        match statement:
            case syntax.Flow():
                self.guarded(statement)
            case syntax.Assign():
                self.keep(statement)
            case syntax.For():
                self.loop_over(statement)
            case syntax.If():
                self.conditional(statement)
            case syntax.Return():
                self.out.add(f"return {write_result(self, statement.value)}")

    def guarded(self, statement: syntax.Flow) -> None:
        if statement.operator == "side":
            return self.side_value(statement)
        if statement.when is None:
            return self.moved(statement)
        settled = self.decide(statement.when, optional=True)
        if settled is False:
            return None
        if settled is True:
            return self.moved(statement)
        self.flush()
        before = self.flow
        with self.out.block(f"if {self.asked(statement)}:"):
            self.moved(statement)
            if self.flow.text != before.text:
                self.name_flow(before.text)
        return None

    def asked(self, statement: syntax.Flow) -> str:
        """The test in `forward` for a statement that a condition may leave out."""
        assert statement.when is not None
        guard = self.template.sites[statement.when]
        assert isinstance(guard, Guard)
        if statement in self.flags:
            return f"self.{self.flags[statement]}"
        if is_optional_member(statement) and not self.loop_names:
            assert isinstance(statement.label, syntax.Name)
            return f"self.{statement.label.id} is not None"
        return self.at_run_time(guard.condition).text

    def moved(self, statement: syntax.Flow) -> None:
        if statement.operator == "inline":
            return self.inline_block(statement.body)
        if statement.operator is None:
            return self.run_labelled(statement)
        left = self.flow
        if not left.is_name and self.reads_flow(statement.body):
            left = Py(self.flush())
        use = self.use(statement)
        assert use is not None
        self.flow = left
        before = len(self.out.items)
        variable = self.variable
        self.held.append(variable)
        if left.text == variable:
            self.variable = self.other_variable()
        self.run_labelled(statement)
        right, self.variable = self.flow, self.held.pop()
        if len(self.out.items) != before and not left.is_name:
            raise Inexpressible("an operand that needs statements of its own", statement.span)
        self.flow = self.joined([left, right], use)
        return None

    def reads_flow(self, body: syntax.Expr) -> bool:
        """Whether a body begins with the flow rather than with a value."""
        head = body.stages[0] if isinstance(body, syntax.Pipe) else body
        use = self.use(head)
        return not (use is not None and use.kind == "value" and "_" not in {n.id for n in names_in([head])})

    def run_labelled(self, statement: syntax.Flow) -> None:
        if statement.label is None:
            return self.run(statement.body)
        body = self.written_out(statement.body)
        use = self.use(body)
        if isinstance(body, syntax.Pipe):
            for stage in body.stages:
                head = self.use(stage)
                if head is not None and head.kind == "value":
                    self.run(stage)
            body = self.behind_values(body)
            use = self.use(body)
        named = isinstance(statement.label, syntax.Name)
        member = self.reached(self.label(statement.label) if named else self.run_label(statement.label))  # type: ignore[arg-type]
        self.called = member
        repeated = self.repeated(body)
        if repeated is not None:
            return write_turns(self, member, *repeated)
        if use is not None and use.template is not None and use.kind == "block":
            return self.apply_member(member, self.extras(use), use)
        self.apply_member(member, self.more_operands(use), use)
        return self.choose_output(use, body)

    def run_label(self, label: syntax.String) -> tuple[str, bool]:
        if all(isinstance(part, str) for part in label.parts):
            return "".join(str(part) for part in label.parts), True
        return settled_label(self.at_run_time(self.template.terms[label]).text)

    def apply_member(self, member: str, extras: Sequence[str], use: Use | None) -> None:
        template = use.template if use is not None else None
        if template is not None and template.parent is None and not flow_inputs(template):
            self.flow = Py(f"{member}({', '.join(extras)})")
            return
        if use is not None and use.layer is not None and use.operands and None not in use.operands:
            self.flow = Py(f"{member}({', '.join(extras)})")
            return
        star = "*" if template is not None and len(flow_inputs(template)) > 1 and self.flow.is_name else ""
        self.apply(lambda flow: Py(f"{member}({', '.join([star + flow.text, *extras])})"))

    def choose_output(self, use: Use | None, expr: syntax.Expr) -> None:
        """Of the outputs of a layer the one that flows on, unless the statement takes them apart."""
        layer = use.layer if use is not None else None
        if layer is None or use is None or not isinstance(use.output, tuple) or expr is self.taken_apart:
            return
        if layer.flow is not None:
            self.flow = Py(f"{self.flow.at(ATOM)}[{layer.flow}]")

    def extras(self, use: Use) -> list[str]:
        """What a block takes besides the flow: tensors given as arguments, and what a suite reads from outside."""
        assert use.template is not None
        given = [self.tensor(operand).text for operand in use.operands if operand is not None]
        if use.template.parent is not None:
            given += [self.outer_name(name) for name in self.classes.outer_tensors(use.template)]  # type: ignore[attr-defined]
        return given

    def outer_name(self, name: str) -> str:
        return self.tensor_name(name)

    def more_operands(self, use: Use | None) -> list[str]:
        """What a module takes after the flow: other tensors, each written once, and what it is told at each call."""
        if use is None:
            return []
        given = [operand for operand in use.operands if operand is not None]
        texts: dict[syntax.Expr, str] = {}
        for operand in dict.fromkeys(given):
            texts[operand] = self.tensor(operand).text
            if given.count(operand) > 1 and not texts[operand].isidentifier():
                name = self.fresh_name("shared")
                self.out.add(f"{name} = {texts[operand]}")
                texts[operand] = name
        parts = [texts[operand] for operand in given]
        named = {name: self.tensor(operand).text for name, operand in use.named.items()}
        return handed_over(use, parts, named) + self.arguments(use.at_call, self.run_text)

    def run(self, expr: syntax.Expr) -> None:
        expr = self.written_out(expr)
        match expr:
            case syntax.Pipe(stages=stages):
                for stage in stages:
                    self.run(stage)
            case syntax.Group(body=body):
                for statement in body:
                    self.grouped(statement)
            case syntax.Fork():
                self.fork(expr)
            case syntax.IfElse():
                self.choice(expr)
            case syntax.Binary(single=False) if (copies := self.unrolled(expr)) is not None:
                self.block(copies)
            case syntax.Binary() | syntax.Unary() if (use := self.use(expr)) is not None and use.kind == "function":
                self.flow = self.tensor(expr)
            case syntax.Binary(right=right):
                self.run(right)
            case _:
                self.stage(expr)

    def grouped(self, statement: syntax.Stmt) -> None:
        """A statement inside parentheses; an optional member becomes a conditional expression."""
        if isinstance(statement, syntax.Flow) and statement.when is not None and statement.operator is None:
            settled = self.decide(statement.when, optional=True)
            if settled is None and is_optional_member(statement):
                assert isinstance(statement.label, syntax.Name)
                entered = Py(self.flow.text) if self.flow.is_name else Py(self.flush())
                member = f"self.{statement.label.id}"
                self.flow = Py(f"{entered.text} if {member} is None else {member}({entered.text})", TERNARY)
                return
        self.statement(statement)

    def stage(self, expr: syntax.Expr) -> None:
        use = self.use(expr)
        if use is None:
            raise Inexpressible(f"the stage `{expr.span.text}`", expr.span)
        if use.kind == "value":
            self.flow = self.tensor(expr)
        elif use.kind == "function":
            self.function_stage(use)
            self.choose_output(use, expr)
        elif use.kind == "inline":
            self.inline_block(expr)
        else:
            assert use.label is not None
            member = self.reached((use.callee if use.kind == "member" else use.label, True))
            extras = self.extras(use) if use.template is not None else self.more_operands(use)
            self.apply_member(member, extras, use)
            self.choose_output(use, expr)

    def function_stage(self, use: Use) -> None:
        if None in use.operands:
            self.apply(lambda flow: self.function(use, flow))
        else:
            self.flow = self.function(use, None)

    def inline_block(self, expr: syntax.Expr) -> None:
        define = self.classes.definition(expr, self.template)  # type: ignore[attr-defined]
        entered = self.flush()
        self.entered.append(entered)
        if reads_input(define.body) and entered == self.variable:
            self.entered[-1] = self.fresh_name()
            self.out.add(f"{self.entered[-1]} = {entered}")
        self.block(define.body)
        self.entered.pop()

    def side_value(self, statement: syntax.Flow) -> None:
        assert isinstance(statement.label, syntax.Name)
        name = python_name(statement.label.id)
        if statement.when is None:
            before = Py(self.flush())
            self.run_labelled(statement)
            self.out.add(f"{name} = {self.flow.text}")
            self.flow = before
            return
        if not isinstance(self.template.sites.get(statement.when), Guard):
            return
        guard = self.template.sites[statement.when]
        assert isinstance(guard, Guard)
        before = Py(self.flush())
        if guard.outcomes == {False}:
            self.absent.add(name)
            return
        self.run_labelled(statement)
        value, self.flow = self.flow, before
        condition = self.at_run_time(guard.condition)
        self.out.add(f"{name} = {value.text} if {condition.text} else None")
        self.side_lines[self.out.items[-1]] = name

    def drop_unread_sides(self) -> None:
        """Leaves out what runs beside the flow and is then not asked for."""
        for line, name in self.side_lines.items():
            others = [item for item in self.out.items if item != line]
            if not any(re.search(rf"\b{name}\b", item) for item in others):
                self.out.items = others

    def drop_unread_names(self) -> None:
        """Runs what is kept under a name that nothing reads, without the name."""
        text = "\n".join(self.out.items)
        for name in self.named:
            if len(re.findall(rf"\b{name}\b", text)) == 1:
                self.out.items = [re.sub(rf"^( *){name} = (?=.*\)$)", r"\1", item) for item in self.out.items]
        for name in self.parts:
            if len(re.findall(rf"\b{name}\b", text)) == 1:
                target = re.compile(rf"^( *(?:\w+, )*){name}((?:, \w+)* = )")
                self.out.items = [target.sub(r"\1_\2", item) for item in self.out.items]

    def fork(self, fork: syntax.Fork) -> None:
        write_fork(self, fork)

    def branch_flow(self, branch: syntax.Stmt, entered: Py) -> None:
        if isinstance(branch, syntax.Flow) and branch.when is not None and is_optional_member(branch):
            return self.grouped(branch)
        if (
            isinstance(branch, syntax.Flow)
            and branch.when is not None
            and self.decide(branch.when, optional=True) is None
        ):
            self.out.add(f"{self.variable} = {entered.text}")
            self.flow = Py(self.variable)
        self.statement(branch)
        return None
