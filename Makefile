# Everything here needs Python 3.11 or newer, make and the package registry, nothing else.
# With uv on the PATH installing is faster; the result is the same.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
WORKERS ?= 2
SERVE ?= 1
SCALE ?= s

.DEFAULT_GOAL := help
.PHONY: help demo serve test check bench prove journey requirements venv lock messages coverage clean

help: ## show what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# Installing

ifdef UV
install = $(UV) pip install --quiet --python $(BIN)/python --require-hashes
else
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
endif

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(if $(UV),--without-pip) $(VENV)

$(VENV)/.embedded: $(BIN)/python requirements/embedded.txt requirements/demo.txt
	@echo "Installing the site"
	@$(install) -r requirements/embedded.txt
	@$(install) --no-deps -r requirements/demo.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.embedded requirements/dev.txt
	@echo "Installing what tests and checks need"
	@$(install) -r requirements/dev.txt
	@touch $@

venv: $(VENV)/.dev ## make .venv with everything in it

lock: ## compile requirements/*.txt from pyproject.toml (needs uv)
	./requirements/lock

# Running

demo: $(VENV)/.embedded ## load a retailer's year and start the site (SERVE=0: load only)
	$(BIN)/python manage.py demo $(if $(filter 0,$(SERVE)),--no-serve)

serve: $(VENV)/.embedded ## start the site: web, worker and scheduler
	$(BIN)/python manage.py serve

# Checking

check: $(VENV)/.dev ## what reads the code: style, types, layers, migrations, settings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --database default

test: $(VENV)/.dev ## the test suite, in a few minutes
	$(BIN)/pytest -n $(WORKERS) -m "not prove and not bench and not journey"

journey: $(VENV)/.dev ## the retailer's year, against its published figures
	$(BIN)/pytest -m journey

prove: $(VENV)/.dev ## the long proofs
	HYPOTHESIS_PROFILE=prove $(BIN)/pytest -n $(WORKERS) -m "prove or journey"

bench: $(VENV)/.dev ## how fast it is, beside the same work in plain SQL (SCALE=s|m|l)
	$(BIN)/python manage.py bench --scale $(SCALE)

requirements: $(VENV)/.dev ## which requirement is proved by which test
	$(BIN)/pytest -q -n $(WORKERS) -m "not prove and not bench" --requirements

coverage: $(VENV)/.dev ## the test suite, and what it does not reach
	$(BIN)/pytest -n $(WORKERS) -m "not prove and not bench and not journey" --cov --cov-report=term

messages: $(VENV)/.dev ## collect and compile the strings for people (needs gettext)
	$(BIN)/python manage.py makemessages --locale zh_Hans --locale en --no-wrap --no-obsolete \
	  --ignore .venv --ignore .data --ignore tests
	$(BIN)/python manage.py compilemessages --ignore .venv

clean: ## remove what was built; data in .data stays
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
