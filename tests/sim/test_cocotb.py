# SPDX-License-Identifier: Apache-2.0
"""The testbench on the generated Verilog, in both simulators.

Published networks run through cocotb-test: it hands every line of the simulator to pytest, so that
a failing test shows its log, not a place to look for it. A run takes one in each simulator.
``SPIKEWRIGHT_STEPS=500`` in the environment runs both in both, and so many steps.
"""

import dataclasses
import os
import shutil
import signal
import threading
import time

import pytest

from spikewright.base.files import check_output
from spikewright.network.recording import poisson_recording
from spikewright.sim import cache, cocotb_runner
from spikewright.sim.bench.script import load_script
from spikewright.sim.cocotb_runner import (
    BENCH,
    BUILD_ARGUMENTS,
    make_script,
    prepare,
    run_bench,
    simulator_environment,
)
from tests.designs import BUILD, plan_of, published_model, published_recordings
from tests.networks import (
    deep_model,
    make_recording,
    model_of_all_parts,
    random_recording,
    refused,
)
from tests.units import graded_model

STEPS = int(os.environ.get("SPIKEWRIGHT_STEPS", "150"))


# The published network of each simulator.
TAKEN = [("icarus", "indy03/tinyRSNN-1"), ("verilator", "loco01/tinyRSNN-1")]


@pytest.fixture(params=["verilator", "icarus"])
def simulator(request):
    pytest.importorskip("cocotb", reason="cocotb is not installed (pip install -e '.[test]')")
    if request.param == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed (Debian: apt install iverilog)")
    return request.param


@pytest.fixture
def signals():
    """cocotb-test takes Ctrl-C for itself; give it back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("checkpoint", ["indy03/tinyRSNN-1", "loco01/tinyRSNN-1"])
def test_published_on_verilog(shared, signals, simulator, checkpoint):
    from cocotb_test.simulator import Icarus, Verilator

    if "SPIKEWRIGHT_STEPS" not in os.environ and (simulator, checkpoint) not in TAKEN:
        pytest.skip("the other simulator runs this one; SPIKEWRIGHT_STEPS=500 runs it here, too")
    recording = published_recordings(shared, checkpoint)[0].head(STEPS)
    verilog, script = prepare(plan_of(published_model(shared, checkpoint)), recording, BUILD)
    assert load_script(script).spikes.any() and load_script(script).steps == STEPS
    with simulator_environment(simulator):
        {"verilator": Verilator, "icarus": Icarus}[simulator](
            toplevel="top", module=BENCH, verilog_sources=[str(verilog)], seed=1,
            sim_build=str(verilog.parent / f"test-{simulator}"),
            compile_args=list(BUILD_ARGUMENTS[simulator]),
            plus_args=[f"+script={script}", "+stalled=100"]).run()


@pytest.mark.parametrize("seeds, choices", [
    ((1, 2, 3), {}), ((1,), {"neurons": "lanes"}), ((1,), {"multiplier": "serial"}),
    ((1,), {"lanes": 17})])             # rows stream
def test_stalls_on_verilog(simulator, seeds, choices):
    """Two recurrent populations, resets and saturation, under stalls of several seeds."""
    plan = plan_of(deep_model(4), **choices)
    recording = random_recording(4, 6, 150, reset=[0, 40, 41])
    for seed in seeds:
        assert run_bench(plan, recording, simulator=simulator, folder=BUILD, seed=seed) == []


@pytest.mark.parametrize("choices", [{}, {"neurons": "lanes"}, {"multiplier": "serial"}])
def test_every_neuron_on_verilog(simulator, choices):
    """Each reset, biases and delayed input, under stalls; more events than the log keeps."""
    model, _ = model_of_all_parts()
    events = [[4] * 70, *([[0, 3], [1], [2, 2], []] * 20), [4] * 70, *([[3, 1], [0]] * 10)]
    plan, recording = plan_of(model, **choices), make_recording(events, 5, reset=[0, 40, 41])
    assert run_bench(plan, recording, simulator=simulator, folder=BUILD, seed=1) == []


def test_graded_values_on_verilog(simulator):
    """Windows and values under stalls, and in Icarus no X that reaches a result."""
    model = graded_model(76, rows=5, longest=50)
    recording = random_recording(4, model.channels, 120, rate=0.4, reset=[0, 40, 41])
    assert run_bench(plan_of(model), recording, simulator=simulator, folder=BUILD, seed=1) == []


def test_loaded_weights_on_verilog(simulator):
    """The table is loaded first, with stalls and without. Before that, it reads as X."""
    plan = plan_of(deep_model(4), 3, weight_memory="large")
    recording = random_recording(4, 6, 60, reset=[0, 40, 41])
    assert run_bench(plan, recording, simulator=simulator, folder=BUILD) == []


@pytest.mark.parametrize("field, place, where", [
    ("velocity_int", (3, 1), "step 3, entry 1"),
    ("spikes",       (5, 6), "step 5, entry 6"),
    ("saturated",    (7,),   "step 7"),
    ("cycles",       (9,),   "step 9"),
])
def test_difference_is_told(monkeypatch, simulator, field, place, where):
    """The bench fails, and says where, if it expects something else than the RTL answers."""
    plan, recording = plan_of(deep_model(4)), random_recording(4, 6, 20)
    script = make_script(plan, recording)
    have = int(getattr(script, field)[place])
    other = getattr(script, field).copy()
    other[place] = want = 1 - have
    changed = dataclasses.replace(script, **{field: other})
    monkeypatch.setattr(cocotb_runner, "make_script", lambda *_: changed)
    failures = run_bench(plan, recording, simulator=simulator, folder=BUILD)
    assert [line.split(" (log")[0] for line in failures] == [
        f"{run}: {field} in {where} must be {want}, as golden has, not {have}"
        for run in ("without_stalls", "with_stalls")]


def test_late_result_is_told(monkeypatch, simulator):
    plan, recording = plan_of(deep_model(4)), random_recording(4, 6, 20)
    script = make_script(plan, recording)
    changed = dataclasses.replace(script, latency=script.latency - 1)
    monkeypatch.setattr(cocotb_runner, "make_script", lambda *_: changed)
    failures = run_bench(plan, recording, simulator=simulator, folder=BUILD)
    have = script.latency[0]
    assert [line.split(" (log")[0] for line in failures] == [
        f"without_stalls: latency in step 0 must be {have - 1}, as golden has, not {have}"]


def test_simulator_that_ends_early_is_told(monkeypatch, simulator):
    """A script that cannot be read ends both tests of the bench, and the run."""
    monkeypatch.setattr(cocotb_runner, "save_script", lambda path, _: path.write_bytes(b""))
    failures = run_bench(plan_of(deep_model(4)), random_recording(4, 6, 5),
                         simulator=simulator, folder=BUILD)
    assert len(failures) == 2


@pytest.mark.parametrize("text", [None, "", "<testsuites><testsuite", "<testsuites/>"])
def test_results_that_are_cut_are_told(tmp_path, text):
    """The files are like those of a simulator that was killed."""
    results = tmp_path / "results.xml"
    if text is not None:
        results.write_text(text)
    assert cocotb_runner._failures(results) == [
        "The simulator must run 2 tests, not 0" if text == "<testsuites/>" else
        "The simulator must end by itself, not fail"]


def test_runs_of_one_design_have_scripts_of_their_own(tmp_path, monkeypatch):
    """Two runs at once have their own scripts. Another Yosys or Verilog is another design."""
    plan = plan_of(deep_model(4))
    first, second = (random_recording(seed, 6, 5) for seed in (1, 2))
    verilog, one = prepare(plan, first, tmp_path)
    again, two = prepare(plan, second, tmp_path)
    assert verilog == again and one != two
    for script, recording in ((one, first), (two, second)):
        assert load_script(script).kind.tolist() == make_script(plan, recording).kind.tolist()
    monkeypatch.setattr(cache, "version", lambda _: "1000")
    assert prepare(plan, first, tmp_path)[0] != verilog


def test_run_that_passes_leaves_the_simulator_only(simulator, tmp_path):
    plan, recording = plan_of(deep_model(4)), random_recording(4, 6, 5)
    for _ in range(2):
        assert run_bench(plan, recording, simulator=simulator, folder=tmp_path) == []
    design, = tmp_path.iterdir()
    assert {path.name for path in design.iterdir()} == {"core.v", "lock", simulator}


def test_one_at_a_time(tmp_path):
    order = []

    def enter(name):
        with cache.alone(tmp_path / "new"):
            order.append(name)
            time.sleep(0.2)
            order.append(name)
    threads = [threading.Thread(target=enter, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order in (["a", "a", "b", "b"], ["b", "b", "a", "a"])


def test_waves(simulator, tmp_path, monkeypatch):
    """Waves are written even if make exports the variable WAVES of the user."""
    monkeypatch.setenv("WAVES", "core.waves")
    waves = tmp_path / "new" / f"core{cocotb_runner.WAVES[simulator]}"
    assert run_bench(plan_of(deep_model(4)), random_recording(4, 6, 5), simulator=simulator,
                     folder=BUILD, waves=waves) == []
    assert waves.stat().st_size > 1000
    check_output(waves, (waves.suffix,))        # this program may replace it
    assert os.environ["WAVES"] == "core.waves"


def test_path_with_spaces(simulator, tmp_path):
    """The makefile of Verilator cannot have such a path. Icarus Verilog can."""
    folder = tmp_path / "my work"
    plan, recording = plan_of(deep_model(4)), random_recording(4, 6, 5)
    if simulator == "icarus":
        assert run_bench(plan, recording, simulator=simulator, folder=folder) == []
        return
    with refused(f"Path of Verilator and of its builds must be without spaces, not '{folder}': use "
                 "--simulator icarus (make: SIM=icarus), --build, or another place for this "
                 "project"):
        run_bench(plan, recording, simulator=simulator, folder=folder)
    assert not folder.exists()


def test_script_is_kept(tmp_path):
    plan = plan_of(deep_model(4))
    recording = poisson_recording(6, 4e-3, steps=30, rate=50, seed=1)
    script = make_script(plan, recording)
    assert script.column.tolist() == [0, 2, 3, 5, 6, 8, 9, 10, -1, -1]
    cocotb_runner.save_script(tmp_path / "script.npz", script)
    again = load_script(tmp_path / "script.npz")
    for field, value in vars(script).items():
        assert (getattr(again, field) == value).all() if hasattr(value, "all") else \
            getattr(again, field) == value
