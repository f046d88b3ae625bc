# Everything starts from Python 3.11 and make: the first target builds .venv from hash-checked locks.
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready
WORKERS ?= 2
CHILDREN ?= 4000
# Threads that wait do not spin: on a machine that others use too, spinning costs minutes.
export OMP_WAIT_POLICY ?= passive
# Python keeps what it compiled, whatever the shell says: a night would spend half its time on it.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-long check fix bench docs serve lock clean

demo: $(READY)  ## a synthetic borough from agency extracts to explained flags
	$(BIN)/riskflag demo --children $(CHILDREN)

test: $(READY)  ## every test but the long ones
	$(BIN)/pytest -n $(WORKERS) -m "not long"

test-long: $(READY)  ## the long tests: 50,000 generated cases for the signal engine and the like
	RISKFLAG_HYPOTHESIS_PROFILE=long $(BIN)/pytest -n $(WORKERS)

check: $(READY)  ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(READY)  ## put right what can be put right by machine
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## measure against peers, side by side; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.signals --size S M L
	$(BIN)/python -m benchmarks.night
	$(BIN)/python -m benchmarks.spark
	$(BIN)/python -m benchmarks.train
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.linkage
	$(BIN)/python -m benchmarks.web

docs: $(READY)  ## the documentation as HTML in docs/_build
	$(BIN)/sphinx-build -W -q -b html docs docs/_build
	@echo "Open docs/_build/index.html"

serve: $(READY)  ## the caseworker app over the demo, on this machine only
	$(BIN)/riskflag demo --serve --children $(CHILDREN)

lock: $(READY)  ## write the locks again after a change of pyproject.toml
	$(BIN)/uv pip compile -q --universal --generate-hashes --all-extras --python-version 3.11 \
	    --no-annotate --no-header pyproject.toml -o requirements.lock
	echo "uv==$$($(BIN)/uv --version | cut -d' ' -f2)" | $(BIN)/uv pip compile -q --universal \
	    --generate-hashes --python-version 3.11 --no-annotate --no-header - -o requirements-uv.lock

clean:
	rm -rf .venv demo docs/_build

$(READY): requirements.lock requirements-uv.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not here; install Python 3.11 or say make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-uv.lock
	$(BIN)/uv pip sync --quiet --require-hashes requirements.lock \
	    || $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(READY)
