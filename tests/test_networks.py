import keras
import numpy as np
import pytest

from keras_filtergan.generators.discriminator import Discriminator
from keras_filtergan.generators.filter_generator import FilterGenerator

SHAPE = (3, 2, 4, 5)
LATENTS = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
MAPS = np.random.default_rng(1).normal(size=(6, 7, 8, 5)).astype("float32")


def generator():
    return FilterGenerator(SHAPE, latent_dim=3, width=16, seed=1)


def discriminator(num_classes=10):
    return Discriminator((7, 8, 5), 3, num_classes=num_classes, width=4, features=8, seed=1)


@pytest.mark.parametrize(("build", "inputs"), [(generator, LATENTS), (discriminator, MAPS)])
def test_saved_and_loaded_it_is_the_same(tmp_path, build, inputs):
    model = build()
    expected = model(inputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert loaded.get_config() == model.get_config()
    for one, other in zip(
        keras.tree.flatten(expected), keras.tree.flatten(loaded(inputs)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_kernels_by_hand():
    """The network written out in NumPy, one output channel at a time."""
    model = generator()
    model.build(LATENTS.shape)
    model.mean.assign(np.random.default_rng(2).normal(size=(5, 24)))
    kernels = model(LATENTS).numpy()
    weights = {weight.path.split("/", 1)[1]: weight.numpy() for weight in model.weights}
    silu = lambda x: x / (1 + np.exp(-x))  # noqa: E731
    for channel in range(5):
        x = LATENTS @ weights["latent_in/kernel"] + weights["latent_in/bias"]
        x = silu(x + model.channel.numpy()[channel])
        x = silu(x @ weights["hidden/kernel"] + weights["hidden/bias"])
        x = x @ weights["deviation/kernel"] + weights["deviation/bias"]
        mean = 10.0 * model.mean.numpy()[channel]
        expected = np.sqrt(2 / 24) * (mean + x).reshape(6, 3, 2, 4)
        np.testing.assert_allclose(kernels[..., channel], expected, atol=1e-5)


def test_initial_kernels_vary_with_the_latent_well_below_the_scale_of_trained_ones():
    model = FilterGenerator((3, 3, 32, 32), latent_dim=8)
    kernels = model(np.random.default_rng(0).normal(size=(50, 8)).astype("float32")).numpy()
    he = np.sqrt(2 / 288)
    assert 0.02 * he < kernels.std(axis=0).mean() < 0.5 * he


def test_the_mean_kernel_learns_ten_times_faster():
    model = generator()
    before = model(LATENTS).numpy().mean(axis=0)
    model.mean.assign_add(np.full((5, 24), 1e-3, "float32"))
    moved = model(LATENTS).numpy().mean(axis=0) - before
    np.testing.assert_allclose(moved, 10 * 1e-3 * np.sqrt(2 / 24), rtol=1e-3)


def test_another_seed_another_network():
    one, other = (FilterGenerator(SHAPE, 3, seed=seed)(LATENTS) for seed in (0, 1))
    assert np.abs(one - other).max() > 0.1


def test_the_class_adds_its_own_logit():
    model = discriminator()
    verdicts, _ = model(MAPS)
    labels = np.array([0, 9, 3, 3, 5, 1])
    expected = verdicts.numpy()[:, 0] + verdicts.numpy()[np.arange(6), 1 + labels]
    np.testing.assert_allclose(model.logits(verdicts, labels), expected, rtol=1e-5)


def test_without_classes_the_label_does_not_matter():
    model = discriminator(num_classes=0)
    verdicts, _ = model(MAPS)
    assert verdicts.shape == (6, 1)
    np.testing.assert_array_equal(model.logits(verdicts, np.arange(6)), verdicts[:, 0])


def test_d_and_q_share_all_but_their_last_layer():
    model = discriminator()
    model(MAPS)
    d = {id(variable) for variable in model.d_variables}
    q = {id(variable) for variable in model.q_variables}
    assert len(d & q) == len(model.trunk.trainable_variables) == 6
    assert len(d - q) == len(q - d) == 2
    assert d | q == {id(variable) for variable in model.trainable_variables}


def test_q_starts_by_saying_nothing():
    _, code = discriminator()(MAPS)
    np.testing.assert_array_equal(code, np.zeros((6, 3)))


@pytest.mark.parametrize(
    ("shape", "dense_weights", "square", "places"),
    [
        ((7, 7, 32), 2_000_000, 1, 4 * 4),
        ((28, 28, 16), 2_000_000, 1, 7 * 7),  # 14 · 14 · 128 · 128 would be 3.2 million
        ((28, 28, 16), None, 1, 14 * 14),
        ((56, 60, 4), 2_000_000, 2, 7 * 8),  # 28 × 30, then 14 × 15
        ((224, 224, 3), 2_000_000, 7, 8 * 8),  # 32 × 32, then 16 × 16
        ((9, 9, 3), 1, 1, 1),  # never less than one place
    ],
)
def test_large_maps_are_made_smaller_until_the_dense_layer_is(shape, dense_weights, square, places):
    trunk = Discriminator(shape, 3, width=64, dense_weights=dense_weights).trunk
    first, flat = trunk.layers[0], trunk.layers[-3]
    assert first.strides == (square, square)
    assert first.kernel_size == ((3, 3) if square == 1 else (square, square))
    assert flat.output.shape == (None, places * 128)


def test_a_configuration_of_before_there_was_a_bound_means_none():
    model = Discriminator((28, 28, 2), 3, width=4, features=8)
    config = model.get_config()
    assert Discriminator.from_config(config).dense_weights == 2_000_000
    del config["dense_weights"]
    assert Discriminator.from_config(config).dense_weights is None
