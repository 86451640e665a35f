# SPDX-License-Identifier: Apache-2.0
"""Export of the tables of a model, for other tools."""

import json
from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError
from spikewright.base.files import written_folder
from spikewright.model.artefact import model_tables
from spikewright.model.integers import WIDTH_LIMITS
from spikewright.model.model import IntegerModel

from .header import c_header, comment, identifier, sv_header
from .images import factor_column, neuron_words
from .layout import Layout

__all__ = ["export_rom"]

FILES = {
    "rom.npz":     "plain tables, one row of weights per source neuron",
    "weights.mem": "$readmemh image of the weight memory",
    "neurons.mem": "$readmemh image of the neuron memory",
    "rom.svh":     "SystemVerilog localparams: widths, shapes, addresses, hash",
    "rom.h":       "C header: widths, constants and weights as arrays",
}


def export_rom(folder: Path, model: IntegerModel, model_hash: str, lanes: int) -> dict:
    """Write the tables of ``model`` into ``folder``, in each form of ``FILES``.

    File names are the same for all models. Identifiers in the headers begin with the name of the
    model, changed to an identifier. `plan.images` describes the memory images.

    Parameters
    ----------
    folder : Path
        New, empty, or an earlier export.
    model : IntegerModel
    model_hash : str
        SHA-256 of the model in hex.
    lanes : int
        Weights of a word in the image of the weight memory.

    Returns
    -------
    dict
        The index, as in rom.json.

    Raises
    ------
    InputError
        If ``folder`` has other contents, or the model is graded.
    """
    if model.graded:
        raise InputError("Model must be one of spiking neurons to export its tables, not a graded "
                         "one: 'spikewright verilog' writes the core with its tables")
    index = _index(model, model_hash, lanes)
    with written_folder(folder, "rom.json") as temporary:
        np.savez_compressed(temporary / "rom.npz", **_plain(model))  # type: ignore[arg-type]
        for name, text in {
                **{f"{_memory(model, bits)}.mem": _mem(
                    index, _memory(model, bits), tables.dense, f"each {lanes} weights of {bits} "
                    "bits, two's complement, lane 0 lowest")
                   for bits, tables in Layout(model=model, lanes=lanes).images.items()},
                "neurons.mem": _mem(index, "neurons", neuron_words(model),
                                    "two per neuron: m (0) and B, then threshold and A; the decay "
                                    f"is the lowest {factor_column(model)} bits"),
                "rom.svh": sv_header(index, model),
                "rom.h": c_header(index, model),
                "rom.json": json.dumps(index, indent=2) + "\n"}.items():
            (temporary / name).write_text(text, encoding="ascii")
    return index


def _index(model: IntegerModel, model_hash: str, lanes: int) -> dict:
    layout, widths = Layout(model=model, lanes=lanes), model.widths
    narrow = {f"{_memory(model, bits)}.mem": f"the same for the weights of {bits} bits"
              for bits in layout.images if bits < widths.weight}
    return {
        "schema": 1, "model_hash": model_hash, "name": model.name,
        "prefix": identifier(model.name), "lanes": lanes, "files": FILES | narrow,
        "memories": {
            **{_memory(model, bits): {"words": len(images.dense), "bits": lanes * bits}
               for bits, images in layout.images.items()},
            "neurons": {"words": 2 * sum(p.neurons for p in model.populations),
                        "bits": widths.membrane + factor_column(model)}},
        "populations": [{"name": name, "neurons": span.neurons,
                         "spiking": span.population.spiking, "state_base": span.word}
                        for name, span in layout.spans.items()],
        "projections": [{"source": p.source, "target": p.target, "delay": p.delay,
                         "shift": p.shift, "weight_bits": p.bits, "rows": table.rows,
                         "row_words": table.row_words, "weight_base": table.first}
                        for p, table in zip(model.projections, layout.tables, strict=True)]}


def _memory(model: IntegerModel, bits: int) -> str:
    """Name of the memory for weights of ``bits`` bits."""
    return "weights" if bits == model.widths.weight else f"weights_{bits}"


def _plain(model: IntegerModel) -> dict[str, np.ndarray]:
    """The tables of the model folder, and the numbers that a reader of them needs."""
    return model_tables(model) | {
        **{f"{key}_bits": np.array(getattr(model.widths, key)) for key in WIDTH_LIMITS},
        "dt": np.array(model.dt), "lead_steps": np.array(model.lead_steps)}


def _mem(index: dict, key: str, words: list[int], layout: str) -> str:
    bits = index["memories"][key]["bits"]
    lines = [f"// Model {comment(index['name'])}, hash {index['model_hash']}",
             f"// {key}: {len(words)} words of {bits} bits, {layout}"]
    return "\n".join(lines + [f"{word:0{-(-bits // 4)}x}" for word in words]) + "\n"
