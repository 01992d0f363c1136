# `make help` prints what there is. Everything runs in .venv, which the first command makes.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
FAST := tests/domain tests/records tests/usecases tests/invariants tests/house tests/functions tests/test_fakes.py tests/test_log.py tests/test_crash.py
SLOW := --ignore=tests/house/test_cold_start_budget.py

.DEFAULT_GOAL := help

help: ## print this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .venv/ready ## start the laptop cloud and play the demo (ONCE=1, ISOLATED=1, MBOX=, ICS=, CONTACTS=, ME=)
	@$(BIN)/python -m local.run

check: .venv/ready ## lint, types, import rules and the tests that need nothing: under a minute
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(FAST) $(SLOW) -n 2 -m "not emulator and not e2e"
	@if compgen -G "infra/**/*.tf" > /dev/null; then terraform fmt -check -recursive infra; fi

test: .venv/ready ## everything, emulators included: under ten minutes
	@$(BIN)/python -m local.cloud.requirements_check
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not e2e" $(addprefix --ignore=,tests/domain tests/records tests/usecases tests/invariants tests/e2e)
	$(BIN)/python -m pytest tests/e2e -m e2e

bench: .venv/ready ## measure: cold starts, latencies, reads, writes and units (see bench/)
	@$(BIN)/python -m bench

lock: .venv/ready ## write the hash-locked requirements anew from pyproject.toml
	$(BIN)/uv pip compile -q pyproject.toml --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header -o requirements.txt
	$(BIN)/uv pip compile -q pyproject.toml --group dev --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header -o requirements-dev.txt

format: .venv/ready ## rewrite the code as the linter wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

reset: ## forget what the laptop cloud kept
	rm -rf .local

.venv/ready: requirements-dev.txt
	@bash local/venv.sh $(PYTHON)
	@touch $@

.PHONY: help run check test bench lock format reset
