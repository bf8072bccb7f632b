import json

import keras
import numpy as np
import pytest

from keras_filtergan.errors import DivergenceError, InputError
from keras_filtergan.gan.filtergan import FilterGAN
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

    monkeypatch.setattr(gan, "save_weights", power_cut)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(gan, 10)
    assert checkpoints.steps == [5]
    assert checkpoints.restore(gan) == 5


def test_another_run_is_refused(tmp_path, gan):
    Checkpoints(tmp_path, "one").save(gan, 5)
    with pytest.raises(InputError, match="other settings or data"):
        Checkpoints(tmp_path, "two").restore(gan)


def test_damage_is_noticed(tmp_path, gan):
    folder = Checkpoints(tmp_path, "run").save(gan, 5)
    file = folder / "state.weights.h5"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match="is damaged; delete it"):
        Checkpoints(tmp_path, "run").restore(gan)


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
