"""Runs the passes that the project of a spec asks for, and makes warnings of what they find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from netc import syntax
from netc.contract import ContractError, described, shown
from netc.diagnostics import Diagnostic, Label, nearest
from netc.graph import Network
from netc.layer import BadArgument
from netc.passes import Finding, Pass
from netc.project import Project, ProjectError, find_project
from netc.registry import Registry

TABLE = "[tool.netc.passes]"


def project_rules(network: Network, registry: Registry, folder: Path) -> Iterator[Diagnostic]:
    """What the passes find that the nearest pyproject.toml names, from the spec's folder upwards.

    Raises ProjectError for a pass that there is not, and for arguments that it does not take.
    """
    project = find_project(folder)
    for name, given in asked(project).items() if project is not None else ():
        assert project is not None
        define = network.template.node
        assert isinstance(define, syntax.Define)
        for finding in found(bound(name, given, registry, project), network):
            label = Label(finding.span or define.name_span, finding.note)
            notes = (f"a rule of {TABLE}: `{name}`",)
            yield Diagnostic("W0708", finding.reason, label, (), notes, finding.help, "warning")


def found(rule: Pass, network: Network) -> Iterator[Finding]:
    """What a pass finds. Raises ContractError where it gives something else."""
    given = rule.run(network)
    for finding in given if isinstance(given, Iterable) else [given]:
        if not isinstance(finding, Finding) or not isinstance(finding.reason, str):
            raise ContractError(f"{described(type(rule))}: `run` must yield `Finding`s, not {shown(finding)}")
        yield finding


def asked(project: Project) -> Mapping[str, object]:
    """The passes that the table names, each with its arguments."""
    table = project.table.get("passes", {})
    if not isinstance(table, dict):
        raise ProjectError(f"{project.path}: `passes` of [tool.netc] is a table")
    return table


def bound(name: str, given: object, registry: Registry, project: Project) -> Pass:
    """The pass with its arguments, checked."""
    cls: type[Pass] | None = registry.find("passes", name)
    if cls is None:
        near = nearest(name, registry.names("passes"))
        hint = f"did you mean `{near}`?" if near else "`netc layers` lists what the plugins bring"
        raise ProjectError(f"{project.path}: there is no pass `{name}`; {hint}")
    if not isinstance(given, dict):
        raise ProjectError(f"{project.path}: {TABLE} gives `{name}` a table of arguments, such as `{name} = {{}}`")
    try:
        return cls.bind((), {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()})
    except BadArgument as error:
        raise ProjectError(f"{project.path}: `{name}` in {TABLE}: {error}") from None
