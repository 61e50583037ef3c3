# One command each, the same on a laptop and in CI. `make` alone lists them.

PYTHON ?= python3
ARGS ?=
MINUTES ?= 2
SEED ?=

# `.venv` is for plain `python3`; an interpreter named on the command line gets its own, so that
# `make test PYTHON=python3.13` does not rebuild the environment one works in.
version := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
ifeq ($(origin PYTHON),file)
VENV ?= .venv
else
VENV ?= .venv-$(version)
endif
venv := $(abspath $(VENV))
python := $(venv)/bin/python

# Tests start many processes. Without cached bytecode each of them compiles all modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-fast test-floors test-newest test-large test-foreign test-openapi test-contracts test-templates test-all check docs docs-serve bench bench-overload instructions chaos soak console screenshots lock format clean python runtime dev

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: runtime ## start the services and the three gateways (WEB_PORT, MOBILE_PORT, …)
	@exec $(venv)/bin/bff dev

ifeq ($(strip $(ARGS)),)
define suite
	@$(1) -m pytest -n auto --dist loadfile -m "not alone"
	@$(1) -m pytest -m alone
endef
else
define suite
	@$(1) -m pytest $(ARGS)
endef
endif

test-fast: dev ## run most of the tests in under two minutes (ARGS as for test)
	@$(python) -m pytest -n auto --dist loadfile -m "not slow" $(ARGS)

test: dev ## run the whole suite (ARGS="-k retry -x" goes to pytest)
	$(call suite,$(python))

check: dev ## lint, formatting, types, floors, locks, words, contracts
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy
	@$(venv)/bin/lint-imports
	@$(python) scripts/lock.py check
	@$(python) -m scripts.words
	@$(venv)/bin/bff check --offline

docs: dev ## rewrite the generated tables, build the documentation site, check its links
	@$(python) -m scripts.docs build

docs-serve: dev ## the same, and serve the site at http://127.0.0.1:8080 (PORT=…)
	@$(python) -m scripts.docs serve $(if $(PORT),--port $(PORT))

test-floors: dev ## run it on the lowest versions of the dependencies (ARGS as for test)
	@$(python) scripts/version_range.py floors $(venv)-floors
	$(call suite,$(venv)-floors/bin/python)

test-newest: dev ## run it on the newest versions that are allowed (ARGS as for test)
	@$(python) scripts/version_range.py newest $(venv)-newest
	$(call suite,$(venv)-newest/bin/python)

test-large: dev ## pass 1 GiB through a gateway in both directions, hold 10,000 streams open
	@FORWARDED_MIB=1024 IDLE_STREAMS=10000 $(python) -m pytest tests/server/test_forwarded_size.py tests/server/test_idle_streams.py

test-foreign: dev ## run the public HTTP cache suite (CACHE_TESTS=<a checkout of http-tests/cache-tests>)
	@$(python) -m pytest -rs tests/foreign

test-openapi: dev ## judge the OpenAPI documents with spectral, openapi-typescript and schemathesis (needs npm)
	@OPENAPI_TOOLS=1 $(python) -m pytest -rs tests/foreign/test_openapi.py

test-contracts: dev ## read OpenAPI documents of others, compare with oasdiff, compile Kotlin (needs npm, go, mvn, java)
	@CONTRACT_TOOLS=1 $(python) -m pytest -rs tests/foreign/contracts

test-templates: dev ## generate a gateway for each combination of options, check it, run its tests
	@ALL_TEMPLATES=1 $(python) -m pytest tests/templates $(ARGS)

test-all: test test-floors test-newest test-large test-foreign test-openapi test-contracts test-templates chaos docs ## the long checks: the suite on all versions, storms, the site

bench: dev ## measure against hand-written peers (needs wrk and nginx)
	@$(python) -m bench.run $(ARGS)

bench-overload: dev ## offer a gateway more than it can do (needs wrk and nginx; ARGS="--outage 10")
	@$(python) -m bench.overload $(ARGS)

instructions: dev ## count the instructions of requests (needs valgrind; about four minutes)
	@$(python) -m bench.instructions

chaos: dev ## storms over the whole shop; ten invariants (SEED=7 MINUTES=2)
	@$(python) -m tests.chaos $(if $(SEED),--seed $(SEED)) --minutes $(MINUTES)

soak: dev ## steady load without faults: memory, files and tasks stay flat (MINUTES=5)
	@$(python) -m tests.chaos --calm $(if $(SEED),--seed $(SEED)) --minutes $(MINUTES)

console: ## build the pages of the console into bff_core/console/assets (needs node and npm)
	@cd console && npm ci --silent && node build.mjs

screenshots: dev ## take the pictures of the console and the shop for the documentation (needs chromium, node and npm)
	@SCREENSHOTS=docs/images/console $(python) -m pytest -q tests/console/browser/test_shop.py
	@SCREENSHOTS=docs/images/shop $(python) -m pytest -q tests/bffs/pages/test_in_browser.py

lock: dev ## resolve requirements/*.txt from pyproject.toml (ARGS=--upgrade: the newest versions)
	@$(python) scripts/lock.py write $(ARGS)

format: dev ## format the code and mend what ruff can mend
	@$(python) -m ruff check --fix-only --quiet .
	@$(python) -m ruff format --quiet .

clean: ## remove environments, caches and results
	@rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@rm -rf .import_linter_cache bench/results build dist *.egg-info
	@find bff_core bff_core_cli bff_core_pytest bffs services_mock scripts tests bench -name __pycache__ -prune -exec rm -rf {} +

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "make: $(PYTHON) is $(or $(version),not to be run); Python 3.11 or newer is needed (make … PYTHON=python3.13)" >&2; exit 1; }

dev: ## create the environment .venv with all that the project needs
runtime dev: python
	@$(PYTHON) scripts/environment.py $(venv) $@
