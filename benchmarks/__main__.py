"""Runs the benchmarks: all of them, or those that are named."""

from __future__ import annotations

import argparse
from importlib import import_module

NAMES = (
    "startup", "plugins", "scaling", "length", "check", "mutations", "emission", "models", "families", "steps",
    "training", "pictures", "accelerator", "digits",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what netc promises.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all of them by default")
    parser.add_argument("--jobs", type=int, default=1, help="runs on Digits at once (default: 1)")
    parser.add_argument("--nightly", action="store_true", help="all networks of `models`, not a sample; some minutes")
    parser.add_argument("--list", action="store_true", help="of mutations: list what fails, too")
    args = parser.parse_args()
    if unknown := set(args.names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    for name in args.names or NAMES:
        benchmark = import_module(f"benchmarks.{name}")  # one at a time: torch is not there before it is needed
        given = {"digits": [args.jobs], "models": [args.nightly], "mutations": [args.list]}
        benchmark.main(*given.get(name, []))


if __name__ == "__main__":
    main()
