# SPDX-License-Identifier: Apache-2.0
# The front door: each target installs what it needs into .venv the first time.

# These say what is built, and where: only the command line gives them, no environment.
MODEL      :=
BITS       :=
NAME        = $(basename $(notdir $(CHECKPOINT)))

BOARD      ?= icebreaker
CHECKPOINT ?= data/default.safetensors
SIM        ?= verilator
PRESET     ?= balanced
STEPS      ?= 500
SEEDS      ?= 4
GRID       ?= presets lanes=1,2,4,8

DEFAULT    := data/default.safetensors
RECORDING  ?= $(if $(MODEL),,$(if $(filter $(DEFAULT),$(CHECKPOINT)),data/default_recording.npz))

# Weights of other bits lie side by side. A MODEL that is given is taken as it is.
WIDTH      := $(if $(MODEL),,$(if $(BITS),-$(BITS)bit))
FOLDER     := $(if $(MODEL),$(patsubst %/,%,$(dir $(MODEL:/=))),build/$(NAME))
INTEGERS   := $(if $(MODEL),$(MODEL:/=),$(FOLDER)/model$(WIDTH))
VARIANT    := $(if $(filter balanced,$(PRESET)),,-$(PRESET))$(WIDTH)
OUT        := $(FOLDER)/$(BOARD)$(VARIANT)

QUANTIZE   := $(strip $(if $(BITS),--weight-bits $(BITS)) $(if $(CALIBRATE),--calibrate $(CALIBRATE)) $(MODEL_OPTIONS))
CORE       := $(strip --preset $(PRESET) $(if $(LANES),--lanes $(LANES)) $(CORE_OPTIONS))
CLOCK      := $(if $(FREQ),--freq $(FREQ))

# Folders that are installed as parts of the package.
ROOMS      := base network model quantize plan golden hw sim report boards host train verify

PYTHON     ?= python3
RUN        := .venv/bin/python
# Only a .pth needs torch: to read it.
READER     := $(if $(filter %.pth,$(CHECKPOINT)),.venv/torch,.venv/base)

.DEFAULT_GOAL := help
.PHONY: help settings spikes install torch model bitstream explore report sim demo ladder export verilog \
	test lint default tables diagram clean
.DELETE_ON_ERROR:

help: ## This list
	@echo "Spikewright: a trained spiking decoder to an FPGA, bit- and cycle-exact."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "Settings, with what they are now:"
	@echo "  CHECKPOINT=$(CHECKPOINT)  (.safetensors or .pth, tinyRSNN layout)"
	@echo "  NAME=$(NAME)  (folder in build/: another for each of several checkpoints of one file name)"
	@echo "  RECORDING=$(or $(RECORDING),simulated spikes)  (.npz: what reports measure on; sim and demo must have one)"
	@echo "  CALIBRATE=$(or $(CALIBRATE),simulated spikes)  (.npz: what states are scaled by)"
	@echo "  BITS=$(or $(BITS),8)  (of a weight)  MODEL_OPTIONS=$(or $(MODEL_OPTIONS),none)  (more of 'python -m spikewright.command.quantize_main build'; both not of ladder)"
	@echo "  MODEL=$(or $(MODEL),what these make)  (a model folder of yours, taken as it is; not of ladder)"
	@echo "  BOARD=$(BOARD)  (or another of 'python -m spikewright.command.boards_main list')  FREQ=$(or $(FREQ),the board's)  (MHz)"
	@echo "  PRESET=$(PRESET)  (or small, fast)  LANES=$(or $(LANES),as the preset)"
	@echo "  CORE_OPTIONS=$(or $(CORE_OPTIONS),none)  (as --tables bitmap, --weight-memory large, --neurons lanes, --multiplier serial)"
	@echo "  BOARD_OPTIONS=$(or $(BOARD_OPTIONS),none)  (of bitstream, as --seed 4, --baud 500000)"
	@echo "  SEEDS=$(SEEDS)  GRID=$(GRID)  SCHEDULER=$(or $(SCHEDULER),none)  (what explore builds, and where)"
	@echo "  SIM=$(SIM)  (or icarus)  STEPS=$(STEPS)  WAVES=$(or $(WAVES),none)  (.vcd; .fst with icarus)  (of sim)"

settings:
	@test -z "$(if $(MODEL),$(if $(QUANTIZE),both))" || { echo "error: BITS, CALIBRATE and MODEL_OPTIONS" \
		"must be left out with MODEL, which is taken as it is" >&2; exit 2; }

spikes:
	@test -n "$(RECORDING)" || { echo "error: RECORDING must be given for a network of yours" >&2; exit 2; }

install: .venv/base ## Install into .venv all that a bitstream needs

torch: .venv/torch ## Install torch as well: for .pth checkpoints and for training

# The model remembers of what make made it. One that does not was made by hand, and stays. So it
# takes its place only with the mark in it.
MADE_OF   = $(shell sed -n 1p $(INTEGERS)/made_of.txt 2>/dev/null)
MADE_WITH = $(shell sed -n 2p $(INTEGERS)/made_of.txt 2>/dev/null)

model: settings $(if $(MODEL),.venv/base,$(READER)) ## Quantize CHECKPOINT to build/NAME/model (with BITS=4: model-4bit)
ifeq ($(MODEL),)
	@test ! -e $(INTEGERS) || test -e $(INTEGERS)/made_of.txt || { echo "error: $(INTEGERS) must be" \
		"made by make to be made anew: take it with MODEL=$(INTEGERS), choose another NAME, or" \
		"remove it" >&2; exit 2; }
	@test ! -e $(INTEGERS) || test "$(abspath $(MADE_OF))" = "$(abspath $(CHECKPOINT))" || { \
		echo "error: $(INTEGERS) must be of $(CHECKPOINT), not of $(MADE_OF):" \
		"choose another NAME, or remove it" >&2; exit 2; }
	@test ! -e $(INTEGERS) || test "$(MADE_WITH)" = "$(QUANTIZE)" || echo "note: $(INTEGERS) is made anew" \
		"with '$(QUANTIZE)', not '$(MADE_WITH)': what was built of it before is of another model" >&2
	$(RUN) -m spikewright.command.quantize_main build $(CHECKPOINT) -o $(INTEGERS).new $(QUANTIZE)
	@printf '%s\n' "$(CHECKPOINT)" "$(QUANTIZE)" > $(INTEGERS).new/made_of.txt
	@rm -rf $(INTEGERS) && mv $(INTEGERS).new $(INTEGERS) && echo "-> $(INTEGERS)"
endif

bitstream: model ## Build CHECKPOINT for BOARD: bitstream and report
	$(RUN) -m spikewright.command.boards_main build $(INTEGERS) --board $(BOARD) -o $(OUT) $(CORE) $(CLOCK) $(BOARD_OPTIONS) \
		$(if $(RECORDING),--recording $(RECORDING))

explore: model ## Build GRID for BOARD, each with SEEDS seeds: area, clock and cycles
	$(RUN) -m spikewright.command.boards_main explore $(INTEGERS) --board $(BOARD) $(CORE) $(CLOCK) --grid $(GRID) --seeds $(SEEDS) \
		-o $(FOLDER)/explore-$(BOARD)$(WIDTH) $(if $(RECORDING),--recording $(RECORDING)) \
		$(if $(SCHEDULER),--scheduler $(SCHEDULER))

report: settings ## Print the report of the last build as text
	@test -f $(OUT)/report.json || { echo "error: there is no report in $(OUT): run make" \
		"bitstream with the same settings" >&2; exit 2; }
	@$(RUN) -m spikewright.command.boards_main show $(OUT)

sim: .venv/test spikes model ## Run the cocotb testbench on the generated Verilog
	$(RUN) -m spikewright.command.sim_main cocotb $(INTEGERS) $(RECORDING) \
		--simulator $(SIM) --steps $(STEPS) $(CORE) $(if $(WAVES),--waves $(WAVES))

demo: spikes model ## Decode RECORDING on the virtual board and draw the trajectory
	$(RUN) -m spikewright.command.host_main run $(INTEGERS) $(RECORDING) --port virtual $(CORE) $(CLOCK) \
		-o $(FOLDER)/demo$(WIDTH).npz --picture $(FOLDER)/demo$(WIDTH).png

ladder: $(READER) ## Measure CHECKPOINT from double precision down to 4 bits
	@test -z "$(MODEL)" || { echo "error: MODEL must be left out with ladder, which measures CHECKPOINT" >&2; \
		exit 2; }
	$(RUN) -m spikewright.command.quantize_main ladder $(CHECKPOINT) -o build/$(NAME)/ladder $(CORE) \
		$(if $(RECORDING),--recording $(RECORDING)) $(if $(CALIBRATE),--calibrate $(CALIBRATE))

export: model ## Write the weight ROMs of CHECKPOINT: .npz, .mem, .svh, .h
	$(RUN) -m spikewright.command.quantize_main export $(INTEGERS) -o $(FOLDER)/rom$(WIDTH) $(if $(LANES),--lanes $(LANES))

verilog: model ## Write the core for designs of your own: Verilog, an example, a FuseSoC core
	$(RUN) -m spikewright.command.hw_main verilog $(INTEGERS) -o $(FOLDER)/verilog$(VARIANT) $(CORE)

test: .venv/test .venv/torch ## Run the tests
	$(RUN) -m pytest tests -n auto --dist loadfile

lint: .venv/lint ## Check style and types
	$(RUN) -m ruff check
	@mkdir -p build/types/spikewright
	@for room in $(ROOMS); do ln -sfn ../../../$$room build/types/spikewright/$$room; done
	@ln -sf ../../../spikewright/__init__.py ../../../spikewright/command build/types/spikewright/
	$(RUN) -m mypy

default: .venv/torch ## Train the default network again and simulate its recording
	$(RUN) -m spikewright.command.train_main default -o data

tables: .venv/base ## Make the tables of README and docs anew, from docs/reports and docs/ladders
	$(RUN) -m spikewright.command.boards_main table README.md docs/performance.md docs/boards.md
	$(RUN) -m spikewright.command.ladder_main table docs/accuracy.md

diagram: .venv/docs ## Simulate and draw the timing diagram of docs/core.md anew
	$(RUN) -m docs.make.waveform docs/core_step.json

clean: ## Remove what was built; .venv stays
	rm -rf build

.venv/base: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python must be 3.11 or newer, not $$($(PYTHON) -V 2>&1): set PYTHON=..." >&2; exit 2; }
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
