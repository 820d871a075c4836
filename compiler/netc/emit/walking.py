"""The statements of a class, those in groups, branches, loops and of what is inlined too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netc import syntax
from netc.graph import Template, Unrolled, Use


def statements_in(body: Sequence[syntax.Stmt], template: Template) -> Iterator[syntax.Stmt]:
    """The statements of a class, those in groups, branches and loops and of what is inlined too."""
    for statement in body:
        yield statement
        match statement:
            case syntax.Flow(operator="inline"):
                use = template.sites.get(statement.body)
                if isinstance(use, Use) and use.define is not None:
                    yield from statements_in(use.define.body, template)
            case syntax.For(body=inner):
                site = template.sites.get(statement)
                for copy in site.bodies if isinstance(site, Unrolled) else (inner,):
                    yield from statements_in(copy, template)
            case syntax.Flow(body=syntax.Group(body=inner)) | syntax.Flow(body=syntax.Fork(branches=inner)):
                yield from statements_in(inner, template)
            case syntax.If(branches=branches, otherwise=otherwise):
                for _, inner in branches:
                    yield from statements_in(inner, template)
                yield from statements_in(otherwise, template)


def tensor_targets(body: Sequence[syntax.Stmt], template: Template) -> Iterator[str]:
    """The names under which statements keep tensors."""
    for statement in statements_in(body, template):
        if isinstance(statement, syntax.Assign):
            if statement not in template.terms and statement not in template.recipes:
                yield from statement.target.names
        if (
            isinstance(statement, syntax.Flow)
            and statement.operator == "side"
            and isinstance(statement.label, syntax.Name)
        ):
            yield statement.label.id
        if isinstance(statement, syntax.Input) and statement.name is not None:
            yield statement.name
