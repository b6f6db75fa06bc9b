# `make demo` runs the whole road, `make test` the tests. Both create .venv first
# where it is missing or older than what it is made from. On another Python:
# make test PYTHON=/path/to/python3.12

PYTHON ?=
DEMO_DIR ?= runs/demo
REAL_DIR ?= runs/real

VENV_PYTHON := .venv/bin/python
INSTALLED := .venv/installed

.PHONY: help demo serve real test docs lint format bazel clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    people it draws -> search -> derive -> retrain ->"
	@echo "             evaluate -> SavedModel -> $(DEMO_DIR)/report.html"
	@echo "make serve   the demo's model by REST and gRPC, and a page:"
	@echo "             http://127.0.0.1:8501"
	@echo "make real    the same road on real pictures, into $(REAL_DIR)"
	@echo "make test    the tests"
	@echo "make docs    the pages as a site, into build/site"
	@echo "make lint    ruff and codespell"
	@echo "make format  formats the sources"
	@echo "make bazel   the tests by bazel, where it is installed"
	@echo "make clean   removes .venv and what tools have cached; keeps runs"

demo: $(INSTALLED)
	$(VENV_PYTHON) -m tools.demo --demo_dir="$(DEMO_DIR)"

serve: $(INSTALLED)
	$(VENV_PYTHON) -m tools.serve --models="$(DEMO_DIR)/savedmodels"

real: $(INSTALLED)
	$(VENV_PYTHON) -m tools.demo --what=real --demo_dir="$(REAL_DIR)"

# A worker for each core and one more, but no more than memory holds of TensorFlow. Whole files,
# since what a module makes for its tests would be made by several workers.
test: $(INSTALLED)
	$(VENV_PYTHON) -m pytest -n auto --maxprocesses=4 --dist=loadfile \
		--no-loadscope-reorder

# Offline once installed; fails on a link that leads nowhere.
docs: .venv/docs-installed
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet
	@echo "build/site/index.html; with search: .venv/bin/mkdocs serve"

lint: $(INSTALLED)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/codespell

format: $(INSTALLED)
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bazel: $(INSTALLED)
	tools/bazel_test.sh

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/docs-installed: $(INSTALLED)
	$(VENV_PYTHON) -m pip --disable-pip-version-check install --quiet \
		--constraint constraints.txt --no-build-isolation --editable '.[docs]'
	touch .venv/docs-installed

$(INSTALLED): setup.py constraints.txt tools/create_venv.sh
	@PYTHON="$(PYTHON)" tools/create_venv.sh
