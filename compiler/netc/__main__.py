"""`python -m netc` is the command `netc`."""

from netc.cli import run

run()
