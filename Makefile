# The only entry: `make help` lists the targets.
SHELL := /bin/bash
.ONESHELL:
.SILENT:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
MEMBERS := $(sort $(wildcard libs/*/pyproject.toml services/*/pyproject.toml deploy/embedded/pyproject.toml))
RUN_MEMBERS := $(filter-out libs/testkit/pyproject.toml,$(MEMBERS))
# What a change of makes the library in C be built again.
NATIVE := libs/native/build_native.py $(wildcard libs/native/c/*)
editable = $(foreach file,$(1),-e $(dir $(file)))
DATA ?= .data
TYPED := $(wildcard libs/*/src libs/*/tests services/*/src services/*/tests deploy/embedded/src deploy/embedded/tests) benchmarks tests tools
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Each process of a test would compile what it imports again, which images of Python for containers ask for.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

# The installer itself comes from the lock too: its block is cut out, so that pip checks its hash.
$(UV): requirements.lock
	$(PYTHON) -c 'import sys; sys.exit("Frameyard needs Python 3.11 or newer, this is " + sys.version) if sys.version_info < (3, 11) else None'
	[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	awk '/^[a-z]/ {ours = /^uv==/} ours' requirements.lock > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt
	touch $(UV)

.venv/.installed-run: $(UV) requirements.lock requirements-build.lock $(RUN_MEMBERS) $(NATIVE)
	$(UV) pip install --quiet --require-hashes -r requirements.lock
	$(UV) pip install --quiet --no-deps --build-constraints requirements-build.lock $(call editable,$(RUN_MEMBERS))
	touch $@

.venv/.installed-test: .venv/.installed-run requirements-test.lock $(MEMBERS)
	$(UV) pip install --quiet --require-hashes --no-deps -r requirements-test.lock
	$(UV) pip install --quiet --no-deps --build-constraints requirements-build.lock $(call editable,$(MEMBERS))
	touch $@

# Readers of exchange formats for the tests of exports; they pin what the platform has newer, and are installed apart.
.venv-oracles/.installed: $(UV) requirements-oracles.lock
	[ -x .venv-oracles/bin/python ] || $(PYTHON) -m venv --without-pip .venv-oracles
	VIRTUAL_ENV=.venv-oracles $(UV) pip sync --quiet --require-hashes requirements-oracles.lock
	touch $@

# Clients that nobody here wrote, for the tests of the gateway: they come with their own Python and Node packages.
.venv-clients/.installed: $(UV) requirements-clients.lock tests/gateway/clients/tus_js/package-lock.json
	[ -x .venv-clients/bin/python ] || $(PYTHON) -m venv --without-pip .venv-clients
	VIRTUAL_ENV=.venv-clients $(UV) pip sync --quiet --require-hashes requirements-clients.lock
	cd tests/gateway/clients/tus_js && PATH=$(CURDIR)/.venv-clients/bin:$$PATH npm ci --silent --ignore-scripts
	touch $(CURDIR)/$@

.venv-fiftyone/.installed: $(UV) requirements-fiftyone.lock
	[ -x .venv-fiftyone/bin/python ] || $(PYTHON) -m venv --without-pip .venv-fiftyone
	VIRTUAL_ENV=.venv-fiftyone $(UV) pip sync --quiet --require-hashes requirements-fiftyone.lock
	touch $@

# Datumaro with TensorFlow, 1.9 GB, for `make bench-formats ROWS=tensorflow` alone.
.venv-tensorflow/.installed: $(UV) requirements-tensorflow.lock
	[ -x .venv-tensorflow/bin/python ] || $(PYTHON) -m venv --without-pip .venv-tensorflow
	VIRTUAL_ENV=.venv-tensorflow $(UV) pip sync --quiet --require-hashes requirements-tensorflow.lock
	touch $@

.PHONY: install
install: .venv/.installed-run ## Install what the platform runs on into .venv

.PHONY: lock
lock: $(UV) ## Write the lock again, keeping versions that fit (UPGRADE=1: the newest)
	$(BIN)/python tools/lock.py $(if $(UPGRADE),--upgrade)

.PHONY: up demo down status logs clean-data
up: install ## Start the platform on this machine (DATA=folder, default .data)
	exec $(BIN)/python -m yard.embedded up --data $(DATA)

demo: install ## Start the platform and do the main job on real media (ONCE=1 stops afterwards)
	exec $(BIN)/python -m yard.embedded demo --data $(DATA) $(if $(ONCE),--once)

down: install ## Stop the platform
	$(BIN)/python -m yard.embedded down --data $(DATA)

status: install ## Show servers and services
	$(BIN)/python -m yard.embedded status --data $(DATA)

logs: install ## Show the log of one (SERVICE=task)
	$(BIN)/python -m yard.embedded logs --data $(DATA) $(or $(SERVICE),$(error name one: make logs SERVICE=task))

clean-data: install ## Delete the platform's data (asks first)
	$(BIN)/python -m yard.embedded clean-data --data $(DATA)

.PHONY: generate check-generated protos-baseline lint format types test ci system-packages
generate: .venv/.installed-test ## Generate libs/contracts and docs/asyncapi.yaml from proto/, docs/openapi.json from routes
	$(BIN)/python tools/generate.py
	$(BIN)/python tools/openapi.py

check-generated: .venv/.installed-test ## Fail if generated files are not what proto/ and routes give
	$(BIN)/python tools/generate.py --check
	$(BIN)/python tools/openapi.py --check

protos-baseline: .venv/.installed-test ## Accept the present protos as the baseline of the breaking check
	$(BIN)/python tools/protos.py baseline

lint: .venv/.installed-test ## Style, imports, protos, Dockerfile, shell, YAML, spelling
	ruff check .
	ruff format --check .
	lint-imports
	$(BIN)/python tools/protos.py lint
	hadolint deploy/docker/*.Dockerfile
	yamllint --strict deploy charts .pre-commit-config.yaml buf.yaml
	shellcheck .ci/run
	clang-format --dry-run --Werror libs/native/c/*
	codespell

format: .venv/.installed-test ## Format the sources
	ruff check --fix .
	ruff format .
	clang-format -i libs/native/c/*

types: .venv/.installed-test ## Check types
	mypy $(TYPED)

# Tests wait for servers and programs for a part of their time: more of them than cores keep the cores busy.
WORKERS ?= $(shell expr 3 \* $$(nproc 2>/dev/null || echo 2) / 2)
APART := .venv-oracles/.installed .venv-clients/.installed .venv-fiftyone/.installed
test: .venv/.installed-test $(APART) ## Run all tests, or those of PACKAGE=services/task
	if [ "$$(id -u)" = 0 ]; then $(MAKE) --no-print-directory system-packages; fi
	pytest -n $(WORKERS) --dist loadgroup $(if $(PACKAGE),$(PACKAGE),libs services deploy benchmarks tests)

# Phony targets cannot be patterns: FORCE makes this one run although a file of that name exists.
.PHONY: FORCE
bench-%: .venv/.installed-test FORCE ## Measure, print a table, write bench-out/NAME.json (make bench-chunking ROWS='zip images')
	$(BIN)/python -m benchmarks.$* $(ROWS)

.PHONY: profile-chunking
profile-chunking: .venv/.installed-test ## Write flame graphs of making chunks (ROWS='zip mp4 original images'; BASELINE=1)
	$(BIN)/python -m benchmarks.chunking_profile $(if $(BASELINE),--baseline) $(ROWS)

# Peers of tests that no package of Python brings; of these, the service of repositories itself needs git and ssh.
SYSTEM_PACKAGES := git git-lfs openssh-server
system-packages: ## Install the Debian packages that test suites need
	dpkg -s $(SYSTEM_PACKAGES) > /dev/null 2>&1 || (apt-get update -qq && apt-get install -y -qq $(SYSTEM_PACKAGES))

ci: check-generated lint types test ## What CI runs
