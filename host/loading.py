# SPDX-License-Identifier: Apache-2.0
"""Load weights, or another model, into a running device."""

from collections.abc import Callable
from itertools import product

from spikewright.base.errors import InputError
from spikewright.model.model import IntegerModel
from spikewright.model.saved import Model
from spikewright.plan.config import CHOICES, CoreConfig
from spikewright.plan.frames import Capability
from spikewright.plan.plan import Plan

from .driver import Driver

__all__ = ["load_model", "plan_with", "table_for", "weights_of"]


def plan_with(model: IntegerModel, program_hash: bytes, lanes: int) -> Plan:
    """The plan of ``model`` that a device with this program and number of lanes can load.

    ``program_hash`` has the first 8 bytes.

    Raises
    ------
    InputError
        If there is none.
    """
    for choices in product(*(CHOICES[name] for name in ("tables", "weight_memory", "multiplier"))):
        names = dict(zip(("tables", "weight_memory", "multiplier"), choices, strict=True))
        try:
            plan = Plan(model=model, config=CoreConfig(lanes=lanes, load="model", **names))
        except ValueError:
            continue
        if bytes.fromhex(plan.program_hash)[:8] == program_hash:
            return plan
    raise InputError("Model must have the form of the model that the device was built for, not "
                     "other populations, projections, rows, widths or sizes of tables")


def load_model(driver: Driver, model: Model) -> None:
    """Load ``model`` into the device of ``driver``. The next step begins from zero state.

    Raises
    ------
    InputError
        As `table_for`. The device keeps its model.
    NoAnswerError, ValueError
        As `Driver.loading`.
    """
    driver.load(table_for(driver, model), model.hash)


def table_for(driver: Driver, model: Model) -> bytes:
    """The table that `Driver.load` takes to load ``model``. The device keeps its own.

    Raises
    ------
    InputError
        If the device takes no model, or the model has another form.
    NoAnswerError
        If the device does not answer.
    """
    info = driver.info or driver.read_info()
    if Capability.MODEL not in info.capability:
        raise InputError("Device must be built with --load model, not without it, to take another "
                         "model")
    return plan_with(model.integers, info.program_hash, driver.load_form().lanes).loaded_bytes


def weights_of(model: IntegerModel) -> Callable[[int], list[int]]:
    """Return the function that gives a `Driver` the words of large weight memory."""
    return lambda lanes: Plan(model=model, config=CoreConfig(
        lanes=lanes, weight_memory="large")).loaded
