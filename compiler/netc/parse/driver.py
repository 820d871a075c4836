"""Runs lexer, machine and builder over a source, or over the expression in a part of one."""

from __future__ import annotations

from netc.diagnostics import Source, Span, SpecError
from netc.parse.build import FileBuilder
from netc.parse.lexer import Lexer
from netc.parse.lexical import check_hidden
from netc.parse.machine import Action, Machine
from netc.parse.tables import Tables, load_tables
from netc.syntax import Expr, File


class Driver(FileBuilder):
    """A builder that can run the machine, because a string may hold expressions."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source
        self.tables: Tables = load_tables()
        self.actions = [self.action(rule.action) for rule in self.tables.rules]

    def action(self, name: str) -> Action | None:
        return None if name in ("items", "pass") else getattr(self, name)

    def expression_at(self, span: Span) -> Expr:
        value = self.run("expression", span.start, span.end)
        assert isinstance(value, Expr)
        return value

    def run(self, start: str, begin: int, end: int) -> object:
        """The value of the whole text between the offsets; raises SpecError at the first token that cannot stand.

        The error of a file says nothing yet.
        """
        whole = start == "file"
        lexer = Lexer(self.tables, self.source, begin, end, layout=whole)
        machine = Machine(self.tables, self.actions, self.source, start, begin, restores=not whole)
        while True:
            before = lexer.last
            token = lexer.next(machine.states)
            if not machine.feed(token):
                if whole:
                    raise SpecError(())  # the file is read once more, by what goes on behind every error
                from netc.parse.faults import explain  # only where there is an error to explain
                from netc.parse.place import Place

                raise SpecError((explain(Place(machine.states, lexer, before, token)),))
            if token.type == "$END":
                return machine.entries[-1][0]


def parse(source: Source) -> File:
    """The syntax tree of a file; raises SpecError with every independent error in it."""
    check_hidden(source)
    driver = Driver(source)
    try:
        file = driver.run("file", 0, len(source.text))
    except SpecError:
        from netc.parse.recovery import all_errors

        raise SpecError(all_errors(source)) from None
    driver.found.raise_if_any()
    assert isinstance(file, File)
    return file
