# `make help` is made from the comments behind ##.
SHELL = /bin/sh
.DEFAULT_GOAL = help
RANKZERO = .venv/bin/rankzero

# The first Python on PATH that is new enough; `make lab PYTHON=/path/to/python3` names another.
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

# What runs before anything is installed, with nothing but the standard library.
BARE = @"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || { \
  echo 'Rank Zero needs Python 3.11 or later; here:' "$(or $(PYTHON),python3)" \
    "$$("$(or $(PYTHON),python3)" --version 2>/dev/null || echo "(not there)")" >&2; \
  echo 'Install one (Debian 12: sudo apt-get install python3) or name one:' >&2; \
  echo '    make lab PYTHON=/path/to/python3' >&2; exit 1; }; \
  PYTHONPATH=src exec "$(PYTHON)" -m

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

setup: ## Install what is missing, and check that it works
	$(BARE) rankzero.setup

ready:  # the same for the verbs below: only what nothing works without stops them
	$(BARE) rankzero.setup --go-on

lab: ready ## Open JupyterLab on lesson one
	@exec $(RANKZERO) lab

test: ## Prove everything: the gate
	$(BARE) rankzero.gate

book: ready ## Build the site into _build/html
	@$(RANKZERO) book

serve: ready ## Build the site and show it on this machine
	@exec $(RANKZERO) serve

execute: ready ## Run the notebooks from a fresh kernel and store their outputs
	@$(RANKZERO) execute $(NOTEBOOKS)

prove: ready ## Run the long proofs and store their results in proofs/
	@$(RANKZERO) prove $(PROOFS)

bench: ready ## Measure the course's own figures on this machine
	@$(RANKZERO) bench

lint: ready ## Check the style of every file
	@sh ci/lint.sh

clean: ## Delete what was built; never work/ and never the state folder
	rm -rf .venv .venv.new _build build .pytest_cache .ruff_cache

.PHONY: help setup ready lab test book serve execute prove bench lint clean
