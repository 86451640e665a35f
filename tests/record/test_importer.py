# SPDX-License-Identifier: Apache-2.0
"""Files of other programs become recordings that the project reads."""

import datetime
import importlib.util

import numpy as np
import pytest

from spikewright.command.commands import run_words
from spikewright.network.recording import read_recording
from spikewright.record.importer import import_recording
from tests.networks import refused


def needs(module):
    return pytest.mark.skipif(importlib.util.find_spec(module) is None,
                              reason=f"{module} is not installed: pip install spikewright[record]")


def test_dense_counts(tmp_path, capsys):
    rng = np.random.default_rng(1)
    counts, velocity = rng.poisson(0.3, (50, 4)), rng.normal(size=(50, 2))
    np.save(tmp_path / "counts.npy", counts.astype(np.uint8))
    np.savetxt(tmp_path / "velocity.csv", velocity, delimiter=",", header="x,y", comments="")
    run_words(["record", "import", str(tmp_path / "counts.npy"), "-o", str(tmp_path / "r.npz"),
               "--dt", "0.02", "--velocity", str(tmp_path / "velocity.csv"), "--unit", "cm/s"])
    recording = read_recording(tmp_path / "r.npz")
    assert (recording.steps, recording.channels, recording.dt, recording.unit) == (
        50, 4, 0.02, "cm/s")
    step = np.repeat(np.arange(50), np.diff(recording.start))
    again = np.zeros_like(counts)
    np.add.at(again, (step, recording.channel), 1)
    assert np.array_equal(again, counts)
    assert recording.velocity == pytest.approx(velocity)
    out = capsys.readouterr().out
    assert out.splitlines()[3] == "velocity of 2 axes in cm/s"


@pytest.mark.parametrize("begin, end", [
    ("", "\n"), ("\ufeff", "\n"), ("", "\r\n"), ("a,b\n", "\n"), ("\ufeffa,b\r\n", "\r\n"),
    ('"a", "b"\n', "\n"), ("# counts\n", "\n"), ("\n\na,b\n", "\n")])
def test_tables_of_spreadsheets(tmp_path, begin, end):
    """Neither a mark at the beginning nor an ending of lines takes a step away."""
    (tmp_path / "c.csv").write_bytes((begin + end.join(("1,0", "0, 2", "3,0", ""))).encode())
    arrays = import_recording(tmp_path / "c.csv", 0.004)
    assert (arrays["bin"].tolist(), arrays["channel"].tolist(), arrays["count"].tolist()) == (
        [0, 1, 2], [0, 1, 0], [1, 2, 3])


def test_nothing_is_written_of_what_is_no_recording(tmp_path, call_command):
    lines = ('{"format": "spikewright live 1", "dt": 0.004, "channels": 2, "source": "s", '
             '"model_hash": "0"}\n{"step": 0, "spikes": [5]}\n')
    (tmp_path / "s.jsonl").write_text(lines)
    status, _, err = call_command("record", "import", tmp_path / "s.jsonl", "-o",
                                  tmp_path / "r.npz")
    assert status == 2
    assert err == (f"error: Recording {tmp_path / 'r.npz'} channel must be between 0 and 1, not 5 "
                   "at entry 0\n")
    assert [path.name for path in tmp_path.iterdir()] == ["s.jsonl"]


def write_reaching(path, empty=(1, 0)):
    """A session in the layout of the public reaching sessions: 2 channels with 3 units each."""
    import h5py
    spikes = {(0, 0): [0.001, 0.005], (1, 0): [0.0], (0, 1): [0.009], (1, 1): [0.0011],
              (0, 2): [0.004], (1, 2): [0.0399]}
    times = 0.004 * np.arange(11)
    with h5py.File(path, "w") as file:
        file["t"] = times[None]
        file["cursor_pos"] = np.stack([times * 5, -times])
        file["finger_pos"] = np.stack([times, -2 * times, -3 * times])
        cells = file.create_dataset("spikes", (3, 2), h5py.ref_dtype)
        for (channel, unit), seconds in spikes.items():
            item = file.create_dataset(f"#refs#/{channel}{unit}", data=np.array([seconds]))
            if (channel, unit) == empty:        # MATLAB stores the shape of an empty cell
                item[...] = 0
                item.attrs["MATLAB_empty"] = 1
            cells[unit, channel] = item.ref


@needs("h5py")
@pytest.mark.parametrize("series, velocity, unit", [
    (None, [5, -1], "mm/s"), ("cursor_pos", [5, -1], "mm/s"), ("finger_pos", [2, 3], "cm/s")])
def test_reaching_session(tmp_path, series, velocity, unit):
    write_reaching(tmp_path / "indy.mat")
    arrays = import_recording(tmp_path / "indy.mat", 0.004, series=series)
    table = np.zeros((10, 2), int)
    table[arrays["bin"], arrays["channel"]] = arrays["count"]
    assert table[:4].tolist() == [[1, 1], [2, 0], [1, 0], [0, 0]]
    assert table[9, 1] == 1
    assert table.sum() == 6         # the empty cell brings no spike
    assert arrays["velocity"] == pytest.approx(np.tile(velocity, (10, 1)))
    assert str(arrays["unit"]) == unit


@needs("pynwb")
def test_nwb_session(tmp_path):
    import pynwb
    file = pynwb.NWBFile("a reach", "id", datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    for times in ([0.001, 0.0125], [0.006]):
        file.add_unit(spike_times=times)
    file.add_trial(start_time=0.008, stop_time=0.02)
    behavior = file.create_processing_module("behavior", "b")
    behavior.add(pynwb.TimeSeries(name="hand_vel", data=np.ones((6, 2)) * 3, unit="mm/s",
                                  rate=250.0, starting_time=0.0))
    behavior.add(pynwb.TimeSeries(name="cursor_pos", data=np.arange(12.0).reshape(6, 2), unit="mm",
                                  timestamps=0.004 * np.arange(6)))
    with pynwb.NWBHDF5IO(tmp_path / "s.nwb", "w") as io:
        io.write(file)
    arrays = import_recording(tmp_path / "s.nwb", 0.004)
    assert arrays["bin"].tolist() == [0, 1, 3] and arrays["channel"].tolist() == [0, 1, 0]
    assert arrays["trial_start_bin"].tolist() == [2]
    assert arrays["velocity"] == pytest.approx(np.full((5, 2), 3.0))
    assert (str(arrays["unit"]), str(arrays["source"])) == ("mm/s", "s.nwb: a reach")
    arrays = import_recording(tmp_path / "s.nwb", 0.004, series="cursor_pos")
    assert arrays["velocity"] == pytest.approx(np.full((5, 2), 500.0))
    with refused(f"{tmp_path / 's.nwb'} must hold the series 'x', not only cursor_pos, hand_vel"):
        import_recording(tmp_path / "s.nwb", 0.004, series="x")


@needs("neo")
def test_what_neo_reads(tmp_path):
    import neo
    import quantities
    segment = neo.Segment()
    for times in ([1.001, 1.0125], [1.006]):
        segment.spiketrains.append(neo.SpikeTrain(
            np.array(times) * quantities.s, t_start=1 * quantities.s, t_stop=1.02 * quantities.s))
    block = neo.Block()
    block.segments.append(segment)
    neo.io.PickleIO(str(tmp_path / "s.pkl")).write_block(block)
    arrays = import_recording(tmp_path / "s.pkl", 0.004)
    assert arrays["bin"].tolist() == [0, 1, 3] and arrays["channel"].tolist() == [0, 1, 0]


@pytest.mark.parametrize("name, content, options, told", [
    ("c.csv", "a,b\n1,x\n", {}, "{path} must be a table of numbers, not a file that NumPy "),
    ("c.csv", "1;2\n3;4\n", {}, "{path} must have commas between its columns, not ';'$"),
    ("c.csv", "a\tb\n3\t4\n", {}, r"{path} must have commas between its columns, not '\\t'$"),
    ("c.csv", "1,x\n3,4\n", {}, ("{path} must begin with a line of numbers or a line of names, not "
                                 "with '1,x'$")),
    ("c.csv", "1,,2\n3,4,5\n", {}, ("{path} must begin with a line of numbers or a line of names, "
                                    "not with '1,,2'$")),
    ("c.csv", ",a,b\n0,3,4\n", {}, ("{path} must have a name for its first column, not an empty "
                                    "one: leave out row numbers, as pandas does with index=False$"
                                    )),
    ("c.csv", "", {}, "{path} must be a table of numbers, but it is empty$"),
    ("c.csv", "a,b\n", {}, "{path} must be a table of numbers, but it is empty$"),
    ("c.npz", "no", {}, ("Session must be of a format to import, not 'c.npz': recordings are .npz "
                         "files, and 'spikewright show' says whether it is one$")),
    ("c.npy", "no", {}, ("{path} must be a table of numbers, not a file that NumPy refuses: it has "
                         "another format$")),
    ("c.csv", "1,2\n", {"series": "vel"}, "Series must be of a .mat or .nwb file, not of 'c.csv'"),
    ("c.csv", "1,2\n", {"unit": "m/s"}, "Unit must be that of a velocity, but c.csv has none"),
])
def test_files_that_are_refused(tmp_path, name, content, options, told):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ValueError, match="^" + told.format(path=path).replace("(", r"\(")):
        import_recording(path, 0.004, **options)


@needs("neo")
def test_formats_that_neo_does_not_know(tmp_path):
    for name, told in (("s.xyz", ".xyz"), ("s", "one without an extension")):
        path = tmp_path / name
        path.write_text("hello")
        with refused(f"{path} must be a file of a format that Neo knows, not {told}: 'spikewright "
                     "record import --help' lists what is read"):
            import_recording(path, 0.004)


@needs("h5py")
def test_old_matlab_file(tmp_path):
    (tmp_path / "old.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(600))
    with pytest.raises(ValueError, match="must be a MATLAB file of version 7.3, not one that h5py "
                                         "refuses: .*: save it in MATLAB with -v7.3$"):
        import_recording(tmp_path / "old.mat", 0.004)


def _cells(change):
    """A change of ``spikes``: ``change`` of the file gives what is there, of channel 1, unit 0."""
    def changed(file):
        file["spikes"][0, 1] = change(file)
    return changed


def _replaced(key, values):
    """A change of the array ``key``, or of what is in a group."""
    def changed(file):
        del file[key]
        file[key] = values
    return changed


def _text(file):
    cell = file.create_dataset("#refs#/text", data=np.array([[104, 105]], np.uint16))
    cell.attrs["MATLAB_class"] = np.bytes_("char")
    return cell.ref


def _lost(file):
    item = file.create_dataset("#refs#/lost", data=np.ones((1, 2)))
    reference = item.ref
    del file["#refs#/lost"]
    return reference


def _null(file):
    import h5py
    return h5py.Reference()


def _group(key):
    def changed(file):
        del file[key]
        file.create_group(key)
    return changed


def _empty(shape):
    def changed(file):
        import h5py
        del file["spikes"]
        file.create_dataset("spikes", shape, h5py.ref_dtype)
    return changed


@needs("h5py")
@pytest.mark.parametrize("change, message", [
    (_replaced("t", "soon"), "t must be a matrix of numbers, not text of shape ()"),
    (_group("t"), "t must be a matrix of numbers, not a group"),
    (_replaced("t", [[1.0]]), "t must be 2 times or more, not 1"),
    (_replaced("t", np.arange(11.0)[None] * np.nan), "t must ascend, not be nan s after nan s"),
    (_replaced("t", [[0.0, 1, 3, 2]]), "t must ascend, not be 2 s after 3 s"),
    (_replaced("t", [[0.0, np.inf]]), "t must ascend, not be inf s after 0 s"),
    (_replaced("cursor_pos", "soon"),
     "cursor_pos must be a matrix of numbers, not text of shape ()"),
    (_replaced("cursor_pos", np.ones(11)),
     "cursor_pos must be a matrix of numbers, not float64 of shape (11,)"),
    (_replaced("cursor_pos", np.ones((2, 10))),
     "cursor_pos must be 2 axes of 11 samples, as t has, not of shape (2, 10)"),
    (_group("cursor_pos"), "cursor_pos must be a matrix of numbers, not a group"),
    (_replaced("spikes", np.ones((3, 2))), ("spikes must be a cell array of 1 channel or more, and "
     "of 1 unit or more, not float64 of shape (3, 2)")),
    (_replaced("spikes", [["a", "b"]]), ("spikes must be a cell array of 1 channel or more, and of "
     "1 unit or more, not text of shape (1, 2)")),
    (_group("spikes"), ("spikes must be a cell array of 1 channel or more, and of 1 unit or more, "
     "not a group")),
    (_empty((3, 0)), ("spikes must be a cell array of 1 channel or more, and of 1 unit or more, "
     "not cells of shape (3, 0)")),
    (_cells(_null), "spikes of channel 1, unit 0 must be in the file, not missing"),
    (_cells(_lost), "spikes of channel 1, unit 0 must be in the file, not missing"),
    (_cells(_text), ("spikes of channel 1, unit 0 must be a matrix of numbers, not text of shape "
     "(1, 2)")),
    (_cells(lambda file: file["#refs#"].ref),
     "spikes of channel 1, unit 0 must be a matrix of numbers, not a group"),
    (_cells(lambda file: file["spikes"].ref),
     "spikes of channel 1, unit 0 must be a matrix of numbers, not cells of shape (3, 2)"),
])
def test_damaged_matlab_files(tmp_path, call_command, change, message):
    import h5py
    path = tmp_path / "indy.mat"
    write_reaching(path)
    with h5py.File(path, "r+") as file:
        change(file)
    assert call_command("record", "import", path, "-o", tmp_path / "r.npz", "--dt", 0.004) == (
        2, "", f"error: {path} {message}\n")
    assert not (tmp_path / "r.npz").exists()


@needs("h5py")
def test_fingers_need_three_axes(tmp_path):
    import h5py
    write_reaching(tmp_path / "indy.mat")
    with h5py.File(tmp_path / "indy.mat", "r+") as file:
        del file["finger_pos"]
        file["finger_pos"] = np.ones((2, 11))
    with refused(f"{tmp_path / 'indy.mat'} finger_pos must be 3 or 6 axes of 11 samples, as t has, "
                 "not of shape (2, 11)"):
        import_recording(tmp_path / "indy.mat", 0.004, series="finger_pos")


@needs("h5py")
def test_targets_are_not_read(tmp_path):
    """Only the published training needs them."""
    import h5py
    write_reaching(tmp_path / "indy.mat")
    whole = import_recording(tmp_path / "indy.mat", 0.004)
    with h5py.File(tmp_path / "indy.mat", "r+") as file:
        file.create_group("target_pos")
    found = import_recording(tmp_path / "indy.mat", 0.004)
    assert whole.keys() == found.keys()
    assert all((whole[key] == found[key]).all() for key in whole)


def test_missing_reader_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    (tmp_path / "s.mat").touch()
    with refused("Reading s.mat needs h5py: install spikewright[record]"):
        import_recording(tmp_path / "s.mat", 0.004)


def test_counts_that_may_be_transposed_are_told(tmp_path, capsys):
    np.save(tmp_path / "counts.npy", np.ones((4, 50)))
    words = ["record", "import", str(tmp_path / "counts.npy"), "-o", str(tmp_path / "r.npz")]
    run_words([*words, "--dt", "0.004"])
    assert capsys.readouterr().err == (
        "warning: 4 steps of 50 channels are few. Counts must have a row for each step, and a "
        "column for each channel: transpose them if they have a row for each channel\n")
