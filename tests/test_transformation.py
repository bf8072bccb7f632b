import keras
import numpy as np
import pytest
import scipy.ndimage

from keras_filtergan.gan.transformation import ImageTransformation

pytestmark = pytest.mark.onednn

ZERO = np.zeros((1, 3), "float32")
LATENTS = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")


def images(channels=1, side=14):
    noise = np.random.default_rng(1).uniform(size=(5, side, side, channels))
    return scipy.ndimage.gaussian_filter(noise, (0, 2, 2, 0)).astype("float32")


def transformation(strength=0.0):
    """One whose last layer is not zero, as it is before training."""
    model = ImageTransformation(latent_dim=3, seed=2)
    kernel = model.strengths.layers[-1].kernel
    kernel.assign(np.random.default_rng(3).normal(0, strength, kernel.shape))
    return model


def only(kind, values):
    """A transformation with chosen strengths for every latent but 0."""
    model = ImageTransformation(latent_dim=3, grid=2)

    def strengths(latents):
        row = np.zeros(2 * 4 + 25 + 1, "float32")
        row[{"lattice": slice(0, 8), "taps": slice(8, 33), "gain": slice(33, 34)}[kind]] = values
        return np.any(latents, axis=1)[:, None] * row

    object.__setattr__(model, "strengths", strengths)
    return model


@pytest.mark.parametrize("channels", [1, 3])
def test_the_identity_without_a_step_and_before_training(channels):
    x = images(channels)
    np.testing.assert_allclose(transformation()((x, ZERO, LATENTS)), x, atol=1e-6)
    still = transformation(0.3)((x, LATENTS, LATENTS))
    np.testing.assert_allclose(still, x, atol=1e-6)
    assert np.abs(transformation(0.3)((x, ZERO, LATENTS)) - x).max() > 0.05


def test_the_step_back_is_the_opposite():
    """A gain of 1 + g there is one of 1 − g back, and between equal strengths none."""
    x, model = 0.5 * images(), only("gain", [0.4])
    one, two = LATENTS, 0 * LATENTS
    np.testing.assert_allclose(model((x, two, one)), 1.4 * x, atol=1e-6)
    np.testing.assert_allclose(model((x, one, two)), 0.6 * x, atol=1e-6)
    np.testing.assert_allclose(model((x, one, 2 * one)), x, atol=1e-6)


def test_a_constant_lattice_shifts_the_image():
    x = images(side=14)
    shifted = only("lattice", np.tile([0.5, -1.0], 4))((x, ZERO, LATENTS)).numpy()  # 1 down, 2 left
    np.testing.assert_allclose(shifted[:, :-1, 2:], x[:, 1:, :-2], atol=1e-5)


def test_taps_are_a_correlation_added_to_the_image():
    x = 0.3 * images(channels=3)
    taps = np.random.default_rng(4).normal(0, 0.05, (5, 5))
    expected = x + np.stack(
        [scipy.ndimage.correlate(one, taps[:, :, None], mode="constant") for one in x]
    )
    found = only("taps", taps.ravel())((x, ZERO, LATENTS))
    np.testing.assert_allclose(found, np.clip(expected, 0, 1), atol=1e-5)


def test_gain_stretches_contrast_and_values_stay_in_range():
    x = images()
    found = only("gain", [0.7])((x, ZERO, LATENTS))
    np.testing.assert_allclose(found, np.clip(1.7 * x, 0, 1), atol=1e-6)


def test_an_empty_background_stays_empty():
    blank = np.zeros((5, 14, 14, 1), "float32")
    np.testing.assert_array_equal(transformation(1.0)((blank, ZERO, LATENTS)), blank)


def test_saved_and_loaded_it_is_the_same(tmp_path):
    model, x = transformation(0.2), images()
    expected = model((x, ZERO, LATENTS))
    model.save(tmp_path / "transformation.keras")
    loaded = keras.models.load_model(tmp_path / "transformation.keras")
    np.testing.assert_array_equal(loaded((x, ZERO, LATENTS)), expected)
    assert loaded.get_config() == model.get_config()
