"""Forks in `forward`: each branch on the same value, then what joins them; those of loops in a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from netc import syntax
from netc.emit.keyed import has_only
from netc.emit.python import Py
from netc.emit.resolve import own_names
from netc.emit.targets import render_loop
from netc.emit.tensors import flow_inputs, names_in
from netc.emit.wrapping import INDENT
from netc.graph import Guard, Use
from netc.naming import python_name

if TYPE_CHECKING:
    from netc.emit.forward import Forward

REDUCED = {"operator.add": "torch.add", "operator.mul": "torch.mul"}


def write_fork(writer: Forward, fork: syntax.Fork) -> None:
    """Leaves in the flow what the branches join to; `fork:` binds names and leaves the flow."""
    entered = Py(writer.flush())
    if entered.text in map(python_name, bound(fork.branches)):
        writer.out.add(f"{writer.variable} = {entered.text}")
        entered = Py(writer.variable)
    body = list(settled_branches(writer, fork.branches))
    variable = writer.variable
    computed = fork.join is not None and any(isinstance(branch, syntax.For | syntax.If) for branch in body)
    write = listed_branches if computed else named_branches
    flow = all_at_once(writer, fork, body, entered) or write(writer, fork, body, entered)
    writer.variable, writer.flow = variable, flow


def settled_branches(writer: Forward, body: Sequence[syntax.Stmt]) -> Iterator[syntax.Stmt]:
    """The branches, those of settled conditions opened and those of loops that never run left out."""
    for branch in body:
        if isinstance(branch, syntax.If):
            live = writer.live(branch)
            outcomes = [writer.decide(condition, optional=branch.optional) for condition, _ in live]
            if None in outcomes:
                yield branch
            else:
                taken = live[outcomes.index(True)][1] if True in outcomes else branch.otherwise
                yield from settled_branches(writer, taken)
        elif isinstance(branch, syntax.For) and (copies := writer.unrolled(branch)) is not None:
            yield from settled_branches(writer, copies)
        elif not isinstance(branch, syntax.For) or writer.loop(branch) is not None:
            yield branch


def named_branches(writer: Forward, fork: syntax.Fork, body: Sequence[syntax.Stmt], entered: Py) -> Py:
    """Each branch under a name of its own, then the join."""
    results: list[Py] = []
    for branch in body:
        writer.flow = entered
        if isinstance(branch, syntax.Assign):
            writer.keep(branch)
        elif isinstance(branch, syntax.If):
            writer.conditional(branch)
        elif isinstance(branch, syntax.For):
            binding_loop(writer, fork, branch, entered)
        else:
            results.append(named_branch(writer, branch, results, entered))
    if fork.join is None:
        return entered
    use = writer.use(fork)
    return results[0] if use is None or (len(results) == 1 and fork.join != "stack") else writer.joined(results, use)


def binding_loop(writer: Forward, fork: syntax.Fork, statement: syntax.For, entered: Py) -> None:
    """A loop whose branches bind names."""
    loop = writer.loop(statement)
    assert loop is not None
    names, header = set(statement.target.names), len(writer.out.items)
    writer.loop_names |= names
    with writer.out.block("for"):
        named_branches(writer, fork, list(settled_branches(writer, statement.body)), entered)
    if len(writer.out.items) > header:
        iterable = writer.at_run_time(loop.iterable).text
        rendered = render_loop(statement.target, iterable, writer.out.items[header + 1 :])
        writer.out.items[header] = f"{INDENT * writer.out.depth}for {rendered}:"
    writer.loop_names -= names


def named_branch(writer: Forward, branch: syntax.Stmt, results: Sequence[Py], entered: Py) -> Py:
    writer.flow = entered
    writer.variable = branch_name(branch, len(results), {r.text for r in results} | {entered.text})
    writer.branch_flow(branch, entered)
    if not writer.flow.text.isidentifier():
        writer.flush()
    return writer.flow


# ---- branches that are all the members of a class ------------------------------------------------------


def all_at_once(writer: Forward, fork: syntax.Fork, body: Sequence[syntax.Stmt], entered: Py) -> Py | None:
    """A fork whose branches are the members of the class, in the words of a comprehension; None for any other."""
    branches = list(leaves(writer, body))
    use = writer.use(fork)
    if use is None or not has_only(writer, len(branches)) or not all(is_plain(writer, each) for each in branches):
        return None
    name = writer.fresh_name("branch")
    return joined_list(writer, f"[{name}({entered.text}) for {name} in self.values()]", use)


def leaves(writer: Forward, body: Sequence[syntax.Stmt]) -> Iterator[syntax.Stmt]:
    """The branches of a fork, those in loops and under conditions too."""
    for branch in body:
        match branch:
            case syntax.For(body=inner):
                yield from leaves(writer, list(settled_branches(writer, inner)))
            case syntax.If(branches=branches, otherwise=otherwise):
                for inner in (*(inner for _, inner in branches), otherwise):
                    yield from leaves(writer, list(settled_branches(writer, inner)))
            case _:
                yield branch


def is_plain(writer: Forward, branch: syntax.Stmt) -> bool:
    """Whether a branch is one member, called with what enters the fork and nothing else."""
    if not isinstance(branch, syntax.Flow) or branch.label is None or branch.operator is not None or branch.when:
        return False
    body = writer.written_out(branch.body)
    if isinstance(body, syntax.Pipe):
        return all((use := writer.use(stage)) is None or use.kind != "value" for stage in body.stages)
    use = writer.use(body)
    if use is None or use.kind not in ("layer", "block") or writer.repeated(body) is not None:
        return False
    if use.template is not None:
        return len(flow_inputs(use.template)) == 1 and not writer.extras(use)
    from_elsewhere = bool(use.operands) and None not in use.operands
    return not (from_elsewhere or writer.more_operands(use) or isinstance(use.output, tuple))


# ---- a number of branches that is computed ------------------------------------------------------------


def listed_branches(writer: Forward, fork: syntax.Fork, body: Sequence[syntax.Stmt], entered: Py) -> Py:
    """The branches gathered in a list, those before and after the computed ones under names of their own."""
    computed = [isinstance(branch, syntax.For | syntax.If) for branch in body]
    first, last = computed.index(True), len(body) - computed[::-1].index(True)
    results: list[Py] = []
    for branch in body[:first]:
        results.append(named_branch(writer, branch, results, entered))
    name = list_name(writer)
    header = len(writer.out.items)
    writer.out.add(f"{name} = [{', '.join(result.text for result in results)}]")
    gather(writer, body[first:last], entered, name)
    merge_first(writer, header, name)
    after: list[Py] = []
    for branch in body[last:]:
        after.append(named_branch(writer, branch, [*results, *after], entered))
    listed = f"[*{name}, {', '.join(result.text for result in after)}]" if after else name
    use = writer.use(fork)
    assert use is not None
    return joined_list(writer, listed, use)


def bound(body: Sequence[syntax.Stmt]) -> Iterator[str]:
    """The names that branches bind to values."""
    for branch in body:
        if isinstance(branch, syntax.Assign):
            yield from branch.target.names
        elif isinstance(branch, syntax.For):
            yield from bound(branch.body)
        elif isinstance(branch, syntax.If):
            for inner in (*(inner for _, inner in branch.branches), branch.otherwise):
                yield from bound(inner)


def list_name(writer: Forward) -> str:
    text = "\n".join(writer.out.items)
    taken = {name.id for name in names_in(writer.template.body)} | own_names(writer.template)
    names = ("branches", "inner", "parts", "members", *(f"branches_{number}" for number in range(2, 100)))
    return next(name for name in names if f"{name} = " not in text and name not in taken)


def gather(writer: Forward, body: Sequence[syntax.Stmt], entered: Py, name: str) -> None:
    for branch in settled_branches(writer, body):
        writer.flow = entered
        if isinstance(branch, syntax.For):
            gather_loop(writer, branch, entered, name)
        elif isinstance(branch, syntax.If):
            gather_if(writer, branch, entered, name)
        elif isinstance(branch, syntax.Assign):
            writer.keep(branch)
        else:
            writer.variable = "branch"
            writer.branch_flow(branch, entered)
            writer.out.add(f"{name}.append({writer.flow.text})")


def gather_loop(writer: Forward, statement: syntax.For, entered: Py, name: str) -> None:
    """A loop that appends, or a comprehension where it does nothing else."""
    loop = writer.loop(statement)
    assert loop is not None
    names = set(statement.target.names)
    writer.loop_names |= names
    out, header = writer.out, len(writer.out.items)
    out.add("for")
    out.depth += 1
    gather(writer, statement.body, entered, name)
    out.depth -= 1
    lines = out.items[header + 1 :]
    rendered = render_loop(statement.target, writer.at_run_time(loop.iterable).text, lines)
    writer.loop_names -= names
    indent = INDENT * out.depth
    head = f"{indent}{INDENT}{name}.append("
    if len(lines) == 1 and lines[0].startswith(head):
        element = lines[0].removeprefix(head)[:-1]
        out.items[header:] = [f"{indent}{name} += [{element} for {rendered}]"]
    else:
        out.items[header] = f"{indent}for {rendered}:"


def gather_if(writer: Forward, statement: syntax.If, entered: Py, name: str) -> None:
    keyword = "if"
    for condition, body in writer.live(statement):
        guard = writer.template.sites[condition]
        assert isinstance(guard, Guard)
        with writer.out.block(f"{keyword} {writer.at_run_time(guard.condition).text}:"):
            gather(writer, body, entered, name)
        keyword = "elif"
    if statement.otherwise:
        with writer.out.block("else:"):
            gather(writer, statement.otherwise, entered, name)


def merge_first(writer: Forward, header: int, name: str) -> None:
    """`branches = []` and `branches += [...]` right after it, as one."""
    items, indent = writer.out.items, INDENT * writer.out.depth
    start = f"{indent}{name} += "
    if items[header] == f"{indent}{name} = []" and len(items) > header + 1 and items[header + 1].startswith(start):
        items[header : header + 2] = [f"{indent}{name} = {items[header + 1].removeprefix(start)}"]


def joined_list(writer: Forward, listed: str, use: Use) -> Py:
    """A list of tensors joined by the function of a fork."""
    layer = use.layer
    assert layer is not None and layer.function is not None
    if layer.function in REDUCED:
        writer.plan.requires["from functools import reduce"] = None
        return Py(f"reduce({writer.imported(REDUCED[layer.function])}, {listed})")
    arguments = writer.arguments(use.arguments, writer.run_text)
    return Py(f"{writer.imported(layer.function)}({', '.join([listed, *arguments])})")


def branch_name(branch: syntax.Stmt, index: int, taken: set[str]) -> str:
    """What the result of a branch is called: what its labels have in common, or its number."""
    labels = [label for label in labels_in(branch) if label.isidentifier()]
    name = common_prefix(labels) or f"branch{index + 1}"
    name = python_name(name)
    return name if name not in taken else f"{name}_{index + 1}"


def labels_in(node: Any) -> Iterator[str]:
    match node:
        case syntax.Flow(label=label, body=body):
            if isinstance(label, syntax.Name):
                yield label.id
            else:
                yield from labels_in(body)
        case syntax.Group(body=body):
            for statement in body:
                yield from labels_in(statement)
        case syntax.Pipe(stages=stages):
            for stage in stages:
                yield from labels_in(stage)


def common_prefix(labels: Sequence[str]) -> str:
    if not labels:
        return ""
    prefix = labels[0]
    for label in labels[1:]:
        while not label.startswith(prefix):
            prefix = prefix[:-1]
    return prefix.rstrip("_") if len(labels) > 1 else prefix
