"""The `__init__` of a class: members in the order of the text, guards and loops as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netc import syntax
from netc.emit.calls import is_attribute, outside_training
from netc.emit.elimination import Inexpressible
from netc.emit.folding import only_atom
from netc.emit.initialising import Initialising
from netc.emit.layout import quoted
from netc.emit.ordering import complete, member_of, reordered
from netc.emit.python import Lines, Py
from netc.emit.sequentials import statements_of
from netc.emit.targets import render_target
from netc.emit.walking import statements_in
from netc.emit.wording import assigned, assignment, conditions_in, flag_name, is_optional_member, label_text
from netc.graph import Guard, Use
from netc.naming import DICT_ATTRIBUTES, python_name
from netc.terms import OR, Place, Term, Written

__all__ = ["Constructor", "Place", "Term", "Use", "python_name"]


class Constructor(Initialising):
    """Writes the statements of `__init__`."""

    def write_init(self) -> Lines:
        self.lines = Lines()
        self.flags: dict[syntax.Flow, str] = {}
        self.declared: dict[str, str] = {}
        self.open_lists = []
        self.guards: list[str] = []
        self.keys: list[str] = []
        self.ahead: dict[tuple[syntax.Node, Any], int] = {}
        self.names_members = False
        if self.template.sequential:
            self.sequential_class()
        else:
            self.lines.add("super().__init__()")
            self.members(self.template.body)
            self.reorder(self.template.body)
            self.keyed = bool(self.keys) and not self.names_members and self.may_be_keyed()
        if self.keyed:
            self.lines.items = [assigned(line, self.keys) for line in self.lines.items]
        self.initialise()
        return self.lines

    def members(self, body: Sequence[syntax.Stmt]) -> None:
        for statement in body:
            match statement:
                case syntax.Flow():
                    self.member_flow(statement)
                case syntax.Assign():
                    self.assign(statement)
                case syntax.Param():
                    self.parameter(statement)
                case syntax.For():
                    self.member_for(statement)
                case syntax.If():
                    bodies = (*(b for _, b in statement.branches), statement.otherwise)
                    if any(self.places(b) or self.counts(b) for b in bodies) or self.changes([statement]):
                        self.branches(statement, self.members)
                case syntax.Tie(target=target, source=source):
                    self.lines.add(f"self.{target.span.text} = self.{source.span.text}")
                case syntax.Return(value=value):
                    self.member_expr(value)
            self.count_branch(statement)

    def count_branch(self, statement: syntax.Stmt) -> None:
        """What a branch adds to the size that a fork joins along, where the number of branches is computed."""
        for (owner, key), name in self.plan.running.items():
            joined = self.template.joins.get((owner, key))
            if joined is not None and statement in joined.parts:
                self.lines.add(f"{name} += {self.text(joined.parts[statement])}")

    def changes(self, body: Sequence[syntax.Stmt]) -> bool:
        """Whether statements change sizes that variables carry, somewhere inside."""
        return any(self.carried(statement) for statement in statements_in(body, self.template))

    def counts(self, body: Sequence[syntax.Stmt]) -> bool:
        """Whether statements are branches that `count_branch` counts."""
        counted = [self.template.joins.get(key) for key in self.plan.running]
        return any(joined is not None and statement in joined.parts for joined in counted for statement in body)

    def member_flow(self, statement: syntax.Flow) -> None:
        if not self.places([statement]):
            if statement.when is not None:
                self.flag(statement)
                self.sizes_after(statement)
            elif self.changes([statement]):
                self.member_body(statement)
            return None
        if statement.when is None:
            return self.member_body(statement)
        if statement.operator == "side":
            return self.side_member(statement)
        settled = self.decide(statement.when, optional=True)
        if settled is False:
            return None
        if settled is True:
            return self.member_body(statement)
        return self.optional(statement)

    def side_member(self, statement: syntax.Flow) -> None:
        """A module that runs in training only stands in the tree as far as the rest of its condition says."""
        guard = self.template.sites.get(statement.when)  # type: ignore[arg-type]
        if not isinstance(guard, Guard):
            return None
        rest = outside_training(guard.condition)
        self.asked_for.add(statement.when)  # type: ignore[arg-type]
        settled = True if rest is None else self.settle(Guard(rest, guard.outcomes), optional=True)
        if settled is not None:
            return self.member_body(statement) if settled else None
        assert rest is not None
        with self.lines.block(f"if {self.text(rest)}:"):
            self.member_body(statement)
        return None

    def sizes_after(self, statement: syntax.Flow) -> None:
        """Sizes that a guarded function changes."""
        if not self.changes([statement]) or self.decide(statement.when, optional=True) is not None:  # type: ignore[arg-type]
            return
        self.both_ways(statement, lambda: self.member_body(statement))

    def optional(self, statement: syntax.Flow) -> None:
        """Modules that a condition may leave out."""
        assert statement.when is not None
        flag = self.flag(statement)
        if flag is None and isinstance(statement.label, syntax.Name) and is_optional_member(statement):
            self.lines.add(f"self.{statement.label.id} = None")
        asks_again = flag is None or " is not None" in self.condition(statement.when)
        self.both_ways(statement, lambda: self.member_body(statement), "" if asks_again else flag or "")

    def flag(self, statement: syntax.Flow) -> str | None:
        """The attribute by which `forward` knows how a condition turned out; None where a member tells it."""
        assert statement.when is not None
        if self.decide(statement.when, optional=True) is not None:
            return None
        if is_optional_member(statement) or isinstance(statement.label, syntax.String) or self.lines.depth:
            return None
        condition = self.condition(statement.when)
        if condition.isidentifier():
            return condition
        name = self.classes_flag(statement)
        self.lines.add(f"self.{name} = {condition}")
        return f"self.{name}"

    def classes_flag(self, statement: syntax.Flow) -> str:
        if statement not in self.flags:
            name = flag_name(statement)
            taken = {*self.flags.values(), *self.attributes(), *self.template.parameters}
            number = 2
            unique = name
            while unique in taken:
                unique, number = f"{name}_{number}", number + 1
            self.flags[statement] = unique
        return self.flags[statement]

    def member_body(self, statement: syntax.Flow) -> None:
        if statement.label is None:
            return self.member_expr(statement.body)
        label, body = self.label(statement.label), self.written_out(statement.body)
        use = self.use(body)
        if use is not None and use.kind == "member":
            return self.assign_member(label, f"self.{use.callee}")
        if isinstance(body, syntax.Pipe):
            for stage in body.stages:
                if self.use(stage) is not None and self.use(stage).kind == "value":  # type: ignore[union-attr]
                    self.member_expr(stage)
        body = self.behind_values(body)
        self.assign_member(label, self.hoisted(body, self.container(body)))
        return None

    def container(self, body: syntax.Expr) -> str:
        """The expression for what stands under a label."""
        body = self.written_out(body)
        use = self.use(body)
        if self.repeated(body) is not None:
            return self.module_list(statements_of(body, self))
        if use is not None and use.callee != "Sequential":
            source = self.module(body)
            assert source is not None
            return source.text
        if isinstance(body, syntax.IfElse):
            return self.module_text(body)
        return self.sequential(statements_of(body, self))

    def module_text(self, expr: syntax.Expr) -> str:
        source = self.module(expr)
        if source is None:
            raise Inexpressible("a member without a module", expr.span)
        return source.text

    def assign_member(self, label: tuple[str, bool], source: str) -> None:
        if is_attribute(label):
            self.names_members = True
            self.lines.add(f"self.{label[0]} = {source}")
        else:
            self.keys.append(label_text(label))
            self.lines.add(f"self.add_module({label_text(label)}, {source})")

    def may_be_keyed(self) -> bool:
        """Whether a ModuleDict takes the keys of the members."""
        return not any(label in DICT_ATTRIBUTES for label in self.classes.labels_in(self.template))  # type: ignore[attr-defined]

    def member_expr(self, expr: syntax.Expr) -> None:
        """Members that are placed somewhere inside an expression."""
        expr = self.written_out(expr)
        match expr:
            case syntax.Pipe(stages=stages):
                for stage in stages:
                    self.member_expr(stage)
            case syntax.Group(body=body):
                self.members(body)
            case syntax.Fork(branches=branches):
                for _, name in self.carried(expr):
                    self.lines.add(f"{name} = 0")
                self.members(branches)
            case syntax.IfElse():
                self.member_expr(expr.then)
                self.member_expr(expr.otherwise)
            case syntax.Binary(right=right) if self.use(expr) is None:
                copies = self.unrolled(expr)
                self.members([syntax.Flow(right.span, None, None, right)] if copies is None else copies)
            case syntax.TupleExpr(items=items):
                for item in items:
                    self.member_expr(item)
            case syntax.DictExpr(items=pairs):
                for _, item in pairs:
                    self.member_expr(item)
            case syntax.Call(args=args) if self.use(expr) is None:
                for arg in args:
                    self.member_expr(arg.value)
            case syntax.Name() | syntax.Call():
                self.unlabelled(expr)

    def unlabelled(self, expr: syntax.Expr) -> None:
        use = self.use(expr)
        if use is None or use.label is None or use.kind == "member":
            if use is not None and use.kind == "inline":
                self.inlined(expr)
            return
        source = self.module(expr)
        assert source is not None
        self.assign_member((use.label, True), source.text)

    def inlined(self, expr: syntax.Expr) -> None:
        define = self.classes.definition(expr, self.template)  # type: ignore[attr-defined]
        self.members(define.body)

    def module(self, expr: syntax.Expr) -> Py | None:
        """The expression that makes the module of a stage."""
        if isinstance(expr, syntax.IfElse):
            settled = self.decide(expr.condition)
            if settled is not None:
                return self.module(expr.then if settled else expr.otherwise)
            asked = self.asked_condition(expr.condition)
            with self.where(asked, True):
                then = self.module(expr.then)
            with self.where(asked, False):
                otherwise = self.module(expr.otherwise)
            if then is None or otherwise is None:
                return None
            return Py(f"{then.at(OR)} if {self.condition(expr.condition)} else {otherwise.text}", 1)
        use = self.use(expr)
        if use is not None and use.kind == "member":  # `twin: first`: one module under two keys
            return Py(f"self.{use.callee}")
        return self.construct(use) if use is not None else None

    def member_for(self, statement: syntax.For) -> None:
        copies = self.unrolled(statement)
        if copies is not None:
            return self.members(copies)
        loop = self.loop(statement)
        body = statement.body
        if loop is None or not (self.places(body) or self.counts(body) or self.changes([statement])):
            return None
        self.assign_running(statement, 0)
        with self.for_block(statement, self.text(loop.iterable)):
            self.members(statement.body)
            self.assign_running(statement, 1)
        return None

    def places(self, body: Sequence[syntax.Stmt]) -> bool:
        """Whether statements place a module, or bind a name."""
        return any(self._places(statement) for statement in body)

    def _places(self, node: Any) -> bool:
        match node:
            case syntax.Flow(body=body):
                return node.label is not None or self._places(body)
            case syntax.Assign(value=value):
                return node in self.template.terms or self._places(value)
            case syntax.Param() | syntax.Tie():
                return True
            case syntax.For(body=body) | syntax.Group(body=body):
                copies = self.unrolled(node) if isinstance(node, syntax.For) else None
                return self.places(body if copies is None else copies)
            case syntax.If():
                return any(self.places(b) for b in (*(b for _, b in node.branches), node.otherwise))
            case syntax.Pipe(stages=stages):
                return any(self._places(stage) for stage in stages)
            case syntax.Binary(right=right) if self.use(node) is None:
                copies = self.unrolled(node)
                return self._places(right) if copies is None else self.places(copies)
            case syntax.Fork(branches=branches):
                return self.places(branches)
            case syntax.IfElse():
                return self._places(node.then) or self._places(node.otherwise)
            case syntax.Name() | syntax.Call():
                use = self.use(node)
                if use is not None and use.expr is not None:
                    return self._places(use.expr)
                return use is not None and (use.kind == "inline" or (use.label is not None and use.kind != "member"))
        return False

    def assign(self, statement: syntax.Assign) -> None:
        """A compile-time value that the class still needs, or members inside a chain that is kept."""
        if statement not in self.template.terms:
            return self.kept_member(statement)
        self.asked_for.update(conditions_in(statement.value))
        if statement.when is not None:
            settled = self.decide(statement.when, optional=True)
            if settled is False:
                return None
            if settled is None:
                with self.lines.block(f"if {self.condition(statement.when)}:"):
                    self.lines.add(f"{render_target(statement.target)} = {self.text(self.template.terms[statement])}")
                return None
        term, target = self.template.terms[statement], render_target(statement.target)
        source, atom = self.text(term), only_atom(term)
        if isinstance(atom, Written) and atom.source == "{0} + {1}" and self.text(atom.operands[0]) == target:
            source = f"{target} + {self.text(atom.operands[1])}"
            self.lines.add(assignment(target, source))
        else:
            self.lines.add(f"{target} = {source}")
        return None

    def kept_member(self, statement: syntax.Assign) -> None:
        """Members inside a chain that is kept, perhaps under a condition."""
        settled = True if statement.when is None else self.decide(statement.when, optional=True)
        if settled is not None:
            return self.member_expr(statement.value) if settled else None
        with self.lines.block(f"if {self.condition(statement.when)}:"):  # type: ignore[arg-type]
            self.member_expr(statement.value)
        return None

    def reorder(self, body: Sequence[syntax.Stmt]) -> None:
        """Members in the order that `order` gives: those that it lists first."""
        for statement in body:
            if isinstance(statement, syntax.Order):
                wanted = complete([self.label(name)[0] for name in statement.names], self.lines.items)
                try:
                    self.refuse_computed(wanted)
                    self.lines.items = reordered(self.lines.items, wanted)
                except Inexpressible:  # a place in the order, taken before the module can be made
                    modules = [name for name in wanted if name not in self.classes.parameter_names(self.template)]  # type: ignore[attr-defined]
                    self.lines.items[1:1] = [f"self.register_module({quoted(name)}, None)" for name in modules]

    def refuse_computed(self, wanted: Sequence[str]) -> None:
        """Raises Inexpressible for members whose labels a loop computes, which no statement makes alone."""
        for name in self.classes.labels_in(self.template) & set(wanted):  # type: ignore[attr-defined]
            if not any(member_of(line, name) for line in self.lines.items):
                raise Inexpressible(f"an `order` that asks for `{name}`, which a loop makes")
