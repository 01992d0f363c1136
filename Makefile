# `make help` prints what there is. Everything runs in .venv, which the first command makes.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
FAST := tests/domain tests/records tests/usecases tests/invariants tests/house tests/functions tests/infra/test_ops_docs.py tests/infra/test_ops_cloud.py tests/test_fakes.py tests/test_log.py tests/test_crash.py
SLOW := --ignore=tests/house/test_cold_start_budget.py
QUEUED := tests/usecases tests/invariants tests/test_crash_flows.py --ignore=tests/usecases/operations
TOMBSTONES := 0 86400

.DEFAULT_GOAL := help

help: ## print this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .venv/ready ## start the laptop cloud and play the demo (ONCE=1, SCENE=mail|cash, ISOLATED=1, MBOX=, ICS=, CONTACTS=, ME=)
	@$(BIN)/python -m local.run

check: .venv/ready ## lint, types, import rules and the tests that need nothing: under a minute
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(FAST) $(SLOW) -n 2 -m "not emulator and not e2e"
	terraform fmt -check -recursive infra

test: .venv/ready ## everything, emulators included: under ten minutes
	@$(BIN)/python -m local.cloud.requirements_check
	$(MAKE) --no-print-directory check
	@set -e; for seconds in $(TOMBSTONES); do echo "a done task's name is kept for $$seconds s:"; \
		$(BIN)/python -m pytest $(QUEUED) -n 2 --tombstone $$seconds; done
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not e2e" $(addprefix --ignore=,tests/domain tests/records tests/usecases tests/invariants tests/e2e)
	$(BIN)/python -m pytest tests/e2e tests/hostile/test_run_privacy.py -m e2e

ops: .venv/ready ## operate what runs: CMD="receipts" (CMD=--help lists all; PROJECT= REGION= for a project, else the laptop)
	@$(BIN)/python -m infra.ops $(if $(PROJECT),--project $(PROJECT)) $(if $(REGION),--region $(REGION)) $(CMD)

serve: .venv/ready ## serve one function as its code is now, beside a running `make run`: f=timeline_read
	@$(BIN)/python -m local.one_function.serve $(f)

replay: .venv/ready ## call a function as its queue, topic or scheduler would, signed: f=gmail_push fixture=notice.json
	@$(BIN)/python -m local.one_function.replay $(f) $(fixture)

simulate: .venv/ready ## many seeds of the deterministic simulation (SEEDS=20000, FROM=0, SIZE=hours)
	@nice $(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),20000) --from $(or $(FROM),0) --size $(or $(SIZE),hours) --go-on

torture: .venv/ready ## every proof under fire with fixed seeds, then one table (QUICK=1, ONLY=simulation,load)
	@$(BIN)/python -m tests.torture $(if $(QUICK),--quick) $(if $(ONLY),--only "$(ONLY)")

bench: .venv/ready ## measure: cold starts, latencies, reads, writes and units (see bench/)
	@$(BIN)/python -m bench

lock: .venv/ready ## write the hash-locked requirements anew from pyproject.toml
	$(BIN)/uv pip compile -q pyproject.toml --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header -o requirements.txt
	$(BIN)/uv pip compile -q pyproject.toml --group dev --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header -o requirements-dev.txt

bundles: .venv/ready ## build one zip per function, print sizes and cold starts (COLD=0: sizes alone, needs no Java)
	@$(BIN)/python -W ignore -m infra.bundles $(if $(filter 0,$(COLD)),,--cold-starts)

audit: .venv/ready ## known vulnerabilities of what is deployed
	$(BIN)/uv tool run --from pip-audit==2.10.1 pip-audit --strict --require-hashes --disable-pip -r requirements.txt

DEPLOY = --project "$(PROJECT)" --region "$(REGION)" --environment "$(or $(ENVIRONMENT),production)" --domain "$(DOMAIN)" --alert-emails "$(ALERT_EMAILS)"

deploy: .venv/ready ## to Google Cloud: PROJECT= REGION= (ENVIRONMENT=, DOMAIN=, ALERT_EMAILS=, YES=1, FAST=1, ROLLBACK=release)
ifdef ROLLBACK
	@$(BIN)/python -m infra.deploy rollback --release "$(ROLLBACK)" $(DEPLOY)
else
	@$(BIN)/python -m infra.deploy check $(DEPLOY)
	$(MAKE) --no-print-directory $(if $(FAST),check,test) audit
	@$(BIN)/python -m infra.deploy deploy $(DEPLOY) $(if $(YES),--yes)
endif

format: .venv/ready ## rewrite the code as the linter wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

reset: ## forget what the laptop cloud kept
	rm -rf .local

.venv/ready: requirements-dev.txt
	@bash local/venv.sh $(PYTHON)
	@touch $@

.PHONY: help run check test ops serve replay simulate torture bench bundles audit deploy lock format reset
