"""The `__init__` of a class: members in the order of the text, Sequentials, guards and loops as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import Any

from netc import syntax
from netc.emit.calls import Calls, outside_training
from netc.emit.python import Lines, Py
from netc.emit.resolve import Inexpressible, only_atom
from netc.emit.targets import render_loop, render_target
from netc.emit.wrapping import INDENT
from netc.graph import Argument, Guard, InitRule, Use
from netc.layer import Initializer
from netc.naming import python_name
from netc.terms import OR, UNARY, Place, Term, Written, print_term

LIST_NAMES = ("layers", "blocks", "members", "parts", "units", "pieces", "items", "modules")


@dataclass
class Entry:
    """Something in a Sequential: a module's source and its label (None: its number)."""

    source: str
    label: tuple[str, bool] | None
    starred: bool = False


@dataclass
class Members:
    """The content of a Sequential under construction: entries so far, or a list that statements append to."""

    entries: list[Entry] = field(default_factory=list)
    variable: str | None = None
    named: bool = False


class Constructor(Calls):
    """Writes the statements of `__init__`."""

    lines: Lines
    open_lists: int = 0

    def write_init(self) -> Lines:
        self.lines = Lines()
        self.flags: dict[syntax.Flow, str] = {}
        self.declared: dict[str, str] = {}
        self.guards: list[str] = []
        if self.template.sequential:
            self.sequential_class()
        else:
            self.lines.add("super().__init__()")
            self.members(self.template.body)
            self.reorder(self.template.body)
        self.initialise()
        return self.lines

    # ---- Sequentials ---------------------------------------------------------------------------------

    def sequential_class(self) -> None:
        """The body of a class that is a Sequential itself."""
        members = self.collect(self.template.body, self.is_named(self.template.body))
        if members.variable is not None:
            self.lines.add(f"super().__init__({'' if members.named else '*'}{members.variable})")
        elif not members.named:
            self.lines.add(f"super().__init__({', '.join(entry_text(e) for e in members.entries)})")
        else:
            self.lines.add("super().__init__()")
            for entry in members.entries:
                self.assign_member(entry.label or ("0", True), entry.source)

    def sequential(self, body: Sequence[syntax.Stmt]) -> str:
        """The expression for a Sequential; statements that build its list go before."""
        members = self.collect(body, self.is_named(body))
        name = self.imported("torch.nn.Sequential")
        if members.variable is not None:
            return f"{name}({'' if members.named else '*'}{members.variable})"
        if not members.named or not members.entries:
            return f"{name}({', '.join(entry_text(entry) for entry in members.entries)})"
        self.plan.requires["from collections import OrderedDict"] = None
        if all(e.label and e.label[1] and e.label[0].isidentifier() and not iskeyword(e.label[0]) for e in members.entries):
            return f"{name}(OrderedDict({', '.join(f'{e.label[0]}={e.source}' for e in members.entries if e.label)}))"
        pairs = [f"({label_text(e.label)}, {e.source})" for e in members.entries]
        return f"{name}(OrderedDict([{', '.join(pairs)}]))"

    def is_named(self, body: Sequence[syntax.Stmt]) -> bool:
        """Whether the members of a Sequential have names rather than numbers only."""
        for statement in body:
            match statement:
                case syntax.Flow(label=label) if label is not None:
                    if not (isinstance(label, syntax.Name) and label.id == "seq"):
                        return True
                case syntax.Flow(body=syntax.Group(body=inner)) | syntax.For(body=inner):
                    if self.is_named(inner):
                        return True
                case syntax.If(branches=branches, otherwise=otherwise):
                    if any(self.is_named(b) for b in (*(b for _, b in branches), otherwise)):
                        return True
        return False

    def collect(self, body: Sequence[syntax.Stmt], named: bool) -> Members:
        members = Members(named=named)
        self.open_lists += 1
        self.fill(body, members)
        self.open_lists -= 1
        return members

    def as_list(self, members: Members) -> str:
        """From here on the Sequential is built by statements."""
        if members.variable is None:
            members.variable = self.variable_for(members.named)
            module = self.imported("torch.nn.Module")
            if members.named:
                self.plan.requires["from collections import OrderedDict"] = None
                self.declare(members.variable, f"OrderedDict[str, {module}]", "OrderedDict()")
                for entry in members.entries:
                    self.lines.add(f"{members.variable}[{label_text(entry.label)}] = {entry.source}")
            else:
                sources = ", ".join(entry_text(entry) for entry in members.entries)
                self.declare(members.variable, f"list[{module}]", f"[{sources}]")
            members.entries.clear()
        return members.variable

    def declare(self, variable: str, hint: str, source: str) -> None:
        """A variable of a type, which is said once."""
        said = self.declared.setdefault(variable, hint)
        assert said == hint
        known = any(line.lstrip().startswith(f"{variable}: ") for line in self.lines.items)
        self.lines.add(f"{variable} = {source}" if known else f"{variable}: {hint} = {source}")

    def variable_for(self, named: bool) -> str:
        """The name of a list of members; a name holds things of one type in a constructor."""
        hint = "OrderedDict" if named else "list"
        names = LIST_NAMES[self.open_lists - 1 :] or LIST_NAMES
        return next(n for n in (*names, *LIST_NAMES) if self.declared.get(n, hint).startswith(hint))

    def append(self, members: Members, entry: Entry) -> None:
        if members.named and entry.label is None:
            count = f"str(len({members.variable}))" if members.variable else str(len(members.entries))
            entry = Entry(entry.source, (count, members.variable is None))
        if members.variable is None:
            members.entries.append(entry)
        elif members.named:
            self.lines.add(f"{members.variable}[{label_text(entry.label)}] = {entry.source}")
        elif entry.starred:
            self.lines.add(f"{members.variable} += {entry.source}")
        else:
            self.lines.add(f"{members.variable}.append({entry.source})")

    def fill(self, body: Sequence[syntax.Stmt], members: Members) -> None:
        for statement in body:
            match statement:
                case syntax.Flow():
                    self.fill_flow(statement, members)
                case syntax.For():
                    self.fill_for(statement, members)
                case syntax.If():
                    self.fill_if(statement, members)

    def fill_flow(self, statement: syntax.Flow, members: Members) -> None:
        if statement.when is None:
            return self.fill_body(statement, members)
        settled = self.decide(statement.when, optional=True)
        if settled is False:
            return None
        if settled is True:
            return self.fill_body(statement, members)
        self.as_list(members)
        before = dict(self.plan.current)
        with self.lines.block(f"if {self.condition(statement.when)}:"):
            self.fill_body(statement, members)
            self.assign_running(statement, 1)
        self.plan.current = before
        with self.lines.block("else:"):
            self.assign_running(statement, 0)
        return None

    def fill_body(self, statement: syntax.Flow, members: Members) -> None:
        label = self.entry_label(statement.label)
        body = self.written_out(statement.body)
        if statement.label is not None and not isinstance(body, syntax.Name | syntax.Call | syntax.IfElse):
            return self.append(members, Entry(self.container(body), label))
        if isinstance(body, syntax.Pipe):
            for stage in body.stages:
                self.fill_stage(stage, None, members)
            return None
        if isinstance(body, syntax.Group):
            return self.fill(body.body, members)
        return self.fill_stage(body, label, members)

    def entry_label(self, label: syntax.Name | syntax.String | None) -> tuple[str, bool] | None:
        if label is None or (isinstance(label, syntax.Name) and label.id == "seq"):
            return None
        return self.label(label)

    def fill_stage(self, stage: syntax.Expr, label: tuple[str, bool] | None, members: Members) -> None:
        stage = self.written_out(stage)
        if isinstance(stage, syntax.Pipe | syntax.Group):
            inner = stage.body if isinstance(stage, syntax.Group) else [syntax.Flow(s.span, None, None, s) for s in stage.stages]
            return self.fill(inner, members)
        if isinstance(stage, syntax.Binary):
            return self.fill_repeat(stage, members)
        source = self.module(stage)
        if source is not None:
            self.append(members, Entry(self.hoisted(stage, source.text), label))
        return None

    def hoisted(self, stage: syntax.Expr, source: str) -> str:
        """A member whose sizes are asked for later gets a name first."""
        name = self.plan.hoisted.get(stage)
        if name is None:
            return source
        self.lines.add(f"{name} = {source}")
        return name

    def fill_repeat(self, repeat: syntax.Binary, members: Members) -> None:
        """`n * Block(...)`: a comprehension, or a loop where the sizes change from one to the next."""
        if repeat.single:
            return self.fill_stage(repeat.right, None, members)
        loop = self.loop(repeat)
        if loop is None:
            return None
        source = self.module(repeat.right)
        assert source is not None
        count = self.text(loop.iterable)
        if not self.carried(repeat) and not members.named:
            star = "" if members.variable is not None else "*"
            return self.append(members, Entry(f"{star}[{source.text} for _ in range({count})]", None, True))
        self.as_list(members)
        self.assign_running(repeat, 0)
        with self.lines.block(f"for _ in range({count}):"):
            self.append(members, Entry(self.hoisted(repeat.right, source.text), None))
            self.assign_running(repeat, 1)
        return None

    def fill_for(self, statement: syntax.For, members: Members) -> None:
        copies = self.unrolled(statement)
        if copies is not None:
            return self.fill(copies, members)
        loop = self.loop(statement)
        if loop is None:
            return
        self.as_list(members)
        self.assign_running(statement, 0)
        with self.for_block(statement, self.text(loop.iterable)):
            self.fill(statement.body, members)
            self.assign_running(statement, 1)

    @contextmanager
    def for_block(self, statement: syntax.For, iterable: str) -> Iterator[None]:
        """The body of a loop, and above it the header with what the body reads."""
        header = len(self.lines.items)
        with self.lines.block("for"):
            yield
        if len(self.lines.items) > header:
            loop = render_loop(statement.target, iterable, self.lines.items[header + 1 :])
            self.lines.items[header] = f"{INDENT * self.lines.depth}for {loop}:"

    def fill_if(self, statement: syntax.If, members: Members) -> None:
        def write(body: Sequence[syntax.Stmt]) -> None:
            self.fill(body, members)

        if any(self.decide(condition, optional=statement.optional) is None for condition, _ in self.live(statement)):
            self.as_list(members)
        self.branches(statement, write)

    # ---- conditions ----------------------------------------------------------------------------------

    def live(self, statement: syntax.If) -> list[tuple[syntax.Expr, Sequence[syntax.Stmt]]]:
        """The branches whose condition was ever asked."""
        return [(c, b) for c, b in statement.branches if c in self.template.sites]

    def branches(self, statement: syntax.If, write: Any) -> None:
        """An `if` as far as it is not settled."""
        keyword, open_ended = "if", True
        self.entered = dict(self.plan.current)
        for index, (condition, body) in enumerate(self.live(statement)):
            settled = self.decide(condition, optional=statement.optional)
            if settled is False:
                continue
            if settled is True:
                if keyword == "if":
                    write(body)
                else:
                    self.branch("else:", statement, index, body, write)
                open_ended = False
                break
            self.branch(f"{keyword} {self.condition(condition)}:", statement, index, body, write)
            keyword = "elif"
        if open_ended:
            if keyword == "if":
                write(statement.otherwise)
            else:
                self.branch("else:", statement, len(statement.branches), statement.otherwise, write)

    def branch(self, header: str, statement: syntax.If, index: int, body: Sequence[syntax.Stmt], write: Any) -> None:
        self.lines.add(header)
        self.lines.depth += 1
        before = len(self.lines.items)
        self.plan.current = dict(self.entered)
        write(body)
        self.assign_running(statement, index)
        if len(self.lines.items) == before:
            if header == "else:":
                self.lines.items.pop()
            else:
                self.lines.add("pass")
        self.lines.depth -= 1

    # ---- sizes that are carried along ------------------------------------------------------------------

    def carried(self, node: syntax.Node) -> list[tuple[Any, str]]:
        return [(key, name) for (owner, key), name in self.plan.running.items() if owner is node]

    def assign_running(self, node: syntax.Node, outcome: int) -> None:
        """The variables that carry a size around a loop or out of a guard."""
        for key, name in self.carried(node):
            joined = self.template.joins.get((node, key))
            terms = self.resolver.ways(self.template, node, joined) if joined is not None else {}
            if outcome not in terms:
                continue
            source = self.text(terms[outcome])
            if source != name:
                self.lines.add(assignment(name, source))
        for key, name in self.carried(node):
            self.plan.current[name] = (node, key)

    # ---- members of a class ----------------------------------------------------------------------------

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
                    if any(self.places(b) or self.counts(b) for b in bodies) or self.carried(statement):
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

    def counts(self, body: Sequence[syntax.Stmt]) -> bool:
        """Whether statements are branches that `count_branch` counts."""
        counted = [self.template.joins.get(key) for key in self.plan.running]
        return any(joined is not None and statement in joined.parts for joined in counted for statement in body)

    def member_flow(self, statement: syntax.Flow) -> None:
        if not self.places([statement]):
            if statement.when is not None:
                self.flag(statement)
                self.sizes_after(statement)
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
        """A module that runs in training only stands in the tree always, or as far as the rest of its condition says."""
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
        if not self.carried(statement) or self.decide(statement.when, optional=True) is not None:  # type: ignore[arg-type]
            return
        before = dict(self.plan.current)
        with self.lines.block(f"if {self.condition(statement.when)}:"):  # type: ignore[arg-type]
            self.assign_running(statement, 1)
        self.plan.current = before
        with self.lines.block("else:"):
            self.assign_running(statement, 0)

    def optional(self, statement: syntax.Flow) -> None:
        """Modules that a condition may leave out."""
        assert statement.when is not None
        flag = self.flag(statement)
        if flag is None and isinstance(statement.label, syntax.Name) and is_optional_member(statement):
            self.lines.add(f"self.{statement.label.id} = None")
        before = dict(self.plan.current)
        with self.lines.block(f"if {flag or self.condition(statement.when)}:"):
            self.member_body(statement)
            self.assign_running(statement, 1)
        self.plan.current = before
        with self.lines.block("else:"):
            self.assign_running(statement, 0)

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
        self.assign_member(label, self.hoisted(body, self.container(body)))
        return None

    def container(self, body: syntax.Expr) -> str:
        """The expression for what stands under a label."""
        body = self.written_out(body)
        use = self.use(body)
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
            raise Inexpressible("a member without a module")
        return source.text

    def assign_member(self, label: tuple[str, bool], source: str) -> None:
        text, fixed = label
        if fixed and text.isidentifier() and not iskeyword(text):
            self.lines.add(f"self.{text} = {source}")
        else:
            self.lines.add(f"self.add_module({label_text(label)}, {source})")

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
            sides = self.module(expr.then), self.module(expr.otherwise)
            if None in sides:
                return None
            return Py(f"{sides[0].at(OR)} if {self.condition(expr.condition)} else {sides[1].text}", 1)  # type: ignore[union-attr]
        use = self.use(expr)
        return self.construct(use) if use is not None else None

    def member_for(self, statement: syntax.For) -> None:
        copies = self.unrolled(statement)
        if copies is not None:
            return self.members(copies)
        loop = self.loop(statement)
        if loop is None or not (self.places(statement.body) or self.carried(statement) or self.counts(statement.body)):
            return
        self.assign_running(statement, 0)
        with self.for_block(statement, self.text(loop.iterable)):
            self.members(statement.body)
            self.assign_running(statement, 1)

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

    # ---- names -----------------------------------------------------------------------------------------

    def assign(self, statement: syntax.Assign) -> None:
        """A compile-time value that the class still needs, or members inside a chain that is kept."""
        if statement not in self.template.terms:
            return self.member_expr(statement.value)
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

    def parameter(self, statement: syntax.Param) -> None:
        use = self.use(statement)
        if use is None:
            return
        shape = ", ".join(self.text(argument.term) for argument in use.arguments)
        value, arguments = use.layer  # type: ignore[misc]
        tensor = self.initial(value, arguments, shape)
        if statement.kind == "param":
            self.lines.add(f"self.{statement.name} = {self.imported('torch.nn.Parameter')}({tensor})")
        else:
            self.lines.add(f'self.register_buffer("{statement.name}", {tensor})')

    def initial(self, value: Any, arguments: Sequence[Argument], shape: str) -> str:
        """A tensor of a shape with its first values."""
        torch = self.imported("torch.zeros").rpartition(".")[0]
        if not isinstance(value, Initializer):
            term = self.resolver.write(self.template, arguments[0].term)
            if isinstance(value, list | tuple):
                return f"{torch}.tensor({floats(value) if is_settled(term) else self.text(term)}).reshape({shape})"
            if not is_settled(term):
                return f"{print_term(term, UNARY)} * {torch}.ones({shape or '()'})"
            if value in (0, 1):
                return f"{torch}.{('zeros', 'ones')[int(value)]}({shape or '()'})"
            return f"{torch}.full(({shape}{',' * (', ' not in shape and bool(shape))}), {float(value)})"
        name = type(value).__name__
        if name in ("zeros", "ones"):
            return f"{torch}.{name}({shape or '()'})"
        rest = "".join(f", {a.name}={self.text(a.term)}" for a in arguments)
        return f"{self.imported(value.call)}({torch}.empty({shape or '()'}){rest})"

    # ---- order and initialisation ------------------------------------------------------------------------

    def reorder(self, body: Sequence[syntax.Stmt]) -> None:
        """Members in the order that `order` gives: those that it lists first."""
        for statement in body:
            if isinstance(statement, syntax.Order):
                wanted = [self.label(name)[0] for name in statement.names]
                self.lines.items = reordered(self.lines.items, wanted)

    def initialise(self) -> None:
        """The `init` rules of the class: inner rules ran in the constructors of the members."""
        order = {"type": 0, "pattern": 1, "label": 2}
        rules = sorted(self.template.inits, key=lambda rule: order[rule.kind])
        by_type = [rule for rule in rules if rule.kind == "type"]
        if by_type:
            with self.lines.block("for module in self.modules():"):
                keyword = "if"
                for same in grouped_rules(by_type):
                    self.init_type(same, keyword)
                    keyword = "elif"
        for rule in rules:
            if rule.kind == "label":
                for name, value, arguments in rule.rules:
                    self.lines.add(self.init_call(value, arguments, f"self.{rule.target}.{name}"))
            elif rule.kind == "pattern":
                self.init_pattern(rule)

    def init_type(self, rules: Sequence[InitRule], keyword: str) -> None:
        """Rules that say the same of several layer types, as one branch."""
        rule = rules[0]
        found = {c for each in rules for c in self.classes.torch_classes(each.target)}  # type: ignore[attr-defined]
        classes = sorted(found)
        if not classes:
            return
        types = " | ".join(self.imported(c) for c in classes)
        with self.lines.block(f"{keyword} isinstance(module, {types}):"):
            for name, value, arguments in rule.rules:
                line = self.init_call(value, arguments, f"module.{name}")
                if any(self.classes.may_lack(each.target, name) for each in rules):  # type: ignore[attr-defined]
                    with self.lines.block(f"if module.{name} is not None:"):
                        self.lines.add(line)
                else:
                    self.lines.add(line)

    def init_pattern(self, rule: InitRule) -> None:
        if not set("*?[") & set(rule.target):
            path = "".join(f".{part}" if part.isidentifier() and not iskeyword(part) else f"[{part}]" for part in rule.target.split("."))
            holder = f"self{path}" if "[" not in path else f'self.get_submodule("{rule.target}")'
            for leaf, value, arguments in rule.rules:
                self.lines.add(self.init_call(value, arguments, f"{holder}.{leaf}"))
            return
        self.plan.requires["from fnmatch import fnmatchcase"] = None
        for leaf, value, arguments in rule.rules:
            with self.lines.block("for name, parameter in self.named_parameters():"):
                with self.lines.block(f'if fnmatchcase(name, "{rule.target}.{leaf}"):'):
                    self.lines.add(self.init_call(value, arguments, "parameter"))

    def init_call(self, value: Any, arguments: Sequence[Argument], target: str) -> str:
        if not isinstance(value, Initializer):
            return f"{self.imported('torch.nn.init.constant_')}({target}, {self.text(arguments[0].term)})"
        rest = "".join(f", {a.name}={self.text(a.term)}" for a in arguments)
        return f"{self.imported(value.call)}({target}{rest})"


def grouped_rules(rules: Sequence[InitRule]) -> list[list[InitRule]]:
    """Neighbouring rules that say the same, together; an empty rule says nothing."""
    groups: list[list[InitRule]] = []
    for rule in rules:
        if groups and rule_key(groups[-1][0]) == rule_key(rule):
            groups[-1].append(rule)
        elif rule.rules:
            groups.append([rule])
    return groups


def rule_key(rule: InitRule) -> list[tuple[str, str, list[tuple[str, str]]]]:
    return [(name, type(value).__name__, [(a.name, str(a.term)) for a in args]) for name, value, args in rule.rules]


def statements_of(body: syntax.Expr, constructor: Constructor) -> Sequence[syntax.Stmt]:
    """What stands under a label, as the statements of a Sequential; value heads are not part of it."""
    match body:
        case syntax.Suite(body=inner) | syntax.Group(body=inner):
            return inner
        case syntax.Pipe(stages=stages):
            kept = [s for s in stages if not ((use := constructor.use(s)) is not None and use.kind == "value")]
            return [syntax.Flow(stage.span, None, None, stage) for stage in kept]
    return [syntax.Flow(body.span, None, None, body)]


def is_settled(term: Term) -> bool:
    """Whether a term is made of numbers alone."""
    return not any(atom.source.isidentifier() for atom in term.atoms() if isinstance(atom, Written))


def floats(values: Any) -> str:
    """Numbers, nested in lists, as floats."""
    if isinstance(values, list | tuple):
        return f"[{', '.join(map(floats, values))}]"
    return str(float(values))


def conditions_in(expr: syntax.Expr) -> Iterator[syntax.Expr]:
    """The conditions of an expression that is written as it stands."""
    if isinstance(expr, syntax.IfElse):
        yield expr.condition
        yield from conditions_in(expr.then)
        yield from conditions_in(expr.otherwise)


def is_optional_member(statement: syntax.Flow) -> bool:
    """Whether a guarded statement is one labelled module, which is None when it is left out."""
    label = statement.label
    return isinstance(label, syntax.Name) and not iskeyword(label.id) and statement.operator is None


def flag_name(statement: syntax.Flow) -> str:
    """What the outcome of a guard is called in the class."""
    if statement.operator == "+":
        return "shortcut"
    if statement.label is not None:
        return f"use_{statement.label.span.text}"
    for word in statement.body.span.text.replace("(", " ").replace(":", " ").split():
        if word.isidentifier():
            return f"use_{word.lower()}"
    return "enabled"


def assignment(name: str, source: str) -> str:
    """`name = source`, or `name += rest` where a sum begins with the name."""
    if source.startswith(f"{name} + ") and not {" if ", " or ", " and "} & set(re.findall(r" \w+ ", source)):
        return f"{name} += {source.removeprefix(f'{name} + ')}"
    return f"{name} = {source}"


def entry_text(entry: Entry) -> str:
    return entry.source


def label_text(label: tuple[str, bool] | None) -> str:
    assert label is not None
    return f'"{label[0]}"' if label[1] else label[0]


def reordered(lines: list[str], wanted: Sequence[str]) -> list[str]:
    """Statements sorted so that members come in a given order; what belongs to no listed member stays after."""
    groups: list[list[str]] = []
    for line in lines:
        if (line.startswith(" ") and groups) or line.startswith(("else:", "elif ")):
            groups[-1].append(line)
        else:
            groups.append([line])
    ranked: dict[int, list[list[str]]] = {}
    rest: list[list[str]] = []
    header = groups.pop(0)
    groups = merge_optional(groups)
    for group in groups:
        names = [name for name in wanted if any(member_of(line, name) for line in group)]
        if names:
            ranked.setdefault(min(wanted.index(name) for name in names), []).append(group)
        elif member_line(group):
            rest.append(group)
        else:
            ranked.setdefault(-1, []).append(group)
    ordered = [*(g for rank in sorted(ranked) for g in ranked[rank]), *rest]
    refuse_reordering(groups, ordered)
    return [line for group in (header, *ordered) for line in group]


def refuse_reordering(groups: list[list[str]], ordered: list[list[str]]) -> None:
    """Raises Inexpressible where statements change places of which one assigns what the other reads or assigns."""
    places = [next(place for place, other in enumerate(ordered) if other is group) for group in groups]
    touched = [(written_names(group), set(re.findall(r"self\.\w+|\w+", " ".join(group)))) for group in groups]
    for i, (writes, names) in enumerate(touched):
        for j in range(i + 1, len(groups)):
            other_writes, other_names = touched[j]
            shared = writes & other_names or names & other_writes
            if shared and places[i] > places[j]:
                name = min(shared).removeprefix("self.")
                raise Inexpressible(f"an `order` that asks for `{name}` before it is known")


def written_names(lines: list[str]) -> set[str]:
    """The locals and attributes that statements assign."""
    found = (re.match(r"\s*(self\.\w+|\w+)(: [^=]*)? \+?= ", line) for line in lines)
    return {match[1] for match in found if match is not None}


def merge_optional(groups: list[list[str]]) -> list[list[str]]:
    """`self.a = None` and the `if` that sets it belong together."""
    merged: list[list[str]] = []
    for group in groups:
        if merged and merged[-1][-1].endswith(" = None") and group[0].startswith("if "):
            merged[-1] = [*merged[-1], *group]
        else:
            merged.append(group)
    return merged


def member_of(line: str, name: str) -> bool:
    text = line.strip()
    return text.startswith((f"self.{name} = ", f'self.add_module("{name}"'))


def member_line(group: list[str]) -> bool:
    return any(line.strip().startswith("self.") for line in group)


__all__ = ["Constructor", "Place", "Term", "Use", "python_name"]
