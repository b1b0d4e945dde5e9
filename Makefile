# The two commands of the README are `make demo` and `make test`; each sets everything up by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
ENV ?= dev
EXECUTIONS ?= 100000
SEED ?= 0

.PHONY: demo test fuzz setup setup-dev lint fmt types imports unit e2e coverage-local benchmark study docs synth snapshot pipeline starter lock clean

setup: $(VENV)/.runtime node_modules/.stamp
setup-dev: setup $(VENV)/.dev

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Plumbline needs Python 3.11 or newer; run: make PYTHON=/path/to/python3.11 ...")'
	@test -d plumbline/drift/ || { echo "plumbline/drift must be a link to container/drift, as git keeps it; check out with links (git config core.symlinks true)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/uv.txt
	@touch $(UV)

$(VENV)/.runtime: $(UV) requirements/runtime.txt pyproject.toml
	$(UV) pip install --system-certs --quiet --compile-bytecode --python $(BIN)/python --require-hashes --requirement requirements/runtime.txt
	$(UV) pip install --system-certs --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	$(UV) pip install --system-certs --quiet --python $(BIN)/python --require-hashes --requirement requirements/dev.txt
	@touch $@

node_modules/.stamp: package-lock.json .npmrc
	npm ci --silent
	@touch $@

demo: setup
	$(BIN)/plumbline demo

test: lint types imports unit e2e

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

fmt: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup-dev
	$(BIN)/mypy

imports: setup-dev
	PYTHONPATH=. $(BIN)/lint-imports

unit: setup-dev
	$(BIN)/pytest -n 2 -m "not e2e" --cov --cov-report=term:skip-covered --cov-fail-under=95

e2e: setup-dev
	$(BIN)/pytest -n 2 --dist loadfile -m e2e

# The embedded AWS and the demo have a figure of their own: most of them runs in servers that end-to-end tests start.
coverage-local: export COVERAGE_FILE = $(CURDIR)/.cache/coverage-local/data
coverage-local: export PLUMBLINE_COVERAGE = 1
coverage-local: setup-dev
	rm -rf .cache/coverage-local
	mkdir -p .cache/coverage-local
	$(BIN)/coverage run --rcfile=tests/coverage-local.toml -m pytest -q -m "not e2e" $(LOCAL_TESTS)
	$(BIN)/coverage run --rcfile=tests/coverage-local.toml -m pytest -q -m e2e $(LOCAL_E2E)
	$(BIN)/coverage combine --rcfile=tests/coverage-local.toml .cache/coverage-local
	$(BIN)/coverage report --rcfile=tests/coverage-local.toml --skip-covered --fail-under=89

LOCAL_TESTS := tests/unit/local tests/property/test_alarm_decision.py
LOCAL_E2E := $(addprefix tests/e2e/test_,alarm_semantics.py authorization.py control_plane_stacks.py embedded_aws.py \
  hosting.py jobs.py own_schedule.py pipelines.py safe_updates.py universal_schedules.py)

benchmark: setup
	$(BIN)/python -m research.benchmarks --spark --output docs

study: setup-dev
	$(BIN)/python -m research.studies.calibration --evidently
	PYTHONPATH=model $(BIN)/python -m research.studies.accuracy
	PYTHONPATH=model $(BIN)/python -m research.studies.streams
	PYTHONPATH=model $(BIN)/python -m research.studies.verdicts

snapshot: setup-dev
	$(BIN)/pytest tests/snapshot --snapshot-update

pipeline: setup-dev
	$(BIN)/python -m plumbline.stacks.pipeline

docs: setup-dev
	$(BIN)/python -c "from plumbline.cli import help_page; print(help_page(), end='')" > docs/cli.md

# Longer than the few seconds a parser that `make test` takes: make fuzz TARGETS="records answers" EXECUTIONS=1000000
fuzz: setup-dev
	$(BIN)/python -m research.fuzzing $(TARGETS) --executions $(EXECUTIONS) --seed $(SEED)

synth: setup
	npx cdk synth --quiet -c environment=$(ENV) $(if $(ENGINE),-c engine=$(ENGINE))

starter: setup-dev
	$(BIN)/python -m plumbline.data.starter

LOCK := $(UV) pip compile --system-certs --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"
lock: $(UV)
	$(LOCK) requirements/dev.in --output-file requirements/dev.txt
	for name in runtime emulator xgboost uv; do \
	  $(LOCK) --constraint requirements/dev.txt requirements/$$name.in --output-file requirements/$$name.txt; done
	$(LOCK) --constraint requirements/dev.txt container/requirements.in --output-file container/requirements.txt
	$(LOCK) --constraint container/requirements.txt container/requirements-spark.in --output-file container/requirements-spark.txt
	$(LOCK) container/requirements-spark-build.in --output-file container/requirements-spark-build.txt
	for other in requirements/bench-*.in requirements/study-*.in requirements/fuzz-*.in; do $(LOCK) $$other --output-file $${other%.in}.txt; done

clean:
	rm -rf $(VENV) node_modules .cache cdk.out demo-output
