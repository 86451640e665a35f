# SPDX-License-Identifier: Apache-2.0
"""``spikewright ladder``: measure what fewer bits cost, down to the gates."""

import filecmp
import json
import os
import shutil
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from spikewright.base.cache import cache_folder
from spikewright.base.errors import InputError
from spikewright.base.files import check_output, real_path, written_file, written_folder
from spikewright.network.checkpoint import checkpoint_hash
from spikewright.network.graded.network import AnyNetwork, GradedNetwork, spiking
from spikewright.network.recording import (
    SIMULATED_SEED,
    Recording,
    read_recording,
    simulated_recording,
)
from spikewright.network.retime import retime
from spikewright.network.source import Source, read_source

from ..options import (
    NETWORKS,
    add_build,
    add_core_options,
    add_nir_options,
    chosen_config,
    chosen_nir,
    core_choices,
)
from ..parser import end_at_mismatches, whole_number
from ..training.shared import check_torch

__all__ = ["add", "run"]


def _rungs(words: str) -> tuple[str, ...]:
    from spikewright.verify.ladder.rungs import rung_name
    try:
        return tuple(dict.fromkeys(rung_name(word) for word in words.split(",")))
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    from spikewright.verify.ladder.rungs import DEFAULT_RUNGS
    parser.description = ("Measure networks with fewer and fewer bits: fidelity to double "
                          "precision, decoding accuracy, memory and operations. The exit status "
                          "is 1 if the simulated hardware differs from the golden model.")
    parser.add_argument("checkpoints", type=Path, nargs="*", metavar="CHECKPOINT",
                     help=f"trained networks, {NETWORKS}")
    parser.add_argument("--recording", type=Path, nargs="+", default=[], metavar="RECORDING.npz",
                     help="recordings to measure on: one for all checkpoints, or one for each in "
                     "their order. One checkpoint may have several (default: simulated spikes)")
    parser.add_argument("--calibrate", type=Path, nargs="+", default=[], metavar="RECORDING.npz",
                     help="recordings to calibrate the integers with: one for all checkpoints, or "
                     "one for each (default: simulated spikes with another seed)")
    parser.add_argument("--rungs", type=_rungs, default=DEFAULT_RUNGS, metavar="LIST",
                     help="number formats, separated by commas: fp64, fp32, fp16, weight bits "
                     "from 2 to 16, or bits of input/recurrent/output weights, such as 4/8/8 "
                     "(default: "
                     f"{','.join(DEFAULT_RUNGS)})")
    parser.add_argument("--finetune", type=Path, nargs="+", default=[], metavar="RECORDING.npz",
                     help="also train the integers of rungs below 8 bits on these recordings with "
                     "velocity: one for all checkpoints, or one for each. It needs torch "
                     "(default: only round)")
    parser.add_argument("--no-rtl", dest="rtl", action="store_false",
                     help="do not compare the simulated hardware with the integer formats")
    parser.add_argument("--netlist", type=whole_number(1, 1 << 20), default=0, metavar="STEPS",
                     help="also simulate the synthesized gates of the integer formats, for the "
                     "first STEPS time steps. It takes minutes, more with large weight memory, "
                     "and needs Icarus Verilog (default: no gates)")
    add_core_options(parser)
    parser.add_argument("--jobs", type=whole_number(1, 1024), metavar="N",
                     default=len(os.sched_getaffinity(0)),
                     help="processes that run at a time (default: one per processor)")
    add_build(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="DIR",
                     help="folder to write: ladder.json, ladder.png and ladder.html (default: only "
                     "print)")
    parser.add_argument("--draw", type=Path, metavar="LADDER.json", help="do not measure: draw "
                        "the picture of this ladder into the file --output")
    add_nir_options(parser)


def run(arguments: Namespace) -> None:
    """Measure, write the ladder, and print its tables."""
    from spikewright.verify.ladder.page import page
    from spikewright.verify.ladder.picture import picture
    from spikewright.verify.ladder.run import climb_all, failures
    from spikewright.verify.ladder.rungs import Checks, tuned, with_tuned
    from spikewright.verify.ladder.table import text
    if arguments.draw:
        return _draw(arguments)
    if not arguments.checkpoints:
        raise InputError("Checkpoints must be one or more, not none")
    if arguments.netlist and shutil.which("iverilog") is None:
        raise InputError("Tool iverilog must be on PATH for --netlist, not missing: install Icarus "
                         "Verilog (Debian: apt install iverilog)")
    config = chosen_config(arguments)
    rungs  = arguments.rungs
    if arguments.finetune:
        rungs = with_tuned(rungs)
        if not any(tuned(rung) for rung in rungs):
            raise InputError("Option --finetune must come with a rung below 8 bits, not with "
                             f"{','.join(rungs)}")
        check_torch()
    climbs = _climbs(arguments)
    checks = Checks(rtl=arguments.rtl, gates=arguments.netlist, config=config,
                    given=frozenset(core_choices(arguments)), cache=cache_folder(arguments.build))
    if arguments.output is None:
        ladder = climb_all(climbs, rungs, checks, arguments.jobs)
        print(text(ladder))
    else:
        with written_folder(arguments.output, "ladder.json") as folder:
            ladder = climb_all(climbs, rungs, checks, arguments.jobs)
            drawing = picture(ladder)
            (folder / "ladder.json").write_text(json.dumps(ladder, indent=1, allow_nan=False)
                                                + "\n", encoding="utf-8")
            (folder / "ladder.png").write_bytes(drawing.png)
            (folder / "ladder.html").write_text(page(ladder, drawing), encoding="utf-8")
        print(text(ladder))
        print(f"-> {arguments.output}/ladder.html")
    end_at_mismatches(failures(ladder))
    return None


def _draw(arguments: Namespace) -> None:
    """Draw the picture of an existing ladder."""
    from spikewright.verify.ladder.picture import picture
    from spikewright.verify.ladder.table import load_ladder
    if arguments.checkpoints or arguments.output is None:
        raise InputError("Option --draw must have --output and no checkpoints")
    for name in ("recording", "calibrate", "finetune"):
        if getattr(arguments, name):
            raise InputError(f"Option --{name} must come without --draw, which does not measure")
    check_output(arguments.output, (".png",))
    drawing = picture(load_ladder(arguments.draw))
    with written_file(arguments.output) as temporary:
        temporary.write_bytes(drawing.png)


def _climbs(arguments: Namespace) -> list:
    """Return the networks to measure, each with its spikes."""
    from spikewright.api import read
    from spikewright.quantize.compile import printable
    from spikewright.train.recording import target_velocity
    from spikewright.verify.ladder.rungs import Climb
    paths: list[Path] = arguments.checkpoints
    given: list[Path] = arguments.recording
    if len(paths) == 1 and len(given) > 1:
        names = [f"{_names(paths)[0]} on {printable(path.stem)}" for path in given]
        paths = paths * len(given)
    else:
        names = _names(paths)
    recordings = _one_each(given, len(paths), "recording")
    calibrations = _one_each(arguments.calibrate, len(paths), "calibrate")
    tunings = _one_each(arguments.finetune, len(paths), "finetune")
    climbs = []
    for name, path, recording, calibrate, finetune in zip(names, paths, recordings, calibrations,
                                                          tunings, strict=True):
        network = read(path, **chosen_nir(arguments))
        if finetune:
            spiking(network)
        if not isinstance(network, GradedNetwork):
            network = retime(network)
        tuning = _fitting(finetune, network)
        if tuning:
            target_velocity(tuning)
        source = _source(recording, network)
        if finetune and recording and filecmp.cmp(finetune, recording, shallow=False):
            raise InputError("Recording of --finetune must be another one than that of "
                             f"--recording, not {finetune}: the decoding would be that of steps "
                             "that the integers have learnt")
        climbs.append(Climb(
            name=name, network=network, source=source,
            calibration=_fitting(calibrate, network), tuning=tuning,
            checkpoint={"file": printable(path.name), "sha256": checkpoint_hash(path)}))
    return climbs


def _fitting(path: Path | None, network: AnyNetwork) -> Recording | None:
    """Read a recording for the network."""
    if path is None:
        return None
    recording = read_recording(path)
    recording.check_fits(network.channels, network.dt)
    return recording


def _source(path: Path | None, network: AnyNetwork) -> Source:
    """Return the spikes to measure on. Simulated spikes are not those of the calibration."""
    from spikewright.report.score import MOST_STEPS
    if path is None:
        recording = simulated_recording(network, seed=SIMULATED_SEED + 1)
        return Source(recording=recording, simulated=True)
    source = read_source(path, network)
    return Source(**{**vars(source), "recording": source.recording.head(MOST_STEPS)})


def _one_each(paths: list[Path], count: int, option: str) -> list[Path] | list[None]:
    if not paths:
        return [None] * count
    if len(paths) not in (1, count):
        raise InputError(f"Recordings of --{option} must be one, or one for each of the {count} "
                         f"networks, not {len(paths)}")
    return paths * (count // len(paths))


def _names(paths: list[Path]) -> list[str]:
    """Return the file names without suffix, with the folder if two names are equal."""
    from spikewright.quantize.compile import printable
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [f"{real_path(path).parent.name}/{path.stem}" for path in paths]
    return [printable(name)[:100] for name in names]
