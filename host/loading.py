# SPDX-License-Identifier: Apache-2.0
"""Load another model into a running device."""

from itertools import product

from spikewright.base.errors import InputError
from spikewright.model.model import IntegerModel
from spikewright.model.saved import Model
from spikewright.plan.config import CHOICES, CoreConfig
from spikewright.plan.frames import Capability
from spikewright.plan.plan import Plan

from .driver import Driver

__all__ = ["load_model", "plan_with"]


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
    raise InputError("Model must have the form of the model that the device was built for: the "
                     "same populations, projections, rows, widths and sizes of tables")


def load_model(driver: Driver, model: Model) -> None:
    """Load ``model`` into the device of ``driver``. The next step should reset.

    Raises
    ------
    InputError
        If the device takes no model, or the model has another form. The device keeps its model.
    NoAnswerError, ValueError
        As `Driver.load`. The device then has no model.
    """
    info = driver.read_info()
    if Capability.MODEL not in info.capability:
        raise InputError("Device must be built with --load model to take another model")
    plan = plan_with(model.integers, info.program_hash, driver.load_form().lanes)
    driver.load(plan.loaded_bytes, model.hash)
