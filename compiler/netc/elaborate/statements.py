"""Statements: each run once, a mistake noted once, and what it would have made poisoned."""

from __future__ import annotations

from collections.abc import Sequence

from netc import syntax
from netc.elaborate.bindings import Bindings, in_training
from netc.elaborate.cloning import copied
from netc.elaborate.conditions import TRAINING
from netc.elaborate.syntactic import assigned, bound, handler, labels_in, names_in
from netc.elaborate.trail import expansion
from netc.elaborate.values import POISON, Binding, BlockRef, Fault, FileScope, Frame, Poisoned, fault
from netc.graph import Template, Use
from netc.terms import Term

JOINS = {"+": "add", "*": "mul", "&": "cat"}
__all__ = ["FileScope", "Statements"]


class Statements(Bindings):
    """Runs statements in a frame."""

    def statements(self, body: Sequence[syntax.Stmt], frame: Frame) -> None:
        for statement in body:
            self.statement(statement, frame)

    def statement(self, statement: syntax.Stmt, frame: Frame) -> None:
        """Runs one statement; a mistake is noted once and poisons what it would have made."""
        try:
            getattr(self, handler("_run_", type(statement).__name__))(statement, frame)
        except Fault as error:
            self.note(error)
            self.poison(statement, frame)
        except Poisoned:
            self.poison(statement, frame)

    def note(self, error: Fault) -> None:
        """Adds a mistake to the diagnostics, with the expansions, loops and calls that led to it."""
        self.diagnostics.add(self.trail.told(error))

    def poison(self, statement: syntax.Stmt, frame: Frame) -> None:
        """Makes silent what asks for the flow, the names or the labels that a statement would have made."""
        if isinstance(statement, syntax.Assign):
            for name in statement.target.names:
                frame.env[name] = Binding(POISON, Term({}), statement.span)
        elif isinstance(statement, syntax.Param):
            frame.env[statement.name] = Binding(POISON, Term({}), statement.span)
        elif isinstance(statement, syntax.Flow) and statement.operator == "side":
            if isinstance(statement.label, syntax.Name):
                frame.env[statement.label.id] = Binding(POISON, Term({}), statement.span)
        elif not isinstance(statement, syntax.Default | syntax.Init | syntax.Order | syntax.Tie):
            frame.flow = POISON
            for name in bound((statement,)):
                frame.env.setdefault(name, Binding(POISON, Term({}), statement.span))
        frame.container.broken.update(labels_in(statement))

    def _run_flow(self, statement: syntax.Flow, frame: Frame) -> None:
        if statement.operator == "side":
            return self.side(statement, frame)
        if statement.when is None:
            return self.flow_body(statement, frame)
        outcome = self.guard(statement, statement.when, frame)
        before = frame.flow
        self.unread.read(before)  # where the condition does not hold, the flow goes on
        if outcome:
            self.flow_body(statement, frame)
        if frame.flow is not POISON and before is not None:
            after, frame.flow = frame.flow, self.join(statement, int(outcome), frame.flow, frame)
            if outcome:
                self.leaving_out(statement, statement.when, 0, before, after, frame)
        return None

    def flow_body(self, statement: syntax.Flow, frame: Frame) -> None:
        if statement.operator is None:
            return self.labelled(statement, frame)
        if statement.operator == "inline":
            return self.inline(statement, frame)
        left = self.need_flow(frame, statement.span)
        self.labelled(statement, frame)
        right = frame.flow
        if right is POISON:
            raise Poisoned
        self.unread.read(right)
        frame.flow = self.operate(JOINS[statement.operator], [left, right], statement, frame)
        return None

    def _run_if(self, statement: syntax.If, frame: Frame) -> None:
        outcome, body = len(statement.branches), statement.otherwise
        for i, (condition, branch) in enumerate(statement.branches):
            if self.guard(statement, condition, frame):
                outcome, body = i, branch
                break
        before = frame.flow
        self.unread.read(before)
        self.statements(body, frame)
        if frame.flow is not POISON and frame.flow is not None:
            after, frame.flow = frame.flow, self.join(statement, outcome, frame.flow, frame)
            if statement.optional and not outcome and before is not None:
                self.leaving_out(statement, statement.branches[0][0], 1, before, after, frame)
        names = {n for _, b in statement.branches for n in assigned(b)} | set(assigned(statement.otherwise))
        self.rejoin(statement, sorted(names), outcome, frame)

    def _run_for(self, statement: syntax.For, frame: Frame) -> None:
        self.loop_over(statement, frame, lambda body: self.statements(body, frame))

    def _run_side(self, statement: syntax.Flow, frame: Frame) -> None:
        self.side(statement, frame)

    def side(self, statement: syntax.Flow, frame: Frame) -> None:
        """`side aux: ... when training`: a module whose output is kept under its label and leaves the flow alone."""
        if not isinstance(statement.label, syntax.Name):
            help = "`side aux: Head when training`"
            raise fault("E0408", statement.span, "`side` needs a label", "without a name", help=help)
        name = statement.label.id
        frame.env["training"] = Binding(True, TRAINING, statement.span)
        try:
            if statement.when is not None and not self.guard(statement, statement.when, frame):
                frame.env[name] = Binding(None, Term({}), statement.span)
                return
        finally:
            frame.env.pop("training", None)
        before, calls = frame.flow, frame.container.module.calls
        known = len(calls)
        with self.unread.keeping(before):
            self.labelled(statement, frame)
        if statement.when is not None and "training" in names_in(statement.when):
            in_training(calls, known)
        value, frame.flow = frame.flow, before
        self.unread.read(value)
        frame.env[name] = Binding(value, Term({}), statement.span)

    def inline(self, statement: syntax.Flow, frame: Frame) -> None:
        """`inline Block(...)`: the block's statements as if they stood here; its names stay its own."""
        body = statement.body
        call = body if isinstance(body, syntax.Call) else None
        head = body.function if isinstance(body, syntax.Call) else body
        found = self.resolve(head, frame) if isinstance(head, syntax.Name) else None
        if not isinstance(found, BlockRef):
            raise fault(
                "E0402", body.span, "`inline` takes a block", "no block", help="a block begins with `def Name:`",
            )  # fmt: skip
        values, terms, _ = self.block_arguments(found, call, frame, body, frame)
        found = BlockRef(self.copy_for(body, found.define, frame.template), found.scope)
        inner = self.new_frame(found, frame)
        inner.template, inner.container, inner.chain = (
            frame.template,
            frame.container,
            (*frame.chain, (found.define.name, body.span)),
        )
        self.bind_parameters(found.define, values, inner)
        for param in found.define.params:
            term = terms.get(param.name)
            if term is None:
                assert param.default is not None
                term = self.render(param.default, inner)
            value = values[param.name]
            bound = self.binding(param.name, value, body, param)
            inner.env[param.name] = bound
            frame.template.locals.setdefault(body, {})[param.name] = term
        inner.entry = inner.flow = frame.flow
        frame.template.sites.setdefault(body, Use("inline", callee=found.define.name, define=found.define))
        with self.trail.inside(expansion(found.define.name, body.span)):
            self.statements(found.define.body, inner)
        if inner.returned is not None:
            raise fault("E0409", body.span, f"`{found.define.name}` returns, and what is inlined cannot", "here")
        frame.defaults = inner.defaults
        frame.flow = inner.flow

    def copy_for(self, place: syntax.Expr, define: syntax.Define, template: Template) -> syntax.Define:
        """The text of a definition for one place where it is inlined, with names that the class has not bound yet."""
        known = template.sites.get(place)
        if isinstance(known, Use) and known.define is not None:
            return known.define
        inlined = [s.define.body for s in template.sites.values() if isinstance(s, Use) and s.define is not None]
        taken = {name for body in (template.body, *inlined) for name in bound(body)} | set(template.parameters)
        return copied(define, taken)
