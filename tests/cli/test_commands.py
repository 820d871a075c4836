"""The command line as a user meets it: what each command prints and writes, and its exit code.

The compiler behind it is a stub, so that these tests hold for any; `test_end_to_end.py` uses the real one.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import pytest

from netc.cli import cli, main
from netc.commands import COMMANDS
from netc.diagnostics import Diagnostic, Label, Source, Span, SpecError
from netc.emit.script import content_hash
from netc.registry import Registry
from netc.version import VERSION

SPEC = "net Tiny:\n    input 4\n    fc: Linear(2)\n"
BODY = "import sys\n\nprint('trained', *sys.argv[1:])\n"


def script(body: str = BODY) -> str:
    """A file with the header that marks it as netc's."""
    text = f"# netc: sha256=\n{body}"
    return text.replace("sha256=", f"sha256={content_hash(text)}", 1)


def problem(source: Source, severity: Any = "error") -> Diagnostic:
    return Diagnostic("E0999", "no good", Label(Span(source, 4, 8), "this"), severity=severity)


class Graph:
    """What the command line wants of a graph."""

    root = SimpleNamespace(parameter_count=1234)

    def __str__(self) -> str:
        return "the graph"


@dataclass
class Stub:
    """What the pipeline is to answer, and what it was asked."""

    script: str = field(default_factory=script)
    raises: Callable[[Source], Exception] | None = None
    warns: bool = False
    asked: list[Any] = field(default_factory=list)

    def compile(self, source: Source, **choices: Any) -> Any:
        self.asked.append((source.text, choices))
        if self.raises is not None:
            raise self.raises(source)
        compiled: Any = ModuleType("compiled")
        compiled.file, compiled.graph, compiled.net_name = ("item",), Graph(), "Tiny"
        compiled.shapes = [("", "input", "(N, 4)", 0), ("fc", "Linear(2)", "(N, 2)", 1234)]
        compiled.model_source, compiled.script = "class Tiny: ...\n", self.script
        compiled.source, compiled.registry = source, Registry()
        compiled.requirements, compiled.check_recipes, compiled.recipe = [], tuple, None
        compiled.diagnostics = [problem(source, "warning")] if self.warns else []
        return compiled


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    """An empty current folder but for `tiny.net`, and a stub in the pipeline's place."""
    answer = Stub()
    module: Any = ModuleType("netc.pipeline")
    module.compile = answer.compile
    module.nets = lambda source, registry: ()
    monkeypatch.setitem(sys.modules, "netc.pipeline", module)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent / f"{tmp_path.name}-cache"))
    Path("tiny.net").write_text(SPEC)
    return answer


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(stub: Stub, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `netc ARGUMENTS`; gives exit code, stdout and stderr."""

    def netc(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capfd.readouterr()
        return code, out, err

    return netc


def files() -> list[str]:
    return sorted(os.listdir())


# ---- build --------------------------------------------------------------------------------------


def test_build_writes_into_the_current_folder(run: Run, stub: Stub) -> None:
    Path("specs").mkdir()
    Path("tiny.net").rename("specs/tiny.net")
    assert run("build", "specs/tiny.net") == (0, "", "wrote tiny.py\n")
    assert Path("tiny.py").read_text() == stub.script
    assert files() == ["specs", "tiny.py"]
    assert stub.asked == [(SPEC, {"net": None, "train": None, "params": {}})]


def test_build_twice(run: Run) -> None:
    run("build", "tiny.net")
    before = Path("tiny.py").stat().st_mtime_ns
    assert run("build", "tiny.net") == (0, "", "tiny.py is up to date\n")
    assert Path("tiny.py").stat().st_mtime_ns == before


def test_build_hands_the_choices_over(run: Run, stub: Stub) -> None:
    run("build", "tiny.net", "--net", "A", "--train", "quick", "--set", "classes=3", "--set", "train.data=a=b")
    assert stub.asked[0][1] == {"net": "A", "train": "quick", "params": {"classes": "3", "train.data": "a=b"}}


def test_build_replaces_what_netc_wrote(run: Run, stub: Stub) -> None:
    run("build", "tiny.net")
    Path("tiny.py").chmod(0o750)
    stub.script = script("print('newer')\n")
    assert run("build", "tiny.net") == (0, "", "wrote tiny.py\n")
    assert Path("tiny.py").read_text() == stub.script
    assert Path("tiny.py").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"print('mine')\n", "was not written by netc"),
        (b"", "was not written by netc"),
        (b"\xff\xfe", "was not written by netc"),
        (script().replace("trained", "changed").encode(), "was edited since netc wrote it"),
    ],
)
def test_build_spares_the_work_of_others(run: Run, stub: Stub, content: bytes, reason: str) -> None:
    Path("tiny.py").write_bytes(content)
    assert run("build", "tiny.net") == (1, "", f"error: tiny.py {reason}; --force overwrites it\n")
    assert Path("tiny.py").read_bytes() == content
    assert run("build", "tiny.net", "--force") == (0, "", "wrote tiny.py\n")
    assert Path("tiny.py").read_text() == stub.script


@pytest.mark.parametrize("name", ["torch", "csv", "numpy", "sklearn"])
def test_build_stands_in_nobodys_way(run: Run, stub: Stub, name: str) -> None:
    """A script called csv.py would be what torch imports by that name."""
    stub.script = script("import torch\ntry:\n    from sklearn.datasets import load_digits\nexcept: pass\n")
    Path("tiny.net").rename(f"{name}.net")
    code, _, said = run("build", f"{name}.net")
    assert code == 1 and said.startswith(f"error: Python would import {name}.py in place of the `{name}`")
    assert files() == [f"{name}.net"]
    assert run("build", f"{name}.net", "-o", "other.py") == (0, "", "wrote other.py\n")


def test_build_never_overwrites_the_spec(run: Run) -> None:
    assert run("build", "tiny.net", "-o", "tiny.net", "--force") == (1, "", "error: tiny.net is the spec itself\n")
    assert Path("tiny.net").read_text() == SPEC


def test_build_output(run: Run, stub: Stub) -> None:
    assert run("build", "tiny.net", "-o", "other.py") == (0, "", "wrote other.py\n")
    assert run("build", "tiny.net", "-o", "-") == (0, stub.script, "")
    assert run("build", "tiny.net", "-o", os.devnull) == (0, "", f"wrote {os.devnull}\n")
    assert files() == ["other.py", "tiny.net"]


def test_build_follows_a_link(run: Run, stub: Stub) -> None:
    Path("real").mkdir()
    Path("tiny.py").symlink_to("real/tiny.py")
    assert run("build", "tiny.net") == (0, "", "wrote tiny.py\n")
    assert Path("tiny.py").is_symlink()
    assert Path("real/tiny.py").read_text() == stub.script


def test_build_where_it_cannot_write(run: Run) -> None:
    Path("folder").mkdir()
    for target, reason in {
        "folder": "is a directory",
        "none/x.py": "no such file or directory",
        "tiny.net/x.py": "not a directory",
    }.items():
        assert run("build", "tiny.net", "-o", target) == (1, "", f"error: cannot write {target}: {reason}\n")
    assert files() == ["folder", "tiny.net"]


def test_build_leaves_no_half_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    Path("tiny.py").write_text(script("pass\n"))
    monkeypatch.setattr(os, "fsync", full)
    assert run("build", "tiny.net") == (1, "", "error: cannot write tiny.py: no space left on device\n")
    assert Path("tiny.py").read_text() == script("pass\n")
    assert files() == ["tiny.net", "tiny.py"]


@pytest.mark.parametrize(
    ("phase", "text"),
    [
        ("ast", "'item'\n"),
        ("graph", "the graph\n"),
        ("shapes", "    input      (N, 4)\nfc  Linear(2)  (N, 2)  1,234\n"),
        ("model", "class Tiny: ...\n"),
        ("script", script()),
    ],
)
def test_emit_prints_a_phase(run: Run, phase: str, text: str) -> None:
    assert run("build", "tiny.net", "--emit", phase) == (0, text, "")
    assert files() == ["tiny.net"]


def test_emit_into_a_file(run: Run) -> None:
    assert run("build", "tiny.net", "--emit", "model", "-o", "model.py") == (0, "", "wrote model.py\n")
    assert Path("model.py").read_text() == "class Tiny: ...\n"


def test_build_check(run: Run, stub: Stub) -> None:
    assert run("build", "tiny.net", "--check") == (1, "", "error: tiny.py does not exist\n")
    assert files() == ["tiny.net"]
    run("build", "tiny.net")
    assert run("build", "tiny.net", "--check") == (0, "", "tiny.py is up to date\n")
    stub.script = script("print('newer')\n")
    assert run("build", "tiny.net", "--check") == (1, "", "error: tiny.py is out of date\n")
    assert Path("tiny.py").read_text() == script()


def test_bad_spec(run: Run, stub: Stub) -> None:
    stub.raises = lambda source: SpecError((problem(source), problem(source, "warning")))
    code, out, err = run("build", "tiny.net")
    assert (code, out) == (1, "")
    assert err.startswith("error[E0999]: no good\n --> tiny.net:1:5\n") or "tiny.net:1:5" in err.splitlines()[1]
    assert "warning[E0999]: no good" in err
    assert "\x1b" not in err
    assert files() == ["tiny.net"]


def test_warnings_are_said(run: Run, stub: Stub) -> None:
    stub.warns = True
    code, _, err = run("build", "tiny.net")
    assert code == 0
    assert err.startswith("warning[E0999]: no good\n")
    assert err.endswith("\nwrote tiny.py\n")


UNREADABLE = {
    "none.net": "no such file or directory",
    "folder": "is a directory",
    "latin.net": "not UTF-8, byte 0xe9 in line 2; save it as UTF-8",
    "wide.net": "not UTF-8, it looks like UTF-16; save it as UTF-8",
    "tiny.net/x": "not a directory",
    "nul\0.net": "embedded null byte",
}


@pytest.mark.parametrize("command", ["build", "check", "train"])
@pytest.mark.parametrize("spec", UNREADABLE)
def test_unreadable_spec(run: Run, command: str, spec: str) -> None:
    if (command, spec) == ("check", "folder"):
        pytest.skip("a folder stands for its files")
    Path("folder").mkdir()
    Path("latin.net").write_bytes("net\ncafé".encode("latin-1"))
    Path("wide.net").write_bytes("net".encode("utf-16"))
    assert run(command, spec) == (1, "", f"error: cannot read {spec}: {UNREADABLE[spec]}\n")


def test_line_ends_and_marks_reach_the_parser(run: Run, stub: Stub) -> None:
    Path("tiny.net").write_bytes(b"\xef\xbb\xbfnet A:\r\n")
    run("check", "tiny.net")
    assert stub.asked[0][0] == "\ufeffnet A:\r\n"


USAGE = [
    ["build"],
    ["build", "tiny.net", "extra"],
    ["build", "tiny.net", "--emit", "nonsense"],
    ["build", "tiny.net", "--set", "classes"],
    ["build", "tiny.net", "--set", "=3"],
    ["build", "tiny.net", "--set", "a=3", "--set", "a=4"],
    ["build", "tiny.net", "--check", "--emit", "model"],
    ["build", "tiny.net", "--check", "--force"],
    ["build", "tiny.net", "--check", "-o", "-"],
    ["build", "tiny.net", "--unknown"],
    ["check"],
    ["train", "tiny.net", "-o", "-"],
    ["train", "tiny.net", "--epochs", "3"],
    ["new", "net"],
    ["new", "net", "../x"],
    ["new", "net", "3d"],
    ["new", "net", "a b"],
    ["nonsense"],
    ["--nonsense"],
]


@pytest.mark.parametrize("arguments", USAGE, ids=" ".join)
def test_bad_usage(run: Run, arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "Usage: netc" in err
    assert "Error: " in err
    assert files() == ["tiny.net"]


def test_a_net_without_its_option(run: Run) -> None:
    """As `netc.load(SPEC, NAME)` takes it."""
    code, _, err = run("build", "tiny.net", "small")
    assert code == 2 and "(small); a net of the file is chosen with --net NAME" in err
    code, _, err = run("new", "net", "tiny", "small")
    assert code == 2 and "(small)" in err and "--net" not in err


def test_internal_error(run: Run, stub: Stub) -> None:
    stub.raises = lambda source: KeyError("lost")
    code, out, err = run("build", "tiny.net", "--set", "a=b c")
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert lines[0] == "internal error: KeyError: 'lost'"
    assert lines[1].startswith("  at test_commands.py:")
    assert lines[3] == "    netc build tiny.net --set 'a=b c'"
    assert f"netc {VERSION}, Python {sys.version.split()[0]}" in lines[4]
    assert "Traceback" not in err
    assert files() == ["tiny.net"]


def test_internal_error_with_its_own_reproducer(run: Run, stub: Stub) -> None:
    def fault(source: Source) -> Exception:
        error = RecursionError("deep")
        error.reproducer = "netc build small.net"  # type: ignore[attr-defined]
        return error

    stub.raises = fault
    assert "\n    netc build small.net\n" in run("check", "tiny.net")[2]


def test_interruption(run: Run, stub: Stub) -> None:
    def interrupt(source: Source) -> Exception:
        raise KeyboardInterrupt

    stub.raises = interrupt
    assert run("build", "tiny.net") == (130, "", "\ninterrupted\n")


# ---- check --------------------------------------------------------------------------------------

FLOW = "Tiny (tiny.net)\n      input      (N, 4)\n  fc  Linear(2)  (N, 2)  1,234\n  1,234 parameters\n"


def test_check_prints_the_flow(run: Run) -> None:
    assert run("check", "tiny.net") == (0, FLOW, "")
    Path("other.net").write_text(SPEC)
    other = FLOW.replace("tiny.net", "other.net")
    assert run("check", "tiny.net", "other.net") == (0, f"{FLOW}\n{other}", "2 files: 2 clean\n")
    assert run("check", "tiny.net", "./tiny.net") == (0, FLOW, "")
    Path("other.net").unlink()
    assert files() == ["tiny.net"]


def test_check_goes_on_after_a_bad_spec(run: Run) -> None:
    assert run("check", "none.net", "tiny.net") == (
        1, FLOW, "error: cannot read none.net: no such file or directory\n\n2 files: 1 clean, 1 unreadable\n"
    )  # fmt: skip


# ---- train --------------------------------------------------------------------------------------


def test_train_runs_the_script(run: Run, stub: Stub) -> None:
    code, out, err = run("train", "tiny.net", "--set", "a=1", "--", "--epochs", "3", "--resume")
    assert (code, out, err) == (0, "trained --epochs 3 --resume\n", "wrote tiny.py\n")
    assert stub.asked[0][1]["params"] == {"a": "1"}


def test_train_gives_the_script_s_exit_code(run: Run, stub: Stub) -> None:
    stub.script = script("raise SystemExit(7)\n")
    assert run("train", "tiny.net", "-o", "other.py") == (7, "", "wrote other.py\n")
    stub.script = script("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")
    assert run("train", "tiny.net", "-o", "other.py")[0] == 128 + 15


def test_train_spares_the_work_of_others(run: Run) -> None:
    Path("tiny.py").write_text("print('mine')\n")
    assert run("train", "tiny.net") == (1, "", "error: tiny.py was not written by netc; --force overwrites it\n")
    assert run("train", "tiny.net", "--force")[:2] == (0, "trained\n")


# ---- layers -------------------------------------------------------------------------------------


def test_layers_lists_everything(run: Run) -> None:
    code, out, _ = run("layers")
    assert code == 0
    assert "layers:\n" in out
    assert "\n  MaxPool, max_pool  " in out
    assert "\noptimizers:\n" in out


def test_layers_page(run: Run) -> None:
    code, out, _ = run("layers", "MaxPool")
    assert code == 0
    assert out.startswith(
        "MaxPool(kernel_size, stride=none, padding=0, dilation=1, return_indices=false, ceil_mode=false)\n"
        "  a layer of netc\n"
        "  MaxPool is torch.nn.MaxPool{n}d, a module\n"
        "  max_pool is torch.nn.functional.max_pool{n}d, a function\n"
        "  {n} is the number of spatial dimensions\n\n"
    )
    assert "\nArguments:\n  kernel_size     an integer of at least 1, one for each dimension  required  " in out
    assert "\nExamples:\n  6x28x28     ->  MaxPool(2)  " in out


def test_layers_page_of_a_function(run: Run) -> None:
    assert run("layers", "max_pool")[1].startswith("max_pool(kernel_size, ")


def test_layers_page_of_an_optimizer(run: Run) -> None:
    assert run("layers", "SGD")[1].startswith("SGD(")
    assert "\n  an optimizer of netc\n  SGD is torch.optim.SGD\n" in run("layers", "SGD")[1]


def test_layers_unknown(run: Run) -> None:
    said = "error: no layer or other definition is called "
    assert run("layers", "max_pol") == (1, "", f"{said}`max_pol`; did you mean `max_pool`?\n")
    assert run("layers", "qqqqqqqq") == (1, "", f"{said}`qqqqqqqq`\n")


# ---- new, help, version, streams ----------------------------------------------------------------


def test_new_net(run: Run) -> None:
    assert run("new", "net", "my-digits") == (0, "", "wrote my-digits.net; next: netc check my-digits.net\n")
    text = Path("my-digits.net").read_text()
    assert "net MyDigits(classes=10):\n" in text
    assert "netc train my-digits.net" in text
    assert "tarter" not in text


def test_new_net_overwrites_nothing(run: Run) -> None:
    assert run("new", "net", "tiny") == (1, "", "error: tiny.net exists\n")
    assert Path("tiny.net").read_text() == SPEC


def test_new_net_named_as_a_layer(run: Run) -> None:
    run("new", "net", "linear")
    assert "net LinearNet(classes=10):\n" in Path("linear.net").read_text()


def test_help_and_version(run: Run) -> None:
    assert run("--version") == (0, f"netc {VERSION}\n", "")
    assert run("-h")[0] == 0
    for command in ("build", "check", "train", "layers", "new"):
        assert f"\n  {command} " in run("--help")[1]
        assert run(command, "--help")[1].startswith(f"Usage: netc {command} ")


def in_process(*words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "from netc.cli import run; run()", *words]
    return subprocess.run(command, capture_output=True, check=False, **options)


def test_version_imports_no_compiler() -> None:
    script = (
        "import sys; from netc.cli import main; main(['--version']);"
        "print(*sorted(m for m in sys.modules if m.startswith(('netc.', 'lark', 'jinja2', 'pluggy', 'torch'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout == f"netc {VERSION}\nnetc.cli netc.commands netc.limits netc.version\n"


def test_help_imports_no_command() -> None:
    script = (
        "import sys; from netc.cli import main; main(['--help']);"
        "print(*sorted(m for m in sys.modules if m.startswith('netc.')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "netc.cli netc.commands netc.limits netc.version"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    entry = COMMANDS[name]
    command = cli.get_command(click.Context(cli), name)
    assert command is not None and command.help is not None
    assert command.name == name
    assert entry.place == f"netc.commands.{name}:{name}"
    assert command.help.partition("\n\n")[0].startswith(entry.help.rstrip("."))


def test_reader_that_goes_away() -> None:
    command = f"{sys.executable} -m netc layers | true"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, check=False)
    assert (done.returncode in (0, 1), done.stdout, done.stderr) == (True, b"", b"")


def test_terminal_that_lacks_a_letter(tmp_path: Path) -> None:
    done = in_process("check", "\u03b1.net", cwd=tmp_path, env=os.environ | {"PYTHONIOENCODING": "latin-1"})
    assert (done.returncode, done.stderr) == (1, b"error: cannot read \\u03b1.net: no such file or directory\n")


def test_content_hash_is_stable() -> None:
    assert content_hash(script()) == hashlib.sha256(BODY.encode()).hexdigest()
