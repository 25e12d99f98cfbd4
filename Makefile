# `make` lists the targets; `make check` is exactly what CI runs.
VENV ?= .venv
PYTHON ?= python3
LOWEST_PYTHON ?= 3.10
PIP_AUDIT ?= pip-audit
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help check lint types layers test test-network test-lowest examples docs site bench soak lock audit format clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

check: lint types layers test test-network docs site ## all of the below: what has to be green before a change lands

lint: $(READY) ## style and formatting (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## types (mypy, strict)
	$(BIN)/mypy

layers: $(READY) ## imports point down (import-linter)
	$(BIN)/lint-imports

test: $(READY) ## unit and integration tests: offline but for the first installation
	$(BIN)/python -m pytest -n 2 tests/unit tests/integration

test-network: $(READY) ## real projects from a package index; with torch where TEST_TORCH_HOST names a host
	TEST_WITH_NETWORK=1 $(BIN)/python -m pytest -n 2 tests/network

test-lowest: $(READY) ## unit and integration tests with the oldest versions that pyproject.toml allows, on Python 3.10
	$(BIN)/uv venv --quiet --clear --python $(LOWEST_PYTHON) $(VENV)/lowest
	$(BIN)/uv pip install --quiet --python $(VENV)/lowest --resolution lowest-direct --editable '.[uv,shared,sbom,test]'
	$(VENV)/lowest/bin/python -m pytest -n 2 tests/unit tests/integration

examples: $(READY) ## build, install and run the examples
	TEST_WITH_NETWORK=1 $(BIN)/python -m pytest tests/network/test_examples.py tests/network/test_torch_extension.py

docs: $(READY) ## the documentation, into docs/_build/html; a warning is an error
	$(BIN)/python docs/generate.py --check
	$(BIN)/sphinx-build -W -n -q -b html docs docs/_build/html

site: $(READY) ## the documentation in a browser: links, complaints, widths (Chromium is needed)
	$(BIN)/python -m pytest tests/site

bench: $(READY) ## measure beside other frontends (an index is needed), and write docs/benchmarks.md
	$(BIN)/python -m benchmarks run $(SCENARIOS)
	$(BIN)/python -m benchmarks render

# What is younger than a week is left out: most releases that somebody has smuggled in are found by then.
lock: $(READY) ## choose the versions that .venv has, for all Pythons and systems, and write requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes --no-emit-index-url \
	  --exclude-newer '7 days' --custom-compile-command 'make lock' --extra check --output-file requirements.lock \
	  pyproject.toml requirements.in

audit: $(READY) ## known vulnerabilities in what .venv has, by requirements.lock (pip-audit; the index has to be PyPI itself)
	$(BIN)/uv tool run --python $(BIN)/python $(PIP_AUDIT) --strict --require-hashes --disable-pip --requirement requirements.lock

soak: $(READY) ## the long tests (an index is needed), and write docs/explanation/reliability.md
	$(BIN)/python -m tests.soak run $(PARTS)
	$(BIN)/python -m tests.soak render

format: $(READY) ## format the sources, and fill the pages that are made from them
	$(BIN)/python docs/generate.py
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what the targets made
	rm -rf $(VENV) docs/_build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# Two steps, because pip takes no editable installation where hashes are required.
$(READY): pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
