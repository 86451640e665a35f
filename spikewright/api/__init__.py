# SPDX-License-Identifier: Apache-2.0
"""The Python API: the work of the command `spikewright`, as functions."""

from spikewright.base.errors import InputError
from spikewright.host.decoder import Decoder
from spikewright.model.saved import Model
from spikewright.network.state_dicts.torch_module import from_sequential
from spikewright.report.report import Report

from .building import build
from .models import load, quantize, quantize_options, read
from .running import Result, run

__all__ = ["Decoder", "InputError", "Model", "Report", "Result", "build", "from_sequential",
           "load", "quantize", "quantize_options", "read", "run"]
