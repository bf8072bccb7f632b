import numpy as np

from keras_filtergan.generators.linear_filter_generator import LinearFilterGenerator
from keras_filtergan.generators.saved_generator import load_generator

SHAPE = (3, 2, 4, 5)
LATENTS = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")


def generator():
    model = LinearFilterGenerator(SHAPE, latent_dim=3, width=8, seed=1, use_bias=True)
    model.build(LATENTS.shape)
    return model


def test_each_latent_dimension_owns_a_change_of_the_whole_kernel_set():
    """With the small network switched off, G(z) is the mean and a sum of changes."""
    model, rng = generator(), np.random.default_rng(2)
    for weight in model.deviation.weights:
        weight.assign(0 * weight)
    model.mean.assign(rng.normal(size=model.mean.shape))
    changes = rng.normal(size=(3, 5, 3, 2, 4)).astype("float32")  # output channel first
    model.linear.assign(changes.reshape(3, -1))
    scale = np.sqrt(2 / 24)  # He, of 3 · 2 · 4 inputs
    mean = 10 * model.mean.numpy().reshape(5, 3, 2, 4)
    expected = scale * (mean + np.einsum("md,dojki->mojki", LATENTS, changes))
    np.testing.assert_allclose(model(LATENTS), np.moveaxis(expected, 1, -1), atol=1e-5)


def test_before_training_it_is_the_generator_without_the_part():
    model, rng = generator(), np.random.default_rng(2)
    before = model(LATENTS).numpy()
    assert not np.any(model.linear)
    model.linear.assign(rng.normal(size=model.linear.shape))
    assert np.abs(model(LATENTS) - before).max() > 0.1


def test_saved_and_loaded_without_trust_it_is_the_same(tmp_path):
    model, rng = generator(), np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    model.save(tmp_path / "generator.keras")
    loaded = load_generator(tmp_path / "generator.keras")
    assert type(loaded) is LinearFilterGenerator
    np.testing.assert_array_equal(loaded(LATENTS), model(LATENTS))
