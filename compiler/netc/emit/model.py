"""The source of a model: one class a definition, callees first, with the helpers and imports that they need."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from netc import syntax
from netc.emit.belongings import is_import
from netc.emit.bodies import direct, docstring, extended, joined, place_for, pruned, together
from netc.emit.calls import Signature
from netc.emit.constants import typed_constant
from netc.emit.elimination import Freeze, Inexpressible
from netc.emit.folding import only_atom
from netc.emit.forward import Forward
from netc.emit.measures import values_in
from netc.emit.members import Members, layers_of
from netc.emit.pasting import bound_by
from netc.emit.resolve import Resolver, own_names
from netc.emit.results import result_hint
from netc.emit.sharing import named_once
from netc.emit.tensors import names_in
from netc.emit.walking import statements_in, tensor_targets
from netc.emit.wrapping import INDENT, layout
from netc.graph import Guard, Network, Template, Use
from netc.layer import Layer
from netc.naming import TAKEN, python_name, short_name
from netc.sources import ModelSource
from netc.terms import COMPARE, SUM, Place, Symbol, Term, written

MAX_PASSES = 16


def emit_model(network: Network, reserved: frozenset[str] = frozenset()) -> ModelSource:
    """Writes the classes of a network. What is given to `class_name` is nothing: its defaults are the values.

    `reserved` names mean something else in the file.
    """
    ask_for_layers(network)
    frozen = frozenset(unprintable(network))
    while True:
        try:
            return Model(network, frozen, reserved).source()
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
    """Parameters of the net whose value is a block or a chain, or which are nothing in what was elaborated.

    Emitted code names the class instead, and has no parameter of which nobody knows what else it could be.
    """
    for name, parameter in network.template.parameters.items():
        nothing = all(value is None for value in parameter.values) and str(parameter.default) == "None"
        if nothing or any(not is_data(value) for value in parameter.values):
            yield name


def is_data(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(is_data(item) for item in value)
    return value is None or isinstance(value, int | float | str | range)


class Model(Members):
    """The classes of one network while they are written."""

    def __init__(self, network: Network, frozen: frozenset[str], reserved: frozenset[str] = frozenset()):
        self.network = network
        self.reserved = reserved
        self.resolver = Resolver(network, frozen)
        self.sources: dict[Template, list[str]] = {}
        self.signatures: dict[Template, Signature] = {}
        self.names: dict[Template, str] = {}
        self.requires: dict[Any, None] = {}
        self.exposing: dict[Template, dict[Any, str]] = {}
        self.writing: set[Template] = set()
        self.kin = kindred(network, self.resolver)
        self.resolver.keep({template: names for template, (_, names) in self.kin.items()})
        self.layers = layers_of([network.root])
        self.fixed = frozenset(called_by_layers(network))

    # ---- classes -------------------------------------------------------------------------------------

    def name(self, template: Template) -> str:
        if template not in self.names:
            foreign = TAKEN | self.reserved
            taken = {*self.names.values(), *foreign, *self.fixed}
            suffix = "Net" if template is self.network.template else "Block"
            candidates = [template.name if template.name not in foreign else template.name + suffix]
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
                self.unite(template)
            except Inexpressible as error:
                node = template.node
                error.span = error.span or (node.name_span if isinstance(node, syntax.Define) else node.span)
                raise
        return self.signatures[template]

    def unite(self, template: Template) -> None:
        """Writes the classes that are made by one name until all of them are constructed alike."""
        kin, _ = self.kin.get(template, ([template], set()))
        for _ in range(MAX_PASSES):
            before = [len(self.resolver.plan(each).lifted) for each in kin]
            for each in kin if len(kin) > 1 else ():
                self.write(each)
            if before == [len(self.resolver.plan(each).lifted) for each in kin]:
                return

    def share_needs(self, template: Template) -> None:
        """Lets a class be told what others must be told that are made by the same name."""
        kin, names = self.kin.get(template, ([], set()))
        self.resolver.plan(template).used |= names
        for other in kin:
            for place in list(self.resolver.plan(other).lifted):
                own = place.owner is other and place.kind == "input"
                self.resolver.lift(template, Place("input", template, place.key) if own else place)

    def write(self, template: Template) -> None:
        """Writes a class, again until nothing more turns out to be needed."""
        name = self.name(template)
        self.writing.add(template)
        self.exposing[template] = dict(self.resolver.plan(template).exposed)
        for turn in range(MAX_PASSES):
            plan = self.resolver.plan(template)
            if turn == MAX_PASSES // 2:  # names that are shared would be exchanged for ever
                plan.distinct = True
                for key in plan.running:
                    self.resolver.part(template, key)
            before = (len(plan.lifted), dict(plan.running), len(plan.used), dict(plan.hoisted))
            self.share_needs(template)
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
            asked = name in self.resolver.kept.get(template, ())
            own.append((name, is_net or (not asked and self.has_default(template, parameter))))
        return Signature(list(plan.lifted), sorted(own, key=lambda item: item[1]))

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
        base = "nn.Sequential" if template.sequential else "nn.ModuleDict" if writer.keyed else "nn.Module"
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
        stored = self.stored_lines(writer, init.items) if forward else []
        kept = pruned([*extended(joined(together(init.items))), *stored])
        known = own_names(template) | {argument.partition(":")[0] for argument in arguments}
        body = named_once(kept[: len(kept) - len(stored)], known)
        if len(body) + len(stored) > 1 or len(arguments) > 1 or template.sequential:
            lines += layout([f"{INDENT}def __init__({', '.join(arguments)}) -> None:"])
            first = 0 if template.sequential and body[0] != "super().__init__()" else 1
            statements = [*body[:first], *defaults, *body[first:]]
            for line in reversed(stored):
                statements.insert(place_for(line, statements, first + len(defaults)), line)
            statements = direct(statements)
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
        return lines + layout([INDENT * 2 + line for line in (*writer.symbol_lines(), *joined(together(out.items)))])

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

    # ---- what the writers ask --------------------------------------------------------------------------

    def outer_tensors(self, template: Template) -> list[str]:
        """The tensors of the definition around a suite that the suite reads."""
        if template.parent is None:
            return []
        outer = self.tensor_names(template.parent) | self.parameter_names(template.parent)
        outer |= {"x", *self.outer_tensors(template.parent)}
        outer -= {"x"} if template.entered_by_x else set()
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

    def labels_in(self, template: Template) -> set[str]:
        """The labels of what stands in the modules of a class, as far as the network has them."""
        modules = [self.network.root, *(module for _, module in self.network.root.walk())]
        return {label for module in modules if module.name == template.name for label in module.children}

    def symbol_source(self, template: Template, name: str) -> str:
        for operand, value in template.inputs.items():
            for axis, size in enumerate(value.shape):
                if isinstance(size, Term) and any(isinstance(a, Symbol) and a.name == name for a in size.atoms()):
                    if size == next(iter([Term.atom(a) for a in size.atoms() if isinstance(a, Symbol)])):
                        return f"{python_name(operand)}.shape[{axis}]"
        raise Inexpressible(f"the size `{name}`, which no input of `{template.name}` has")

    def definition(self, expr: syntax.Expr, template: Template) -> syntax.Define:
        """The definition that is expanded in place at a stage."""
        use = template.sites[expr]
        assert isinstance(use, Use) and use.define is not None
        return use.define

    # ---- the file --------------------------------------------------------------------------------------

    def source(self) -> ModelSource:
        net = self.network.template
        self.write(net)
        for _ in range(MAX_PASSES):
            if all(self.exposing[template] == self.resolver.plan(template).exposed for template in self.sources):
                break
            for template in list(self.sources):  # what a class tells may need sizes that it must be told
                self.write(template)
        classes = ["\n".join(lines) for lines in self.sources.values()]
        late = [typed_constant(name, self.constant(value)) for _, name, value in self.constants(late=True)]
        own = [*classes[:-1], *(["\n".join(layout(late))] if late else []), classes[-1]]
        text = "\n\n\n".join([*self.helpers(own), *own]) + "\n"
        lines = {line for line in self.requires if isinstance(line, str) and is_import(line)}
        used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
        imports = tuple(sorted(line for line in {*lines, *self.pasted.imports} if bound_by(line) in used))
        parameters = {name: net.parameters[name].values[-1] for name, _ in self.signatures[net].parameters}
        brought = tuple(dict.fromkeys(text for texts in self.pasted.texts for text in texts))
        foreign = (*self.pasted.imports, *imports_of_layers(self.network))
        return ModelSource(text, imports, self.name(net), "", parameters, (*foreign, *brought))


def kindred(network: Network, resolver: Resolver) -> dict[Template, tuple[list[Template], set[str]]]:
    """For each block that is made by a name the blocks that are made by the same name, and the parameters given."""
    found: dict[Template, tuple[list[Template], set[str]]] = {}
    for template in network.templates:
        for site in template.sites.values():
            if isinstance(site, Use) and site.template is not None and resolver.asked(template, site) is not None:
                together = [site.template, *(other.template for other in site.others if other.template is not None)]
                known = [found[each] for each in together if each in found]
                kin = list(dict.fromkeys([*together, *(each for group, _ in known for each in group)]))
                told = {name for name in site.bindings if not all(name in each.settled for each in together)}
                names = {*told, *(name for _, given in known for name in given)}
                found.update(dict.fromkeys(kin, (kin, names)))
    return found


def classes_of_layers(network: Network) -> Iterator[type[Layer]]:
    """The classes of all layers and functions of a network, each once."""
    modules = (module.layer for _, module in network.root.walk())
    sites = (site for template in network.templates for site in template.sites.values())
    used = (site.layer for site in sites if isinstance(site, Use))
    return iter(dict.fromkeys(type(layer) for layer in (*modules, *used) if isinstance(layer, Layer)))


def called_by_layers(network: Network) -> Iterator[str]:
    """The names outside PyTorch by which emitted code calls layers."""
    for cls in classes_of_layers(network):
        targets = (cls.module or "", cls.function or "")
        yield from (target.removeprefix("own:") for target in targets if target.startswith("own:"))
    yield from (bound_by(line) for line in imports_of_layers(network))


def imports_of_layers(network: Network) -> Iterator[str]:
    """The import lines of the classes and functions that layers name, as far as PyTorch's own import is not enough."""
    for cls in classes_of_layers(network):
        for target in (cls.module, cls.function):
            if target is not None and not target.startswith(("own:", ".", "torch.")):
                yield from filter(None, (short_name(target.replace("{n}", str(n)))[1] for n in (1, 2, 3)))


def input_rank(template: Template) -> int:
    return max((value.rank for value in template.inputs.values()), default=0)


__all__ = ["Inexpressible", "emit_model"]
