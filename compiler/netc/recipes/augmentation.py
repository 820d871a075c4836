"""`augment` against the data, the network and its losses."""

from __future__ import annotations

from collections.abc import Sequence

from netc import syntax
from netc.diagnostics import Diagnostic, Diagnostics, Label, Span
from netc.layer import Reject
from netc.recipe import DataSource, NetworkFacts, Target, Term, Transform, Use, show_example
from netc.recipes.fitting import Settings, rejected_span
from netc.shapes import Value, same


class Augmentation:
    """The changes of a picture; what is wrong with them is gathered in `found`."""

    def __init__(self, values: Settings, terms: Sequence[Term], network: NetworkFacts, found: Diagnostics):
        self.values = values
        self.terms = terms
        self.network = network
        self.found = found

    def check(self) -> None:
        if "augment" not in self.values or "data" not in self.values:
            return
        uses, setting = self.values["augment"]
        data: Use[DataSource] = self.values["data"][0]
        stages = setting.value.stages if isinstance(setting.value, syntax.Pipe) else (setting.value,)
        if not data.part.drawn(self.network.inputs):
            self.error(f"{data.name} has no pictures to augment", setting.value.span)
            return
        pictures: Value | None = self.network.inputs[0][1]
        if data.part.decoded and pictures is not None:
            pictures = data.part.opening(pictures, [use.part for use in uses if not use.part.mixes]).pictures
        for index, (use, stage) in enumerate(zip(uses, stages, strict=True)):
            try:
                pictures = self.changed(use, data, pictures, uses[index + 1 :])
            except Reject as reject:
                self.error(reject.reason, rejected_span(stage, type(use.part), reject.field), reject.help)
                return
        if pictures is not None and not all(map(same, pictures.shape, self.network.inputs[0][1].shape)):
            wanted = show_example(self.network.inputs[0][1])
            text = f"pictures of {wanted} become {show_example(pictures)}, and those of the test stay as they are"
            self.error(text, setting.value.span, f"`augment` ends with pictures of {wanted}")

    def changed(
        self, use: Use[Transform], data: Use[DataSource], pictures: Value | None, later: Sequence[Use[Transform]]
    ) -> Value | None:
        """What becomes of the pictures; raises Reject."""
        part, target = use.part, data.part.fitted(self.network.inputs)
        if part.mixes:
            self.mixed(use, target)
            if any(not other.part.mixes for other in later):
                raise Reject(f"`{use.name}` acts on a whole batch, so that it comes last")
        elif part.moves and target.shape and any(term.operands[-1].kind == "target" for term in self.terms):
            reason = f"`{use.name}` moves pixels, and {target.source} has a target for each place"
            raise Reject(reason, help="changes of colours leave them where they are")
        elif part.bytes_only and not data.part.bytes:
            reason = f"`{use.name}` takes pictures of bytes, {data.name} holds numbers that are normalised"
            raise Reject(reason, help="crops, flips and turns take both")
        return None if pictures is None else part.infer(pictures)

    def mixed(self, use: Use[Transform], target: Target) -> None:
        """Refuses mixtures of what no loss takes."""
        taken = [term for term in self.terms if term.operands[-1].kind == "target"]
        drafts = self.values["loss"][0] if "loss" in self.values else []
        if target.kind != "class" or target.shape:
            raise Reject(f"`{use.name}` mixes classes, {target.source} gives something else")
        if not taken and len(self.terms) == len(drafts):
            raise Reject(f"`{use.name}` mixes classes, which no loss is given")
        for term in taken:
            if not term.use.part.soft:
                reason = f"`{use.name}` gives each class a share, {term.use.name} takes class numbers"
                raise Reject(reason, help="`CrossEntropyLoss` without `ignore_index` takes shares")

    def error(self, text: str, span: Span, help: str | None = None) -> None:
        self.found.add(Diagnostic("E0516", text, Label(span), help=help))
