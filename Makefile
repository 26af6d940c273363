# Every target is a command that can also be typed. PYTHON chooses the interpreter.
PYTHON ?= $(shell test -x .venv/bin/python && echo .venv/bin/python || echo python3)

.DEFAULT_GOAL := help
.PHONY: help install check test ci gate bench validate calibrate docs demo

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## a virtual environment with everything that the tests need
	python3 -m venv .venv
	.venv/bin/python -m pip install -q -e '.[test]'

check: ## lint, format, types, formulas, architecture, prediction gate: before every commit
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest gigawatt tests/architecture tests/gate --deselect tests/architecture/test_lint.py

test: ## all tests
	$(PYTHON) -m pytest

ci: ## what CI runs: the README's test command in a fresh virtual environment
	.ci/run

gate: ## say which predictions moved, and store them anew
	$(PYTHON) -m tests.gate

bench: ## speed, as ratios to a NumPy loop in the same run, and whole spaces of another planner
	$(PYTHON) -m bench.run
	$(PYTHON) -m bench.rival

validate: ## published measurements against predictions
	$(PYTHON) -m validation

calibrate: ## fit the calibration anew from published measurements
	$(PYTHON) -m calibration

docs: ## write the generated pages of docs/
	$(PYTHON) -m docs.build

demo: ## Llama 3.1 405B on the machine that trained it
	$(PYTHON) -m gigawatt plan llama3.1-405b --on meta-llama3-16k --tokens 15.6T
