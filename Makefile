# Two commands matter: `make demo` runs the whole product, `make test` proves it.
# Plain `make` is what every commit must pass: format, lint, types, tests.
# Needs Python 3.11 with pip, and make; node for the web page.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_TEST := $(VENV)/.installed-test
PAGE := api/console/dist/index.html
PAGE_SOURCES := $(shell find api/console -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
PYTEST_ARGS ?=

.PHONY: all demo test check seeds fuzz postgres sites format lint types page install clean

all: format lint types test

demo: install page
	$(BIN)/gridpatrol demo $(DEMO_ARGS)

test: $(INSTALLED_TEST) page
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(INSTALLED_TEST) page
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# Twenty whole demos, scored against the simulator's truth: over an hour. Last result in docs/measurements.
seeds: $(INSTALLED_TEST)
	$(BIN)/python tests/valley_seeds.py --seeds 1-20 --minutes 60 --speed 20 --out out/seeds

# Labelled thermal passes over simulated fires and decoys, for gridpatrol evaluate --task thermal.
passes: $(INSTALLED)
	$(BIN)/python -m sim.passes out/passes

# The whole API asked a thousand wrong and right things each: long; `make test` asks eight.
fuzz: $(INSTALLED_TEST)
	GRIDPATROL_FUZZ=1000 $(BIN)/python -m pytest tests/api/test_fuzz.py

# What stands on the database, once more on PostgreSQL: minutes; `make test` holds the store itself to both.
postgres: $(INSTALLED_TEST)
	GRIDPATROL_TEST_DATABASE=postgresql $(BIN)/python -m pytest tests/api -m "not slow" --ignore=tests/api/test_demo.py

# A thousand sites drawn at random, each planned and proven, a block of 25 at a time; `make test` draws twelve.
# A run that was ended goes on where it stood (out/sites.jsonl); SITES=250-500 is a part of it.
SITES ?= 1000
sites: $(INSTALLED_TEST)
	mkdir -p out
	GRIDPATROL_SITES=$(SITES) GRIDPATROL_SITES_DONE=out/sites.jsonl \
	$(BIN)/python -m pytest tests/missions/test_random_sites.py -s -q

format: $(INSTALLED_TEST)
	$(BIN)/ruff format .

lint: $(INSTALLED_TEST)
	$(BIN)/ruff check .

types: $(INSTALLED_TEST)
	$(BIN)/mypy

install: $(INSTALLED)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(INSTALLED_TEST): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@ $(INSTALLED)

# Without node the page is left out and everything else works.
page:
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory $(PAGE); \
	else echo "node is not installed: the web page is left out, everything else works."; fi

$(PAGE): $(PAGE_SOURCES)
	cd api/console && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

clean:
	rm -rf $(VENV) api/console/dist api/console/node_modules out
