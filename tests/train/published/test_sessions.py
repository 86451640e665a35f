# SPDX-License-Identifier: Apache-2.0
"""Steps, movement, parts and samples of the public reaching sessions, against slow references."""

import numpy as np
import pytest

from tests.networks import refused
from tests.train.published.reaching import needs_h5py, write_session

torch = pytest.importorskip("torch", reason="torch is not installed")

from spikewright.train.published.sessions import Samples, read_parts  # noqa: E402
from spikewright.train.recording import dense  # noqa: E402

PAGE = "https://doi.org/10.5281/zenodo.583331"

pytestmark = needs_h5py


def slow_bins(spikes, times):
    """The publisher's binning: a histogram of each unit, moved by one step, OR over units."""
    edges = np.arange(times[0] - 0.004, times[-1], 0.004)
    table = np.zeros((len(edges), len(spikes)), np.uint8)
    for channel, units in enumerate(spikes):
        for seconds in units:
            for bin_ in range(len(edges) - 1):
                last = bin_ == len(edges) - 2
                for second in seconds:
                    inside = edges[bin_] <= second < edges[bin_ + 1]
                    if inside or (last and second == edges[bin_ + 1]):
                        table[bin_ + 1, channel] = 1
    return table[:len(times)]


def slow_split(target):
    """Parts of the publisher, train 50 %, then those of the published code, as sets of steps."""
    samples = target.shape[1]
    segments, first = [], 0
    for step in range(samples - 1):
        if target[0, step + 1] != target[0, step] or target[1, step + 1] != target[1, step]:
            segments.append(range(first, step))
            first = step
    segments.append(range(first, samples))
    train = int(0.5 * len(segments))
    validation = int((len(segments) - train) / 2)
    before = [step for segment in segments[:train + validation] for step in segment]
    judged = int(np.round(samples * 0.1 / 0.75))
    return (before[:-judged], before[-judged:],
            [step for segment in segments[train + validation:] for step in segment])


@pytest.mark.parametrize("seed, start", [(0, 12.5), (1, 0.004), (2, 1234.567)])
def test_steps_are_those_of_the_publisher(tmp_path, seed, start):
    """Spikes before the first sample, on edges, after the last one, several in a step."""
    path = tmp_path / "indy.mat"
    _, times, *_ = write_session(path, samples=2000, seed=seed, start=start, channels=3)
    edges = np.arange(times[0] - 0.004, times[-1], 0.004)
    import h5py
    with h5py.File(path, "r+") as file:
        cell = file[file["spikes"][0, 1]]
        ours = np.concatenate([edges[:5], edges[[-4, -1]], np.repeat(times[7], 3),
                               [times[0] - 1, times[-1], times[-1] + 0.01]])
        name = cell.name
        del file[name]
        file["#refs#/own"] = np.sort(ours)[None]
        file["spikes"][0, 1] = file["#refs#/own"].ref
        spikes = [[file[reference][()].ravel() for reference in file["spikes"][:, channel]]
                  for channel in range(3)]
    parts = read_parts(path)
    found = np.concatenate([dense(parts.seen), dense(parts.test)])
    wanted = slow_bins(spikes, times)
    assert found.shape == (2000, 3) and (found == wanted).all()
    assert 20 < found.sum(0).min() and found.max() == 1


def test_labels_are_the_gradient_of_the_position(tmp_path):
    """In mm per step, single precision, not divided by the step."""
    _, _, cursor, _ = write_session(tmp_path / "indy.mat", samples=2000)
    parts = read_parts(tmp_path / "indy.mat")
    found = np.concatenate([parts.seen.velocity, parts.test.velocity])
    position = torch.from_numpy(cursor).float()
    assert (found.T == torch.gradient(position, dim=1)[0].double().numpy()).all()
    middle = (cursor[:, 2:] - cursor[:, :-2]) / 2
    np.testing.assert_allclose(found[1:-1].T, middle, rtol=0, atol=1e-5)
    assert parts.test.unit == "mm per step" and parts.test.dt == 0.004
    assert parts.test.source == f"indy.mat, {PAGE}"


@pytest.mark.parametrize("seed, samples, targets", [(0, 2000, 8), (1, 2601, 21), (2, 1999, 50),
                                                    (3, 2205, 3)])
def test_split_is_that_of_the_publisher(tmp_path, seed, samples, targets):
    path = tmp_path / "loco.mat"
    *_, target = write_session(path, samples=samples, targets=targets, seed=seed)
    learn, validation, test = slow_split(target)
    assert len(learn) > 500 and learn + validation + test == list(range(samples))
    parts = read_parts(path)
    assert [parts.learn.steps, parts.validation.steps, parts.test.steps, parts.seen.steps] == [
        len(learn), len(validation), len(test), len(learn) + len(validation)]


def test_session_is_that_of_neurobench(tmp_path):
    """Its loader, as the published code calls it, and then the validation part of that code."""
    loader = pytest.importorskip("neurobench.datasets.primate_reaching",
                                 reason="neurobench is not installed")
    for seed in range(5):
        write_session(tmp_path / "indy.mat", samples=2500 + 7 * seed, targets=9 + seed, seed=seed,
                      start=100.3 * seed)
        data = loader.PrimateReaching(str(tmp_path), "indy", 1, train_ratio=0.5, bin_width=0.004,
                                      download=False)
        seen = data.ind_train + data.ind_val
        judged = int(np.round(len(data) * 0.1 / 0.75))
        parts = read_parts(tmp_path / "indy.mat")
        for part, steps in ((parts.learn, seen[:-judged]), (parts.validation, seen[-judged:]),
                            (parts.test, data.ind_test)):
            assert (dense(part) == data.samples.T.numpy()[steps]).all()
            assert (part.velocity == data.labels.T.numpy()[steps]).all()


def test_split_in_percent(tmp_path):
    """61.7, 13.3 and 25 % where segments are short."""
    write_session(tmp_path / "a.mat", samples=6000, targets=1500)
    parts = read_parts(tmp_path / "a.mat")
    shares = [part.steps / 6000 for part in (parts.learn, parts.validation, parts.test)]
    assert shares == pytest.approx([0.617, 0.133, 0.25], abs=0.02)


def test_samples_overlap_and_drop_their_tail(tmp_path):
    """500 steps from each 100, of each session for itself; none ends with the last step."""
    learnt = []
    for number, samples in enumerate((3000, 2500)):
        write_session(tmp_path / f"{number}.mat", samples=samples, seed=number)
        learnt.append(read_parts(tmp_path / f"{number}.mat").learn)
    learnt[1] = learnt[1].head(1100)            # 1,000 steps from the second offset on: one sample
    samples = Samples(learnt)
    wanted = []
    for recording in learnt:
        for offset in (0, 100, 200, 300, 400):
            spikes = dense(recording)[offset:]
            pieces = np.split(spikes, np.arange(500, len(spikes), 500))[:-1]
            moved  = np.split(recording.velocity[offset:], np.arange(500, len(spikes), 500))[:-1]
            wanted += list(zip(pieces, moved, strict=True))
    assert len(samples) == len(wanted) > 15
    assert [sum(samples.begins >= learnt[0].steps), learnt[1].steps] == [6, 1100]
    assert [len(Samples([learnt[0].head(steps)])) for steps in (600, 1000, 1001)] == [1, 5, 6]
    spikes, target = samples.batch(np.arange(len(wanted)))
    assert spikes.shape == (500, len(wanted), 4) and target.shape == (500, len(wanted), 2)
    assert (spikes.numpy() == np.stack([piece for piece, _ in wanted], axis=1)).all()
    assert (target.numpy() == np.stack([moved for _, moved in wanted], axis=1).astype("f4")).all()
    mean = np.mean([piece.sum() / 2 / 4 for piece, _ in wanted])
    assert samples.rates == pytest.approx([mean], rel=1e-12)


def test_rates_of_two_arrays(tmp_path):
    write_session(tmp_path / "loco.mat", channels=192, units=1, samples=2600)
    samples = Samples([read_parts(tmp_path / "loco.mat").learn])
    spikes, _ = samples.batch(np.arange(len(samples)))
    first, second = (spikes.sum(0).mean(0) / 2).split(96)
    assert samples.rates == pytest.approx([first.mean().item(), second.mean().item()], rel=1e-6)


def test_messages(tmp_path):
    path = tmp_path / "indy_20160622_01.mat"
    with refused(f"Session {path} must be a .mat file of the public reaching sessions, not "
                 f"missing: download it from {PAGE}, and give its path"):
        read_parts(path)
    (tmp_path / "mine.npz").write_bytes(b"")
    with refused(f"Session {tmp_path / 'mine.npz'} must be a .mat file of the public reaching "
                 f"sessions, {PAGE}, for the recipe published, not another file: the recipe "
                 "default takes recordings"):
        read_parts(tmp_path / "mine.npz")
    *_, target = write_session(path, samples=800)
    with refused(f"Session {path} must have more than 500 steps to learn from, before its "
                 f"validation and test part, not {len(slow_split(target)[0])}"):
        read_parts(path)
    write_session(path, without=["target_pos"])
    with refused(f"{path} must hold 'target_pos', not only #refs#, cursor_pos, spikes, t"):
        read_parts(path)
    write_session(path, without=["cursor_pos"])
    with refused(f"{path} must hold 'cursor_pos', not only #refs#, spikes, t, target_pos"):
        read_parts(path)


@pytest.mark.parametrize("key, change, message", [
    ("target_pos", lambda values: values[:, 1:], ("target_pos must be 2 axes of 2600 samples, as t "
     "has, not of shape (2, 2599)")),
    ("cursor_pos", lambda values: values[0], ("cursor_pos must be a matrix of numbers, not float64 "
     "of shape (2600,)")),
    ("cursor_pos", lambda values: values[:1], ("cursor_pos must be 2 axes of 2600 samples, as t "
     "has, not of shape (1, 2600)")),
    ("t", lambda values: values[:, 1:], ("cursor_pos must be 2 axes of 2599 samples, as t has, not "
     "of shape (2, 2600)")),
    ("t", lambda values: values + 0.1 * (np.arange(2600) >= 70), (
     "t must have a sample every 4 ms, not after 104 ms at sample 70")),
    ("t", lambda values: 10 + 0.005 * np.arange(2600)[None], (
     "t must have a sample every 4 ms, not after 5 ms at sample 1")),
    ("t", lambda values: 10 + 0.003 * np.arange(2600)[None], (
     "t must have a sample every 4 ms, not after 3 ms at sample 1")),
    ("t", lambda values: 10 + 0.0041 * np.arange(2600)[None], (
     "t must have a sample every 4 ms, not every 4.1 ms on average")),
])
def test_damaged_sessions(tmp_path, key, change, message):
    import h5py
    path = tmp_path / "a.mat"
    write_session(path)
    with h5py.File(path, "r+") as file:
        values = file[key][()]
        del file[key]
        file[key] = change(values)
    with refused(f"{path} {message}"):
        read_parts(path)


def test_times_that_jitter(tmp_path):
    """Samples may come up to 0.4 ms early or late, and 0.1 % on average."""
    import h5py
    write_session(tmp_path / "a.mat")
    with h5py.File(tmp_path / "a.mat", "r+") as file:
        file["t"][...] = 12.5 + 0.004003 * np.arange(2600) + 1.9e-4 * (np.arange(2600) % 2)
    parts = read_parts(tmp_path / "a.mat")
    assert parts.seen.steps + parts.test.steps == 2600
