"""Several optimizers: which parameters each trains, which losses it lessens, and whether they take turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from netc import syntax
from netc.diagnostics import SpecError, nearest, renamed
from netc.layer import Reject
from netc.recipe import DataSource, NetParameter, NetworkFacts, Optimizer, Schedule, Stepper, Term, Use
from netc.recipes.fitting import Settings, batches_of, rejected_span, remarked
from netc.recipes.groups import selector_of
from netc.recipes.scalars import lone_error
from netc.record import Record

if TYPE_CHECKING:
    from netc.recipes.groups import Groups

Named = tuple[Any, syntax.Setting]


class Turn(Record):
    """One stage of `steps`: an optimizer, the losses that it lessens, and at which batches of an epoch."""

    optimizer: syntax.Name
    losses: tuple[syntax.Name, ...]
    every: int = 1


class Steppers:
    """Resolves the optimizers of a recipe; what is wrong is gathered by the reader."""

    def __init__(self, reader: Groups, network: NetworkFacts, values: Settings, terms: Sequence[Term]):
        self.reader = reader
        self.network = network
        self.optimizers: list[Named] = values["optimizer"][0] if "optimizer" in values else []
        self.schedules: list[Named] = values["schedule"][0] if "schedule" in values else []
        self.steps: tuple[Sequence[Turn], syntax.Setting] | None = values.get("steps")
        self.data: Use[DataSource] | None = values["data"][0] if "data" in values else None
        self.device: str | None = values["device"][0] if "device" in values else None
        self.epochs: int | None = values["epochs"][0] if "epochs" in values else None
        self.interval: str = values["schedule_interval"][0] if "schedule_interval" in values else "epoch"
        self.scaled = "precision" in values and values["precision"][0] == "fp16"
        self.distributed = "distributed" in values
        self.sharded = self.distributed and values["distributed"][0] == "fsdp"
        self.values = values
        self.accumulates = "accumulate" in values and values["accumulate"][0] > 1
        self.thawing = "unfreeze" in values
        self.terms = tuple(terms)
        self.frozen: set[str] = set()

    def read(self, frozen: Sequence[Sequence[NetParameter]]) -> tuple[Stepper, ...]:
        """The optimizers, each with what is its own."""
        self.frozen = {parameter.path for hits in frozen for parameter in hits}
        members = self.members()
        turns = self.turns()
        steppers = []
        for (use, setting), own in zip(self.optimizers, members, strict=True):
            selector = None if setting.name is None else selector_of(syntax.Name(setting.key_span, setting.name))
            groups = self.reader.groups(use, setting, own)
            if self.fits(use, setting, own):
                for group, node in zip(groups, setting.groups, strict=False):
                    self.refused(type(use.part)(**{**vars(use.part), **group.arguments}), group.members, node)
            terms = self.terms if turns is None else turns.get(setting.name or "", ())
            schedule = self.schedule(use, setting)
            every = next((turn.every for turn in self.order if turn.optimizer.id == setting.name), 1)
            key = self.key(setting)
            steppers.append(Stepper(setting.name, key, use, selector, own, terms, groups, schedule, every))
        if turns is not None:
            steppers.sort(key=lambda stepper: list(turns).index(stepper.name or "") if stepper.name in turns else -1)
        self.strangers()
        return tuple(steppers)

    def members(self) -> list[tuple[NetParameter, ...]]:
        """The parameters of each optimizer: the first that selects one has it, one without a name all that are left."""
        free = list(self.network.parameters)
        found: dict[int, tuple[NetParameter, ...]] = {}
        for index, (_, setting) in enumerate(self.optimizers):
            if setting.name is None:
                continue
            place = syntax.Name(setting.name_span, setting.name)
            selector = selector_of(place)
            (hits,) = self.reader.matched((selector,), (place,), self.network.parameters)
            own = tuple(parameter for parameter in free if parameter in hits)
            if hits and not own:
                self.reader.error("E0517", f"earlier optimizers train all of `{setting.name}`", place.span)
            found[index] = own
            free = [parameter for parameter in free if parameter not in own]
        rest = tuple(free)
        left = [parameter for parameter in rest if parameter.path not in self.frozen]
        if len(found) == len(self.optimizers) and left and found:
            more = f" and {len(left) - 1} more" if len(left) > 1 else ""
            text = f"no optimizer trains `{left[0].path}`{more}"
            way = f"`optimizer: Adam` trains what no other does, `freeze: {left[0].path.partition('.')[0]}` leaves it"
            self.reader.error("E0516", text, self.optimizers[-1][1].key_span, help=way)
        members = [found.get(index, rest) for index in range(len(self.optimizers))]
        self.idle(members)
        return members

    def idle(self, members: Sequence[tuple[NetParameter, ...]]) -> None:
        """Tells of an optimizer among several that has nothing to train."""
        for (_, setting), own in zip(self.optimizers, members, strict=True):
            if len(members) == 1 or (own and (self.thawing or any(each.path not in self.frozen for each in own))):
                continue
            if own:
                text, way = f"all that `{self.key(setting)}` trains is frozen", "leave the optimizer out, or `freeze`"
            elif setting.name is None:
                text, way = "the other optimizers train everything", "leave this one out"
            else:
                continue  # its selector was refused
            self.reader.error("E0516", text, setting.key_span, help=way)

    def key(self, setting: syntax.Setting) -> str:
        """What a script calls an optimizer among several."""
        names = {each.name for _, each in self.optimizers}
        return setting.name or next(name for name in ("rest", "others", "all_others") if name not in names)

    # ---- turns ----

    @property
    def order(self) -> Sequence[Turn]:
        return () if self.steps is None else self.steps[0]

    def turns(self) -> dict[str, tuple[Term, ...]] | None:
        """The losses of each optimizer by its name, in the order of their turns; None where all step together."""
        if self.steps is None:
            return None
        try:
            return self.read_turns(*self.steps)
        except SpecError as error:
            self.reader.found.add(error.diagnostics[0])
            return {}

    def read_turns(self, turns: Sequence[Turn], setting: syntax.Setting) -> dict[str, tuple[Term, ...]]:
        names = [str(each.name) for _, each in self.optimizers if each.name is not None]
        losses = {term.name: term for term in self.terms if term.name is not None}
        found: dict[str, tuple[Term, ...]] = {}
        for turn in turns:
            optimizer = turn.optimizer
            if optimizer.id in found:
                raise lone_error("E0513", f"`{optimizer.id}` takes two turns", optimizer.span, help="give it one")
            self.known(optimizer, names, "optimizer")
            for loss in turn.losses:
                self.known(loss, losses, "loss")
            found[optimizer.id] = tuple(losses[loss.id] for loss in turn.losses)
            self.reached(turn)
        if turns and all(turn.every > 1 for turn in turns):
            text, help = "there are batches at which no optimizer takes its turn", "one of them without `every`"
            raise lone_error("E0516", text, setting.value.span, help=help)
        for _, each in self.optimizers:
            if each.name not in found:
                text = f"`{each.name}` takes no turn" if each.name else "an optimizer that takes turns has a name"
                way = f"`-> {each.name}(loss)`" if each.name else "name it after the part that it trains"
                raise lone_error("E0516", text, each.key_span, help=f"{way}; without `steps` all step together")
        used = {term.name for terms in found.values() for term in terms}
        if unused := [name for name in losses if name not in used]:
            raise lone_error("E0516", f"no step lessens the loss `{unused[0]}`", setting.value.span)
        return found

    def reached(self, turn: Turn) -> None:
        """Sees that an epoch has as many batches as lie between two turns, where that can be told."""
        part = self.data.part if self.data is not None else None
        total, size = (None, None) if part is None else (part.training_size(), getattr(part, "batch_size", None))
        count = batches_of(self.values, total, size)
        if count is None or turn.every <= count:
            return
        text = f"`{turn.optimizer.id}` takes a turn every {turn.every} batches, an epoch has {count}"
        raise lone_error("E0516", text, turn.optimizer.span, help=f"at most `every={count}`")

    def known(self, name: syntax.Name, names: Any, kind: str) -> None:
        if name.id not in names:
            near = nearest(name.id, names)
            listed = ", ".join(f"`{each}`" for each in names)
            way = f"did you mean `{near}`?" if near else f"there is {listed}" if listed else f"`{kind} {name.id}: …`"
            text, fix = f"the recipe has no {kind} `{name.id}`", renamed(name.span, name.id, near)
            raise lone_error("E0514", text, name.span, help=way, fix=fix)

    # ---- what does not go together ----

    def fits(self, use: Use[Optimizer], setting: syntax.Setting, own: Sequence[NetParameter]) -> bool:
        """Whether the optimizer's arguments go together, and with its parameters and the rest of the recipe."""
        for wrong, reason in (
            (bool(setting.groups), "has no groups"),
            (len(self.optimizers) > 1, "trains a network alone"),
            (self.scaled, "goes back and forth, which `precision: fp16` cannot"),
            (self.distributed, "searches in one process only"),
            (self.accumulates, "sees a whole batch at a time, without `accumulate`"),
        ):
            if use.part.closure and wrong:
                self.reader.error("E0516", f"{use.name} {reason}", setting.value.span)
        if self.sharded and use.part.sharding == "none":
            text = f"{use.name} needs whole parameters, which no process has under `fsdp`"
            self.reader.error("E0516", text, setting.value.span, "`distributed: ddp`, or another optimizer")
        if self.sharded and (sparse := next((parameter for parameter in own if parameter.sparse), None)):
            text = f"sparse gradients, as that of `{sparse.path}`, are not spread over processes"
            self.reader.error("E0516", text, setting.value.span, f"take `sparse=true` away from the {sparse.layer}")
        if self.refused(use.part, own, setting.value):
            return False
        remarked(self.reader.found, use.part.remarks(), setting.value, use.part)
        return True

    def refused(self, part: Optimizer, own: Sequence[NetParameter], node: syntax.Expr | syntax.GroupSetting) -> bool:
        try:
            part.check(self.device)
            part.admit(own)
        except Reject as reject:
            if isinstance(node, syntax.GroupSetting):
                span = next((arg.span for arg in node.args if arg.name == reject.field), node.span)
            else:
                span = rejected_span(node, type(part), reject.field)
            self.reader.error("E0516", reject.reason, span, help=reject.help)
            return True
        return False

    # ---- schedules ----

    def schedule(self, use: Use[Optimizer], setting: syntax.Setting) -> tuple[Use[Schedule], ...]:
        """The schedule of an optimizer: the one of its name, else the one that has none."""
        own = [named for named in self.schedules if named[1].name in (setting.name, None)]
        if not own:
            return ()
        uses, text = next((named for named in own if named[1].name is not None), own[0])
        stages = text.value.stages if isinstance(text.value, syntax.Pipe) else (text.value,)
        for each, stage in zip(uses, stages, strict=True):
            try:
                each.part.admit(use.part)
                if len(uses) > 1 and each.part.interval is not None:
                    raise Reject(f"`{each.name}` stands alone, it has no place in a chain")
            except Reject as reject:
                span = rejected_span(stage, type(each.part), reject.field)
                self.reader.error("E0518", reject.reason, span, help=reject.help)
        if self.epochs is not None and self.interval == "epoch":
            self.lasting(uses, stages, text, getattr(use.part, "lr", 1.0))
        return tuple(uses)

    def lasting(
        self, uses: Sequence[Use[Schedule]], stages: Sequence[syntax.Expr], setting: syntax.Setting, lr: float
    ) -> None:
        """Holds each schedule of a chain against the epochs that are its own."""
        assert self.epochs is not None
        taken = sum(getattr(use.part, use.part.ends or "") for use in uses[:-1])
        if taken >= self.epochs:
            reason = f"`{uses[-1].name}` would begin after {taken} epochs, the recipe has {self.epochs}"
            self.reader.error("E0518", reason, setting.value.span)
            return
        for use, stage in zip(uses, stages, strict=True):
            left = self.epochs - taken if use is uses[-1] else getattr(use.part, use.part.ends or "")
            if use.part.interval == "step":
                continue
            remarks = (
                Reject(f"`{use.name}` {found.reason}", found.field, help=found.help)
                for found in use.part.remarks(left, lr)
            )
            remarked(self.reader.found, remarks, stage, use.part)

    def strangers(self) -> None:
        """Rejects schedules of optimizers that are not there."""
        names = [setting.name for _, setting in self.optimizers if setting.name is not None]
        for _, setting in self.schedules:
            if setting.name is not None:
                try:
                    self.known(syntax.Name(setting.name_span, setting.name), names, "optimizer")
                except SpecError as error:
                    self.reader.found.add(error.diagnostics[0])
