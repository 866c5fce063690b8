# Needs make and Python 3.11 or newer; everything else goes into .venv.
#   make PYTHON=/path/to/python ...   takes that Python
#   make test ARGS='-k bus'           passes ARGS on to the program
#   make test ARGS='-n0 -k bus'       runs the tests in one process, one after the other

# The first that will do, looked for once and only if needed.
PYTHON = $(eval PYTHON := $$(shell for each in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	"$$$$each" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	command -v "$$$$each" && break; done))$(PYTHON)
ARGS ?=
BIN := .venv/bin
# A process for each core; who is done takes over from who is not.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help chat test check docs bench campaign lock clean python core dev tools

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' Makefile | while IFS='|' read -r name words; do printf '  %-15s %s\n' "$$name" "$$words"; done

chat: core ## talk to an agent here, in the terminal
	@$(BIN)/picklebot chat $(ARGS)

test: dev ## run the tests
	@$(PYTEST) $(ARGS)

check: tools ## format, lint, types, imports, docs, tests: the same as CI
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m checks.imports
	@$(BIN)/python -m checks.excepts
	@$(BIN)/python -m checks.file_length
	@$(BIN)/python -m checks.reference
	@$(PYTEST) $(ARGS)

docs: dev ## make docs/reference.md and docs/api.md anew from the code
	@$(BIN)/python -m checks.reference --write

bench: dev ## measure speed and memory
	@$(BIN)/python -m benchmarks $(ARGS)

campaign: dev ## an hour of kills, power cuts and soak
	@$(BIN)/python -m tests.campaign $(ARGS)

lock: python ## write requirements.lock anew
	@"$(PYTHON)" -m checks.lock

clean: ## remove .venv and everything else that can be made again
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

core: python
	@"$(PYTHON)" -m checks.environment core

dev: python
	@"$(PYTHON)" -m checks.environment dev

tools: python
	@"$(PYTHON)" -m checks.environment check

python:
	@test -n "$(PYTHON)" || { \
		echo 'picklebot needs Python 3.11 or newer, with its venv module, and found none on PATH.' >&2; \
		echo 'Install it (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python),' >&2; \
		echo 'or name one: make PYTHON=/path/to/python3.12 ...' >&2; exit 1; }
