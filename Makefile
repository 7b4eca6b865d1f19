# Each target does its own set-up: a virtual environment with the right torch first, then the package.
#   make demo   the whole way on a drawn world, ten minutes on two CPU cores; DEMO=--quick: a result in seconds
#   make test   the test suite          make lint   style, import rules, types          make bench   speed
#   make docs   the docs as a site that opens from disk
#   make torture   kills, full disks and hostile files, at length: docs/reliability.md

PYTHON ?= python3
VENV ?= .venv
# Processes of the test suite: as many as there are cores
PROCESSES ?= auto
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --constraint constraints.txt

.PHONY: demo test lint docs bench torture clean

demo: $(VENV)/.package
	$(BIN)/retarget demo $(DEMO)

test: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile $(TESTS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# They take clips, python -m benchmarks.formats --help, or a GPU: benchmarks/gpu.sh; or make what a release holds
BY_HAND := $(addprefix benchmarks/,formats.py mutating.py mutations.py long_clip.py gpu.py gpu_demo.py quick_weights.py)
BY_HAND += $(addprefix benchmarks/,fuzzing.py fuzzing_targets.py stages.py precision.py scaling.py)
BY_HAND += $(addprefix benchmarks/,torture.py torture_commands.py torture_files.py)
docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "open build/site/index.html"

bench: $(VENV)/.dev
	for script in $(filter-out $(BY_HAND),$(wildcard benchmarks/*.py)); do $(BIN)/python $$script || exit 1; done

torture: $(VENV)/.dev
	$(BIN)/python benchmarks/torture.py $(TORTURE)

clean:
	rm -rf $(VENV) *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.package: setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "retarget needs Python 3.11 or newer: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "no venv module: install it (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	$(INSTALL) $$(grep '^torch==' constraints.txt)  # first and alone: else another package chooses the build
	$(INSTALL) --editable .
	@$(BIN)/python -c 'import cv2' || \
	  { echo "OpenCV lacks system libraries (Debian, Ubuntu: apt install libgl1 libglib2.0-0)"; exit 1; }
	touch $@

$(VENV)/.dev: $(VENV)/.package
	$(INSTALL) --editable '.[dev]'
	touch $@
