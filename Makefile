# The two commands are `make run` and `make test`; `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PROJECTS := packages/strictly-necessary packages/mixip packages/mixip-transfer
PYPROJECTS := $(PROJECTS:%=%/pyproject.toml)

.DEFAULT_GOAL := help
NAME ?= flask
.PHONY: help example run test quick soak check format lock bench clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/run.stamp ## start the platform (settings: docs/settings.md)
	@exec $(BIN)/mixip serve

test: .venv/test.stamp ## every test: unit, HTTP, real browser, SQLite and PostgreSQL
	@$(BIN)/python scripts/test-tools
	@$(BIN)/python -m pytest

quick: .venv/test.stamp ## the tests that need no browser and no PostgreSQL
	@$(BIN)/python -m pytest -m "not browser and not postgresql and not keyring and not slow and not soak"

soak: .venv/test.stamp ## long fault and soak runs, bounded; MIXIP_SOAK_SECONDS and MIXIP_SOAK_SEED set their size
	@$(BIN)/python scripts/test-tools
	@$(BIN)/python -m pytest -m soak --timeout 1800

check: .venv/test.stamp ## formatting, lint, types, import contracts, locks
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@for each in packages/strictly-necessary/examples/*/app.py; do \
	  $(BIN)/mypy --disable-error-code=import-untyped --disable-error-code=untyped-decorator $$each || exit 1; done
	@$(BIN)/lint-imports
	@$(BIN)/strictly check packages/mixip/src/mixip/legal/policy.toml
	@scripts/lock --check

format: .venv/test.stamp ## format and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: .venv/test.stamp ## write requirements/*.txt anew
	@scripts/lock

example: .venv/test.stamp ## start an example of the policy library: make example NAME=flask PORT=8000
	@exec $(BIN)/python packages/strictly-necessary/examples/$(NAME)/app.py $(if $(PORT),--port $(PORT))

bench: .venv/test.stamp ## measure the hot paths beside their peers
	@$(BIN)/python -m benchmarks

clean: ## remove the virtual environment and caches (never MIXIP_DATA)
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/venv.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Mix-IP needs Python 3.11 or newer; name one with PYTHON=, for example: make run PYTHON=python3.12" >&2; exit 1; }
	@echo "Making the virtual environment in .venv"
	@$(PYTHON) -m venv --clear .venv || \
	  { echo "Python cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

.venv/run.stamp: .venv/venv.stamp requirements/run.txt $(PYPROJECTS)
	@echo "Installing the locked dependencies (this takes a minute)"
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation $(PROJECTS:%=-e %)
	@touch $@

.venv/test.stamp: .venv/run.stamp requirements/test.txt
	@echo "Installing what the tests need"
	@$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@
