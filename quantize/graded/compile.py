# SPDX-License-Identifier: Apache-2.0
"""The quantizer of graded networks: the integer model, and facts for its manifest."""

from spikewright.model.integers import Widths
from spikewright.model.model import IntegerModel, check_name
from spikewright.network.graded.network import GradedNetwork
from spikewright.network.recording import Recording

from ..calibrate import calibration_spikes
from .hybrid import HYBRID_MARGIN, is_hybrid, quantize_hybrid
from .inner import CURRENT_MARGIN, has_inner_steps, quantize_inner
from .integer import MARGIN, quantize_graded

__all__ = ["compile_graded"]


def compile_graded(network: GradedNetwork, *, name: str, weight_bits: int = Widths.weight,
                   recording: Recording | None = None) -> tuple[IntegerModel, dict]:
    """Round ``network`` to integers.

    Parameters
    ----------
    network : GradedNetwork
    name : str
        Name of the model: 1 to 100 printable characters.
    weight_bits : int
        Bits of a weight, 2 to 16.
    recording : Recording, optional
        Spikes for the calibration. By default, they are simulated.

    Returns
    -------
    model : IntegerModel
    facts : dict
        Further entries of the manifest: ``values``, ``non_zeros`` and ``warnings``.

    Raises
    ------
    InputError
        If the recording has other channels or another dt than the network.
    ValueError
        If the name, the bits or the network cannot be used.
    """
    check_name(name)
    simulated = recording is None
    recording = calibration_spikes(network, recording)
    if has_inner_steps(network):
        model = quantize_inner(network, recording, name=name, weight_bits=weight_bits)
        bits, margin = model.widths.current, CURRENT_MARGIN
    else:
        work, margin = ((quantize_hybrid, HYBRID_MARGIN) if is_hybrid(network) else
                        (quantize_graded, MARGIN))
        model = work(network, recording, name=name, weight_bits=weight_bits)
        bits = model.value_bits
    return model, {
        "values": {"bits": bits, "margin": margin, "source": recording.name,
                   "simulated": simulated},
        "non_zeros": model.non_zeros, "warnings": []}
