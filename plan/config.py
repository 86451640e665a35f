# SPDX-License-Identifier: Apache-2.0
"""The configuration of a core: what the user chooses, and the named presets."""

import numbers
from dataclasses import dataclass, field, fields, replace

from spikewright.base.errors import InputError, did_you_mean, is_choice

from .formats import FORMATS

__all__ = ["BAUD", "BAUDS", "BIT_CYCLES", "CHOICES", "CLOCK_MHZ", "PRESETS", "CoreConfig",
           "check_clock", "chosen", "line_baud", "unusual"]

# Bits per second on the serial line, by default, and the fewest and most; cycles of a bit at least.
BAUD = 1_000_000
BIT_CYCLES = 8
BAUDS = 9600, 12_000_000

# Clock of a decoder without a board, in MHz.
CLOCK_MHZ = 24.0


CHOICES = {
    "tables":        (*FORMATS, "smallest"),
    "weight_memory": ("block", "large"),
    "neurons":       ("shared", "lanes"),
    "multiplier":    ("parallel", "serial"),
    "load":          ("none", "model"),
    "staging":       ("none", "block", "large"),
}


@dataclass(frozen=True, kw_only=True)
class CoreConfig:
    """The choices of the user for a core. Everything else follows from the model.

    Parameters
    ----------
    lanes : int
        Synapses added per cycle, 1 to 64.
    tables : str
        Format of the weight tables: ``dense``, ``bitmap``, ``rows`` or ``smallest``. See
        `plan.formats`. ``smallest`` takes the format with the fewest bits for each projection.
    weight_memory : str
        ``block``: block RAM, which the bitstream fills. ``large``: the large RAMs of a device,
        which the host fills. Large RAMs hold dense tables only.
    neurons : str
        ``shared``: one pipeline with one multiplier updates one neuron after another. ``lanes``:
        a neuron unit in each lane.
    multiplier : str
        ``parallel``: a whole product per cycle. ``serial``: one bit of the decay per cycle, for
        devices without multipliers. A graded value then adds its row once for each of its signed
        digits. A serial multiplier needs shared neurons.
    load : str
        ``model``: a host may load another model of the same form into the running device. That
        needs shared neurons. ``none``: the model is that of the bitstream.
    staging : str
        Where a model that is loaded waits until it is whole: in ``block`` RAM, or in ``large`` RAM.
        The old model answers meanwhile. ``none``: the words of the new model replace those of the
        old one as they come, and no step is executed before the last one.

    Raises
    ------
    TypeError
        If ``lanes`` is not an int.
    ValueError
        If a choice is not allowed, or two choices exclude each other.
    """

    lanes: int = 4
    tables: str = "dense"
    weight_memory: str = "block"
    neurons: str = "shared"
    multiplier: str = "parallel"
    load: str = "none"
    staging: str = field(default="none", metadata={"later": True})

    def __post_init__(self) -> None:
        if type(self.lanes) is not int:
            raise TypeError(f"Core lanes must be an int, not {self.lanes!r}")
        if not 1 <= self.lanes <= 64:
            raise ValueError(f"Core lanes must be between 1 and 64, not {self.lanes!r}")
        for name, allowed in CHOICES.items():
            value = getattr(self, name)
            if not is_choice(value, allowed):
                raise ValueError(f"Core {name} must be one of {', '.join(allowed)}, not {value!r}")
        if self.tables in ("bitmap", "smallest") and self.lanes & (self.lanes - 1):
            raise ValueError(f"Core lanes must be a power of two with {self.tables} tables, "
                             f"not {self.lanes!r}")
        if self.weight_memory == "large" and self.tables != "dense":
            raise ValueError(f"Core tables must be dense in large weight memory, "
                             f"not {self.tables!r}")
        if self.neurons == "lanes" and self.multiplier != "parallel":
            raise ValueError(f"Core multiplier must be parallel with a neuron unit per lane, "
                             f"not {self.multiplier!r}")
        if self.load == "model" and self.neurons != "shared":
            raise ValueError(f"Core neurons must be shared where a model can be loaded, "
                             f"not {self.neurons!r}")
        if self.staging != "none" and self.load != "model":
            raise ValueError(f"Core staging must be none where no model can be loaded, not "
                             f"{self.staging!r}")


PRESETS = {
    "small":    CoreConfig(lanes=1),
    "balanced": CoreConfig(),
    "fast":     CoreConfig(lanes=8, weight_memory="large", neurons="lanes"),
}


def unusual(config: CoreConfig) -> dict[str, str]:
    """Choices in ``config`` that differ from the defaults, by the name of the field."""
    usual = CoreConfig()
    return {name: getattr(config, name) for name in CHOICES
            if getattr(config, name) != getattr(usual, name)}


def chosen(preset: str, given: dict, instead: dict | None = None) -> CoreConfig:
    """The configuration ``preset``, changed by the choices in ``given``.

    ``given`` and ``instead`` have fields of `CoreConfig` by name. ``instead`` also changes the
    preset. Where both have a field, ``given`` counts. A model that can be loaded is staged in block
    RAM unless ``given`` says otherwise.

    Raises
    ------
    InputError
        If there is no such preset, field or choice, or the choices do not go together.
    """
    names = [field.name for field in fields(CoreConfig)]
    for name in given:
        if name not in names:
            raise InputError(f"Option of a core must be one of {', '.join(names)}, not {name!r}"
                             f"{did_you_mean(name, names)}")
    if not is_choice(preset, PRESETS):
        raise InputError(f"Preset must be one of {', '.join(PRESETS)}, not {preset!r}"
                         f"{did_you_mean(preset, PRESETS)}")
    staged = {"staging": "block"} if given.get("load") == "model" else {}
    try:
        return replace(PRESETS[preset], **{**staged, **(instead or {}), **given})
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from error


def line_baud(baud: int | None, clock_hz: int | None = None) -> int:
    """Bits per second on the serial line of a device with this clock.

    Parameters
    ----------
    baud : int or None
        None for ``BAUD``, or for the most that the clock allows where that is less.
    clock_hz : int, optional
        None if the clock is not known.

    Raises
    ------
    InputError
        If ``baud`` is no int, or not in ``BAUDS``.
    """
    if baud is None:
        return BAUD if clock_hz is None else min(BAUD, clock_hz // BIT_CYCLES)
    low, high = BAUDS
    if type(baud) is not int or not low <= baud <= high:
        raise InputError(f"Baud rate must be a whole number from {low} to {high}, not {baud!r}")
    return baud


def check_clock(megahertz: float) -> None:
    """Check the clock of a decoder.

    Raises
    ------
    InputError
        If it is no number between 0 and 1000.
    """
    if (not isinstance(megahertz, numbers.Real) or isinstance(megahertz, bool)
            or not 0 < megahertz < 1000):
        raise InputError(f"Clock must be a number of MHz between 0 and 1000, not {megahertz!r}")
