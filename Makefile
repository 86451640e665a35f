# SPDX-License-Identifier: Apache-2.0
# The front door: each target installs what it needs into .venv the first time, then calls the
# command `spikewright make`. That reads the settings: `make BOARD=ulx3s_25f`.

# Folders that are installed as parts of the package.
ROOMS  := base network record model quantize plan golden hw sim report boards host live train verify

PYTHON ?= python3
RUN    := .venv/bin/python
MAKE_IT = @$(RUN) -m spikewright make $@
# Only the files of torch need torch, and those of NIR need h5py: to read them.
READER := $(if $(filter %.pth %.pt %.ckpt,$(CHECKPOINT)),.venv/torch,$(if $(filter %.nir,$(CHECKPOINT)),.venv/nir,.venv/base))

.DEFAULT_GOAL := help
.PHONY: help install torch nir record live model bitstream explore report sim demo ladder export \
	verilog test lint docs default tables diagram clean
.DELETE_ON_ERROR:

help: ## This list
	@echo "Spikewright: a trained spiking decoder to an FPGA, bit- and cycle-exact."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@$(PYTHON) $(dir $(lastword $(MAKEFILE_LIST)))spikewright/command/make/settings.py

install: .venv/base ## Install into .venv all that a bitstream needs

torch: .venv/torch ## Install torch as well: for .pth checkpoints and for training

nir: .venv/nir ## Install what NIR graphs need: make does so for CHECKPOINT=x.nir

record: .venv/record ## Install the readers of 'spikewright record import'

live: .venv/live ## Install what 'spikewright live' and 'serve' need

model: $(READER) ## Quantize CHECKPOINT to build/NAME/model (with BITS=4: model-4bit)
	$(MAKE_IT)

bitstream: $(READER) ## Build CHECKPOINT for BOARD: bitstream and report
	$(MAKE_IT)

explore: $(READER) ## Build GRID for BOARD, each with SEEDS seeds: area, clock and cycles
	$(MAKE_IT)

report: .venv/base ## Print the report of the last build as text
	$(MAKE_IT)

sim: .venv/test $(READER) ## Run the cocotb testbench on the generated Verilog
	$(MAKE_IT)

demo: $(READER) ## Decode RECORDING on the virtual board and draw the trajectory
	$(MAKE_IT)

ladder: $(READER) ## Measure CHECKPOINT from double precision down to 4 bits
	$(MAKE_IT)

export: $(READER) ## Write the weight ROMs of CHECKPOINT: .npz, .mem, .svh, .h
	$(MAKE_IT)

verilog: $(READER) ## Write the core for designs of your own: Verilog, an example, a FuseSoC core
	$(MAKE_IT)

test: .venv/test .venv/torch ## Run the tests
	$(RUN) -m pytest tests -n auto --dist loadfile --no-loadscope-reorder

lint: .venv/lint ## Check style and types
	$(RUN) -m ruff check
	@mkdir -p build/types/spikewright
	@for part in $(ROOMS) spikewright/api spikewright/command spikewright/*.py; do \
		ln -sfn ../../../$$part build/types/spikewright/; done
	$(RUN) -m mypy

docs: .venv/docs ## Build the documentation as a site: build/site
	$(RUN) -m mkdocs build --strict

default: .venv/torch ## Train the default network again and simulate its recording
	$(RUN) -m spikewright reaches -o data

tables: .venv/base ## Make the tables of README and docs anew, from docs/reports and docs/ladders
	$(RUN) -m docs.make.tables README.md docs/performance.md docs/boards.md docs/accuracy.md

diagram: .venv/docs ## Simulate and draw the timing diagram of docs/core.md anew
	$(RUN) -m docs.make.pictures.waveform docs/core_step.json

clean: ## Remove what was built; .venv stays
	rm -rf build

.venv/base: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python must be 3.11 or newer, not $$($(PYTHON) -V 2>&1): set PYTHON=..." >&2; exit 2; }
	@echo "Installing into .venv (once, a few minutes)"
	@test -x $(RUN) || $(PYTHON) -m venv .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# The extras of pyproject.toml.
.venv/torch .venv/nir .venv/record .venv/live .venv/test .venv/docs .venv/lint: .venv/base
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[$(@F)]'
	@touch $@
