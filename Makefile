# Every target does its own set-up; a machine needs Python 3.11 or newer and make.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
PROJECT := pyproject.toml constraints.txt hatch_build.py $(PLUGINS:=/pyproject.toml)
PYTEST_ARGS ?= --numprocesses auto

# The first interpreter that is new enough and able to make an environment.
FIND_PYTHON := for python in $(PYTHON) python3.11 python3.12 python3.13 python3 python; do \
    $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
    python=; done; \
    test -n "$$python" || { echo "netc needs Python 3.11 or newer, with venv" >&2; exit 1; }

.PHONY: demo test lint types layering nightly test-oldest wheel-test constraints clean

# Compiles GoogLeNet from specs/ and trains the script on scikit-learn's digits.
demo: $(VENV)/run.stamp
	mkdir -p build/demo
	cd build/demo && ../../$(BIN)/netc build ../../specs/googlenet.net --train digits --force
	cd build/demo && ../../$(BIN)/python googlenet.py

test: lint types layering
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check

types: $(VENV)/dev.stamp
	$(BIN)/mypy

layering: $(VENV)/dev.stamp
	$(BIN)/lint-imports --no-logo

# What takes minutes: the tests marked `nightly`, the oldest dependencies, the wheel in an environment of its own.
nightly: $(VENV)/dev.stamp
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m nightly
	$(MAKE) test-oldest wheel-test

# The suite on the oldest ends of the ranges in pyproject.toml.
test-oldest: build/oldest.stamp
	build/oldest/bin/python -m pytest $(PYTEST_ARGS) --cache-clear

build/oldest.stamp: $(PROJECT) tests/packaging/oldest.py
	rm -rf build/oldest && mkdir -p build
	$(FIND_PYTHON); $$python -m venv build/oldest
	build/oldest/bin/python tests/packaging/oldest.py > build/oldest.txt
	build/oldest/bin/python -m pip install --quiet --disable-pip-version-check --constraint build/oldest.txt \
	    --editable '.[digits,plot]' $(PLUGINS:%=--editable %) hatchling hypothesis import-linter jsonschema 'lark[interegular]' \
	    pytest pytest-xdist ruff
	touch $@

# The wheel in a fresh environment, in a folder from which the checkout cannot be seen.
wheel-test: $(VENV)/dev.stamp
	sh tests/packaging/wheel.sh $(BIN)/python

$(VENV)/bin/python:
	$(FIND_PYTHON); $$python -m venv $(VENV)

# hatchling, jinja2 and lark build the package; installed first and pinned like everything else, they need no isolated build.
$(VENV)/run.stamp: $(PROJECT) | $(VENV)/bin/python
	$(PIP) --constraint constraints.txt hatchling jinja2 'lark[interegular]'
	$(PIP) --constraint constraints.txt --no-build-isolation --editable '.[digits]' $(PLUGINS:%=--editable %)
	touch $@

$(VENV)/dev.stamp: $(PROJECT) | $(VENV)/bin/python
	$(PIP) --constraint constraints.txt hatchling jinja2 'lark[interegular]'
	$(PIP) --constraint constraints.txt --no-build-isolation --editable '.[dev]' $(PLUGINS:%=--editable %)
	touch $@ $(VENV)/run.stamp

# Pins what pyproject.toml resolves to today.
constraints:
	rm -rf build/pins && mkdir -p build
	$(FIND_PYTHON); $$python -m venv build/pins
	build/pins/bin/python -m pip install --quiet --disable-pip-version-check '.[dev]'
	{ echo "# What development and CI install; written by \`make constraints\`."; \
	    build/pins/bin/python -m pip freeze --exclude netc; } > constraints.txt
	rm -rf build/pins

clean:
	rm -rf build dist $(VENV)
