# Everything runs from .venv, which is made on demand: nothing has to be activated.
# Another Python than python3:  make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# What a developer needs includes what a user needs, so the demo takes either.
FOR_DEVELOPERS := $(VENV)/.installed
FOR_USERS := $(if $(wildcard $(FOR_DEVELOPERS)),$(FOR_DEVELOPERS),$(VENV)/.installed-for-users)

# More arguments for pytest:  make test ARGS="tests/priors -x"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint format wheel bench fuzz properties site clean distclean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z ]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(FOR_USERS) ## clear the shipped example market: trades, prices and the reason for one of them
	$(BIN)/catallax clear instance:neighbourhood-energy --mechanism gsom --explain "Maple St 12"

test: $(FOR_DEVELOPERS) ## run the whole suite, with the examples of the documentation
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: $(FOR_DEVELOPERS) ## check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

format: $(FOR_DEVELOPERS) ## put the code into the agreed form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

wheel: $(FOR_DEVELOPERS) ## build the source archive, and from it the wheel, into dist/
	rm -rf dist
	$(BIN)/python -m build

bench: $(FOR_DEVELOPERS) ## time everything against its peers (half an hour)
	$(BIN)/python benchmarks/basics.py
	$(BIN)/python benchmarks/clearing.py
	$(BIN)/python benchmarks/constrained.py
	$(BIN)/python benchmarks/simulate.py
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python benchmarks/shapes.py
	$(BIN)/python benchmarks/updates.py
	$(BIN)/python benchmarks/many.py
	$(BIN)/python benchmarks/road.py
	$(BIN)/python benchmarks/groups.py
	$(BIN)/python benchmarks/votes.py --owners 358

fuzz: $(FOR_DEVELOPERS) ## read 100,000 broken files: no traceback, no wrong total (half an hour)
	$(BIN)/python -m tests.fuzz $(ARGS)

oldest newest extras: $(FOR_DEVELOPERS) ## test with the oldest or the newest dependencies, or with each extra by itself
	$(BIN)/python .ci/environments.py $@

properties: $(FOR_DEVELOPERS) ## audit every mechanism, and renew the table of their properties (an hour)
	$(BIN)/python benchmarks/properties.py

site: $(VENV)/.installed-for-site ## draw the gallery and build the site of the documentation into build/site
	mkdir -p build && cd $$(mktemp -d build/gallery.XXXX) && PYTHONPATH=$(CURDIR)/src \
	  $(CURDIR)/$(BIN)/python $(CURDIR)/tests/documentation.py --pictures docs/gallery.md
	$(BIN)/python -m sphinx -W --keep-going -q -E -b html -c docs -d build/doctrees . build/site
	@echo "open build/site/index.html"

clean: ## remove what was built and cached, but keep the environment
	rm -rf build dist .hypothesis .pytest_cache .ruff_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

distclean: clean ## remove the environment as well
	rm -rf $(VENV)

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "catallax needs Python 3.11 or newer: make ... PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-for-users: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing catallax into $(VENV) (the first time this takes a minute) ..."
	@$(INSTALL) -e '.[plot,flow,report]'
	@touch $@

$(VENV)/.installed-for-site: pyproject.toml constraints.txt | $(FOR_DEVELOPERS)
	@echo "Installing what builds the site into $(VENV) ..."
	@$(INSTALL) -e '.[dev,docs]'
	@touch $@

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing catallax for developers into $(VENV) (the first time this takes a minute) ..."
	@$(INSTALL) -e '.[dev]'
	@touch $@
