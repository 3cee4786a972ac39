# Everything happens in .venv; the stamps say what has been installed there.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
# Extras whose libraries write files and train in tests: 0.2 GB beside PyTorch, half a minute of a core.
LIBRARIES := deepxde,lightning,neuraloperator,pina

.PHONY: run test lint docs notebooks reproduce bench fuzz mutants release extras floors pins first clean

run: $(VENV)/.dashboard
	$(BIN)/lsr dashboard --port $(PORT)

# One thread a process where tests run side by side; journeys share the machine with one other only.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --ignore tests/browser --numprocesses 2 --dist loadfile
	$(BIN)/python -m pytest tests/browser --numprocesses 2 --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The documentation as a folder of pages that opens from disk, with every link looked at.
docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	$(BIN)/python -m docs.making.checked build/site

# Every notebook of the documentation from its first cell to its last, and the slider of one in a browser; ten minutes at most.
notebooks: $(VENV)/.dev
	LSR_ALL_TESTS=1 timeout 600 $(BIN)/python -m pytest -q --durations 9 tests/test_notebooks.py tests/browser/test_notebook_slider.py

# Damaged files against the readers, bytes that coverage guides against every parser, and refinements of random networks against
# their dense twins; an hour at most.
fuzz: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[fuzz]'
	LSR_FUZZ_EXAMPLES=2000 timeout 1200 $(BIN)/python -m pytest -q tests/fuzz
	timeout 1200 $(BIN)/python -m tests.fuzz.guided --seconds 30
	OMP_NUM_THREADS=1 timeout 1200 $(BIN)/python -m tests.fuzz.refinements --count 2000 --seconds 900

# Faults put into the solves and residuals one at a time: prints those that no test notices.
mutants: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.mutants

# The headline figures of README and site, each with the range it was expected in; three minutes of a core.
reproduce: $(VENV)/.dashboard
	$(BIN)/python benchmarks/reproduce.py

# Files of a release in dist: sdist, wheel, bill of materials, audit, hashes.
release: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[release]'
	$(BIN)/python -m release.build

# Each extra in an empty environment; the lowest and the newest libraries; from nothing to the first figure, at most three minutes.
extras: $(VENV)/.dev
	$(BIN)/python -m release.extras

floors: $(VENV)/.dev
	$(BIN)/python -m release.floors
	$(BIN)/python -m release.floors --newest

first: $(VENV)/.dev
	$(BIN)/python -m release.first_figure

# Moves constraints.txt to the newest versions that go together, installs them and runs the tests.
pins: $(VENV)/.dev
	$(BIN)/python -m release.pins --write
	$(MAKE) test

bench: $(VENV)/.dashboard
	for script in benchmarks/[a-z]*.py; do PYTHONPATH=benchmarks $(BIN)/python -m benchmarks.$$(basename $$script .py) || exit 1; done

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.dashboard: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dashboard]'
	touch $@

# mypy cannot follow the import hook of an editable install; the links give it the installed names.
$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dashboard,dev,docs,$(LIBRARIES)]'
	mkdir -p $(VENV)/names
	ln -sfn ../../app $(VENV)/names/lsr_app
	ln -sfn ../../sample_models $(VENV)/names/lsr_samples
	touch $@ $(VENV)/.dashboard
