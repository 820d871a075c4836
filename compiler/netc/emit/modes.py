"""What a script can do beside training, each by a flag of its own."""

from __future__ import annotations

from netc.emit.layout import call, quoted
from netc.recipe import Recipe

OVERFIT_EPOCHS = 100
"""Steps in which one batch is to be learnt."""
FLAGS = {
    "evaluate": ("type=Path", 'metavar="CKPT"', "print the figures of a checkpoint on the test part"),
    "predict": ("type=Path", 'metavar="FILE"', "print what {} told to be"),
    "export": ('choices=("onnx", "torch", "safetensors")', "", "write the trained network for others to read"),
    "dry_run": ('action="store_true"', "", "one step, one evaluation and a checkpoint, leaving nothing behind"),
    "overfit": ('action="store_true"', "", "see whether one batch can be learnt, leaving nothing behind"),
}


class Modes:
    """The flags of a recipe's modes, and the conditions on them before torch is imported."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe

    @property
    def flags(self) -> list[str]:
        found = []
        for name in self.recipe.modes:
            *given, help = FLAGS[name]
            help = help.format("a picture is" if self.recipe.data.part.decoded else "the examples in a NumPy file are")
            args = [quoted(f"--{name.replace('_', '-')}"), *filter(None, given), f"help={quoted(help)}"]
            found.append(call("parser.add_argument", args))
        return found

    @property
    def reading(self) -> str:
        """Whether a trained network is read rather than trained; "" where there is no such mode."""
        return self.any("evaluate", "predict", "export")

    @property
    def scratch(self) -> str:
        """Whether results are thrown away; "" where there is no such mode."""
        return self.any("dry_run", "overfit")

    @property
    def epochs(self) -> str:
        modes = self.recipe.modes
        if "overfit" not in modes:
            return "1"
        return f"1 if arguments.dry_run else {OVERFIT_EPOCHS}" if "dry_run" in modes else str(OVERFIT_EPOCHS)

    @property
    def axis(self) -> int:
        """The dimension of the first output that holds the scores of the classes."""
        outputs = self.recipe.network.outputs(False)
        last = outputs[0].value.rank - 1 if outputs else 1
        return last if self.recipe.target.shape and outputs and outputs[0].value.channel == last else 1

    @property
    def example(self) -> str:
        """Two examples as the network takes them."""
        first = "[part[:2] for part in train_inputs]" if self.recipe.several else "train_inputs[:2]"
        ready = f"prepare({first})" if self.recipe.data.part.prepared(self.recipe.network.inputs) else first
        return f"tuple({ready})" if self.recipe.several else f"({ready},)"

    def any(self, *names: str) -> str:
        return " or ".join(f"arguments.{name}" for name in names if name in self.recipe.modes)
