# SPDX-License-Identifier: Apache-2.0
"""The structure of graphs: inner graphs, repairs, loops, joined nodes, names and outputs."""

import numpy as np
import pytest

from spikewright.network.network import INPUT
from spikewright.network.nir.flatten import natural
from spikewright.network.nir.options import Options
from spikewright.network.nir.reader import read_nir
from spikewright.network.reference import run_reference
from tests.networks import refused

from .corpus import dense_recording
from .graphs import chain, run_graph, write_graph

pytest.importorskip("h5py", reason="NIR files are read with the packages of the extra 'nir'")

ASSUMED = {"decay": "euler", "gain": "unit", "syn_gain": "unit", "order": "syn_first",
           "compare": ">", "v0": "zero", "back_delay": 1, "source_delay": 0, "reset": "zero_keep"}
OPTIONS = Options(dt=1e-3, answers=ASSUMED)


def _lif(size=3, **values):
    return ("LIF", {"tau": np.full(size, 4e-3), "r": np.ones(size), "v_leak": np.zeros(size),
                    "v_threshold": np.ones(size), "v_reset": np.zeros(size), **values})


def _weights(seed, targets, sources):
    return np.random.default_rng(seed).normal(0.3, 0.6, (targets, sources))


def _linear(seed, targets, sources):
    return ("Linear", {"weight": _weights(seed, targets, sources)})


def _read(tmp_path, nodes, edges, options=OPTIONS):
    path = tmp_path / "g.nir"
    path.unlink(missing_ok=True)
    write_graph(path, nodes, edges)
    return read_nir(path, options)


def _shape(network):
    """Titles, delays and shapes of all projections."""
    return sorted((p.title, p.delay, p.weights.shape) for p in network.projections)


def test_natural_order():
    assert sorted(["10", "2", "1.lif", "1", "a10", "a9", "b"], key=natural) == [
        "1", "1.lif", "2", "10", "a9", "a10", "b"]


def test_inner_graphs(tmp_path):
    """Two levels; edges meet the Input and Output of a graph, and one names an inner node."""
    inner = ({"input": ("Input", {"shape": [3]}), "lif": _lif(), "w": _linear(1, 3, 3),
              "output": ("Output", {"shape": [3]})},
             [("input", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "output")])
    middle = ({"in": ("Input", {"shape": [4]}), "fc": _linear(2, 3, 4),
               "core": ("NIRGraph", inner), "out": ("Output", {"shape": [3]})},
              [("in", "fc"), ("fc", "core"), ("core", "out")])
    nodes = {"input": ("Input", {"shape": [4]}), "layer": ("NIRGraph", middle),
             "fo": _linear(3, 2, 3), "n": _lif(2), "output": ("Output", {"shape": [2]}),
             "more": _linear(4, 2, 3)}
    edges = [("input", "layer"), ("layer", "fo"), ("fo", "n"), ("layer.core.lif", "more"),
             ("more", "n"), ("n", "output")]
    reading = _read(tmp_path, nodes, edges)
    assert _shape(reading.network) == [
        ("input->layer.core.lif", 0, (4, 3)), ("layer.core.lif->layer.core.lif", 1, (3, 3)),
        ("layer.core.lif->n", 0, (3, 2)), ("n->output", 0, (2, 2))]
    both = next(p for p in reading.network.projections if p.title == "layer.core.lif->n")
    assert np.allclose(both.weights.T, _weights(3, 2, 3) + _weights(4, 2, 3))
    assert reading.warnings == ()


def test_inner_graph_with_two_gates(tmp_path):
    inner = ({"a": ("Input", {"shape": [3]}), "b": ("Input", {"shape": [3]}), "lif": _lif(),
              "output": ("Output", {"shape": [3]})},
             [("a", "lif"), ("b", "lif"), ("lif", "output")])
    nodes, edges = chain(("sub", ("NIRGraph", inner)), shape=(3,))
    with refused(f"{tmp_path}/g.nir: Graph sub must have one Input for the edge input -> sub, not "
                 "sub.a, sub.b"):
        _read(tmp_path, nodes, edges)
    edges = [("input", "sub.a"), ("input", "sub.b"), ("sub", "output")]
    network = _read(tmp_path, nodes, edges).network
    assert np.array_equal(network.projections[0].weights, 2 * np.eye(3))


def test_old_files_are_repaired(tmp_path):
    """Edges to a graph that was flattened without its edges; a leading 1 in the shape."""
    nodes = {"input": ("Input", {"shape": [1, 4]}), "fc": _linear(1, 3, 4),
             "lif1.input": ("Input", {"shape": [3]}), "lif1.lif": _lif(),
             "lif1.w_rec": _linear(2, 3, 3), "lif1.output": ("Output", {"shape": [1, 3]}),
             "output": ("Output", {"shape": [1, 1, 3]})}
    edges = [("input", "fc"), ("fc", "lif1"), ("lif1.input", "lif1.lif"),
             ("lif1.lif", "lif1.w_rec"), ("lif1.w_rec", "lif1.lif"), ("lif1.lif", "lif1.output"),
             ("lif1", "output")]
    reading = _read(tmp_path, nodes, edges)
    assert reading.warnings == (
        "Edge fc -> lif1 names lif1, which is not there: lif1.input is meant",
        "Edge lif1 -> output names lif1, which is not there: lif1.output is meant",
        "Node input has the shape [1, 4]. The leading 1 is taken as a batch: 4 channels")
    assert _shape(reading.network) == [("input->lif1.lif", 0, (4, 3)),
                                       ("lif1.lif->lif1.lif", 1, (3, 3)),
                                       ("lif1.lif->output", 0, (3, 3))]


def test_recurrent_graph_of_spyx(tmp_path):
    """Inner nodes have the name of their graph; its input leads to the recurrent weights."""
    inner = ({"r.input": ("Input", {"shape": [3]}), "r.lif": _lif(), "r.w_rec": _linear(2, 3, 3),
              "r.output": ("Output", {"shape": [3]})},
             [("r.input", "r.w_rec"), ("r.w_rec", "r.lif"), ("r.lif", "r.w_rec"),
              ("r.lif", "r.output")])
    nodes, edges = chain(("fc", _linear(1, 3, 4)), ("r", ("NIRGraph", inner)))
    reading = _read(tmp_path, nodes, edges, Options(framework="spyx", dt=1e-3))
    warning, = reading.warnings
    assert warning == ("Graph r has its input before the recurrent weights, as Spyx writes it: "
                       "r.lif is meant")
    assert _shape(reading.network) == [
        ("input->r.r.lif", 0, (4, 3)), ("r.r.lif->output", 1, (3, 3)),
        ("r.r.lif->r.r.lif", 1, (3, 3))]
    weights = {p.title: p.weights.T for p in reading.network.projections}
    assert np.allclose(weights["input->r.r.lif"], _weights(1, 3, 4))
    assert np.allclose(weights["r.r.lif->r.r.lif"], _weights(2, 3, 3))


def test_only_neurons_of_spyx_with_a_reset_fire_late(tmp_path):
    nodes, edges = chain(("li", ("LI", {key: np.ones(4) for key in ("tau", "r", "v_leak")})),
                         ("psu", ("Threshold", {"threshold": np.ones(4)})),
                         ("fc", _linear(1, 3, 4)), ("n", _lif()))
    network = _read(tmp_path, nodes, edges, Options(framework="spyx", dt=1e-3)).network
    assert {p.title: p.delay for p in network.projections if p.source != "constant"} == {
        "input->psu": 0, "psu->n": 0, "n->output": 1}


def test_neurons_with_an_infinite_threshold_are_readouts(tmp_path):
    """They keep the options of their type: sinabs has other ones for an LI. They start as given."""
    never = {"v_threshold": np.full(3, np.inf), "v_reset": np.full(3, -0.5)}
    nodes, edges = chain(("fc", _linear(1, 3, 4)), ("n", _lif()), ("f2", _linear(2, 3, 3)),
                         ("m", _lif(**never)))
    answers = {**ASSUMED, "v0": "v_reset", "gain": "nir"}
    network = _read(tmp_path, nodes, edges, Options(dt=1e-3, answers=answers)).network
    assert [(p.name, p.spiking) for p in network.populations if p.name in "nm"] == [
        ("n", True), ("m", False)]
    trace = run_reference(network, dense_recording(np.zeros((3, 4)), 1e-3))
    assert np.allclose(trace.velocity, [[-0.5 * 0.75 ** n] * 3 for n in (1, 2, 3)])
    options = Options(framework="sinabs", dt=1e-3, answers={"reset": "subtract_same"})
    network = _read(tmp_path, nodes, edges, options).network
    weights = {p.title: p.weights.T for p in network.projections}
    assert np.allclose(weights["n->m"], (1 - np.exp(-0.25)) * _weights(2, 3, 3))


def test_flatten_of_spyx_puts_the_channels_last(tmp_path):
    nodes, edges = chain(("f", ("Flatten", {"start_dim": 0, "end_dim": -1})), ("n", _lif(24)),
                         shape=(2, 3, 4))
    reading = _read(tmp_path, nodes, edges, Options(framework="spyx", dt=1e-3))
    assert reading.warnings == ("Node f puts the channels last, as Spyx does",)
    order = np.arange(24).reshape(2, 3, 4).transpose(1, 2, 0).ravel()
    assert np.array_equal(reading.network.projections[0].weights, np.eye(24)[:, order])
    assert np.array_equal(_read(tmp_path, nodes, edges).network.projections[0].weights, np.eye(24))


def test_padding_of_spyx_is_that_of_both_sides(tmp_path):
    """Its SumPool with SAME: one zero in all is behind the last row, not before the first."""
    pool = {"kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 1]}
    nodes, edges = chain(("p", ("SumPool2d", pool)), ("n", _lif(2)), shape=(1, 2, 3))
    network = _read(tmp_path, nodes, edges, Options(framework="spyx", dt=1e-3)).network
    assert network.projections[0].weights.T.tolist() == [[1, 1, 0, 1, 1, 0], [0, 0, 1, 0, 0, 1]]


def test_integrator_of_snntorch(tmp_path):
    """Its beta of 1 becomes an endless time constant with an endless resistance."""
    endless = {"tau": np.array([np.inf, 4e-4]), "r": np.array([np.inf, 4.0])}
    nodes, edges = chain(("fc", _linear(1, 2, 4)), ("n", _lif(2, **endless)))
    network = _read(tmp_path, nodes, edges, Options(
        framework="snntorch", answers={"reset": "subtract_next"})).network
    assert network.population("n").membrane_decay.tolist() == [1.0, 0.75]
    assert np.array_equal(network.projections[0].weights, _weights(1, 2, 4).T)
    with refused(f"{tmp_path}/g.nir: Node n r must be finite with the gain nir, not inf"):
        _read(tmp_path, nodes, edges, Options(dt=1e-4, answers={"reset": "subtract_next"}))


def test_gain_of_one_is_exact(tmp_path):
    """With 1 / dt as r, r dt is one bit less than 1 for this dt. Weights stay on their grid."""
    dt = 0.021
    assert (1 / dt) * dt != 1
    nodes, edges = chain(("n", ("IF", {"r": np.full(4, 1 / dt), "v_threshold": np.ones(4)})))
    network = _read(tmp_path, nodes, edges, Options(framework="spikingjelly", dt=dt)).network
    assert np.array_equal(network.projections[0].weights, np.eye(4))


def test_integrator_of_norse_starts_at_its_reset(tmp_path):
    nodes, edges = chain(("fc", _linear(1, 3, 4)), ("n", ("IF", {
        "r": np.ones(3), "v_threshold": np.ones(3)})))
    network = _read(tmp_path, nodes, edges, Options(framework="norse", dt=1.0, answers={
        "v_reset": -0.5})).network
    assert [p.name for p in network.populations] == ["n", "output"]       # and no start
    assert network.population("n").threshold.tolist() == [1.5, 1.5, 1.5]


def test_edge_that_is_there_twice_adds_up(tmp_path):
    nodes, edges = chain(("fc", _linear(1, 3, 4)), ("n", _lif()))
    reading = _read(tmp_path, nodes, [*edges, ("fc", "n")])
    assert reading.warnings == ("Edge fc -> n is there 2 times. Its values add up",)
    assert np.allclose(reading.network.projections[0].weights.T, 2 * _weights(1, 3, 4))


def test_nodes_that_lead_nowhere(tmp_path):
    nodes, edges = chain(("fc", _linear(1, 3, 4)), ("n", _lif()))
    nodes |= {"f2": _linear(2, 2, 3), "li": ("LI", {"tau": 1.0, "r": 1.0, "v_leak": 0.0}),
              "f3": _linear(3, 2, 3), "silent": _lif(2)}
    reading = _read(tmp_path, nodes, [*edges, ("n", "f2"), ("f2", "li"), ("n", "f3"),
                                      ("f3", "silent")])
    assert reading.warnings == ("Node li leads to no Output and is left out",
                                "Node f2 leads to no Output and is left out")
    assert [p.name for p in reading.network.populations] == ["n", "silent", "output"]


def test_names_that_are_taken(tmp_path):
    nodes = {"in": ("Input", {"shape": [3]}), "input": _lif(), "constant": _lif(), "a.b": _lif(),
             "a_b": _lif(), "start": ("Output", {"shape": [3]})}
    names = list(nodes)
    reading = _read(tmp_path, nodes, list(zip(names[:-1], names[1:], strict=True)))
    assert [p.name for p in reading.network.populations] == ["input_", "constant_", "a.b", "a_b_",
                                                             "start_"]
    assert reading.warnings == tuple(
        f"Node {name} is called {name}_, because its name is taken"
        for name in ("a_b", "constant", "input", "start"))
    assert [p.title for p in reading.network.projections if p.source == INPUT] == ["input->input_"]


def test_neurons_with_fewer_axes_than_their_input(tmp_path):
    """A pool behind them needs rows and columns; a Flatten needs an axis."""
    pool = {"kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0]}
    nodes, edges = chain(("n", _lif(4)), ("p", ("SumPool2d", pool)), ("m", _lif((), r=1.0)),
                         ("f", ("Flatten", {"start_dim": 0, "end_dim": -1})), ("k", _lif(1)),
                         shape=(1, 2, 2))
    network = _read(tmp_path, nodes, edges).network
    assert _shape(network) == [("input->n", 0, (4, 4)), ("k->output", 0, (1, 1)),
                               ("m->k", 0, (1, 1)), ("n->m", 0, (4, 1))]


def test_time_constant_of_one_step_in_single_precision(tmp_path):
    """1e-3 in float32 is a little less than 1e-3 in float64: the decay is 0."""
    nodes, edges = chain(("fc", _linear(1, 3, 4)), ("n", _lif(tau=np.float32(9.9999993e-4))))
    network = _read(tmp_path, nodes, edges).network
    assert network.population("n").membrane_decay.tolist() == [0, 0, 0]


def test_v_reset_of_the_user_replaces_that_of_the_file(tmp_path):
    weights = ("fc", _linear(1, 3, 4))
    one = _read(tmp_path, *chain(weights, ("n", _lif(v_reset=np.full(3, -0.5))))).network
    two = _read(tmp_path, *chain(weights, ("n", _lif())),
                Options(dt=1e-3, answers={**ASSUMED, "v_reset": -0.5})).network
    assert two.population("n").threshold.tolist() == [1.5, 1.5, 1.5]
    assert all(np.array_equal(a.weights, b.weights)
               for a, b in zip(one.projections, two.projections, strict=True))


def test_empty_values_are_as_if_they_were_missing(tmp_path):
    import h5py
    nodes, edges = chain(("c", ("Conv1d", {"weight": np.ones((1, 1, 2)), "bias": np.zeros(1),
                                           "stride": 1, "padding": 0, "dilation": 1,
                                           "groups": 1, "input_shape": h5py.Empty("f8")})),
                         ("n", _lif(1, tau=4e-3)), shape=(1, 4))
    assert _read(tmp_path, nodes, edges).network.population("n").neurons == 3


@pytest.mark.parametrize("source, values, kind", [
    ("LI", {"tau": np.full(3, 4e-3), "r": np.ones(3), "v_leak": np.full(3, 0.1)}, "LIF"),
    ("CubaLI", {"tau_mem": np.full(3, 4e-3), "tau_syn": np.full(3, 2e-3), "r": np.ones(3),
                "v_leak": np.zeros(3)}, "CubaLIF"),
    ("I", {"r": np.full(3, 1e3)}, "IF")])
def test_threshold_behind_an_integrator(tmp_path, source, values, kind):
    """They are one neuron without a reset. The integrator may also be an output."""
    nodes = {"input": ("Input", {"shape": [4]}), "fc": _linear(1, 3, 4), "v": (source, values),
             "y": ("Threshold", {"threshold": np.full(3, 0.7)}),
             "o1": ("Output", {"shape": [3]}), "o2": ("Output", {"shape": [3]})}
    edges = [("input", "fc"), ("fc", "v"), ("v", "y"), ("y", "o1"), ("v", "o2")]
    options = Options(dt=1e-3, answers={k: v for k, v in ASSUMED.items() if k != "reset"},
                      nodes={"v": {"gain": "nir"}})
    reading = _read(tmp_path, nodes, edges, options)
    network = reading.network
    assert [(p.name, p.spiking) for p in network.populations if p.name != "constant"] == [
        ("y", True), ("o1", False), ("v", False)]
    assert network.population("y").reset == "none"
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 2, (50, 4))
    every = {**ASSUMED, "gain": "nir", "reset": "none"}
    full = {"v_reset": 0.0, "w_in": 1.0}
    _, membranes, _ = run_graph(
        {"input": nodes["input"], "fc": nodes["fc"], "v": (kind, {**full, **values,
                                                                 "v_threshold": 0.7})},
        edges[:2], {"dt": 1e-3, "back_delay": 1, "v": every}, {"input": counts.astype(float)},
        {"v": (3,)})
    trace = run_reference(network, dense_recording(counts, 1e-3), watch=["y", "v"])
    for name in ("y", "v"):
        assert np.allclose(trace.membrane[name] + reading.origins[name], membranes["v"])
    assert np.array_equal(trace.velocity[:, :3], membranes["v"] > 0.7)
    assert np.array_equal(trace.velocity[:, 3:], trace.membrane["v"])


def test_threshold_of_its_own(tmp_path):
    """A row of weights, and a spike where their sum is above the threshold."""
    nodes, edges = chain(("fc", _linear(1, 3, 4)), ("y", ("Threshold", {"threshold": 0.5})))
    network = _read(tmp_path, nodes, edges).network
    counts = np.random.default_rng(0).integers(0, 3, (40, 4))
    trace = run_reference(network, dense_recording(counts, 1e-3))
    assert np.array_equal(trace.spikes, counts @ _weights(1, 3, 4).T > 0.5)


@pytest.fixture
def spiking(tmp_path):
    """Read two layers, with a readout; the spikes of the last layer go along."""
    nodes, edges = chain(("fc", _linear(1, 5, 4)), ("a", _lif(5)), ("fo", _linear(2, 2, 5)),
                         ("b", _lif(2)))
    counts = np.random.default_rng(0).integers(0, 2, (60, 4))

    def read(**options):
        answers = ASSUMED | options.pop("answers", {})
        reading = _read(tmp_path, nodes, edges, Options(dt=1e-3, answers=answers, **options))
        trace = run_reference(reading.network, dense_recording(counts, 1e-3), watch=["b"])
        return reading.network, trace, trace.spikes[:, reading.network.spike_columns["b"]]
    return read


def test_output_of_spikes(spiking):
    network, trace, spikes = spiking()
    assert network.population("output").membrane_decay.tolist() == [0, 0]
    assert spikes.any() and np.array_equal(trace.velocity, spikes)
    _, trace, spikes = spiking(answers={"source_delay": 2})
    assert np.array_equal(trace.velocity[2:], spikes[:-2]) and not trace.velocity[:2].any()


def test_output_of_counts(spiking):
    network, trace, spikes = spiking(readout="counts:7")
    assert [(p.delay, p.weights[0, 0]) for p in network.projections if p.target == "output"] == [
        (0, 1), (7, -1)]
    expected = [spikes[max(0, t - 6):t + 1].sum(0) for t in range(60)]
    assert np.array_equal(trace.velocity, expected)


def test_output_of_membranes(spiking):
    """A neuron without a reset is a readout, if its spikes are not asked for."""
    for options in ({}, {"readout": "membranes"}):
        network, trace, spikes = spiking(nodes={"b": {"reset": "none"}}, **options)
        assert np.array_equal(trace.velocity, trace.membrane["b"])
        assert np.array_equal(spikes, trace.membrane["b"] > 1)
    network, trace, spikes = spiking(nodes={"b": {"reset": "none"}}, readout="spikes")
    assert np.array_equal(trace.velocity, spikes)


def test_outputs_that_share_neurons(tmp_path):
    """Two readouts, one of them in both Outputs: the readout matrix adds and repeats."""
    li = {"tau": np.full(2, 4e-3), "r": np.ones(2), "v_leak": np.zeros(2)}
    nodes = {"input": ("Input", {"shape": [4]}), "f1": _linear(1, 2, 4), "f2": _linear(2, 2, 4),
             "f3": _linear(3, 2, 4), "l1": ("LI", li), "l2": ("LI", li), "n": _lif(2),
             "o1": ("Output", {"shape": [2]}), "o2": ("Output", {"shape": [2]})}
    edges = [("input", "f1"), ("input", "f2"), ("input", "f3"), ("f1", "l1"), ("f2", "l2"),
             ("f3", "n"), ("l1", "o1"), ("l2", "o1"), ("l2", "o2"), ("n", "o2")]
    network = _read(tmp_path, nodes, edges).network
    assert [p.name for p in network.populations if not p.spiking] == ["l1", "l2", "o2"]
    eye, none = np.eye(2), np.zeros((2, 2))
    assert np.array_equal(network.readout, np.block([[eye, eye, none], [none, eye, eye]]))


def test_loops_of_several_neurons(tmp_path):
    """The edge that leads back to the first neuron takes the step."""
    nodes = {"input": ("Input", {"shape": [3]}), "a": _lif(), "b": _lif(), "c": _lif(),
             "output": ("Output", {"shape": [3]})}
    ring = [("input", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "output")]
    reading = _read(tmp_path, nodes, ring)
    assert {p.title: p.delay for p in reading.network.projections} == {
        "input->a": 0, "a->b": 0, "b->c": 0, "c->a": 1, "c->output": 0}
    assert reading.warnings == ()
    reading = _read(tmp_path, nodes, [*ring, ("input", "c")])
    assert list(reading.warnings) == [
        "Loop of a, b, c begins at more than one neuron. The edges c -> a close it"]


def test_delay_in_a_loop_may_be_all_of_it(tmp_path):
    nodes, edges = chain(("a", _lif()), ("b", _lif()), shape=(3,))
    nodes["d"] = ("Delay", {"delay": np.array([1e-3, 2e-3, 2e-3])})
    edges += [("b", "d"), ("d", "a")]
    for back, delays in ((0, [1, 2]), (1, [2, 3])):
        network = _read(tmp_path, nodes, edges,
                        Options(dt=1e-3, answers={**ASSUMED, "back_delay": back})).network
        assert [p.delay for p in network.projections if p.title == "b->a"] == delays
    message = ("Options must say what a NIR file does not: --back-delay of the loop with the Delay "
               "d: 0 if that is its whole delay, 1 if a step comes on top")
    with refused(f"{tmp_path}/g.nir: {message}"):
        _read(tmp_path, nodes, edges, Options(dt=1e-3, answers={"reset": "none"}))


def test_only_loops_with_a_delay_need_an_answer(tmp_path):
    nodes, edges = chain(("a", _lif()), ("b", _lif()), shape=(3,))
    nodes["d"] = ("Delay", {"delay": np.full(3, 2e-3)})
    edges += [("a", "a"), ("b", "d"), ("d", "b")]
    answers = {key: value for key, value in ASSUMED.items() if key != "back_delay"}
    network = _read(tmp_path, nodes, edges, Options(dt=1e-3, answers=answers, nodes={
        "b": {"back_delay": 0}})).network
    assert {p.title: p.delay for p in network.projections if p.source == p.target} == {
        "a->a": 1, "b->b": 2}


def test_populations_are_put_in_order(tmp_path):
    """Neurons whose names are in another order than their edges."""
    nodes = {"input": ("Input", {"shape": [3]}), "z": _lif(), "y": _lif(), "x": _lif(),
             "output": ("Output", {"shape": [3]})}
    network = _read(tmp_path, nodes, [("input", "z"), ("z", "y"), ("y", "x"), ("x", "output"),
                                      ("z", "x")]).network
    assert [p.name for p in network.populations] == ["z", "y", "x", "output"]


def test_assumed_options_are_said(tmp_path):
    nodes, edges = chain(("fc", _linear(1, 3, 4)), ("n", _lif(v_leak=np.full(3, 0.2))))
    reading = _read(tmp_path, nodes, edges, Options(dt=1e-3, answers={"reset": "subtract_next"}))
    warning, = reading.warnings
    assert warning == (
        "NIR files lack these options, and the values are assumed: --decay euler, --gain nir, --v0 "
        "zero, --compare '>', --source-delay 0. See docs/howto/nir.md")
    assert reading.options == {
        "dt": 1e-3, "reset": "subtract_next",
        "assumed": {"decay": "euler", "gain": "nir", "v0": "zero", "compare": ">",
                    "source_delay": 0}}
    framed = _read(tmp_path, nodes, edges, Options(dt=1e-3, framework="norse",
                                                   answers={"v_reset": 0.1}))
    assert framed.warnings == ()
    assert framed.options == {"from": "norse", "dt": 1e-3, "v_reset": 0.1}


def test_what_an_exporter_loses_is_said(tmp_path):
    """Norse does not write v_reset of a LIF. snnTorch writes a readout like any other neuron."""
    nodes, edges = chain(("fc", _linear(1, 3, 4)), ("n", _lif()))
    reading = _read(tmp_path, nodes, edges, Options(dt=1e-3, framework="norse"))
    assert list(reading.warnings) == [
        ("NIR files lack these options, and the values are assumed: --v-reset 0. See "
         "docs/howto/nir.md")]
    options = {"framework": "snntorch", "answers": {"reset": "subtract_next"}}
    reading = _read(tmp_path, nodes, edges, Options(**options))
    assert list(reading.warnings) == [
        ("Output output gets the spikes of n. If n is a readout without a reset, give --node "
         "n:reset=none, otherwise --readout spikes")]
    assert not reading.has_step
    for more in ({"nodes": {"n": {"reset": "none"}}}, {"readout": "spikes"}):
        reading = _read(tmp_path, nodes, edges, Options(dt=1e-4, **options, **more))
        assert reading.warnings == () and reading.has_step
