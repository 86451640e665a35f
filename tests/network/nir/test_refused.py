# SPDX-License-Identifier: Apache-2.0
"""What the reader of NIR graphs refuses: one line with the node and the reason."""

import sys

import numpy as np
import pytest

from spikewright.base.errors import InputError
from spikewright.network.nir import chains, file
from spikewright.network.nir.options import Options
from spikewright.network.nir.reader import read_nir
from tests.networks import refused

from .corpus import CORPUS, needs_corpus
from .graphs import chain, write_graph

pytest.importorskip("h5py", reason="NIR files are read with the packages of the extra 'nir'")

TYPES = ("LI, I, CubaLI, LIF, IF, CubaLIF, Threshold, Linear, Affine, Scale, Delay, Flatten, "
         "Conv1d, Conv2d, SumPool2d, AvgPool2d, Input, Output, NIRGraph")
RESETS = "zero_lose, zero_keep, subtract_next, subtract_same, none"
REFUSED = {
    "analog-between-layers": "Node n must get spikes, not the values of a: a node of type LI does "
                             "not spike",
    "delay-no-multiple": "Node d delay must be a multiple of dt (0.001) from 0 to 65535 steps, not "
                         "0.0015 (1.5 steps)",
    "edge-to-nowhere": "Edge n -> gone must join nodes of the graph, not 'gone', which is not "
                       "there",
    "no-input": "Graph must have an Input, not none",
    "tau-below-dt": "Node n tau must be at least dt (0.001) with the decay euler, not 0.0008: the "
                    "decay would be -0.25. Check --from and --dt. A framework with exponential "
                    "decay needs --decay exp",
    "threshold-not-above-reset": "Node n v_threshold must be above v_reset (1.5), not 1: the "
                                 "neuron would fire for ever",
    "unknown-node": f"Node n must be of a known type ({TYPES}), not 'AdLIF'",
    "unreached-population": "Node m must be reached from the Input, not driven by nothing",
    "zero-delay-loop": "Options must say what a NIR file does not: --back-delay of the loop with "
                       "the Delay d: 0 if that is its whole delay, 1 if a step comes on top",
}


@needs_corpus
@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("reset", ["zero_keep", None], ids=["reset", "no reset"])
def test_refused_of_the_corpus(name, reset):
    path = CORPUS / "refuse" / f"{name}.nir"
    if reset is None and name == "zero-delay-loop":
        message = REFUSED[name].replace("--back", f"--reset ({RESETS}) of n; and --back")
    else:
        message = REFUSED[name]
    with refused(f"{path}: {message}"):
        read_nir(path, Options(dt=1e-3, answers={"reset": reset} if reset else {}))


@needs_corpus
def test_refused_of_the_corpus_with_the_other_answer():
    """A decay that is exponential, and a Delay that is all of a loop's delay."""
    network = read_nir(CORPUS / "refuse" / "tau-below-dt.nir",
                       Options(dt=1e-3, answers={"reset": "zero_keep", "decay": "exp"})).network
    assert np.allclose(network.population("n").membrane_decay, np.exp(-1 / 0.8))
    path = CORPUS / "refuse" / "zero-delay-loop.nir"
    with refused(f"{path}: Loop of n must take a step or more, not 0: give it a Delay, or "
                 "--back-delay 1"):
        read_nir(path, Options(dt=1e-3, answers={"reset": "zero_keep", "back_delay": 0}))
    network = read_nir(path, Options(dt=1e-3, answers={"reset": "zero_keep",
                                                       "back_delay": 1})).network
    assert [p.delay for p in network.projections if p.title == "n->n"] == [1]


@needs_corpus
def test_time_step_is_asked_for_with_all_that_is_missing():
    path = CORPUS / "snn-rleaky-subtract" / "graph.nir"
    with refused(f"{path}: Options must say what a NIR file does not: --dt, the time per step in "
                 f"the unit of the file; and --reset ({RESETS}) of 1.lif, 3"):
        read_nir(path, Options())
    with refused(f"{path}: Options must say what a NIR file does not: --dt, the time per step in "
                 "the unit of the file"):
        read_nir(path, Options(framework="rockpool"))
    with refused(f"{path}: Options must say what a NIR file does not: --reset ({RESETS}) of 3"):
        read_nir(path, Options(framework="snntorch", nodes={"1.lif": {"reset": "zero_keep"}}))


LINEAR = ("fc", ("Linear", {"weight": np.ones((3, 4))}))
LIF = {"tau": np.full(3, 0.01), "r": np.ones(3), "v_leak": np.zeros(3), "v_threshold": np.ones(3),
       "v_reset": np.zeros(3)}
CONV = {"weight": np.ones((2, 1, 3, 3)), "stride": [1, 1], "padding": [0, 0], "dilation": [1, 1],
        "groups": 1, "bias": np.zeros(2)}
POOL = {"kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0]}


def _lif(**values):
    return ("n", ("LIF", {**LIF, **values}))


def _of(kind, **values):
    return ("c", (kind, {**(CONV if kind.startswith("Conv") else POOL), **values}))


@pytest.mark.parametrize("nodes, shape, message", [
    ((("fc", ("Linear", {"weight": np.ones((4, 3))})), _lif()), (4,),
     ("Node fc weight must meet the shape [4] before it, not have the shape [4, 3]: its weights "
      "may be transposed, as older spyx wrote them")),
    ((("fc", ("Linear", {"weight": np.ones((3, 5))})), _lif()), (4,),
     "Node fc weight must meet the shape [4] before it, not have the shape [3, 5]"),
    ((("fc", ("Linear", {"weight": np.ones(3)})), _lif()), (4,),
     "Node fc weight must have two axes or more, not the shape [3]"),
    ((("fc", ("Linear", {"weight": np.array([[1.0, np.nan]])})), _lif()), (2,),
     "Node fc weight must be finite, not nan at [0, 1]"),
    ((("fc", ("Linear", {})), _lif()), (4,),
     "Node fc of type Linear must have weight, not only its type"),
    ((LINEAR, ("n", ("LIF", {"tau": np.ones(3), "r": np.ones(3)}))), (4,),
     "Node n of type LIF must have v_leak, not only r, tau"),
    ((("fc", ("Affine", {"weight": np.ones((3, 4)), "bias": np.ones(2)})), _lif()), (4,),
     "Node fc bias must fit the shape [3], not have the shape [2]"),
    ((LINEAR, _lif(tau=np.full(2, 0.01))), (4,),
     "Node n tau must fit the shape [3], not have the shape [2]"),
    ((LINEAR, _lif(tau=0.0)), (4,), "Node n tau must be above 0, not 0"),
    ((LINEAR, _lif(v_threshold=-np.inf)), (4,),
     "Node n v_threshold must be finite, not -inf at []"),
    ((LINEAR, _lif(v_threshold=[1, np.inf, 1])), (4,),
     "Node n v_threshold must be infinite for all neurons or for none, not for some"),
    ((LINEAR, _lif(v_threshold=[1, 0.5, 0])), (4,),
     "Node n v_threshold must be above v_reset (0), not 0: the neuron would fire for ever"),
    ((_of("Conv2d"), _lif()), (9,),
     "Node c of type Conv2d must get 3 axes, channels first, not the shape [9]"),
    ((_of("Conv2d"), _lif()), (2, 5, 5),
     "Node c weight must meet 2 channels in 1 groups, not have the shape [2, 1, 3, 3]"),
    ((_of("Conv2d", groups=2), _lif()), (1, 5, 5),
     "Node c weight must meet 1 channels in 2 groups, not have the shape [2, 1, 3, 3]"),
    ((_of("Conv2d"), _lif()), (1, 2, 5),
     "Node c must have a kernel that fits its input, not [3, 3] for [2, 5]"),
    ((_of("Conv2d", padding="full"), _lif()), (1, 5, 5),
     "Node c padding must be same, valid or numbers, not 'full'"),
    ((_of("Conv2d", padding=1e6), _lif()), (1, 5, 5),
     "Node c padding must give at most 4194304 values, not 2000005 x 2000005"),
    ((("c", ("Linear", {"weight": np.zeros((0, 4))})), _lif()), (4,),
     "Node c weight must have values, not none: its shape is [0, 4]"),
    ((("c", ("Linear", {"weight": np.full((3, 4), 1j)})), _lif()), (4,),
     "Node c weight must be numbers, not values of the type complex128"),
    ((("a", ("Scale", {"scale": 1e300})), ("c", ("Linear", {"weight": np.full((3, 4), 1e300)})),
      _lif()), (4,), "Projection input->n weights must be finite, not inf at [0, 0]"),
    ((_of("Conv2d", padding="same", stride=2), _lif()), (1, 5, 5),
     "Node c stride must be 1 with the padding same, not [2, 2]"),
    ((_of("Conv2d", stride=[1.5, 1]), _lif()), (1, 5, 5),
     "Node c stride must be 2 whole numbers of 1 or more, not [1.5, 1.0]"),
    ((_of("Conv2d", dilation=0), _lif()), (1, 5, 5),
     "Node c dilation must be 2 whole numbers of 1 or more, not 0.0"),
    ((_of("Conv2d", groups=0), _lif()), (1, 5, 5),
     "Node c groups must be 1 whole number of 1 or more, not 0.0"),
    ((_of("Conv2d", bias=np.zeros(3)), _lif()), (1, 5, 5),
     "Node c bias must have 2 values, not 3"),
    ((_of("Conv1d"), _lif()), (1, 5), "Node c weight must have 3 axes, not the shape [2, 1, 3, 3]"),
    ((_of("SumPool2d"), _lif()), (4,),
     "Node c of type SumPool2d must get rows and columns, not the shape [4]"),
    ((("c", ("Flatten", {"start_dim": 2, "end_dim": -1})), _lif()), (3, 1),
     "Node c start_dim and end_dim must be axes of the shape [3, 1], not 2 and -1"),
    ((("c", ("Scale", {"scale": np.ones(3)})), _lif()), (3, 2, 3),
     "Node c scale must have a shape that says its axis, not [3] for [3, 2, 3]: write [3, 1, 1]"),
    ((("c", ("Delay", {"delay": np.full(4, -1e-3)})), LINEAR, _lif()), (4,),
     "Node c delay must be a multiple of dt (0.001) from 0 to 65535 steps, not -0.001 (-1 steps)"),
    ((_lif(), LINEAR), (3,), ("Output output must come from neurons, not from fc of type Linear: "
     "the exporter may have left out the neurons behind it")),
    ((LINEAR,), (4,), ("Output output must come from neurons, not from fc of type Linear: the "
     "exporter may have left out the neurons behind it")),
    ((), (4,), "Output output must come from neurons, not directly from the Input input"),
    ((LINEAR, ("n", ("I", {"r": np.ones(3)})), ("d", ("Delay", {"delay": np.zeros(3)}))), (4,),
     "Node d must delay spikes, not the values of n: a node of type I does not spike"),
    ((LINEAR, ("a", ("LI", {key: LIF[key] for key in ("tau", "r", "v_leak")})),
      ("s", ("Scale", {"scale": np.ones(3)})), ("y", ("Threshold", {"threshold": np.ones(3)}))),
     (4,), "Node y must get spikes, not the values of a: a node of type LI does not spike"),
    ((("fc", ("Linear", {"weight": np.zeros((3, 4))})), _lif()), (4,),
     "Node n must get a weight that is not 0, not only zeros"),
    ((LINEAR, _lif()), (0,),
     "Node input shape must be whole numbers with 1 to 65536 channels in all, not [0.0]"),
    ((LINEAR, _lif()), (300, 300),
     "Node input shape must be whole numbers with 1 to 65536 channels in all, not [300.0, 300.0]"),
])
def test_refused_chain(tmp_path, nodes, shape, message):
    write_graph(tmp_path / "g.nir", *chain(*nodes, shape=shape))
    with refused(f"{tmp_path}/g.nir: {message}"):
        read_nir(tmp_path / "g.nir", Options(dt=1e-3, answers={"reset": "zero_keep"}))


def test_matrix_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(chains, "MOST_WEIGHTS", 11)
    write_graph(tmp_path / "g.nir", *chain(LINEAR, _lif()))
    with refused(f"{tmp_path}/g.nir: Node n must have at most 11 weights from input, not 4 x 3 = "
                 "12"):
        read_nir(tmp_path / "g.nir", Options(dt=1e-3, answers={"reset": "none"}))


@pytest.mark.parametrize("extra, message", [
    ([("fc", "s"), ("s", "s2"), ("s2", "s"), ("s2", "n")],
     "Loop of s, s2 must have a neuron in it, not only nodes without a state"),
    ([("input", "s"), ("s", "n"), ("s2", "n")],
     "Node s2 must be reached from the Input, not stand alone"),
    ([("s", "n"), ("input", "s2"), ("s2", "s")], ("Node n must get 3 values from each node before "
     "it, not the shape [4] from s")),
])
def test_refused_edges(tmp_path, extra, message):
    nodes, edges = chain(LINEAR, _lif())
    nodes |= {"s": ("Scale", {"scale": 2.0}), "s2": ("Scale", {"scale": 2.0})}
    write_graph(tmp_path / "g.nir", nodes, [*edges, *extra])
    with refused(f"{tmp_path}/g.nir: {message}"):
        read_nir(tmp_path / "g.nir", Options(dt=1e-3, answers={"reset": "none"}))


def test_several_inputs_need_an_order(tmp_path):
    nodes, edges = chain(LINEAR, _lif())
    nodes |= {"more": ("Input", {"shape": [2]}), "fm": ("Linear", {"weight": np.ones((3, 2))})}
    path = tmp_path / "g.nir"
    write_graph(path, nodes, [*edges, ("more", "fm"), ("fm", "n")])
    for given, told in (((), "none of them"), (("more",), "more")):
        with refused(f"{path}: Option --inputs must name every Input once, in the order of the "
                     f"channels (input,more), not {told}"):
            read_nir(path, Options(dt=1e-3, inputs=given, answers={"reset": "none"}))
    network = read_nir(path, Options(dt=1e-3, inputs=("more", "input"),
                                     answers={"reset": "none", "gain": "unit"})).network
    assert np.array_equal(network.projections[0].weights, np.ones((6, 3)))


def test_sum_that_an_exporter_lost(tmp_path):
    """The package nir puts an Input before a layer that no edge leads to."""
    nodes, edges = chain(LINEAR, _lif())
    nodes |= {"input_fm": ("Input", {"shape": [2]}), "fm": ("Linear", {"weight": np.ones((3, 2))})}
    write_graph(tmp_path / "g.nir", nodes, [*edges, ("input_fm", "fm"), ("fm", "n")])
    with refused(f"{tmp_path}/g.nir: Option --inputs must name every Input once, in the order of "
                 "the channels (input,input_fm), not none of them. input_fm may be where the "
                 "exporter lost a sum of two branches"):
        read_nir(tmp_path / "g.nir", Options(dt=1e-3, answers={"reset": "none"}))


def test_file_that_is_none(tmp_path):
    with refused(f"NIR graph must be a file, not '{tmp_path}/g.nir': there is none"):
        read_nir(tmp_path / "g.nir", Options(dt=1e-3))
    with refused(f"NIR graph must be a file, not the folder '{tmp_path}'"):
        read_nir(tmp_path, Options(dt=1e-3))


def test_file_of_another_kind(tmp_path):
    path = tmp_path / "g.nir"
    path.write_bytes(b"x")
    with pytest.raises(InputError) as caught:        # h5py's words differ between its versions
        read_nir(path, Options(dt=1e-3))
    assert str(caught.value).startswith(
        f"{path} must be a NIR file, which is HDF5, not one that h5py refuses: Unable to ")


def test_entry_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(file, "MOST_VALUES", 11)
    write_graph(tmp_path / "g.nir", *chain(LINEAR, _lif()))
    with refused(f"{tmp_path}/g.nir must be a NIR file that h5py can read to its end: weight has "
                 "12 values, more than 11"):
        read_nir(tmp_path / "g.nir", Options(dt=1e-3))


@pytest.mark.parametrize("content, there", [({}, "nothing"),
                                            ({"version": "1", "other": 3}, "other, version")])
def test_file_that_is_no_graph(tmp_path, content, there):
    import h5py
    path = tmp_path / "g.nir"
    with h5py.File(path, "w") as file:
        for key, value in content.items():
            file[key] = value
    with refused(f"{path} must be a NIR file with a NIRGraph as its node, not {there}"):
        read_nir(path, Options(dt=1e-3))


def test_export_that_stopped(tmp_path):
    """The package nir writes the type of a graph last."""
    import h5py
    path = tmp_path / "g.nir"
    write_graph(path, *chain(LINEAR, _lif()))
    with h5py.File(path, "a") as file:
        del file["node"]["type"]
    with refused(f"{path} must be a whole NIR file, not one without the type of its graph: its "
                 "export may have stopped half-way"):
        read_nir(path, Options(dt=1e-3))


@pytest.mark.parametrize("options, message", [
    ({"framework": "snntorc"}, ("Framework must be one of snntorch, norse, spikingjelly, sinabs, "
     "rockpool, spyx, not 'snntorc': did you mean snntorch?")),
    ({"dt": 0.0}, "Option dt must be a number between 0 and 10, not 0.0"),
    ({"dt": True}, "Option dt must be a number between 0 and 10, not True"),
    ({"readout": "counts:0"}, ("Option readout must be spikes, membranes or counts:W with a window "
     "of W steps, 1 to 9999, not 'counts:0'")),
    ({"answers": {"rest": "none"}}, ("Option must be one of decay, gain, syn_gain, order, reset, "
     "compare, v_reset, v0, back_delay, source_delay, not 'rest': did you mean reset?")),
    ({"answers": {"reset": "zero"}}, ("Option reset must be one of zero_lose, zero_keep, "
     "subtract_next, subtract_same, none, not 'zero': did you mean zero_lose or zero_keep?")),
    ({"answers": {"v_reset": np.nan}}, "Option v_reset must be a number, not nan"),
    ({"answers": {"back_delay": 1.5}}, ("Option back_delay must be a whole number of steps from 0 "
     "to 999, not 1.5")),
    ({"nodes": {"n": {"compare": "<"}}}, "Node n option compare must be one of >, >=, not '<'"),
])
def test_refused_options(options, message):
    with refused(message):
        Options(**options)


def test_option_of_a_node_that_is_no_neuron(tmp_path):
    write_graph(tmp_path / "g.nir", *chain(LINEAR, _lif()))
    for name, hint in (("fc", ""), ("N", "")):
        with refused(f"{tmp_path}/g.nir: Option --node must name a neuron of the graph (n), not "
                     f"{name!r}{hint}"):
            read_nir(tmp_path / "g.nir", Options(dt=1e-3, nodes={name: {"reset": "none"}}))


def test_membranes_of_neurons_with_a_reset(tmp_path):
    write_graph(tmp_path / "g.nir", *chain(LINEAR, _lif()))
    with refused(f"{tmp_path}/g.nir: Node n reset must be none for the readout membranes, not "
                 "zero_keep"):
        read_nir(tmp_path / "g.nir", Options(dt=1e-3, readout="membranes",
                                             answers={"reset": "zero_keep"}))


def test_without_h5py(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with refused("Reading g.nir needs h5py: run 'make nir', or pip install 'spikewright[nir]'"):
        read_nir(tmp_path / "g.nir", Options(dt=1e-3))
