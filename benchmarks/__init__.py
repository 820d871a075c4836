"""Measures what the compiler promises, each figure as a ratio within one run: `python -m benchmarks`."""
