# SPDX-License-Identifier: Apache-2.0
"""The quantizer: all passes from a network to an integer model, and facts for its manifest."""

import dataclasses
import functools

from spikewright.model.integers import Widths
from spikewright.model.model import IntegerModel, check_name
from spikewright.network.network import INPUT, Network
from spikewright.network.recording import Recording
from spikewright.network.reference import run_reference
from spikewright.network.retime import in_order, retime

from .advice import changed_decays, clipped, dropped_parts, saturating, vanished
from .bounds import fits, proven_bits
from .calibrate import Calibration, calibrate, calibration_spikes
from .decays import signed_powers
from .integer import quantize, with_states
from .mixed import mixed_bits
from .prune import prune, without_empty
from .rounding import MOST_SHIFT, as_rounded, compensated, nearest
from .rules import Rules
from .suited_decays import suited_decays

__all__ = ["compile_network", "printable"]


def compile_network(network: Network, *, name: str, widths: Widths | None = None,
                    projection_bits: dict[str, int] | None = None,
                    recording: Recording | None = None,
                    rules: Rules | None = None) -> tuple[IntegerModel, Network, dict]:
    """Retime, round, calibrate, quantize and prune ``network``.

    Projections without weights are dropped first.

    Parameters
    ----------
    network : Network
    name : str
        Name of the model: 1 to 100 printable characters.
    widths : Widths, optional
        Number formats. The calibration chooses ``fraction`` and ignores this one.
    projection_bits : dict of str to int, optional
        Bits of a weight of some projections, by their role (`network.network.role`). Other
        projections have the weight bits of ``widths``.
    recording : Recording, optional
        Spikes for the calibration. By default, they are simulated.
    rules : Rules, optional

    Returns
    -------
    model : IntegerModel
    network : Network
        The retimed network that ``model`` was rounded from, with the same projections.
    facts : dict
        Further entries of the manifest: ``calibration``, ``dropped``, ``non_zeros`` and
        ``warnings``. If the rules limit the terms of a decay, also ``decay_terms``.

    Raises
    ------
    InputError
        If the recording has other channels or another dt than the network.
    ValueError
        If the name, the widths or the network cannot be used.
    """
    check_name(name)
    widths, rules = widths or Widths(), rules or Rules()
    network, empty = without_empty(retime(network) if rules.retime else in_order(network))
    widths, bits = mixed_bits(network, widths, projection_bits or {})
    simulated = recording is None
    recording = calibration_spikes(network, recording)
    if not any((p.weights != 0).any() for p in network.projections if p.source == INPUT):
        raise ValueError("Network must have an input weight that is not 0, not only zeros: no "
                         "spike would reach a neuron")
    trace = run_reference(network, recording)
    choose = functools.partial(
        calibrate, network, recording=recording, widths=widths, trace=trace)
    # A shift of k costs up to k fraction bits, so it must not exceed the fraction bits.
    spare = choose(rounded=nearest(network, bits)).widths.fraction
    decays = suited_decays(network, widths.decay, rules.decay_terms, recording, trace)
    rounded = compensated(network, bits, recording, decays=decays, decay_bits=widths.decay,
                          trace=trace, most_shift=min(spare, MOST_SHIFT))
    if rules.decay_terms:
        # With few terms the decays change much. The peaks then come from a run with the rounded
        # network.
        exact = as_rounded(network, rounded, decays, widths.decay)
        choose = functools.partial(choose, trace=run_reference(exact, recording))
    calibration = choose(rounded=rounded)
    model, dropped = prune(quantize(network, rounded, calibration.widths, name, decays))
    proof = proven_bits(model, rules.events_per_channel)
    if rules.states == "proven":
        if proof[0] is None or proof[1] is None:
            raise ValueError("Rule states must be calibrated, not 'proven', for a network with a "
                             "neuron that sums its input without a leak: no width is enough")
        model = with_states(model, proof[0], proof[1])
    evidence = _evidence(model, calibration, proof, rules) | {"simulated": simulated}
    facts = {"calibration": evidence, "dropped": dropped, "non_zeros": model.non_zeros,
             "warnings": [*changed_decays(model, network, rules), *saturating(model, evidence),
                          *clipped(network, rounded), *vanished(network, rounded),
                          *dropped_parts(network, model, empty)]}
    return model, network, facts | (_terms(model, rules) if rules.decay_terms else {})


def printable(text: str) -> str:
    """``text`` with ``_`` for every character that cannot be printed."""
    return "".join(c if c.isprintable() else "_" for c in text)


def _evidence(model: IntegerModel, calibration: Calibration,
              proof: tuple[int | None, int | None], rules: Rules) -> dict:
    widths, neurons = calibration.widths, sum(p.neurons for p in model.populations)
    current, membrane = proof
    proven = fits(model, proof)
    rule = (f"most fraction bits with which the peaks over the calibration spikes fit "
            f"{calibration.margin:g} times")
    if proven:
        most = rules.events_per_channel
        rule += (f"; no input of at most {'one spike' if most == 1 else f'{most} spikes'} per "
                 "channel and step can saturate a state")
    return {"rule": rule, "states": rules.states, "proven": proven,
            **{key: value for key, value in dataclasses.asdict(calibration).items()
               if key != "widths"},
            "proven_bits": {"current": current, "membrane": membrane,
                            "events_per_channel": rules.events_per_channel},
            "state_bits": {"calibrated": neurons * (widths.current + widths.membrane),
                           "proven": None if current is None or membrane is None
                           else neurons * (current + membrane)}}


def _terms(model: IntegerModel, rules: Rules) -> dict:
    return {"decay_terms": {"most": rules.decay_terms, "terms": {
        p.name: {kind: [signed_powers(value) for value in values.tolist()]
                 for kind, values in (("synaptic", p.synaptic_decay),
                                      ("membrane", p.membrane_decay))}
        for p in model.populations}}}
