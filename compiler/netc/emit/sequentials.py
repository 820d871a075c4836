"""Sequentials in a constructor: entries, comprehensions and lists that statements build."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from keyword import iskeyword
from typing import Any

from netc import syntax
from netc.emit.carrying import Carrying
from netc.emit.python import Py
from netc.emit.resolve import own_names
from netc.emit.targets import render_loop
from netc.emit.wording import label_text
from netc.emit.wrapping import INDENT
from netc.record import Mutable

LIST_NAMES = ("layers", "blocks", "members", "parts", "units", "pieces", "items", "modules")


LONG = 60
"""How long a list of modules may be inside the call that takes them."""


class Entry(Mutable):
    """Something in a Sequential: a module's source and its label (None: its number)."""

    source: str
    label: tuple[str, bool] | None
    starred: bool = False


class Members(Mutable):
    """The content of a Sequential under construction: entries so far, or a list that statements append to."""

    entries: list[Entry] = field(default_factory=list)
    variable: str | None = None
    named: bool = False


class Sequentials(Carrying):
    """Writes the Sequentials of `__init__`, with the loops and conditions that fill them."""

    declared: dict[str, str]
    open_lists: list[Members]

    def module(self, expr: syntax.Expr) -> Py | None:
        """The expression that makes the module of a stage."""
        raise NotImplementedError

    def container(self, body: syntax.Expr) -> str:
        """The expression for what stands under a label."""
        raise NotImplementedError

    def assign_member(self, label: tuple[str, bool], source: str) -> None:
        """A member of the class itself."""
        raise NotImplementedError

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
        if all(
            e.label and e.label[1] and e.label[0].isidentifier() and not iskeyword(e.label[0]) for e in members.entries
        ):
            return f"{name}(OrderedDict({', '.join(f'{e.label[0]}={e.source}' for e in members.entries if e.label)}))"
        pairs = [f"({label_text(e.label)}, {e.source})" for e in members.entries]
        return f"{name}(OrderedDict([{', '.join(pairs)}]))"

    def module_list(self, body: Sequence[syntax.Stmt]) -> str:
        """The expression for modules that `forward` calls one after the other, with more than one value."""
        members = self.collect(body, False)
        name = self.imported("torch.nn.ModuleList")
        if members.variable is not None:
            return f"{name}({members.variable})"
        texts = [entry_text(entry) for entry in members.entries]
        single = len(texts) == 1 and texts[0].startswith("*")
        return f"{name}({texts[0][1:]})" if single else f"{name}([{', '.join(texts)}])"

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
        self.open_lists.append(members)
        self.fill(body, members)
        self.open_lists.pop()
        return members

    def as_list(self, members: Members, inner: Sequence[str] = ()) -> str:
        """From here on the Sequential is built by statements, among them those of an `inner` one."""
        if members.variable is None:
            members.variable = self.variable_for(members.named, inner)
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

    def variable_for(self, named: bool, inner: Sequence[str] = ()) -> str:
        """The name of a list of members; a name holds things of one type in a constructor.

        It is none of those of the lists that it stands in, or of those that the statements `inner` build.
        """
        hint = "OrderedDict" if named else "list"
        names = LIST_NAMES[len(self.open_lists) - 1 :] or LIST_NAMES
        taken = {*own_names(self.template), *(members.variable for members in self.open_lists)}
        taken |= {found[1] for line in inner if (found := re.match(r"\s*(\w+)(: .*)? = ", line))}
        free = [n for n in (*names, *LIST_NAMES) if n not in taken]
        return next(n for n in free if self.declared.get(n, hint).startswith(hint))

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
        return self.both_ways(statement, lambda: self.fill_body(statement, members))

    def fill_body(self, statement: syntax.Flow, members: Members) -> None:
        label = self.entry_label(statement.label)
        body = self.written_out(statement.body)
        if statement.label is not None and not isinstance(body, syntax.Name | syntax.Call | syntax.IfElse):
            return self.append(members, Entry(self.hoisted(body, self.nested(body, members)), label))
        if isinstance(body, syntax.Pipe):
            for stage in body.stages:
                self.fill_stage(stage, None, members)
            return None
        if isinstance(body, syntax.Group):
            return self.fill(body.body, members)
        return self.fill_stage(body, label, members)

    def nested(self, body: syntax.Expr, members: Members) -> str:
        """A Sequential in another one; if statements build it, statements build the other too."""
        start = len(self.lines.items)
        source = self.container(body)
        if members.variable is None and len(self.lines.items) > start:
            inner, self.lines.items[start:] = self.lines.items[start:], []
            self.as_list(members, inner)
            self.lines.items += inner
        return source

    def entry_label(self, label: syntax.Name | syntax.String | None) -> tuple[str, bool] | None:
        if label is None or (isinstance(label, syntax.Name) and label.id == "seq"):
            return None
        return self.label(label)

    def fill_stage(self, stage: syntax.Expr, label: tuple[str, bool] | None, members: Members) -> None:
        stage = self.written_out(stage)
        if isinstance(stage, syntax.Pipe | syntax.Group):
            inner = (
                stage.body
                if isinstance(stage, syntax.Group)
                else [syntax.Flow(s.span, None, None, s) for s in stage.stages]
            )
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
        copies = self.unrolled(repeat)
        if copies is not None:
            return self.fill(copies, members)
        loop = self.loop(repeat)
        if loop is None:
            return None
        count = self.text(loop.iterable)
        if not self.carried(repeat) and not members.named:
            return self.extend(members, f"[{self.repeated_source(repeat)} for _ in range({count})]")
        self.as_list(members)
        self.assign_running(repeat, 0)
        with self.lines.block(f"for _ in range({count}):"):
            self.append(members, Entry(self.hoisted(repeat.right, self.repeated_source(repeat)), None))
            self.assign_running(repeat, 1)
        return None

    def repeated_source(self, repeat: syntax.Binary) -> str:
        source = self.module(repeat.right)
        assert source is not None
        return source.text

    def fill_for(self, statement: syntax.For, members: Members) -> None:
        copies = self.unrolled(statement)
        if copies is not None:
            return self.fill(copies, members)
        loop = self.loop(statement)
        if loop is None:
            return None
        iterable = self.text(loop.iterable)
        listed = None if members.named else self.comprehension(statement, iterable)
        if listed is not None:
            return self.extend(members, listed)
        self.as_list(members)
        self.assign_running(statement, 0)
        with self.for_block(statement, iterable):
            self.fill(statement.body, members)
            self.assign_running(statement, 1)
        return None

    def comprehension(self, statement: syntax.For, iterable: str) -> str | None:
        """A loop as `[Block(i) for i in range(n)]`, if it places one module and nothing goes around it."""
        if self.carried(statement) or len(statement.body) != 1 or not isinstance(statement.body[0], syntax.Flow):
            return None
        start, placed = len(self.lines.items), Members()
        if statement.body[0].when is None:
            self.fill(statement.body, placed)
        entries = placed.entries
        if len(self.lines.items) > start or len(entries) != 1 or entries[0].starred:
            del self.lines.items[start:]
            return None
        source = entries[0].source
        return f"[{source} for {render_loop(statement.target, iterable, [source])}]"

    def extend(self, members: Members, listed: str) -> None:
        """Adds a list of modules; a long one that begins a Sequential becomes its list."""
        if members.variable is None and not members.entries and len(listed) > LONG:
            members.variable = self.variable_for(False)
            self.declare(members.variable, f"list[{self.imported('torch.nn.Module')}]", listed)
        else:
            star = "" if members.variable is not None else "*"
            self.append(members, Entry(f"{star}{listed}", None, True))

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

    def live(self, statement: syntax.If) -> list[tuple[syntax.Expr, Sequence[syntax.Stmt]]]:
        """The branches whose condition was ever asked."""
        return [(c, b) for c, b in statement.branches if c in self.template.sites]

    def branches(self, statement: syntax.If, write: Any) -> None:
        """An `if` as far as it is not settled."""
        skipped = len(statement.branches)
        if statement.otherwise or not self.beforehand(statement, skipped, lambda: self.all_ways(statement, write)):
            self.all_ways(statement, write)

    def all_ways(self, statement: syntax.If, write: Any) -> None:
        keyword, open_ended = "if", True
        self.before_branches = dict(self.plan.current)
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
            header = f"{keyword} {self.condition(condition)}:"
            with self.where(self.asked_condition(condition), True):
                self.branch(header, statement, index, body, write)
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
        self.plan.current = dict(self.before_branches)
        write(body)
        self.assign_running(statement, index)
        if len(self.lines.items) == before:
            if header == "else:":
                self.lines.items.pop()
            else:
                self.lines.add("pass")
        self.lines.depth -= 1

def entry_text(entry: Entry) -> str:
    return entry.source


def statements_of(body: syntax.Expr, constructor: Sequentials) -> Sequence[syntax.Stmt]:
    """What stands under a label, as the statements of a Sequential; value heads are not part of it."""
    match body:
        case syntax.Suite(body=inner) | syntax.Group(body=inner):
            return inner
        case syntax.Pipe(stages=stages):
            kept = [s for s in stages if not ((use := constructor.use(s)) is not None and use.kind == "value")]
            return [syntax.Flow(stage.span, None, None, stage) for stage in kept]
    return [syntax.Flow(body.span, None, None, body)]
