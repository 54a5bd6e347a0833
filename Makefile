# Every target sets up .venv by itself from the lock file; nothing else has to be installed first
# but Python 3.11 or later.
#
#   make demo     all packs over the data that ships with the project; alerts in words, cases in a store
#   make test     the test suite                    make check    format, lint, imports, types
#   make format   put the code in its format        make bench    benchmarks, with peers
#   make fuzz     the long fuzz and property runs   make lock     write requirements.lock anew
#   make mutate   change every rule by the smallest step: which changes does no test notice?
#   make frontend what the browser adds to the pages: types, tests, bundle (needs Node 20.19 or later)

SHELL := /bin/bash
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	command -v $$name >/dev/null 2>&1 && \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && \
	{ echo $$name; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 3
RECORDS ?= 1000000
SEEDS ?= 2000
DEMO := demo
# The tests start hundreds of processes: none of them is to compile the same sources again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test check format bench fuzz mutate frontend lock clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   /  /p' Makefile

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { \
		echo "regtech needs Python 3.11, 3.12 or 3.13, and none was found." >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) from requirements.lock ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/regtech demo $(DEMO)

# Compiled first, by two processes: each worker of the tests would compile all of it for itself.
test: $(STAMP)
	$(BIN)/python -m regtech.app.compiling all
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder tests

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)
	$(BIN)/python -m benchmarks

fuzz: $(STAMP)
	REGTECH_API_EXAMPLES=300 $(BIN)/python -m pytest -n $(WORKERS) tests/e2e/test_api_fuzz.py
	REGTECH_FUZZ_NAMES=100000 REGTECH_FUZZ_RECORDS=$(RECORDS) REGTECH_PROPERTY_SEEDS=$(SEEDS) REGTECH_PROPERTY_FACTOR=20 \
		$(BIN)/python -m pytest -n $(WORKERS) tests/property tests/unit/adapters_io \
		tests/unit/casework/evidence

mutate: $(STAMP)
	$(BIN)/regtech rules test --mutate

# The built files are committed: Node is needed only to change them.
frontend:
	@if ! command -v npm >/dev/null 2>&1; then \
		echo "Node is not here, so the scripts of the pages are not built anew; those in"; \
		echo "casework/web/static/bundle are used. To change them install Node 20.19 or later."; \
	else \
		set -e; cd frontend; npm ci --silent; npm run --silent types; npm test --silent; npm run --silent build; \
	fi

# The lock holds every dependency for Python 3.11 to 3.13 on Linux and macOS with its hashes.
lock:
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x build/lock/bin/uv || { $(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv; }
	build/lock/bin/uv pip compile --universal --generate-hashes --python-version 3.11 --extra dev \
		--no-header --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist $(DEMO) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
