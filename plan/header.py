# SPDX-License-Identifier: Apache-2.0
"""Headers of an exported model: its tables in C, its memory shapes in SystemVerilog."""

import re
import textwrap

import numpy as np

from spikewright.model.integers import WIDTH_LIMITS
from spikewright.model.model import IntegerModel

__all__ = ["c_header", "comment", "identifier", "sv_header"]


def comment(text: str) -> str:
    """``text`` with ``_`` for each character that is not safe in a comment of C or Verilog."""
    return re.sub(r"[^A-Za-z0-9 ._+-]", "_", text)


def identifier(text: str) -> str:
    """``text`` as a lower-case identifier for C and SystemVerilog, at most 40 characters."""
    word = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:32].rstrip("_")
    return word if word[:1].isalpha() else f"model_{word}".rstrip("_")


def sv_header(index: dict, model: IntegerModel) -> str:
    """Text of rom.svh: localparams of widths, shapes, base addresses and hash.

    A module or a package includes the text.
    """
    prefix, memories = index["prefix"].upper(), index["memories"]
    values = {**_numbers(index, model), "LANES": index["lanes"],
              **{f"{_one(name)}_{key}".upper(): memory[field] for name, memory in memories.items()
                 for key, field in (("words", "words"), ("word_bits", "bits"))}}
    populations, projections = _parts(index)
    for part, population in zip(populations, index["populations"], strict=True):
        values |= {f"{part}_{key}".upper(): int(population[key])
                   for key in ("neurons", "spiking", "state_base")}
    for part, projection in zip(projections, index["projections"], strict=True):
        values |= {f"{part}_{key}".upper(): projection[key]
                   for key in ("delay", "shift", "weight_bits", "rows", "row_words", "weight_base")}
    lines = [f"// Model {comment(model.name)}, made by 'spikewright export'.",
             "// Include it inside a module or a package. Bases are word addresses.",
             "// A design seldom uses all of them.",
             "/* verilator lint_save */", "/* verilator lint_off UNUSEDPARAM */",
             f"localparam [255:0] {prefix}_HASH = 256'h{index['model_hash']};"]
    lines += [f"localparam int {prefix}_{key} = {value};" for key, value in values.items()]
    return "\n".join([*lines, "/* verilator lint_restore */", ""])


def _one(memory: str) -> str:
    """Singular of the name of ``memory``: ``weight_4`` for ``weights_4``."""
    kind, _, width = memory.partition("s")
    return kind + width


def c_header(index: dict, model: IntegerModel) -> str:
    """Text of rom.h: constants, and arrays of stdint types.

    Weights are arrays of [source][target].
    """
    prefix, macro = index["prefix"], index["prefix"].upper()
    numbers = {"HASH": f'"{index["model_hash"]}"', "DT": repr(float(model.dt)),
               **_numbers(index, model)}
    arrays = [_array("int32_t", f"{prefix}_channel_row", model.channel_row,
                     "input row of each channel; -1 if its spikes are ignored"),
              _array("double", f"{prefix}_readout", model.readout,
                     "[axes][outputs]: physical units per LSB of m, outputs in order of "
                     "populations"),
              _array("double", f"{prefix}_offset", model.offset,
                     "[axes]: physical units, added to readout times outputs")]
    populations, projections = _parts(index)
    for part, population in zip(populations, model.populations, strict=True):
        numbers |= {f"{part}_NEURONS".upper(): population.neurons,
                    f"{part}_SPIKING".upper(): int(population.spiking)}
        arrays += [
            _array("int32_t", f"{prefix}_{part}_kept", population.kept,
                   "index of each neuron in the checkpoint"),
            _array("uint16_t", f"{prefix}_{part}_synaptic_decay", population.synaptic_decay, "A"),
            _array("uint32_t" if model.factor_bits > 16 else "uint16_t",
                   f"{prefix}_{part}_membrane_decay", population.membrane_decay, "B"),
            _array("int32_t", f"{prefix}_{part}_threshold", population.threshold,
                   "a neuron fires if m is above it")]
    for part, projection in zip(projections, model.projections, strict=True):
        numbers |= {f"{part}_DELAY".upper(): projection.delay,
                    f"{part}_SHIFT".upper(): projection.shift,
                    f"{part}_WEIGHT_BITS".upper(): projection.bits,
                    f"{part}_ROWS".upper(): len(projection.weights)}
        kind = "int8_t" if projection.bits <= 8 else "int16_t"
        arrays.append(_array(kind, f"{prefix}_{part}_weights", projection.weights,
                             f"what a spike of {comment(projection.source)} adds"))
    defines = [f"#define {macro}_{key} {value}" for key, value in numbers.items()]
    return "\n".join([*_c_comment(model), f"#ifndef {macro}_ROM_H", f"#define {macro}_ROM_H", "",
                      "#include <stdint.h>", "", *defines, "", *arrays, "#endif", ""])


# What a spike does, as a line of rom.h.
RESETS = {
    "zero_lose": "m = 0 in the step after a spike",
    "zero_keep": "m = 0 after y, if y",
    "subtract_next": "m = sat(rnd(B * m) + s - threshold) in the step after a spike",
    "subtract_same": "m -= threshold after y, if y",
    "none": "a spike changes nothing"}


def _resets(model: IntegerModel) -> list[str]:
    """The equation of m, and below it the reset of each population if they are not all alike."""
    usual = "zero_lose"
    if all(population.reset == usual for population in model.populations):
        return [" *   m  = fired before ? 0 : sat(rnd(B * m) + s)"]
    return [" *   m  = sat(rnd(B * m) + s)",
            *(f" *        {comment(population.name)}: {RESETS[population.reset]}"
              for population in model.populations if population.spiking)]


def _c_comment(model: IntegerModel) -> list[str]:
    order = ", ".join(comment(population.name) for population in model.populations)
    return [
        f"/* Model {comment(model.name)}, made by 'spikewright export'.", " *",
        f" * One step, populations in the order {order}:", " *",
        " *   s += w << (FRACTION_BITS + SHIFT)       for each event that falls due",
        *_resets(model),
        " *   y  = m > threshold                      spiking populations",
        " *   s  = rnd(A * s)", " *",
        " * rnd(x) = (x + (1 << (DECAY_BITS - 1))) >> DECAY_BITS; s and m are signed and clamp to",
        " * CURRENT_BITS and MEMBRANE_BITS. Products need 48 bits. An event of a projection falls",
        " * due DELAY steps after the spike; DELAY and SHIFT are those of the projection. The",
        " * outputs are m of the other populations. */"]


def _numbers(index: dict, model: IntegerModel) -> dict[str, int]:
    return {"CHANNELS": model.channels, "INPUT_ROWS": model.rows, "OUTPUTS": model.outputs,
            "LEAD_STEPS": model.lead_steps,
            **{f"{key.upper()}_BITS": getattr(model.widths, key) for key in WIDTH_LIMITS}}


def _parts(index: dict) -> tuple[list[str], list[str]]:
    """Words for each population and each projection in identifiers. All of them differ."""
    taken = {"input"}
    by_name = {"input": "input"}

    def unique(text: str) -> str:
        number, result = 1, text
        while result in taken:
            number += 1
            result = f"{text}_{number}"
        taken.add(result)
        return result

    for population in index["populations"]:
        by_name[population["name"]] = unique(identifier(population["name"]))
    projections = [unique(f"{by_name[p['source']]}_to_{by_name[p['target']]}")
                   for p in index["projections"]]
    return [by_name[p["name"]] for p in index["populations"]], projections


def _array(kind: str, name: str, values: np.ndarray, meaning: str) -> str:
    axes = "".join(f"[{size}]" for size in values.shape)
    text = ",\n".join(_braces(row) for row in np.atleast_2d(values).tolist())
    value = f"{{\n{text}}}" if values.ndim == 2 else text
    return f"/* {meaning} */\nstatic const {kind} {name}{axes} =\n{value};\n"


def _braces(values: list) -> str:
    return textwrap.fill(", ".join(map(repr, values)), 96, initial_indent="{",
                         subsequent_indent=" ") + "}"
