# All that one does with this checkout. Needs python3 (3.11 or newer), python3-venv and make;
# everything else is brought into .venv and web/node_modules (pinned with hashes) or, by the commands
# themselves, into the user's cache (Asterisk, SIPp).

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
# Two stamps, named by what they were made from: the packages (slow, rarely), and the project
# itself (fast, whenever its own file changes).
PACKAGES := .venv/made-from-$(shell { $(PYTHON) -VV; cat requirements/dev.txt; } 2>&1 | sha256sum | cut -c1-16)
PROJECT := $(PACKAGES)-$(shell sha256sum < pyproject.toml | cut -c1-16)

# Extra arguments for pytest, e.g. ARGS='-k ledger'.
ARGS ?=
# Worlds of `make dst`: how many, or a list of seeds such as 7,11,42.
SEEDS ?= 1000
PART ?=
# Of `make soak`: how long, calls a second, one soak again (SEED=7), and whether to keep the table.
MINUTES ?= 10
RATE ?= 3
SEED ?=
RECORD ?=

# Tests make thousands of things durable: in memory, where there is room, rather than on a disk.
MEMORY := /dev/shm
MEMORY_KB_MIN := 4000000
SCRATCH := $(shell test -w $(MEMORY) && test $$(df --output=avail $(MEMORY) | tail -n 1) -gt \
  $(MEMORY_KB_MIN) && echo TMPDIR=$(MEMORY))

.PHONY: help run pages guides quick lint test proof dst soak bench mutate format pins clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: pages ## the whole system with a town of callers: watch it lose nobody (Ctrl-C ends it)
	@$(BIN)/perezvon up --demo

pages: $(PROJECT) ## the pages of web/, built when they have changed
	@$(BIN)/python -m scripts.pages

guides: pages ## the guides with pictures of every page, in Russian and English
	@scripts/browser.sh
	@PROOF=1 $(BIN)/pytest -q -n 2 --dist load tests/browser/test_guides.py
	@$(BIN)/python -m scripts.guides

quick: lint ## seconds: format, lint, types, import contracts, tests of the core and of the house
	@$(BIN)/pytest -q -n 2 --dist loadgroup tests/core tests/tidy $(ARGS)

lint: $(PROJECT)
	@$(BIN)/ruff format --no-cache --check .
	@$(BIN)/ruff check --no-cache .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m scripts.pages check

test: lint ## everything, scaled down, with a real Asterisk and PostgreSQL: 15 minutes at most
	@scripts/browser.sh
	@$(SCRATCH) $(BIN)/pytest -n 3 --dist loadgroup --durations=15 $(ARGS)

proof: $(PROJECT) ## full figures of one PART (make proof PART=calls), written to docs/proof/
	@test -n "$(PART)" || { echo "make proof PART=NAME, where NAME is one of:" \
	  $$(ls tests/proof/test_*.py 2>/dev/null | sed 's|.*/test_||; s|\.py$$||'); exit 2; }
	@PROOF=1 $(BIN)/pytest -v -o faulthandler_timeout=10800 tests/proof/test_$(PART).py $(ARGS)

dst: $(PROJECT) ## simulated worlds full of faults, SEEDS of them (1000), or SEEDS=7,11 by name
	@$(BIN)/python -m scripts.dst $(SEEDS)

soak: $(PROJECT) ## callers without end and faults drawn from SEED on a real Asterisk, MINUTES long (10)
	@$(BIN)/python -m scripts.soak --minutes $(MINUTES) --rate $(RATE) \
	  $(if $(SEED),--seed $(SEED)) $(if $(RECORD),--record)

bench: $(PROJECT) ## speed, as tables and as JSON in docs/proof (PART=calls: one part)
	@for part in $(or $(PART),$(basename $(notdir $(wildcard bench/[!_]*.py)))); do \
	  echo "== $$part"; BENCH_JSON=docs/proof $(BIN)/python -m bench.$$part || exit 1; done

mutate: $(PROJECT) ## break the engine one line at a time; each breakage must be caught
	@$(BIN)/python -m tests.dst.mutate

format: $(PROJECT) ## let ruff write the format and what it can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only .

pins: ## make requirements/*.txt anew from pyproject.toml (scripts/pins.sh --upgrade: newer ones)
	@scripts/pins.sh

clean: ## remove .venv and the caches of the tools; data of a running system stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(PACKAGES):
	@echo "Making .venv from requirements/dev.txt (a minute or two, once)"
	@rm -rf .venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; PYTHON=… names another one"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --requirement requirements/dev.txt
	@touch $@

# Without isolation: the backend is among the pinned packages, so nothing unpinned is fetched.
$(PROJECT): | $(PACKAGES)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --no-build-isolation --editable .
	@rm -f $(PACKAGES)-*
	@touch $@
