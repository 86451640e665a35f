# SPDX-License-Identifier: Apache-2.0
# The front door: each target installs what it needs into .venv the first time.

BOARD      ?= icebreaker
CHECKPOINT ?= data/default.safetensors
SIM        ?= verilator
PRESET     ?= balanced
STEPS      ?= 500
SEEDS      ?= 4
GRID       ?= presets lanes=1,2,4,8

DEFAULT    := data/default.safetensors
NAME       ?= $(basename $(notdir $(CHECKPOINT)))
RECORDING  ?= $(if $(filter $(DEFAULT),$(CHECKPOINT)),data/default_recording.npz)
MODEL      := build/$(NAME)/model
SUFFIX     := $(if $(filter balanced,$(PRESET)),,-$(PRESET))
OUT        := build/$(NAME)/$(BOARD)$(SUFFIX)

CORE       := --preset $(PRESET) $(if $(LANES),--lanes $(LANES))
CLOCK      := $(if $(FREQ),--freq $(FREQ))

PYTHON     ?= python3
RUN        := .venv/bin/python
# Only a .pth needs torch: to read it.
READER     := $(if $(filter %.pth,$(CHECKPOINT)),.venv/torch,.venv/base)

.DEFAULT_GOAL := help
.PHONY: help spikes install torch model bitstream explore report sim demo ladder export verilog test lint \
	default tables diagram clean
.DELETE_ON_ERROR:

help: ## This list
	@echo "Spikewright: a trained spiking decoder to an FPGA, bit- and cycle-exact."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "Settings, with what they are now:"
	@echo "  BOARD=$(BOARD)  PRESET=$(PRESET)  LANES=$(or $(LANES),as the preset)  FREQ=$(or $(FREQ),the board's) (MHz)"
	@echo "  CHECKPOINT=$(CHECKPOINT)  (.safetensors or .pth, tinyRSNN layout)"
	@echo "  NAME=$(NAME)  (folder in build/)"
	@echo "  RECORDING=$(or $(RECORDING),simulated spikes)  (.npz: what reports measure on)"
	@echo "  CALIBRATE=$(or $(CALIBRATE),simulated spikes)  (.npz: what states are scaled by)"
	@echo "  SEEDS=$(SEEDS)  GRID=$(GRID)  SCHEDULER=$(or $(SCHEDULER),none)  (what explore builds, and where)"
	@echo "  SIM=$(SIM)  (or icarus)  STEPS=$(STEPS)  WAVES=$(or $(WAVES),none)  (.vcd)"

spikes:
	@test -n "$(RECORDING)" || { echo "error: RECORDING must be given for a CHECKPOINT of yours"; exit 2; }

install: .venv/base ## Install into .venv all that a bitstream needs

torch: .venv/torch ## Install torch as well: for .pth checkpoints and for training

model: $(READER) ## Quantize CHECKPOINT to build/NAME/model
	$(RUN) -m quantize build $(CHECKPOINT) -o $(MODEL) $(if $(CALIBRATE),--calibrate $(CALIBRATE))

bitstream: model ## Build CHECKPOINT for BOARD: bitstream and report
	$(RUN) -m boards build $(MODEL) --board $(BOARD) -o $(OUT) $(CORE) $(CLOCK) \
		$(if $(RECORDING),--recording $(RECORDING))

explore: model ## Build all presets and 1 to 8 lanes for BOARD: area, clock and cycles of each
	$(RUN) -m boards explore $(MODEL) --board $(BOARD) $(CORE) $(CLOCK) --grid $(GRID) --seeds $(SEEDS) \
		-o build/$(NAME)/explore-$(BOARD) $(if $(RECORDING),--recording $(RECORDING)) \
		$(if $(SCHEDULER),--scheduler $(SCHEDULER))

report: ## Print the report of the last build as text
	@test -f $(OUT)/report.json || { echo "error: there is no report yet: run make bitstream"; exit 2; }
	@$(RUN) -m boards show $(OUT)

sim: .venv/test spikes model ## Run the cocotb testbench on the generated Verilog
	$(RUN) -m sim cocotb $(MODEL) $(RECORDING) \
		--simulator $(SIM) --steps $(STEPS) $(CORE) $(if $(WAVES),--waves $(WAVES))

demo: spikes model ## Decode RECORDING on the virtual board and draw the trajectory
	$(RUN) -m host run $(MODEL) $(RECORDING) --port virtual $(CORE) $(CLOCK) \
		-o build/$(NAME)/demo.npz --picture build/$(NAME)/demo.png

ladder: $(READER) ## Measure CHECKPOINT from double precision down to int4
	$(RUN) -m quantize ladder $(CHECKPOINT) -o build/$(NAME)/ladder $(CORE) \
		$(if $(RECORDING),--recording $(RECORDING)) $(if $(CALIBRATE),--calibrate $(CALIBRATE))

export: model ## Write the weight ROMs of CHECKPOINT: .npz, .mem, .svh, .h
	$(RUN) -m quantize export $(MODEL) -o build/$(NAME)/rom $(if $(LANES),--lanes $(LANES))

verilog: model ## Write the core for designs of your own: Verilog, an example, a FuseSoC core
	$(RUN) -m hw verilog $(MODEL) -o build/$(NAME)/verilog$(SUFFIX) $(CORE)

test: .venv/test .venv/torch ## Run the tests
	$(RUN) -m pytest tests -n auto --dist loadfile

lint: .venv/lint ## Check style and types
	$(RUN) -m ruff check
	$(RUN) -m mypy

default: .venv/torch ## Train the default network again and simulate its recording
	$(RUN) -m train default -o data

tables: .venv/base ## Make the tables of README and docs anew, from docs/reports and docs/ladders
	$(RUN) -m boards table README.md docs/performance.md docs/boards.md
	$(RUN) -m ladder table docs/accuracy.md

diagram: .venv/docs ## Simulate and draw the timing diagram of docs/core.md anew
	$(RUN) -m sim waveform -o docs/core_step.json

clean: ## Remove what was built; .venv stays
	rm -rf build

.venv/base: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python must be 3.11 or newer, not $$($(PYTHON) -V 2>&1): set PYTHON=..."; exit 2; }
	@echo "Installing into .venv (once, a few minutes)"
	@test -x $(RUN) || $(PYTHON) -m venv .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/torch: .venv/base
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[torch]'
	@touch $@

.venv/test: .venv/base
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

.venv/docs: .venv/base
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

.venv/lint: .venv/base
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[lint]'
	@touch $@
