"""Prints a random spec: `python -m tests.generator --seed 7`."""

from __future__ import annotations

import argparse

from tests.generator import mutate, spec


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.generator", description="Print a random valid spec.")
    parser.add_argument("--seed", type=int, default=0, help="which spec (default: 0)")
    parser.add_argument("--size", type=int, default=8, help="about so many statements in a net (default: 8)")
    parser.add_argument("--plain", action="store_true", help="leave out what the emitter cannot write yet")
    parser.add_argument("--broken", type=int, metavar="SEED", help="break one token, which one by this seed")
    args = parser.parse_args()
    text = spec(args.seed, args.size, args.plain).text
    print(text if args.broken is None else mutate(text, args.broken).text, end="")


if __name__ == "__main__":
    main()
