# From a machine with only Python 3.11 and make: `make run` and `make test` install what they need into .venv.
# pip's own environment variables apply, e.g. PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu for the small torch.

PYTHON ?= python3.11 python3
RUN ?= runs/calibrated-$(shell date +%Y%m%d-%H%M%S)
BIN := .venv/bin
READY := .venv/ready
PIP := $(BIN)/python -m pip install -qq --constraint constraints.txt

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export RAY_USAGE_STATS_ENABLED := 0

.DEFAULT_GOAL := help
.PHONY: help run test test-all lint type format docs verify benchmark clean

help:  ## show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

run: $(READY)  ## learn both sides of the calibrated economy; compare with the US system; certificate
	$(BIN)/smfg train calibrated --set training.seeds=[1] --output $(RUN)

test: $(READY)  ## run the tests, without the slow ones
	$(BIN)/python -m pytest

test-all: $(READY)  ## run all tests
	$(BIN)/python -m pytest -m "slow or not slow"

lint: $(READY)  ## check the style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

type: $(READY)  ## check the types
	$(BIN)/mypy

format: $(READY)  ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)  ## build the documentation and the reference into site/, to be read without a network
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

verify: $(READY)  ## learn the games whose solution is known, and compare with it
	$(BIN)/smfg verify --method both --json docs/results/verify.json

benchmark: $(READY)  ## measure the speed; the figures in the README come from here
	$(BIN)/smfg benchmark --json docs/results/benchmark.json
	$(BIN)/python -m tests.campaigns.benchmark_goals docs/results/benchmark.json

clean:  ## remove .venv and caches; runs/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build site *.egg-info

# `ready` is written last: an installation that was cut short is taken up again, never taken for whole.
$(READY): setup.cfg constraints.txt
	@set -e; started=$$(date +%s); \
	for python in $(PYTHON) none; do \
	    $$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done; \
	if [ $$python = none ]; then \
	    echo 'no Python 3.11 with venv found: install it (Debian: python3.11-venv), or say make PYTHON=/path/to/python3.11' >&2; \
	    exit 1; \
	fi; \
	echo "[1/3] .venv: $$($$python --version)"; $$python -m venv .venv; \
	echo '[2/3] .venv: torch'; $(PIP) torch==2.13.0; \
	echo '[3/3] .venv: Ray RLlib, the other libraries and the tools'; $(PIP) --no-build-isolation --editable '.[dev]'; \
	touch $@; echo ".venv is ready after $$(( $$(date +%s) - started )) s"
