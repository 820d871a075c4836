"""What an epoch of a script is: all examples, all that fill batches, or a number of steps."""

from __future__ import annotations

from netc.recipe import Recipe

CUT = [
    "    per_epoch = len(train_targets) // args.batch_size  # batches",
    "    if per_epoch == 0:",
    '        raise SystemExit(f"{len(train_targets)} examples do not fill a batch")',
]
WHOLE = """\
        order = torch.randperm(
            len(train_targets),
            generator=torch.Generator().manual_seed(args.seed + epoch),
        ).to(device)"""
COUNTED = '''\
def examples_of(epoch, count, args):
    """The numbers of an epoch's examples; they go on where the epoch before ended."""
'''
SHUFFLED = """\
    first = epoch * size
    passes = []
    for number in range(first // count, -(-(first + size) // count)):
        draw = torch.Generator().manual_seed(args.seed + number)
        passes.append(torch.randperm(count, generator=draw))
    return torch.cat(passes)[first % count :][:size]"""
IN_ORDER = "    return torch.arange(epoch * size, (epoch + 1) * size) % count"


class Epochs:
    """The examples of an epoch in their order, and how many batches they make, as source."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.counted = recipe.steps_per_epoch is not None
        self.accumulates = recipe.accumulate > 1
        self.shuffled = recipe.data.part.shuffled and not recipe.carry

    @property
    def whole(self) -> bool:
        """Whether every epoch has all examples."""
        return not (self.counted or self.recipe.drop_last)

    @property
    def source(self) -> str:
        """The function that gives an epoch's examples; "" where none is needed."""
        if not self.counted:
            return ""
        batches = "args.steps_per_epoch * args.accumulate" if self.accumulates else "args.steps_per_epoch"
        return f"{COUNTED}    size = {batches} * args.batch_size\n{SHUFFLED if self.shuffled else IN_ORDER}"

    @property
    def made(self) -> list[str]:
        """The statements before the loop."""
        if self.counted and self.accumulates and "tensorboard" in self.recipe.log:
            return ["    per_epoch = args.steps_per_epoch * args.accumulate  # batches"]
        return CUT if self.recipe.drop_last else []

    @property
    def batches(self) -> str:
        """How many an epoch has, where it has not all examples."""
        return "args.steps_per_epoch" if self.counted and not self.accumulates else "per_epoch"

    @property
    def steps(self) -> str:
        """How often the optimizers step in an epoch."""
        if self.counted:
            return "args.steps_per_epoch"
        if self.recipe.drop_last:
            return "-(-per_epoch // args.accumulate)" if self.accumulates else "per_epoch"
        size = "(args.batch_size * args.accumulate)" if self.accumulates else "args.batch_size"
        return f"-(-len(train_targets) // {size})"

    @property
    def order(self) -> list[str]:
        """The statements that put an epoch's examples in their order."""
        if self.counted:
            return ["        order = examples_of(epoch, len(train_targets), args).to(device)"]
        order = WHOLE if self.shuffled else "        order = torch.arange(len(train_targets), device=device)"
        return [order, *["        order = order[: per_epoch * args.batch_size]"] * self.recipe.drop_last]

    @property
    def seen(self) -> str:
        """How many examples a run has seen that goes on from `state`."""
        if self.whole:
            return 'state["epoch"] * len(train_targets) + state["step"] * args.batch_size'
        return f'(state["epoch"] * {self.batches} + state["step"]) * args.batch_size'

    @property
    def trained(self) -> str:
        """The targets of an epoch."""
        return "train_targets" if self.whole else "train_targets[order]"
