# Every target sets up by itself: a virtual environment in .venv, with the first Python >= 3.11 found (or PYTHON=...).
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready
N ?= 1000
WORKERS ?= 2
ARGS ?=

.PHONY: help setup test demo trace-demo check bench fuzz conformance mutation

help:  ## Print this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/make \1@\2/p' $(MAKEFILE_LIST) | awk -F@ '{ printf "%-18s %s\n", $$1, $$2 }'

setup: $(READY)  ## Make the virtual environment .venv with everything that tests and checks need

test: $(READY)  ## Run the tests (ARGS="-k name" chooses)
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

demo: $(READY)  ## Run one unmodified app under stock LangGraph and under alto, side by side
	$(BIN)/alto demo $(ARGS)

trace-demo: $(READY)  ## Run the demo once and send its trace to OTEL_EXPORTER_OTLP_ENDPOINT (without: to files in .alto/traces)
	ALTO_TRACE=1 $(BIN)/alto demo --runs 1 $(ARGS)

check: $(READY)  ## Lint, format, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## Measure stock and alto in turn on the benchmark shapes
	$(BIN)/python -m benchmarks $(ARGS)

fuzz: $(READY)  ## Compare both sides on N random graphs (N=1000)
	$(BIN)/python -m alto_langgraph.testing.fuzz -n $(N) $(ARGS)

conformance: $(READY)  ## Run LangGraph's own tests with alto's StateGraph in place of its own (downloads them)
	$(BIN)/python tests/conformance/run.py $(ARGS)

mutation: $(READY)  ## Break each invariant on purpose, and see that tests fail
	$(BIN)/python tests/mutation/run.py $(ARGS)

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "alto needs Python 3.11 or newer with venv and pip; name one with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install -qq --editable '.[dev]'
	@touch $@
