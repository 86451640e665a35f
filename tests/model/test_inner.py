# SPDX-License-Identifier: Apache-2.0
"""Models with a normalized window and inner steps: what they may hold, their sums, their folder."""

from dataclasses import replace

import numpy as np
import pytest

from spikewright.model.artefact import load_model, model_hash, save_artefact
from spikewright.model.inner import moment_bits, weight_sums, wide_bits
from tests.graded import graded_network
from tests.units import graded_model, inner_model


def changed(model, name, **changes):
    return replace(model, populations=tuple(
        replace(p, **changes) if p.name == name else p for p in model.populations))


def joined(model, index, **changes):
    """The model with a changed projection."""
    projections = list(model.projections)
    projections[index] = replace(projections[index], **changes)
    return replace(model, projections=tuple(projections))


def test_shape():
    model = inner_model(0)
    assert [p.name for p in model.populations] == [
        *(f"part{k}" for k in range(7)), "constant", "lif1", "lif2", "lif3"]
    assert (model.inner_steps, model.cells, model.epsilon, model.fill_steps) == (7, 21, 1, 49)
    assert [(p.delay, p.until) for p in model.projections[:7]] == [
        (43 - 7 * k, 50 - 7 * k) for k in range(7)]
    assert model.hidden == 7 * (4 + 3) and model.value_bits == 0
    assert model.spike_columns == {"lif1": slice(0, 28), "lif2": slice(28, 49)}


def test_bits():
    """The log has room for 64 events: S1 <= 64, S2 <= 64**2, and D <= 21 S2 + 1."""
    model = inner_model(0)
    assert model.window_room == 64 and moment_bits(model) == (7, 13, 18)
    part, projection = model.populations[0], model.projections[0]
    assert weight_sums(model, part).tolist() == projection.weights.sum(axis=0).tolist()
    most = max(64 * (21 * np.abs(p.weights).max(axis=0) + np.abs(p.weights.sum(axis=0))).max()
               for p in model.projections[:7])
    assert wide_bits(model) == int(most).bit_length() + 1


def test_folder_holds_the_model(tmp_path):
    model = inner_model(1)
    save_artefact(tmp_path / "model", model,
                  graded_network("SNN_Flat", 1, channels=3, hidden=(4, 3)), {})
    again, _, manifest = load_model(tmp_path / "model")
    assert model_hash(again) == model_hash(model) == manifest["model_hash"]
    assert again.epsilon == manifest["model"]["epsilon"] == 1


@pytest.mark.parametrize("change, message", [
    (lambda m: replace(m, epsilon=0), "epsilon must be between 1 and 441, not 0"),
    (lambda m: replace(m, channels=4, channel_row=np.array([0, 1, 2, -1])),
     "channel_row must have a row for each channel, so that all are counted"),
    (lambda m: changed(m, "part3", size=3, bias=np.zeros(3, int), factor=np.zeros(3, int),
                       shift=np.zeros(3, int)),
     "input->part3 weights must have shape (3, 3), not (3, 4)"),
    (lambda m: changed(m, "part3", kind="rectify", bits=4, shift=np.ones(4, int)),
     "part3 kind must be normalize, as other populations of the model have it, not rectify"),
    (lambda m: changed(m, "part3", bits=4), "part3 bits must be between 0 and 0, not 4"),
    (lambda m: changed(m, "part3", factor=np.arange(4)),
     "part3 factor must be between 0 and 0, not 1"),
    (lambda m: changed(m, "lif2", synaptic_decay=np.array([0, 9, 0])),
     "lif2 synaptic_decay must be 0 in a model with inner steps, not 9"),
    (lambda m: changed(m, "lif2", reset="zero_keep"),
     "lif2 reset must be subtract_next in a model with inner steps, not zero_keep"),
    (lambda m: joined(m, 7, delay=1),
     ("lif1->lif2 must come from the input to a window, or from a layer before with delay 0, not "
      "with delay 1")),
    (lambda m: replace(m, fill_steps=0, projections=(replace(m.projections[6], delay=0),
                                                     *m.projections[:6], *m.projections[7:])),
     ("input->part6 delay must be from 1 to 7, so that the events of the part are counted, not "
      "0")),
    (lambda m: joined(m, 1, until=44),
     "input->part1 until must be at most 43, the delay of input->part0, not 44"),
    (lambda m: replace(m, projections=(*m.projections, m.projections[0])),
     "part0 must have 1 projection from the input, not 2"),
    (lambda m: replace(m, populations=(m.populations[0], *m.populations[7:]),
                       projections=(m.projections[0], *m.projections[7:])),
     "Parts of a normalized window must be 2 or more, not 1"),
    (lambda m: replace(m, silent_steps=3),
     "silent_steps must be 0, because lif3 gives membranes, not 3"),
    (lambda m: joined(m, 7, until=4),
     "lif1->lif2 until must be missing, because it does not go to graded units, not 4"),
    (lambda m: replace(m, projections=(*m.projections, replace(m.projections[0], target="lif1",
                                                              until=None))),
     ("input->lif1 must come from the input to a window, or from a layer before with delay 0, not "
      "with delay 43")),
])
def test_refused_models(change, message):
    with pytest.raises(ValueError) as error:
        change(inner_model(0))
    assert str(error.value) == message


def test_other_models_have_no_epsilon():
    with pytest.raises(ValueError, match=r"^epsilon must be 0 without a normalized window, not 1$"):
        replace(graded_model(0), epsilon=1)
