# Two commands for a machine with Python >= 3.11 and make: `make demo` and `make test`.
PYTHON ?= python3
PORT ?= 8000
DATA ?= .ecm
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: install demo test lint audit bench soak prove-road prove-capture prove-doors clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ecm needs Python 3.11 or later; set PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install
	$(BIN)/ecm demo --port $(PORT) --data $(DATA)

test: install lint
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Known faults in what we stand on. Where the advisories cannot be read it says NOT ASKED, and fails nothing.
audit: install
	$(BIN)/python -m tests.prove.dependencies

bench: install
	$(BIN)/python -m tests.bench

soak: install
	$(BIN)/python -m tests.prove.soak

prove-road: install
	$(BIN)/python -m tests.prove.road

prove-capture: install
	$(BIN)/python -m tests.prove.capture

prove-doors: install
	$(BIN)/python -m tests.prove.doors

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
