# `make help` is made from the comments behind ##.
SHELL = /bin/sh
.DEFAULT_GOAL = help
RANKZERO = .venv/bin/rankzero

# The first Python on PATH that is new enough; `make lab PYTHON=/path/to/python3` names another.
PYTHON = $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

setup: ## Install what is missing, and check that it works
	@PYTHONPATH=src $(PYTHON) -m rankzero.setup

lab: setup ## Open JupyterLab on lesson one
	@exec $(RANKZERO) lab

test: ## Prove everything: the gate
	@PYTHONPATH=src $(PYTHON) -m rankzero.gate

book: setup ## Build the site into _build/html
	@$(RANKZERO) book

serve: setup ## Build the site and show it on this machine
	@exec $(RANKZERO) serve

execute: setup ## Run the notebooks from a fresh kernel and store their outputs
	@$(RANKZERO) execute $(NOTEBOOKS)

prove: setup ## Run the long proofs and store their results in proofs/
	@$(RANKZERO) prove $(PROOFS)

bench: setup ## Measure the course's own figures on this machine
	@$(RANKZERO) bench

lint: setup ## Check the style of every file
	@sh ci/lint.sh

clean: ## Delete what was built; never work/ and never the state folder
	rm -rf .venv .venv.new _build build .pytest_cache .ruff_cache

.PHONY: help setup lab test book serve execute prove bench lint clean
