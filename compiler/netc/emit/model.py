"""The source of a model: one class a definition, callees first, with the helpers and imports that they need."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from netc import syntax
from netc.emit.calls import ClassNames, Signature
from netc.emit.elimination import Freeze, Inexpressible, only_atom, values_in
from netc.emit.forward import Forward
from netc.emit.layout import quoted
from netc.emit.resolve import Resolver
from netc.emit.results import result_hint
from netc.emit.tensors import names_in
from netc.emit.wrapping import INDENT, WIDTH, layout, split
from netc.graph import Guard, Network, Parameter, Template, Unrolled, Use
from netc.layer import Layer, is_int
from netc.naming import TAKEN, python_name, short_name
from netc.sources import ModelSource
from netc.terms import COMPARE, SUM, Place, Symbol, Term, Written, written

MAX_PASSES = 8


def emit_model(network: Network) -> ModelSource:
    """Writes the classes of a network. What is given to `class_name` is nothing: its defaults are the values."""
    ask_for_layers(network)
    frozen = frozenset(unprintable(network))
    while True:
        try:
            return Model(network, frozen).source()
        except Freeze as freeze:
            if freeze.names <= frozen:
                raise Inexpressible(f"what `{freeze}` selects") from None
            frozen |= freeze.names


def ask_for_layers(network: Network) -> None:
    """Conditions on a parameter that holds a layer or nothing ask whether it is None."""
    for template in network.templates:
        for site in template.sites.values():
            if not isinstance(site, Guard):
                continue
            place = only_atom(site.condition)
            if not isinstance(place, Place) or place.kind != "name" or not isinstance(place.owner, Template):
                continue
            values = place.owner.parameters[str(place.key)].values
            if any(value is None for value in values) and not any(
                is_data(value) for value in values if value is not None
            ):
                site.condition = written("{0} is not None", (site.condition,), COMPARE, SUM)


def unprintable(network: Network) -> Iterator[str]:
    """Parameters of the net whose value is a block or a chain: emitted code names the class instead."""
    for name, parameter in network.template.parameters.items():
        if any(not is_data(value) for value in parameter.values):
            yield name


def is_data(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(is_data(item) for item in value)
    return value is None or isinstance(value, int | float | str | range)


class Model(ClassNames):
    """The classes of one network while they are written."""

    def __init__(self, network: Network, frozen: frozenset[str]):
        self.network = network
        self.resolver = Resolver(network, frozen)
        self.sources: dict[Template, list[str]] = {}
        self.signatures: dict[Template, Signature] = {}
        self.names: dict[Template, str] = {}
        self.requires: dict[Any, None] = {}
        self.exposing: dict[Template, dict[Any, str]] = {}
        self.writing: set[Template] = set()

    # ---- classes -------------------------------------------------------------------------------------

    def name(self, template: Template) -> str:
        if template not in self.names:
            taken = {*self.names.values(), *TAKEN}
            suffix = "Net" if template is self.network.template else "Block"
            candidates = [template.name if template.name not in TAKEN else template.name + suffix]
            ranks = {input_rank(t) for t in self.network.templates if t.node is template.node and t.inputs}
            if len(ranks) > 1 and min(ranks) > 2:
                candidates.insert(0, f"{template.name}{input_rank(template) - 2}d")
            if template.parent is not None:
                candidates.append(self.name(template.parent) + template.name)
            candidates += [template.name + suffix for suffix in self.distinctions(template)]
            candidates += [f"{template.name}{number}" for number in range(2, 100)]
            self.names[template] = next(name for name in candidates if name not in taken)
        return self.names[template]

    def distinctions(self, template: Template) -> Iterator[str]:
        """What sets a class apart from others for the same definition: its dimensions, or a layer that it is given."""
        others = [t for t in self.names if t.node is template.node]
        rank, ranks = input_rank(template), {input_rank(other) for other in others}
        if rank > 2 and ranks and rank not in ranks:
            yield f"{rank - 2}d"
        if not isinstance(template.key, tuple) or len(template.key) != 3 or not isinstance(template.key[2], tuple):
            return
        known = {kind for other in others for kind in other.key[2]}  # type: ignore[index]
        for pair in template.key[2]:
            kind = pair[1].name if isinstance(pair[1], syntax.Define) else pair[1]
            if pair not in known and isinstance(kind, str) and kind[:1].isupper():
                yield kind

    def signature(self, template: Template) -> Signature:
        if template in self.writing:
            return self.sign(template)
        if template not in self.signatures:
            try:
                self.write(template)
            except Inexpressible as error:
                node = template.node
                error.span = error.span or (node.name_span if isinstance(node, syntax.Define) else node.span)
                raise
        return self.signatures[template]

    def write(self, template: Template) -> None:
        """Writes a class, again until nothing more turns out to be needed."""
        name = self.name(template)
        self.writing.add(template)
        self.exposing[template] = dict(self.resolver.plan(template).exposed)
        for _ in range(MAX_PASSES):
            plan = self.resolver.plan(template)
            before = (len(plan.lifted), dict(plan.running), len(plan.used), dict(plan.hoisted))
            plan.requires.clear()
            plan.current.clear()
            plan.renamed.clear()
            writer = Forward(template, self.resolver, self)
            init = writer.write_init()
            self.expose(template, writer)
            forward = None if template.sequential else writer.write_forward()
            writer.settle_rest()
            defaults = self.default_lines(template, writer)
            if len(plan.running) == len(before[1]):  # names are settled once all sizes are known
                plan.running.update(plan.renamed)
            if (len(plan.lifted), plan.running, len(plan.used), plan.hoisted) == before:
                break
        else:
            raise Inexpressible("sizes that keep changing their names")
        self.writing.discard(template)
        self.signatures[template] = self.sign(template)
        self.sources[template] = self.class_lines(name, template, writer, init, forward, defaults)
        self.requires.update(plan.requires)

    def expose(self, template: Template, writer: Forward) -> None:
        """Attributes that tell who uses the class the sizes that come out of it."""
        values = list(values_in(template.output))
        for (index, axis), name in self.resolver.plan(template).exposed.items():
            writer.lines.add(f"self.{name} = {writer.text(Term.of(values[index].shape[axis]))}")

    def sign(self, template: Template) -> Signature:
        plan = self.resolver.plan(template)
        is_net = template is self.network.template
        own = []
        for name, parameter in template.parameters.items():
            if name not in plan.used or parameter.tensor:
                continue
            own.append((name, is_net or self.has_default(template, parameter)))
        return Signature(list(plan.lifted), sorted(own, key=lambda item: item[1]))

    def has_default(self, template: Template, parameter: Parameter) -> bool:
        """Whether a parameter may be left out; a default that nothing takes must at least be of the right type."""
        if parameter.default is None or not template.constructions:
            return parameter.default is not None
        if not all(parameter.name in c.use.bindings for c in template.constructions):
            return True
        text = self.default(template, parameter)
        default = literal_value(text) if text is not None else ...
        if default is ... or default is None:
            return text is not None
        return self.value_hint(default) in {"float", *(self.value_hint(value) for value in parameter.values)}

    def default(self, template: Template, parameter: Parameter) -> str | None:
        """The default of a parameter as Python, if it is a constant."""
        if parameter.default is None:
            return None
        term = self.resolver.normalise(template, parameter.default)
        if any(not isinstance(atom, Written) for atom in term.atoms()):
            return None
        for atom in term.atoms():
            self.resolver.plan(template).requires.update(dict.fromkeys(getattr(atom, "requires", ())))
        text = str(term)
        return tuple_text(text) if is_list(text) else text

    def default_lines(self, template: Template, writer: Forward) -> list[str]:
        """What stands for parameters that are not given, where that depends on others."""
        lines = []
        for name, parameter in template.parameters.items():
            used = name in self.resolver.plan(template).used and not parameter.tensor
            used = used and (template is self.network.template or self.has_default(template, parameter))
            if used and parameter.default is not None and self.default(template, parameter) is None:
                own = python_name(name)
                lines += [f"if {own} is None:", f"{INDENT}{own} = {writer.text(parameter.default)}"]
        return lines

    def class_lines(
        self, name: str, template: Template, writer: Forward, init: Any, forward: Any, defaults: list[str]
    ) -> list[str]:  # fmt: skip
        base = "nn.Sequential" if template.sequential else "nn.Module"
        lines = [f"class {name}({base}):"]
        doc = template.doc or (self.network.doc if template is self.network.template else "")
        if doc:
            lines += [*docstring(doc), ""]
        params = [s for s in statements_in(template.body, template) if isinstance(s, syntax.Param)]
        buffers = [param.name for param in params if param.kind == "buffer"]
        if buffers and forward is not None:
            lines += [*(f"{INDENT}{name}: Tensor" for name in buffers), ""]
        signature = self.signatures[template]
        arguments = ["self", *self.constructor_arguments(template, signature)]
        body = pruned(init.items)
        stored = self.stored_lines(writer, body) if forward else []
        if len(body) + len(stored) > 1 or len(arguments) > 1 or template.sequential:
            lines += layout([f"{INDENT}def __init__({', '.join(arguments)}) -> None:"])
            first = 0 if template.sequential and body[0] != "super().__init__()" else 1
            statements = [*body[:first], *defaults, *body[first:]]
            for line in reversed(stored):
                statements.insert(place_for(line, statements, first + len(defaults)), line)
            lines += layout([INDENT * 2 + line for line in statements])
            lines.append("")
        if forward is not None:
            lines += self.forward_lines(template, writer, *forward)
        while lines[-1] == "":
            lines.pop()
        self.resolver.plan(template).requires["from torch import nn"] = None
        return lines

    def stored_lines(self, writer: Forward, body: list[str]) -> list[str]:
        """Attributes by which `forward` knows values of the constructor."""
        taken = {line.strip().split(" = ")[0] for line in body}
        return [f"self.{name} = {source}" for name, source in writer.stored.items() if f"self.{name}" not in taken]

    def forward_lines(self, template: Template, writer: Forward, inputs: list[str], out: Any) -> list[str]:
        self.resolver.plan(template).requires["from torch import Tensor"] = None
        given = ", ".join(f"{name}: {self.input_hint(template, name)}" for name in inputs)
        result = result_hint(writer, template.body, template.output)
        lines = layout([f"{INDENT}def forward(self, {given}) -> {result}:"])
        return lines + layout([INDENT * 2 + line for line in (*writer.symbol_lines(), *out.items)])

    def input_hint(self, template: Template, name: str) -> str:
        return "Tensor"

    def constructor_arguments(self, template: Template, signature: Signature) -> list[str]:
        plan = self.resolver.plan(template)
        parts = [f"{plan.lifted[place]}: {self.place_hint(place)}" for place in signature.inputs]
        extra = [f"{plan.lifted[place]}: {self.place_hint(place)}" for place in signature.lifted]
        for name, has_default in signature.parameters:
            if has_default:
                parts, extra = parts + extra, []
            parameter = template.parameters[name]
            hint = self.hint(template, parameter)
            default = self.default(template, parameter) if has_default else None
            if has_default and default is None and parameter.default is not None:
                hint, default = f"{hint.removesuffix(' | None')} | None", "None"
            parts.append(f"{python_name(name)}: {hint}" + (f" = {default}" if default is not None else ""))
        return parts + extra

    def place_hint(self, place: Any) -> str:
        if place.kind == "name" and isinstance(place.owner, Template):
            return self.hint(place.owner, place.owner.parameters[place.key])
        return "int"

    def hint(self, template: Template, parameter: Parameter) -> str:
        values = [*parameter.values]
        if template is self.network.template or self.has_default(template, parameter):
            values += [value for value in [literal_value(str(parameter.default))] if value is not ...]
        hints = {self.value_hint(value) for value in values}
        if "float" in hints:
            hints.discard("int")
        optional = "None" in hints
        hints.discard("None")
        text = " | ".join(sorted(hints)) or "None"
        for hint in hints:
            if hint.startswith("Sequence"):
                self.requires["from collections.abc import Sequence"] = None
            if hint.startswith("Callable"):
                self.requires["from collections.abc import Callable"] = None
        return f"{text} | None" if optional and hints else text

    def value_hint(self, value: Any) -> str:
        if value is None:
            return "None"
        if isinstance(value, bool):
            return "bool"
        if isinstance(value, int | float | str):
            return "int" if isinstance(value, int) else type(value).__name__
        if isinstance(value, tuple) and len(value) in (2, 3) and all(is_int(item) for item in value):
            return f"tuple[{', '.join(['int'] * len(value))}]"
        if isinstance(value, tuple | list | range):
            inner = {self.value_hint(item) for item in value}
            if "float" in inner:
                inner.discard("int")
            return f"Sequence[{' | '.join(sorted(inner)) or 'int'}]"
        return "Callable[..., nn.Module]"

    # ---- what the writers ask --------------------------------------------------------------------------

    def outer_tensors(self, template: Template) -> list[str]:
        """The tensors of the definition around a suite that the suite reads."""
        if template.parent is None:
            return []
        outer = self.tensor_names(template.parent) | self.parameter_names(template.parent)
        outer |= {"x", *self.outer_tensors(template.parent)}
        own = self.tensor_names(template) | self.parameter_names(template)
        found = dict.fromkeys(name.id for name in names_in(list(template.body)))
        return [
            name for name in found if name in outer and name not in own and (name not in template.inputs or name == "x")
        ]

    def tensor_names(self, template: Template) -> set[str]:
        """The names that a template binds to tensors."""
        return set(tensor_targets(template.body, template)) | {n for n, p in template.parameters.items() if p.tensor}

    def parameter_names(self, template: Template) -> set[str]:
        return {node.name for node in template.sites if isinstance(node, syntax.Param)}

    def symbol_source(self, template: Template, name: str) -> str:
        for operand, value in template.inputs.items():
            for axis, size in enumerate(value.shape):
                if isinstance(size, Term) and any(isinstance(a, Symbol) and a.name == name for a in size.atoms()):
                    if size == next(iter([Term.atom(a) for a in size.atoms() if isinstance(a, Symbol)])):
                        return f"{python_name(operand)}.shape[{axis}]"
        raise LookupError(name)

    def definition(self, expr: syntax.Expr, template: Template) -> syntax.Define:
        """The definition that is expanded in place at a stage."""
        use = template.sites[expr]
        assert isinstance(use, Use) and use.define is not None
        return use.define

    def torch_classes(self, name: str) -> set[str]:
        """The PyTorch classes under which a layer of that name stands in the network."""
        found = set()
        for _, module in self.network.root.walk():
            layer = module.layer
            if layer is not None and type(layer).__name__ == name and layer.module is not None:
                found.add(layer.module.replace("{n}", str(layer.dimensions(*module.inputs))))
        return found

    def may_lack(self, name: str, parameter: str) -> bool:
        """Whether a layer of that name may be without a parameter."""
        for _, module in self.network.root.walk():
            if module.layer is not None and type(module.layer).__name__ == name and parameter not in module.state:
                return True
        return False

    # ---- the file --------------------------------------------------------------------------------------

    def source(self) -> ModelSource:
        net = self.network.template
        self.write(net)
        for template in list(self.sources):
            if self.exposing[template] != self.resolver.plan(template).exposed:
                self.write(template)
        blocks = [*self.helpers(), *("\n".join(lines) for lines in self.sources.values())]
        imports = tuple(sorted(line for line in self.requires if isinstance(line, str) and is_import(line)))
        text = "\n\n\n".join(blocks) + "\n"
        used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
        imports = tuple(line for line in imports if imported(line) in used)
        parameters = {name: net.parameters[name].values[-1] for name, _ in self.signatures[net].parameters}
        return ModelSource(text, imports, self.name(net), "", parameters)

    def helpers(self) -> list[str]:
        """Functions, constants and classes that the model's classes use."""
        found = []
        constants = [need[1:] for need in self.requires if isinstance(need, tuple) and need[0] == "constant"]
        if constants:
            found.append("\n".join(layout([f"{name} = {thawed(value)}" for name, value in constants])))
        for need in list(self.requires):
            if isinstance(need, str) and not is_import(need):
                found.append(need.rstrip("\n"))
            elif isinstance(need, tuple) and need[0] == "layer":
                found.extend(self.layer_source(need[1]))
            elif isinstance(need, tuple) and need[0] == "record":
                found.append(self.record_source(need[1], need[2]))
        return found

    def layer_source(self, cls: type[Layer]) -> list[str]:
        if cls.source is None:
            line = short_name(cls.module or "")[1]
            if line is not None:
                self.requires[line] = None
            return []
        self.requires.update(dict.fromkeys(cls.imports))
        return [cls.source.strip("\n")]

    def record_source(self, name: str, fields: Sequence[tuple[str, str]]) -> str:
        self.requires["from typing import NamedTuple"] = None
        return "\n".join([f"class {name}(NamedTuple):", *(f"{INDENT}{field}: {hint}" for field, hint in fields)])


def docstring(doc: str) -> list[str]:
    """The lines of a comment as a docstring; those that are too wide are wrapped."""
    text = doc.strip().replace("\\", "\\\\").replace('"""', "'''")
    width = WIDTH - len(INDENT) - 2 * len('"""')
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    lines = "\n\n".join("\n".join(wrap(part, width)) for part in paragraphs).splitlines()
    if len(lines) == 1:
        return [f'{INDENT}"""{lines[0]}"""']
    return [f'{INDENT}"""{lines[0]}', *(f"{INDENT}{line}".rstrip() for line in lines[1:]), f'{INDENT}"""']


def pruned(lines: list[str]) -> list[str]:
    """Without assignments to locals that nothing else names."""
    heads = [line.strip().partition(" = ") for line in lines]
    assigned = {index: name for index, (name, equals, _) in enumerate(heads) if equals and name.isidentifier()}
    if not assigned:
        return lines
    named = names_by_line(lines)
    uses = Counter(name for names in named for name in names.elements())
    gone: set[int] = set()
    pending = list(assigned)
    while pending:
        index = pending.pop()
        if index not in gone and uses[assigned[index]] == named[index][assigned[index]]:
            gone.add(index)
            uses.subtract(named[index])
            pending += [other for other, name in assigned.items() if name in named[index]]
    return without_empty([line for index, line in enumerate(lines) if index not in gone])


def without_empty(lines: list[str]) -> list[str]:
    """Without the headers of blocks that have lost all their lines."""
    kept: list[str] = []
    for line in reversed(lines):
        depth = len(line) - len(line.lstrip())
        inside = kept and len(kept[-1]) - len(kept[-1].lstrip()) > depth
        if not line.endswith(":") or inside:
            kept.append(line)
    return kept[::-1]


def names_by_line(lines: list[str]) -> list[Counter[str]]:
    """The names in each of several lines, which together are statements."""
    places = [index for index, line in enumerate(lines) for _ in line.split("\n")]
    named: list[Counter[str]] = [Counter() for _ in lines]
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.Name):
            named[places[node.lineno - 1]][node.id] += 1
    return named


def is_import(line: str) -> bool:
    return line.startswith(("import ", "from ")) and "\n" not in line


def imported(line: str) -> str:
    """The name that an import line binds."""
    return line.rpartition(" as ")[2] if " as " in line else line.rpartition(" import ")[2].removeprefix("import ")


def input_rank(template: Template) -> int:
    return max((value.rank for value in template.inputs.values()), default=0)


def place_for(stored: str, statements: list[str], first: int) -> int:
    """Where `self.name = name` can stand: among the first statements, or behind the one that makes the name."""
    source = stored.rpartition(" = ")[2]
    made = [index for index, line in enumerate(statements) if line.startswith(f"{source} = ")]
    return made[0] + 1 if made and made[0] >= first else first


def tuple_text(text: str) -> str:
    """A list as a tuple, so that no default can be changed."""
    items = split(text[1:-1], (", ",)) if text != "[]" else []
    inner = [tuple_text(item) if is_list(item) else item for item in items]
    return f"({', '.join(inner)}{',' * (len(inner) == 1)})"


def is_list(text: str) -> bool:
    return text.startswith("[") and text.endswith("]") and " for " not in text


def literal_value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return ...


def thawed(value: Any) -> str:
    """A frozen value as Python source."""
    if isinstance(value, tuple) and value and value[0] in ("list", "tuple"):
        inner = ", ".join(thawed(item) for item in value[1:])
        if value[0] == "list":
            return f"[{inner}]"
        return f"({inner}{',' * (len(value) == 2)})"
    if isinstance(value, tuple) and value and value[0] in ("bool", "float"):
        return repr(value[1])
    return quoted(value) if isinstance(value, str) else repr(value)


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
    for statement in statements_in(body, template):
        if isinstance(statement, syntax.Assign) and statement not in template.terms:
            yield from statement.target.names
        if (
            isinstance(statement, syntax.Flow)
            and statement.operator == "side"
            and isinstance(statement.label, syntax.Name)
        ):
            yield statement.label.id
        if isinstance(statement, syntax.Input) and statement.name is not None:
            yield statement.name


__all__ = ["Inexpressible", "emit_model"]
