"""From a file to a network: imports, constants, tables, variants, inputs, and the expansion of one net."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from netc import syntax
from netc.diagnostics import Diagnostic, Diagnostics, Label, Source, Span, SpecError, nearest, renamed
from netc.diagnostics import replace as replace_text
from netc.elaborate.apart import MAX_PASSES, Apart, Spot, Visits
from netc.elaborate.arguments import strip
from netc.elaborate.initial import Initial
from netc.elaborate.lookup import freeze, plain
from netc.elaborate.outside import demand_truth
from netc.elaborate.statements import Statements
from netc.elaborate.trail import Trail, given, variant
from netc.elaborate.unread import Unread
from netc.elaborate.values import (
    POISON,
    Binding,
    BlockRef,
    Bound,
    Container,
    Fault,
    FileScope,
    Frame,
    FunctionRef,
    LayerRef,
    Poisoned,
    Tensor,
    describe,
    fault,
    is_flowing,
    tensors,
)
from netc.graph import Module, Network, Template
from netc.layer import is_int
from netc.registry import Registry
from netc.shapes import BATCH, Kind, Value, is_batch
from netc.terms import Ledger, Symbol, Term

LANGUAGE_VERSION = 1
JOINED_SIZES = re.compile(r"[A-Z]\d*(x([A-Z]\d*|\d+))+")
"""What is meant for a shape, and is read as the name of a size: `HxW`, `Nx3x32x32`."""
MEANINGS = {
    "x": "what enters the block",
    "_": "the current flow",
    "training": "whether the network is being trained",
}
Reader = Callable[[Source, str], tuple[Source, syntax.File]]


class Elaborator(Initial):
    """Elaborates the nets of one file and of what it uses."""

    def __init__(self, registry: Registry, read: Reader):
        self.registry = registry
        self.read = read
        self.diagnostics = Diagnostics()
        self.apart = Apart()
        self.trail = Trail()
        self.symbols: dict[str, Term] = {}
        self.ledger = Ledger()
        self.begin()

    def begin(self) -> None:
        """Forgets what an expansion of a net left."""
        self.held = []
        self.expansions = {}
        self.templates = {}
        self.variants = {}
        self.reached = {}
        self.asked_in = {}
        self.constants = {}
        self.visits = Visits()
        self.unread = Unread()
        self.expanding, self.expanded, self.turning = [0], 1, []

    # ---- files -----------------------------------------------------------------------------------

    def open(self, source: Source, file: syntax.File, chain: tuple[str, ...] = ()) -> FileScope:
        """The names of a file and, through `use`, of others."""
        defines = [item for item in file.items if isinstance(item, syntax.Define)]
        alone = sum(item.kind == "net" for item in defines) == 1
        scope = FileScope(source, doc=file.doc if alone and file.doc not in [d.doc for d in defines] else "")
        for item in file.items:
            try:
                self.declare(item, scope, (*chain, source.name))
            except Fault as error:
                self.diagnostics.add(self.trail.told(error))
        return scope

    def declare(self, item: syntax.Item, scope: FileScope, chain: tuple[str, ...]) -> None:
        match item:
            case syntax.Language(version=version) if version > LANGUAGE_VERSION:
                text = f"this file is written in version {version} of the language"
                raise fault(
                    "E0201", item.span, text, f"this netc knows version {LANGUAGE_VERSION}", help="install a newer netc"
                )
            case syntax.Language(version=version) if version < 1:
                raise fault("E0201", item.span, f"there is no version {version} of the language", "the first is 1")
            case syntax.Use():
                self.use(item, scope, chain)
            case syntax.Needs():
                self.needs(item)
            case syntax.Default():
                frame = self.file_frame(scope, item)
                scope.defaults.insert(0, self.default(item, frame))
            case syntax.Define() | syntax.Function() | syntax.Constant() | syntax.Table():
                self.define(item.name, item, scope)
                self.distinct(item)

    def define(self, name: str, item: syntax.Item, scope: FileScope) -> None:
        other = scope.items.get(name)
        if other is not None:
            place = (Label(span_of(other), "first here"),)
            raise fault("E0403", span_of(item), f"`{name}` is defined twice", "again here", secondary=place)
        if name in scope.imports:
            _, first_use = scope.imports[name]
            text = f"`{name}` is imported and defined here too"
            raise fault("E0403", span_of(item), text, "again here", secondary=(Label(first_use.span, "imported here"),))
        self.free(name, Span(item.span.source, item.span.start, item.span.start + len(name)))
        if isinstance(item, syntax.Define) and keyword.iskeyword(name):
            text = f"`{name}` cannot be the name of a class"
            help = f"`{name.capitalize()}` is free"
            raise fault("E0408", item.name_span, text, "a reserved word of Python", help=help)
        scope.items[name] = item

    def free(self, name: str, span: Span) -> None:
        if name in MEANINGS:
            raise fault("E0408", span, f"`{name}` has a meaning of its own: {MEANINGS[name]}", "choose another name")

    def distinct(self, item: syntax.Item) -> None:
        """Each parameter of a definition and each column of a table has a name of its own."""
        if isinstance(item, syntax.Table):
            for i, name in enumerate(item.columns):
                if name in item.columns[:i]:
                    before, again = columns(item, name)[:2]
                    text, label = f"two columns of `{item.name}` are called `{name}`", Label(before, "first here")
                    raise fault("E0403", again, text, "again here", secondary=(label,))
        elif isinstance(item, syntax.Define | syntax.Function):
            first: dict[str, syntax.Parameter] = {}
            for param in item.params:
                self.free(param.name, param.span)
                if param.name in first:
                    place = (Label(first[param.name].span, "first here"),)
                    text = f"two parameters of `{item.name}` are called `{param.name}`"
                    raise fault("E0403", param.span, text, "again here", secondary=place)
                first[param.name] = param

    def use(self, item: syntax.Use, scope: FileScope, chain: tuple[str, ...]) -> None:
        try:
            source, file = self.read(scope.source, item.path)
        except OSError as error:
            reason = error.strerror or str(error)
            help = "the path is relative to the file that uses it"
            raise fault("E0202", item.span, f'cannot read "{item.path}": {reason}', "used here", help=help) from None
        except SpecError as error:
            for found in error.diagnostics:
                self.diagnostics.add(with_note(found, f"in a file that is used at {item.span}"))
            return
        if source.name in chain:
            path = " -> ".join(PurePosixPath(name).name for name in (*chain[chain.index(source.name) :], source.name))
            help = "move what both need into a third file"
            raise fault("E0802", item.span, f'"{item.path}" uses itself', path, help=help)
        other = self.open(source, file, chain)
        for name in item.names:
            if name.id not in other.items and name.id not in other.imports:
                near = nearest(name.id, other.items)
                has = ", ".join(f"`{known}`" for known in other.items) or "nothing"
                help = f"did you mean `{near}`?" if near else f"it has {has}"
                text, fix = f'"{item.path}" has no `{name.id}`', renamed(name.span, name.id, near)
                raise fault("E0302", name.span, text, "not in that file", help=help, fix=fix)
            if name.id in scope.items or name.id in scope.imports:
                twice = scope.imports[name.id][1].span if name.id in scope.imports else span_of(scope.items[name.id])
                text = f"`{name.id}` is imported, and the name is taken"
                raise fault("E0403", name.span, text, "again here", secondary=(Label(twice, "first here"),))
            scope.imports[name.id] = (other, name)

    def needs(self, item: syntax.Needs) -> None:
        """Only says what must be installed; a spec loads no code."""
        if item.distribution in self.registry.plugins:
            return
        from importlib.metadata import PackageNotFoundError, version

        try:
            version(item.distribution)
        except (PackageNotFoundError, ValueError):
            help = f"install it: `pip install {item.distribution}`"
            raise fault(
                "E0203", item.span, f"`{item.distribution}` is not installed", "needed here", help=help
            ) from None

    def file_frame(self, scope: FileScope, item: syntax.Node) -> Frame:
        module = Module("block", "", item.span)
        template = Template(("file", scope.source.name), "", item, (), False)  # type: ignore[arg-type]
        return Frame(template, scope, Container(module, False))

    def file_value(self, name: str, scope: FileScope) -> Any:
        if name in scope.imports:
            other, _ = scope.imports[name]
            return self.file_value(name, other)
        item = scope.items.get(name)
        match item:
            case syntax.Define():
                return BlockRef(item, scope)
            case syntax.Function():
                return FunctionRef(item, scope)
            case syntax.Constant() | syntax.Table():
                return self.constant(name, item, scope)
        return None

    def constant(self, name: str, item: syntax.Constant | syntax.Table, scope: FileScope) -> Any:
        """The worth of a constant or table, evaluated once."""
        if name in scope.constants:
            return scope.constants[name]
        if name in scope.active:
            circle = scope.active[scope.active.index(name) :]
            path = " -> ".join((*circle, name))
            scope.constants.update(dict.fromkeys(circle, POISON))
            raise fault(
                "E0802", item.span, f"`{name}` is defined by itself", path, help="one of them needs a value of its own",
            )  # fmt: skip
        scope.active.append(name)
        turns, self.trail.turns = self.trail.turns, []
        try:
            frame = self.file_frame(scope, item)
            if isinstance(item, syntax.Constant):
                value = plain(self.evaluate(item.value, frame))
            else:
                value = [tuple(plain(self.evaluate(cell, frame)) for cell in row) for row in self.rows(item)]
        except Fault as error:
            error.trail = self.trail.notes() if error.trail is None else error.trail
            raise
        finally:
            scope.active.remove(name)
            self.trail.turns = turns
        scope.constants[name] = value
        return value

    def evaluate_constants(self, scope: FileScope) -> None:
        """Evaluates every constant and table of the file, so that a mistake in one that nothing uses is said too."""
        for name, item in scope.items.items():
            if isinstance(item, syntax.Constant | syntax.Table) and not self.is_variant(name, scope):
                try:
                    self.constant(name, item, scope)
                except Fault as error:
                    self.diagnostics.add(self.trail.told(error))
                except Poisoned:
                    pass

    def rows(self, table: syntax.Table) -> Sequence[tuple[syntax.Expr, ...]]:
        for row in table.rows:
            if len(row) != len(table.columns):
                text = f"{len(row)} cells for {len(table.columns)} columns"
                raise fault("E0410", row[0].span.to(row[-1].span), text, f"the columns are {', '.join(table.columns)}")
        return table.rows

    # ---- nets --------------------------------------------------------------------------------------

    def runnable(self, scope: FileScope) -> dict[str, syntax.Item]:
        """The nets and variants of a file by name."""
        return {
            name: item
            for name, item in scope.items.items()
            if (isinstance(item, syntax.Define) and item.kind == "net") or self.is_variant(name, scope)
        }

    def is_variant(self, name: str, scope: FileScope, seen: tuple[str, ...] = ()) -> bool:
        item = scope.items.get(name)
        if not isinstance(item, syntax.Constant) or not isinstance(item.value, syntax.Call) or name in seen:
            return False
        head = item.value.function
        if not isinstance(head, syntax.Name):
            return False
        if head.id in scope.imports:
            other, _ = scope.imports[head.id]
            target = other.items.get(head.id)
            return (isinstance(target, syntax.Define) and target.kind == "net") or self.is_variant(head.id, other)
        target = scope.items.get(head.id)
        if isinstance(target, syntax.Define):
            return target.kind == "net"
        return self.is_variant(head.id, scope, (*seen, name))

    def select(self, scope: FileScope, name: str | None, params: Mapping[str, Any]) -> str:
        """The net to build: the one that is named, else the first of the file; `params` are given to it."""
        names = self.runnable(scope)
        span = Span(scope.source, 0, 0)
        listed = ", ".join(f"`{n}`" for n in names)
        if name is not None:
            if name in names:
                return name
            near = nearest(name, names)
            help = f"did you mean `{near}`?" if near else f"it has {listed}" if names else None
            raise fault("E0204", span, f"there is no net `{name}` in this file", "", help=help)
        if not names:
            raise fault("E0204", span, "this file has no net", "", help="a net begins with `net Name:`")
        first, item = next(iter(names.items()))
        complete = not isinstance(item, syntax.Define) or all(
            param.default is not None or param.name in params for param in item.params
        )
        if complete or len(names) == 1:
            return first
        assert isinstance(item, syntax.Define)
        variants = ", ".join(f"`{n}`" for n in names if n != first)
        text = f"`{first}` needs arguments, which its variants give: {variants}"
        help = 'choose one with `--net NAME`, in Python `load(spec, "NAME")`'
        raise fault("E0204", item.name_span, text, "this net", help=help)

    def resolve_variant(
        self, name: str, scope: FileScope
    ) -> tuple[syntax.Define, FileScope, list[tuple[syntax.Arg, FileScope]]]:
        """The net behind a variant and the arguments on the way, outermost last."""
        if name in scope.imports:
            return self.resolve_variant(name, scope.imports[name][0])
        item = scope.items[name]
        if isinstance(item, syntax.Define):
            return item, scope, []
        assert isinstance(item, syntax.Constant) and isinstance(item.value, syntax.Call)
        head = item.value.function
        assert isinstance(head, syntax.Name)
        define, where, args = self.resolve_variant(head.id, scope)
        if args or not isinstance(scope.items.get(head.id), syntax.Define):
            for arg in item.value.args:
                if arg.name is None and head.id not in scope.imports:
                    raise fault("E0401", arg.span, "a variant of a variant takes named arguments only", "give its name")
        return define, where, [*args, *((arg, scope) for arg in item.value.args)]

    def elaborate(self, scope: FileScope, name: str | None, params: Mapping[str, Any]) -> Network:
        """Expands one net with its parameters; raises SpecError with every independent mistake."""
        self.evaluate_constants(scope)
        self.diagnostics.raise_if_any()
        try:
            name = self.select(scope, name, params)
            define, where, args = self.resolve_variant(name, scope)
            with self.trail.inside(given(params)), self.trail.inside(variant(name, scope.items.get(name))):
                network = self.expand_apart(name, define, where, args, params)
        except Fault as error:
            self.diagnostics.add(self.trail.told(error))
            raise SpecError(tuple(self.diagnostics.items)) from None
        self.diagnostics.raise_if_any()
        assert network is not None
        return network

    def expand_apart(
        self, name: str, define: syntax.Define, scope: FileScope,
        args: Sequence[tuple[syntax.Arg, FileScope]], params: Mapping[str, Any],
    ) -> Network | None:  # fmt: skip
        """Expands one net, again while its classes would have to say two things at one place."""
        for _ in range(MAX_PASSES):
            self.begin()
            kept = list(self.diagnostics.items)
            network = self.expand_net(name, define, scope, args, params)
            if network is None:
                return None
            if any(self.visits.ambiguous()):
                more = self.visits.separate(self.apart)
            elif chosen := self.loops_that_choose():
                more = self.apart.copy()
                more.unrolled |= chosen
            else:
                return network
            if isinstance(more, syntax.Node):
                break
            self.apart = more
            self.diagnostics = Diagnostics()
            for item in kept:
                self.diagnostics.add(item)
        node = more if isinstance(more, syntax.Node) else next(self.visits.ambiguous())[1]
        text = f"`{node.span.text}` stands for different layers, and one class cannot say which"
        raise fault("E0901", node.span, text, "here", help="give each of them a label or a `def` of its own")

    def loops_that_choose(self) -> set[Spot]:
        """The loops over blocks of which one is several classes, or none at all, so that a list cannot name it."""
        names = Counter(template.name for template in self.templates.values())
        return {loop for loop, blocks in self.asked_in.items() if any(names[block] != 1 for block in blocks)}

    def expand_net(
        self, name: str, define: syntax.Define, scope: FileScope,
        args: Sequence[tuple[syntax.Arg, FileScope]], params: Mapping[str, Any],
    ) -> Network | None:  # fmt: skip
        self.symbols, self.ledger = {}, Ledger(define.name_span)
        container = self.container_for(define, False, define)
        template = Template((define, "net"), define.name, define, define.body, False, doc=define.doc)
        frame = Frame(template, scope, container)
        values, given = self.net_values(define, scope, args, params)
        self.bind_parameters(define, values, frame)
        self.rebind_parameters(define, values, frame, template)
        for param_name, value in given.items():
            template.parameters[param_name].default = value
        names = [p.name for p in define.params]
        from netc.elaborate.syntactic import modules_only

        template.sequential = container.sequential = modules_only(define.body, names)
        container.module.kind = "sequential" if template.sequential else "block"
        self.templates[template.key] = template
        self.statements(define.body, frame)
        if not self.diagnostics.errors:
            for held in self.held:
                self.diagnostics.add(held)
        if self.diagnostics.errors:
            return None
        return self.network(name, frame, values)

    def network(self, name: str, frame: Frame, values: dict[str, Any]) -> Network:
        template, module = frame.template, frame.container.module
        output = frame.returned if frame.returned is not None else frame.flow
        define = template.node
        assert isinstance(define, syntax.Define)
        if not template.inputs:
            raise fault("E0303", define.name_span, f"`{define.name}` has no `input`", "add one: `input 3x32x32`")
        if output is None or output is POISON:
            raise fault("E0303", define.name_span, f"nothing comes out of `{define.name}`", "end it with `return ...`")
        module.output = template.output = strip(output)
        module.last = self.maker(frame, output)
        for found in self.unread.warnings():
            self.diagnostics.add(found)
        return Network(
            name, module, template, tuple(self.templates.values()), dict(template.inputs), strip(output),
            dict(values.items()), tuple(self.ledger.relations.items()),
            tuple(d for d in self.diagnostics.items if d.severity == "warning"), frame.scope.doc,
            None if frame.trained is None else strip(frame.trained),
        )  # fmt: skip

    def in_file(self, expr: syntax.Expr, scope: FileScope) -> Any:
        """The worth of a default, None where it depends on other parameters."""
        try:
            return self.evaluate(expr, self.file_frame(scope, expr))
        except (Fault, Poisoned):
            return None

    def net_values(
        self, define: syntax.Define, where: FileScope, args: Sequence[tuple[syntax.Arg, FileScope]],
        params: Mapping[str, Any],
    ) -> tuple[dict[str, Any], dict[str, Term]]:  # fmt: skip
        """The value of each parameter (`...` for its default), and the source of those that are given."""
        from netc.elaborate.lookup import value_term

        known = {p.name: p for p in define.params}
        names, values, given, position = list(known), {}, {}, 0
        places = {p.name: p.default for p in define.params}
        for arg, scope in args:
            key = arg.name
            if key is None:
                key = names[position] if position < len(names) else None
                position += 1
            if key is None or key not in known:
                raise self.bad_block_argument(BlockRef(define, scope), arg, key, names)
            frame = self.file_frame(scope, arg)
            values[key], given[key] = self.evaluate(arg.value, frame), self.render(arg.value, frame)
            places[key] = arg.value
        for key, value in params.items():
            if key not in known:
                near = nearest(key, names)
                help = f"did you mean `{near}`?" if near else f"it has {', '.join(names)}" if names else "it takes none"
                raise fault(
                    "E0401", define.name_span, f"`{define.name}` has no parameter `{key}`", "this net", help=help
                )
            if (place := places[key]) is not None:
                before = values[key] if key in values else self.in_file(place, where)
                demand_truth(key, value, before, place)
            values[key] = value
            given[key] = value_term(value)
        missing = [n for n, p in known.items() if p.default is None and n not in values]
        if missing:
            listed = ", ".join(f"`{n}`" for n in missing)
            help = f"give it: `--set {missing[0]}=...`, or name a variant with `--net`"
            raise fault("E0401", define.name_span, f"`{define.name}` needs {listed}", "this net", help=help)
        return {n: values.get(n, ...) for n in names}, given

    # ---- inputs ------------------------------------------------------------------------------------

    def _run_input(self, statement: syntax.Input, frame: Frame) -> None:
        define = frame.template.node
        if not isinstance(define, syntax.Define) or define.kind != "net" or frame.parent is not None or frame.chain:
            raise fault("E0409", statement.span, "`input` stands only in a net", "a block takes what flows into it")
        if frame.container.module.steps:
            raise fault("E0409", statement.span, "`input` stands before everything that uses it", "move it up")
        value = self.input_value(statement.shape, frame)
        name = statement.name or ("x" if not frame.template.inputs else None)
        if name in frame.template.inputs:
            place = (Label(frame.env[name].span, "first here"),) if name in frame.env else ()
            raise fault("E0403", statement.span, f"two inputs are called `{name}`", "again here", secondary=place)
        if name is None:
            raise fault(
                "E0403",
                statement.span,
                "with several inputs each needs a name",
                "without a name",
                help=f"`input left: {statement.span.text.removeprefix('input').strip()}`",
            )
        tensor = Tensor(value, statement.span)
        self.free(statement.name or "", statement.span)
        if frame.template.inputs and "x" in frame.template.inputs:
            raise fault(
                "E0403",
                statement.span,
                "with several inputs each needs a name",
                "the one before has none",
                help="`input left: 3x32x32`",
            )
        first = not frame.template.inputs
        frame.template.inputs[name] = value
        frame.container.module.inputs += (value,)
        frame.flow = frame.entry = tensor if first else None
        if statement.name is not None:
            frame.env[name] = Binding(tensor, Term({}), statement.span)

    def input_value(self, expr: syntax.Expr, frame: Frame) -> Value:
        kind: Kind = "float"
        match expr:
            case syntax.Call(function=syntax.Name(id="int" | "float" | "bool" as name), args=args):
                kind = name
                sizes = [size for arg in args for size in self.listed_size(arg.value, frame)]
            case _:
                sizes = list(self.input_sizes(expr, frame))
        places = [i for i, size in enumerate(sizes) if is_batch(size)]
        if len(places) > 1:
            text, help = f"`{BATCH}` is the batch, which stands in a shape once", "call the other size something else"
            raise fault("E0408", expr.span, text, "in this shape", help=help)
        if places and places != [0]:
            last = len(sizes) - 1
            return Value(tuple(sizes), kind, last if kind == "float" and places != [last] else None)
        sizes = [size for size in sizes if not is_batch(size)]
        channel = 1 if kind == "float" and sizes else None
        return Value((self.symbol(BATCH), *sizes), kind, channel)

    def input_sizes(self, expr: syntax.Expr, frame: Frame) -> Sequence[Any]:
        match expr:
            case syntax.ShapeLiteral(parts=parts):
                if 0 in parts:
                    raise fault("E0404", expr.span, "a size is an integer of at least 1, not 0", "of this input")
                return [part if isinstance(part, int) else self.input_size(part, expr, frame) for part in parts]
            case syntax.TupleExpr(items=items):
                return [size for item in items for size in self.listed_size(item, frame)]
            case syntax.Name(id=name) if frame.lookup(name) is None and re.match(r"[A-Z]", name):
                return [self.named_size(name, expr)]
        value = self.evaluate(expr, frame)
        sizes = list(value) if isinstance(value, tuple | list) else [value]
        for size in sizes:
            if not is_int(size) or size < 1:
                text = f"a size is an integer of at least 1, not {describe(size)}"
                raise fault(
                    "E0404", expr.span, text, "of this input", help="write the shape without the batch: `input 3x32x32`"
                )
        return sizes

    def listed_size(self, expr: syntax.Expr, frame: Frame) -> Sequence[Any]:
        """A size in a list of them, where the batch can be named: it stands there, and not in front."""
        if isinstance(expr, syntax.Name) and expr.id == BATCH and frame.lookup(BATCH) is None:
            return [self.symbol(BATCH)]
        return self.input_sizes(expr, frame)

    def input_size(self, name: str, expr: syntax.Expr, frame: Frame) -> Any:
        found = frame.lookup(name)
        if found is not None:
            if not is_int(found.value) or found.value < 1:
                raise fault("E0404", expr.span, f"`{name}` is no size: it is {describe(found.value)}", "of this input")
            return found.value
        if not re.match(r"[A-Z]", name):
            help = "a size that only a run decides begins with a capital: `input 3xHxW`"
            raise fault("E0302", expr.span, f"there is no size `{name}`", "in this shape", help=help)
        return self.named_size(name, expr)

    def named_size(self, name: str, expr: syntax.Expr) -> Term:
        """The symbol of a size that an input names."""
        if name == BATCH:
            text = f"`{BATCH}` is the batch, which no shape joined by `x` names"
            help = "call this size something else, or list the sizes if the batch is not the first: `(T, N, 16)`"
            raise fault("E0408", expr.span, text, "in this shape", help=help)
        if JOINED_SIZES.fullmatch(name):
            rest = name.removeprefix(f"{BATCH}x")
            shape = rest if rest[0].isdigit() else f"({', '.join(rest.split('x'))})"
            help = f"write it without the batch: `{shape}`" if rest != name else f"write `{shape}`"
            text, fix = "a shape that is joined by `x` begins with a number", replace_text(expr.span, shape)
            raise fault("E0408", expr.span, text, "read as one name", help=help, fix=fix)
        return self.symbol(name)

    def symbol(self, name: str) -> Term:
        if name not in self.symbols:
            self.symbols[name] = Term.atom(Symbol(name, self.ledger))
        return self.symbols[name]


def columns(table: syntax.Table, name: str) -> list[Span]:
    """The places of a column's name in the head of a table."""
    start = table.span.start + table.span.text.index("(")
    head = re.compile(rf"\b{name}\b").finditer(table.span.source.text, start, table.span.source.text.index(")", start))
    return [Span(table.span.source, found.start(), found.end()) for found in head]


def span_of(item: syntax.Item) -> Span:
    """The name of a definition, or the whole line that gives a name."""
    return item.name_span if isinstance(item, syntax.Define) else item.span


def with_note(found: Diagnostic, note: str) -> Diagnostic:
    return replace(found, notes=(*found.notes, note))


def open_file(source: Source, file: syntax.File, registry: Registry, read: Reader) -> tuple[Elaborator, FileScope]:
    """An elaborator for a file, and the file's names; mistakes are raised when a net is elaborated."""
    elaborator = Elaborator(registry, read)
    return elaborator, elaborator.open(source, file)


def elaborate(
    source: Source, file: syntax.File, registry: Registry, read: Reader, name: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> Network:  # fmt: skip
    """Elaborates one net of a file with parameters; raises SpecError."""
    elaborator, scope = open_file(source, file, registry, read)
    return elaborator.elaborate(scope, name, params or {})


def runnable(source: Source, file: syntax.File, registry: Registry, read: Reader) -> tuple[str, ...]:
    """The nets and variants of a file by name."""
    elaborator, scope = open_file(source, file, registry, read)
    return tuple(elaborator.runnable(scope))


def evaluate_in(elaborator: Elaborator, scope: FileScope) -> Callable[[syntax.Expr], Any]:
    """A function that evaluates compile-time expressions as the file's constants are."""

    def evaluate(expr: syntax.Expr) -> Any:
        try:
            return elaborator.evaluate(expr, elaborator.file_frame(scope, expr))
        except Fault as error:
            raise SpecError((elaborator.trail.told(error),)) from None

    return evaluate


__all__ = [
    "Bound",
    "Elaborator",
    "LayerRef",
    "Statements",
    "elaborate",
    "evaluate_in",
    "freeze",
    "is_flowing",
    "open_file",
    "runnable",
    "tensors",
]
