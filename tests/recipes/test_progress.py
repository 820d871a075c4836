"""What a script shows of its progress on a terminal, and that nothing of it is in a pipe."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.recipes.making import block, script_of
from tests.recipes.results import assert_same

pytest.importorskip("torch")
pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
TEXT = ("data: Digits(batch_size=50)", "loss: CrossEntropyLoss", "optimizer: SGD(0.1)", "epochs: 2", "log_every: 10")
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def on_a_terminal(line: list[str]) -> str:
    """All that a command writes to a terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    found = b""
    with subprocess.Popen(line, stdout=theirs, stderr=theirs, env=ENVIRONMENT) as process:
        os.close(theirs)
        try:
            while part := os.read(ours, 4096):
                found += part
        except OSError:  # the other side is closed
            pass
    os.close(ours)
    assert process.returncode == 0, found.decode()
    return found.decode()


def screen(text: str) -> list[str]:
    """What stands on a terminal in the end: a carriage return begins the line anew, `ESC [K` empties its rest."""
    lines, column = [""], 0
    for part in text.replace("\x1b[K", "\0"):
        if part == "\n":
            lines.append("")
            column = 0
        elif part == "\r":
            column = 0
        elif part == "\0":
            lines[-1] = lines[-1][:column]
        else:
            lines[-1] = lines[-1][:column].ljust(column) + part + lines[-1][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines if line.strip()]


@pytest.mark.parametrize(
    ("progress", "shown"),
    [pytest.param("line", "epoch 2/2  step 29/29", marks=pytest.mark.nightly), ("tqdm", "epoch 2/2: ")],
)
def test_progress_is_shown_on_a_terminal_alone(tmp_path: Path, progress: str, shown: str) -> None:
    pytest.importorskip("tqdm")
    script = tmp_path / "small.py"
    script.write_text(script_of(block(*TEXT, f"progress: {progress}")))
    line = [sys.executable, str(script), "--device", "cpu", "--output"]
    piped = subprocess.run([*line, str(tmp_path / "a")], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    text = on_a_terminal([*line, str(tmp_path / "b")])
    assert f"\r{shown}" in text.replace("\x1b[K", "")
    assert [each.rpartition("  ")[0] for each in screen(text)] == [
        each.rpartition("  ")[0] for each in piped.stdout.splitlines()
    ]
    assert piped.stderr == ""
    assert_same(tmp_path / "a", tmp_path / "b")
