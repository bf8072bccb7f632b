import hashlib
import json

import h5py
import keras
import numpy as np
import pytest

from keras_filtergan.errors import DivergenceError, InputError
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.guards.hdf5 import arrays_of
from keras_filtergan.runs import checkpoints as module
from keras_filtergan.runs.checkpoints import Checkpoints


def new_gan(target, dataset, seed=0):
    gan = FilterGAN(target, latent_dim=3, seed=seed)
    gan.compile()
    gan.adapt(dataset.x_train)
    return gan


def state(gan):
    """Everything the next step depends on."""
    optimizers = (gan.g_optimizer, gan.d_optimizer, gan.q_optimizer, gan.t_optimizer)
    variables = [*gan.weights, *(v for o in optimizers for v in o.variables)]
    return [np.array(variable) for variable in variables]


def test_a_restored_model_goes_on_bit_for_bit(tmp_path, target, dataset, batch):
    gan = new_gan(target, dataset)
    for _ in range(3):
        gan.train_step(batch)
    Checkpoints(tmp_path, "run").save(gan, 3)
    again = new_gan(target, dataset, seed=7)  # other weights, to be overwritten
    assert Checkpoints(tmp_path, "run").restore(again) == 3
    for model in (gan, again):
        model.train_step(batch)
    for one, other in zip(state(gan), state(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_a_state_nothing_is_restored(tmp_path, gan):
    before = state(gan)
    assert Checkpoints(tmp_path / "none", "run").restore(gan) == 0
    for one, other in zip(before, state(gan), strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_the_latest_are_kept(tmp_path, gan):
    checkpoints = Checkpoints(tmp_path, "run", keep=2)
    for step in (5, 10, 15):
        checkpoints.save(gan, step)
    assert checkpoints.steps == [10, 15]


def test_an_interrupted_write_is_not_taken_for_a_state(tmp_path, gan, monkeypatch):
    checkpoints = Checkpoints(tmp_path, "run")
    checkpoints.save(gan, 5)

    def power_cut(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "as_json", power_cut)  # the weights are written, the record not
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(gan, 10)
    assert checkpoints.steps == [5]
    assert checkpoints.restore(gan) == 5


def test_another_run_is_refused(tmp_path, gan):
    Checkpoints(tmp_path, "one").save(gan, 5)
    with pytest.raises(InputError, match="other settings or data"):
        Checkpoints(tmp_path, "two").restore(gan)


def flipped(folder):
    content = bytearray((folder / "state.weights.h5").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "state.weights.h5").write_bytes(content)


def says(**changes):
    """The record with other fields, and the checksum of what is there."""

    def change(folder):
        path = folder / "checkpoint.json"
        checksum = hashlib.sha256((folder / "state.weights.h5").read_bytes()).hexdigest()
        path.write_text(json.dumps({**json.loads(path.read_text()), "sha256": checksum, **changes}))

    return change


def holds(content):
    def change(folder):
        (folder / "state.weights.h5").write_bytes(content)
        says()(folder)

    return change


def poisoned(folder):
    with h5py.File(folder / "state.weights.h5", "r+") as file:
        weights = [array for path, array in arrays_of(file) if "optimizer" not in path]
        weights[0][...] = np.nan
    says()(folder)


def linked(folder):
    with h5py.File(folder / "state.weights.h5", "r+") as file:
        file["more"] = h5py.ExternalLink("/etc/passwd", "x")
    says()(folder)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (flipped, "its weights are not those that were written"),
        (says(step="10"), "step is '10', expected a whole number"),
        (says(step=10**9), "it says that it is of step 1000000000"),
        (says(step=-5), "it says that it is of step -5"),
        (says(step=True), "step is true"),
        (says(means={"d_loss": 3}), "means.d_loss is 3, expected a list"),
        (lambda folder: (folder / "checkpoint.json").write_text("[]"), "it is [], expected an"),
        (lambda folder: (folder / "checkpoint.json").write_bytes(b"\xff"), "not UTF-8"),
        (lambda folder: (folder / "checkpoint.json").unlink(), "No such file"),
        (lambda folder: (folder / "state.weights.h5").unlink(), "No such file"),
        (holds(b"not HDF5 at all"), "file signature not found"),
        (poisoned, "is not finite"),
        (linked, "'more' is a link that leads elsewhere"),
    ],
)
def test_the_one_before_takes_the_place_of_a_damaged_one(tmp_path, gan, batch, harm, reason):
    """Without the harm the newest is taken; with it the one before, to the bit."""
    lines = []
    checkpoints = Checkpoints(tmp_path, "run", say=lines.append)
    checkpoints.save(gan, 5)
    before = state(gan)
    gan.train_step(batch)
    newest = checkpoints.save(gan, 10)
    after = state(gan)
    assert checkpoints.restore(gan, 20) == 10
    harm(newest)
    assert checkpoints.restore(gan, 20) == 5
    for one, other in zip(before, state(gan), strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(before, after, strict=True))
    [line] = lines
    assert "step-00000010" in line
    assert reason in line
    assert "is kept as step-00000010.damaged; that of step 5 is used" in line
    assert {path.name for path in tmp_path.iterdir()} == {
        "step-00000005",
        "step-00000010.damaged",
    }


def test_a_state_of_a_later_step_than_the_last_is_none(tmp_path, gan):
    lines = []
    checkpoints = Checkpoints(tmp_path, "run", say=lines.append)
    checkpoints.save(gan, 10**9)
    assert checkpoints.restore(gan, 20) == 0
    assert "training begins again" in lines[0]


def test_running_means_are_kept_exactly(tmp_path, gan, batch):
    for _ in range(3):
        gan.train_step(batch)
    checkpoints = Checkpoints(tmp_path, "run")
    checkpoints.save(gan, 3)
    checkpoints.restore(gan)
    for mean in gan.metrics:
        total, count = checkpoints.means[mean.name]
        assert (np.float32(total), np.float32(count)) == (mean.total.numpy(), mean.count.numpy())
        assert count == 3


def test_a_disk_that_is_full_leaves_the_states_that_are_there(tmp_path, gan, small_files):
    checkpoints = Checkpoints(tmp_path, "run")
    checkpoints.save(gan, 5)
    with small_files(10_000), pytest.raises(OSError, match=r"No space left.*step-00000010"):
        checkpoints.save(gan, 10)
    assert checkpoints.restore(gan) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000005"]
    checkpoints.save(gan, 10)  # there is space again
    assert checkpoints.restore(gan) == 10


def test_another_environment_is_told(tmp_path, gan):
    folder = Checkpoints(tmp_path, "run").save(gan, 5)
    record = json.loads((folder / "checkpoint.json").read_text())
    record["environment"]["tensorflow"] = "1.0"
    (folder / "checkpoint.json").write_text(json.dumps(record))
    with pytest.warns(UserWarning, match="not bit for bit"):
        assert Checkpoints(tmp_path, "run").restore(gan) == 5


def test_a_state_with_nan_is_never_written(tmp_path, gan):
    checkpoints = Checkpoints(tmp_path, "run")
    checkpoints.save(gan, 5)
    gan.raw_generator.mean.assign(gan.raw_generator.mean * np.nan)
    with pytest.raises(DivergenceError, match=r"step 10: weight .* is not finite"):
        checkpoints.save(gan, 10)
    assert checkpoints.steps == [5]


def test_optimizers_of_another_kind_do_not_slip_in(tmp_path, target, dataset, batch):
    gan = new_gan(target, dataset)
    gan.train_step(batch)
    Checkpoints(tmp_path, "run").save(gan, 1)
    other = FilterGAN(target, latent_dim=3)
    other.compile(*(keras.optimizers.Adam(1e-3) for _ in range(4)))
    with pytest.raises(InputError, match="does not fit"):
        Checkpoints(tmp_path, "run").restore(other)
