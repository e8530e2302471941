# Every target works on a machine with only Python 3.11+, make and a package registry.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fmt docs site new-table new-scheme lock bench

help: ## show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## install the locked dependencies into .venv

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Fenji needs Python 3.11 or newer: make PYTHON=python3.12 setup")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# Twice quiet: newer versions of pip, root and unused indexes are no one's concern.
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(STAMP)

demo: setup ## make a small company, grade its customers, show where to look
	@$(BIN)/fenji demo

test: setup ## run the tests
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: setup ## lint, types, SQL style, Dagster definitions, pages of the site
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint sql synthetic/sql releases/sql ingest/sql schemes/tools/sql
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/dg check defs
	@$(MAKE) --no-print-directory site

fmt: setup ## format Python and SQL
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	@$(BIN)/sqlfluff fix --quiet sql synthetic/sql releases/sql ingest/sql schemes/tools/sql

docs: setup ## write the generated pages under docs/
	@$(BIN)/python -m pipelines.docs

site: setup ## build the pages of docs/ as a site, below site/
	@NO_MKDOCS_2_WARNING=1 PYTHONPATH=. $(BIN)/mkdocs build --quiet

new-table: setup ## write contract, select and test of a table: NAME=marts.visits
	@$(BIN)/python -m scaffold table $(NAME)

new-scheme: setup ## write a scheme of the library: NAME=visit_level
	@$(BIN)/python -m scaffold scheme $(NAME)

lock: setup ## resolve the newest versions into requirements.txt, with hashes
	@$(BIN)/uv pip compile --universal --generate-hashes --no-annotate --no-emit-index-url \
	  --no-emit-find-links --python-version 3.11 --group dev --quiet \
	  --output-file requirements.txt pyproject.toml

bench: setup ## time a run and all schemes against hand-written SQL
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.day
	@$(BIN)/python -m benchmarks.backfill
	@$(BIN)/python -m benchmarks.schemes
