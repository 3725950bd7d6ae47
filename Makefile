# MechInterp Studio. `make demo` shows everything; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MISTUDIO := .venv/bin/mistudio
BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(PATH)
# Set by some machines; every job would then compile its modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup embedder demo demo-containers demo-jetson up down status doctor dev test faults soak check e2e bench interop docs gen examples migrate lint format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install everything into .venv and build the page
	@scripts/bootstrap.sh
	@echo "Ready. Next: make demo (a tour with a real model) or make up"

embedder: ## the sentence embedder, where setup had to leave it out
	@scripts/bootstrap.sh --no-page --embedder

demo: ## a real model taken apart in minutes; MODEL=owner/name DATASET=owner/name TOKENS=500000
	@scripts/bootstrap.sh --demo
	@$(MISTUDIO) demo $(if $(MODEL),--model $(MODEL)) $(if $(DATASET),--dataset $(DATASET)) $(if $(TOKENS),--tokens $(TOKENS))

demo-containers: ## the same inside containers, through nginx (Docker with Compose is needed)
	@scripts/demo_containers.sh

demo-jetson: ## the same with a Jetson's containers and within its 6 GB, on any machine
	@scripts/demo_containers.sh --jetson

up: ## start everything in the background and print the page's address
	@scripts/bootstrap.sh
	@$(MISTUDIO) up

down: ## stop everything; running jobs save themselves
	@if [ -x $(MISTUDIO) ]; then $(MISTUDIO) down; else echo "Nothing is installed here yet."; fi

status: ## what runs now
	@if [ -x $(MISTUDIO) ]; then $(MISTUDIO) status; else echo "Nothing is installed here yet. Start with: make demo"; fi

doctor: ## check the machine and the installation
	@scripts/bootstrap.sh --no-page
	@$(MISTUDIO) doctor

dev: ## start with reload of the API and Vite's server
	@scripts/bootstrap.sh --dev
	@scripts/page_packages.sh
	@$(MISTUDIO) dev

test: ## run every test: backend, page, browser
	@scripts/test.sh

faults: ## the 25 faults, each by name; ROUNDS=20 cuts the power twenty times
	@scripts/bootstrap.sh --dev --no-page
	@scripts/faults.sh $(ROUNDS)

soak: ## minutes of short jobs with a fault every 20 s; MINUTES=10
	@scripts/bootstrap.sh --dev --no-page
	@scripts/soak.sh $(MINUTES)

check: ## format, lint, types, generated client, OpenAPI (what CI and pre-commit run)
	@scripts/check.sh

e2e: ## run the browser tests alone
	@scripts/bootstrap.sh --dev
	@scripts/page_packages.sh
	@scripts/e2e.sh

bench: ## measure this machine: extraction, training, discovery, steering, database, realtime, API
	@scripts/bootstrap.sh --dev
	@scripts/bench.sh

interop: ## compare SAE exports and imports with SAELens itself (its own environment, 3 GB)
	@scripts/interop.sh

gen: ## write what comes from the code: the page's types, docs/reference
	@scripts/bootstrap.sh --dev --no-page
	@scripts/page_packages.sh
	@scripts/gen.sh

examples: ## record the OpenAPI document's examples from a real run (3 minutes)
	@scripts/bootstrap.sh --dev --no-page
	@cd backend && python -m tests.examples.record

migrate: ## bring the database up to date; m="what changed" writes a new migration
	@scripts/bootstrap.sh --no-page
	@$(MISTUDIO) migrate $(if $(m),--message "$(m)")

docs: ## build the documentation into .mistudio/site; a dead link fails
	@scripts/docs.sh

lint: ## ruff and eslint only
	@cd backend && ruff check . && cd ../frontend && npm run --silent lint

format: ## let ruff and prettier rewrite the files
	@cd backend && ruff format . && ruff check --fix . && cd ../frontend && npx prettier --write --log-level warn .

clean: ## remove what make built (not your data)
	@$(MAKE) --no-print-directory down
	@rm -rf .venv .mistudio frontend/node_modules frontend/dist frontend/coverage
	@find backend -name __pycache__ -type d -prune -exec rm -rf {} +
