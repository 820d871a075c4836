"""Text to read and to go on from: sentences of a small grammar, and files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from netc.layer import Bool, Int, Reject, Text, Word
from netc.recipe import DataSource, Target, show_example
from netc.shapes import Value, show_dim
from netc_std.data import batch_size
from netc_std.tasks import counted, test_batch_size

Inputs = Sequence[tuple[str, Value]]


class Tokens(DataSource):
    """Numbers of characters or words, `length` of them an example.

    What else a network takes to go on from, such as the state of an LSTM, begins with zeros.
    """

    length: int
    whole: ClassVar[str] = "`input int(T)`"

    def given(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.fields if name not in ("shuffle", "learn", "continued")}

    def places(self, inputs: Inputs) -> int:
        """How many tokens an example has."""
        size = inputs[0][1].shape[1]
        return size if isinstance(size, int) else self.length

    def admit(self, inputs: Inputs) -> None:
        first, states = inputs[0][1], [value for _, value in inputs[1:]]
        if first.kind != "int" or first.rank != 2 or any(self.sizes(value) is None for value in states):
            raise self.refuse(inputs)
        if isinstance(first.shape[1], int) and first.shape[1] != self.length:
            reason = f"{type(self).__name__} gives {self.length} at a time, the network takes {first.shape[1]}"
            raise Reject(reason, field="length", help=f"`length={first.shape[1]}`")

    def refuse(self, inputs: Inputs) -> Reject:
        name, shown = type(self).__name__, ", ".join(f"{show_example(value)} {value.kind}" for _, value in inputs)
        reason = f"{name} gives whole numbers in a row, the network takes {shown}"
        return Reject(reason, help=f"{self.whole} takes them")

    def sizes(self, state: Value) -> list[str] | None:
        """The sizes of a state as source, the batch as `size`; None for what is no state."""
        known = all(isinstance(size, int) for i, size in enumerate(state.shape) if i != state.batch)
        if state.kind != "float" or not known:
            return None
        return ["size" if i == state.batch else show_dim(size) for i, size in enumerate(state.shape)]

    def prepared(self, inputs: Inputs) -> str | None:
        states = [self.sizes(value) for _, value in inputs[1:]]
        if not states:
            return None
        zeros = [f"torch.zeros({', '.join(sizes or ())}, device=tokens.device)" for sizes in states]
        lines = "".join(f"        {zero},\n" for zero in zeros)
        return PREPARE_STATES.format(lines=lines)

    def packed(self, inputs: Inputs, name: str) -> str:
        """The inputs as the script holds them: one tensor, or a tuple of them."""
        return f"({name},)" if len(inputs) > 1 else name


PREPARE_STATES = '''\
def prepare(inputs):
    """Tokens, and states of zeros to begin with."""
    (tokens,) = inputs
    size = len(tokens)
    return [
        tokens,
{lines}    ]
'''

GRAMMAR = '''\
WORDS = {
    "determiner": ["the", "a", "this", "that", "every", "no"],
    "adjective": ["small", "old", "red", "quiet", "strange", "warm"],
    "noun": ["dog", "house", "river", "child", "stone", "garden", "window"],
    "verb": ["sees", "finds", "likes", "follows", "remembers", "hears"],
    "adverb": ["often", "slowly", "today", "again", "never", "gladly"],
    "mark": [".", "?"],
}


def sentence(draw):
    """A statement or a question, as words with their kinds."""
    kinds = ["determiner", "noun", "verb", "determiner", "noun"]
    for place in (4, 1):
        if draw.random() < 0.5:
            kinds.insert(place, "adjective")
    if draw.random() < 0.5:
        kinds.append("adverb")
    words = [(draw.choice(WORDS[kind]), kind) for kind in kinds]
    asked = draw.random() < 0.5
    if asked:  # the verb comes first
        words.sort(key=lambda word: word[1] != "verb")
    return [*words, (WORDS["mark"][asked], "mark")]
'''


class Sentences(Tokens):
    """English-like sentences of a small grammar, statements and questions, drawn from the run's seed.

    `learn` is what is told: the `next` character (ASCII codes), the kind of each word (`tags`, 6 of them), whether a
    sentence asks (`kind`, by words without their marks, 2 classes), or words that are `masked` (by word 1, in two
    sentences: the network takes tokens, segments and a mask of what is no filling). Words are numbered from 2, and
    sentences are filled up with word 0.
    """

    imports = ("import random",)
    learn = Word("next", "tags", "kind", "masked", default="next", doc="What the network is to tell.")
    length = Int(64, min=2, doc="Characters of an example, or words.")
    count = counted(2000)
    batch_size = batch_size()
    test_batch_size = test_batch_size()
    shuffle = Bool(True)
    continued = Bool(False, doc="Each example goes on where the one before it ends, for `carry`.")

    def training_size(self) -> int:
        return self.count

    def target(self) -> Target:
        kinds = {"next": 128, "tags": 6, "kind": 2, "masked": 64}
        shape = () if self.learn == "kind" else (self.length,)
        partial = self.learn in ("tags", "masked")
        return Target("Sentences", "class", shape, kinds[self.learn], partial=partial, open=True)

    def fitted(self, inputs: Inputs) -> Target:
        found = self.target()
        shape = () if self.learn == "kind" else (inputs[0][1].shape[1],)
        return Target(found.source, found.kind, shape, found.classes, found.partial, found.open)

    def admit(self, inputs: Inputs) -> None:
        if self.continued and self.learn != "next":
            raise Reject("sentences stand by themselves", field="continued", help="`learn=next` reads on")
        if self.learn != "masked":
            return super().admit(inputs)
        kinds = [(value.kind, value.rank) for _, value in inputs]
        if kinds != [("int", 2), ("int", 2), ("bool", 2)]:
            shown = ", ".join(f"{show_example(value)} {value.kind}" for _, value in inputs)
            reason = f"masked sentences are tokens, segments and a mask, the network takes {shown}"
            help = "`input tokens: int(T)`, `input segments: int(T)`, `input mask: bool(T)`"
            raise Reject(reason, field="learn", help=help)
        return super().admit(inputs[:1])

    def prepared(self, inputs: Inputs) -> str | None:
        return None if self.learn == "masked" else super().prepared(inputs)

    def loaded(self, inputs: Inputs) -> str:
        source = {"next": LOAD_NEXT, "tags": LOAD_TAGS, "kind": LOAD_KIND, "masked": LOAD_MASKED}[self.learn]
        name = "codes[:, :-1]" if self.learn == "next" else "tokens"
        if self.continued:
            source, name = source.replace(NEXT, NEXT_CONTINUED), "codes[:-1].view(count, args.length)"
        return f"{GRAMMAR}\n\n{source}".replace("PACKED", self.packed(inputs, name))


NEXT = """\
        codes = torch.tensor([*text.encode()][: count * (args.length + 1)])
        codes = codes.view(count, args.length + 1)
        yield PACKED
        yield codes[:, 1:]
"""
NEXT_CONTINUED = """\
        codes = torch.tensor([*text.encode()][: count * args.length + 1])
        yield PACKED
        yield codes[1:].view(count, args.length)
"""

LOAD_NEXT = '''\
def load_data(args):
    """Characters (N, T) and what follows them (N, T), for training and the test."""
    draw = random.Random(args.seed)
    for count in (args.count, max(1, args.count // 5)):
        text = ""
        while len(text) < count * (args.length + 1):
            text += " ".join(word for word, _ in sentence(draw)) + " "
''' + NEXT

NUMBERED = '''\
    words = [word for kind in WORDS.values() for word in kind]
    numbers = {word: i for i, word in enumerate(words, start=2)}
'''

LOAD_TAGS = f'''\
def load_data(args):
    """Words (N, T) and their kinds (N, T), else -100, for training and the test."""
{NUMBERED}    kinds = {{kind: i for i, kind in enumerate(WORDS)}}
    draw = random.Random(args.seed)
    for count in (args.count, max(1, args.count // 5)):
        tokens = torch.zeros(count, args.length, dtype=torch.int64)
        tags = torch.full_like(tokens, -100)
        for i in range(count):
            for j, (word, kind) in enumerate(sentence(draw)[: args.length]):
                tokens[i, j], tags[i, j] = numbers[word], kinds[kind]
        yield PACKED
        yield tags
'''

LOAD_KIND = f'''\
def load_data(args):
    """Words (N, T) without marks, and whether they ask (N), for both parts."""
{NUMBERED}    draw = random.Random(args.seed)
    for count in (args.count, max(1, args.count // 5)):
        tokens = torch.zeros(count, args.length, dtype=torch.int64)
        asks = torch.zeros(count, dtype=torch.int64)
        for i in range(count):
            *rest, (mark, _) = sentence(draw)
            asks[i] = WORDS["mark"].index(mark)
            for j, (word, _) in enumerate(rest[: args.length]):
                tokens[i, j] = numbers[word]
        yield PACKED
        yield asks
'''

LOAD_MASKED = f'''\
def load_data(args):
    """Words, some masked, segments and mask (N, T), and what was masked, else -100."""
{NUMBERED}    draw = random.Random(args.seed)
    for count in (args.count, max(1, args.count // 5)):
        tokens = torch.zeros(count, args.length, dtype=torch.int64)
        segments, targets = torch.zeros_like(tokens), torch.full_like(tokens, -100)
        for i in range(count):
            pair = [(word, half) for half in (0, 1) for word, _ in sentence(draw)]
            masked = draw.sample(range(min(len(pair), args.length)), 2)
            for j, (word, half) in enumerate(pair[: args.length]):
                tokens[i, j] = 1 if j in masked else numbers[word]
                segments[i, j] = half
                if j in masked:
                    targets[i, j] = numbers[word]
        yield tokens, segments, tokens > 0
        yield targets
'''


class TextFile(Tokens):
    """A file of text, byte by byte: an example is `length` bytes, its target those that follow; the end is the test.

    With `stride=1` an example may begin at any byte; there are then as many as the text has, and `steps_per_epoch` says
    how many of them an epoch draws.
    """

    file = Text(doc="The file's name.")
    length = Int(64, min=2, doc="Bytes of an example.")
    stride = Int(None, min=1, doc="Bytes from one example to the next in training; by default they do not overlap.")
    test = Int(10, min=1, max=90, doc="How many percent of the text are for the test.")
    batch_size = batch_size()
    test_batch_size = test_batch_size()
    shuffle = Bool(True)
    continued = Bool(False, doc="Each example goes on where the one before it ends, for `carry`.")

    def target(self) -> Target:
        return Target("TextFile", "class", (self.length,), 256, open=True)

    def fitted(self, inputs: Inputs) -> Target:
        return Target("TextFile", "class", (inputs[0][1].shape[1],), 256, open=True)

    def admit(self, inputs: Inputs) -> None:
        super().admit(inputs)
        if self.stride is not None and self.continued:
            raise Reject("examples that go on from one another do not overlap", field="stride")

    def loaded(self, inputs: Inputs) -> str:
        parts, name = (STRETCHES, "part[:-1].view(-1, args.length)") if self.continued else (EXAMPLES, "part[:, :-1]")
        source = f"{LOAD_FILE}{parts}".replace("PACKED", self.packed(inputs, name))
        if self.stride is None:
            return source
        windows = self.packed(inputs, "Windows(text[:-1], args.length, args.stride)")
        following = "Windows(text[1:], args.length, args.stride)"
        loaded = LOAD_FILE + WINDOWED.replace("WINDOWS", windows).replace("FOLLOWING", following)
        return f"{WINDOWS}\n\n{loaded}".replace("PACKED", self.packed(inputs, "part[:, :-1]"))


LOAD_FILE = '''\
def load_data(args):
    """Bytes (N, T) and those that follow them (N, T), for training and the test."""
    try:
        text = Path(args.file).read_bytes()
    except OSError as error:
        raise SystemExit(f"cannot read {args.file}: {error.strerror}") from None
'''

EXAMPLES = '''\
    examples = len(text) // (args.length + 1)
    if examples < 2:
        raise SystemExit(f"{args.file} has too few bytes for two examples")
    codes = torch.tensor([*text[: examples * (args.length + 1)]]).view(examples, -1)
    count = max(1, examples * args.test // 100)
    for part in (codes[:-count], codes[-count:]):
        yield PACKED
        yield part[:, 1:]
'''

STRETCHES = '''\
    examples = (len(text) - 1) // args.length
    if examples < 2:
        raise SystemExit(f"{args.file} has too few bytes for two examples")
    codes = torch.tensor([*text[: examples * args.length + 1]])
    border = (examples - max(1, examples * args.test // 100)) * args.length
    for part in (codes[: border + 1], codes[border:]):
        yield PACKED
        yield part[1:].view(-1, args.length)
'''

WINDOWS = '''\
class Windows:
    """Every stretch of a text, as many bytes on as the stride; taken when it is asked for."""

    def __init__(self, text, length, stride):
        self.text, self.length, self.stride = text, length, stride

    def __len__(self):
        return (len(self.text) - self.length) // self.stride + 1

    def __getitem__(self, chosen):
        return self.text.unfold(0, self.length, self.stride)[chosen].long()

    def to(self, device):
        return Windows(self.text.to(device), self.length, self.stride)
'''

WINDOWED = '''\
    examples = len(text) // (args.length + 1)
    if examples < 2:
        raise SystemExit(f"{args.file} has too few bytes for two examples")
    text = torch.frombuffer(bytearray(text), dtype=torch.uint8)
    count = max(1, examples * args.test // 100) * (args.length + 1)
    text, part = text[:-count], text[-count:].view(-1, args.length + 1).long()
    yield WINDOWS
    yield FOLLOWING
    yield PACKED
    yield part[:, 1:]
'''
