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
editable = $(foreach file,$(1),-e $(dir $(file)))
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

# The installer itself comes from the lock too: its block is cut out, so that pip checks its hash.
$(UV): requirements.lock
	$(PYTHON) -c 'import sys; sys.exit("Frameyard needs Python 3.11 or newer, this is " + sys.version) if sys.version_info < (3, 11) else None'
	[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	awk '/^[a-z]/ {ours = /^uv==/} ours' requirements.lock > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt
	touch $(UV)

.venv/.installed-run: $(UV) requirements.lock $(RUN_MEMBERS)
	$(UV) pip install --quiet --require-hashes -r requirements.lock
	$(UV) pip install --quiet --no-deps $(call editable,$(RUN_MEMBERS))
	touch $@

.venv/.installed-test: .venv/.installed-run requirements-test.lock $(MEMBERS)
	$(UV) pip install --quiet --require-hashes --no-deps -r requirements-test.lock
	$(UV) pip install --quiet --no-deps $(call editable,$(MEMBERS))
	touch $@

.PHONY: install
install: .venv/.installed-run ## Install what the platform runs on into .venv

.PHONY: lock
lock: $(UV) ## Write the lock again, keeping versions that fit (UPGRADE=1: the newest)
	$(BIN)/python tools/lock.py $(if $(UPGRADE),--upgrade)
