"""Runs the benchmarks: all of them, or those that are named."""

from __future__ import annotations

import argparse
from importlib import import_module

NAMES = ("startup", "scaling", "length", "steps", "digits")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what netc promises.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all of them by default")
    parser.add_argument("--jobs", type=int, default=1, help="runs on Digits at once (default: 1)")
    args = parser.parse_args()
    if unknown := set(args.names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    for name in args.names or NAMES:
        benchmark = import_module(f"benchmarks.{name}")  # one at a time: torch is not there before it is needed
        benchmark.main(*([args.jobs] if name == "digits" else []))


if __name__ == "__main__":
    main()
