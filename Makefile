# make demo       compare payment-outage from a fresh clone: three designs under one outage, and a report
# make test       what must hold before every commit: lint, types, floors, quick tests
# make test-long  the statistical and differential suites
# make lint       lint, types and floors alone
# make docs       the site: README, reference, scenarios with reports, notebooks, recipes, into reports/site
# make bench      both engines against idiomatic SimPy

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
DEMO_OPTIONS ?= --replications 4 --variants sync,sync-no-breaker,async
WORKERS ?= 2

.PHONY: help demo test test-long lint format coverage bench docs
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make /make /p' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "found Python %d.%d, expected 3.11 or newer: make PYTHON=python3.11" % sys.version_info[:2])'
	@echo "making $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)

# A stamp is as new as what it was installed from; nothing is installed again before that changes. What pip installs in place it leaves to be compiled by
# the first run, or where Python is told to write no bytecode by every run.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing sim (once; a minute or two)"
	@$(PIP) install --constraint constraints.txt --editable .
	@$(BIN)/python -m compileall -q sim scenarios
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/.installed
	@echo "installing the tools of developers (once)"
	@$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(VENV)/.installed
	@$(BIN)/sim compare payment-outage $(DEMO_OPTIONS)

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache > $(VENV)/floors.txt || (cat $(VENV)/floors.txt; exit 1)

test: lint
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not long"

# pytest answers 5 where it found no test of this kind.
test-long: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m long || test $$? -eq 5

format: $(VENV)/.installed-dev
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

# Machine code hides what it runs, and workers are measured, too; so this takes longer than the suite alone.
coverage: $(VENV)/.installed-dev
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n 0 -m "not long" --ignore tests/compiled --ignore tests/frozen
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --sort cover | tail -60

$(VENV)/.installed-docs: pyproject.toml constraints.txt | $(VENV)/.installed
	@$(PIP) install --constraint constraints.txt --editable '.[docs]'
	@touch $@

docs: $(VENV)/.installed-docs
	@$(BIN)/python -m sim.docs.build

bench: $(VENV)/.installed
	@$(BIN)/python -m tests.bench.engine
