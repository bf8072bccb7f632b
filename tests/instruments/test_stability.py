import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.instruments.stability.diffeomorphisms import Diffeomorphisms, temperature_range
from keras_filtergan.instruments.stability.relative_stability import (
    relative_stability,
    temperatures,
)


def smooth_images(count=40, side=14):
    """A few slow waves an image, in [0, 1]."""
    generator = np.random.default_rng(0)
    place = np.linspace(0, np.pi, side)
    waves = np.stack([np.cos(k * place) for k in range(4)])
    amounts = generator.standard_normal((count, 4, 4))
    images = np.einsum("nij,ih,jw->nhw", amounts, waves, waves)[..., None]
    return ((images - images.min()) / np.ptp(images)).astype("float32")


LEVELS = [Diffeomorphisms(3, t, seed=7) for t in temperatures(14, 3, 3)]


def test_the_distances_are_those_of_the_formula():
    """A network of two layers, one image at a time in NumPy."""
    images = smooth_images(9)
    matrix = np.random.default_rng(1).standard_normal((14 * 14, 5))

    def by_hand(x):
        flat = x.reshape(len(x), -1) @ matrix
        return {"linear": flat, "rectified": np.maximum(flat, 0)}

    def record(x):
        flat = tf.reshape(x, [-1, 196]) @ tf.constant(matrix, tf.float32)
        return {"linear": flat, "rectified": tf.nn.relu(flat)}

    found = relative_stability(record, images, LEVELS, seed=3, batch_size=4)
    assert found.layers == ["image", "linear", "rectified"]
    clean = by_hand(images)
    for level, deform in enumerate(LEVELS):
        moved = deform(images).numpy()
        norm = np.mean([np.linalg.norm(a - b) for a, b in zip(moved, images, strict=True)])
        for name in ("linear", "rectified"):
            expected = np.square(by_hand(moved)[name] - clean[name]).sum(axis=1)
            np.testing.assert_allclose(found.deformed[name][level], expected, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(found.noisy["image"][level], norm**2, rtol=1e-4)
    pairs = clean["linear"][:, None] - clean["linear"][None]
    apart = np.mean(np.square(pairs).sum(axis=-1))
    np.testing.assert_allclose(found.apart["linear"], apart, rtol=1e-4)
    np.testing.assert_allclose(
        found.in_units_of_images(found.deformed)["linear"],
        found.deformed["linear"].mean(axis=1) / apart,
        rtol=1e-4,
    )


def test_noise_is_isotropic():
    """Σ over all directions: E‖Aη‖² = r² ‖A‖² / N."""
    images = smooth_images(400)
    scale = np.linspace(0, 2, 196).astype("float32")
    found = relative_stability(
        lambda x: {"scaled": tf.reshape(x, [-1, 196]) * scale}, images, LEVELS[1:2]
    )
    expected = found.noisy["image"].mean() * np.square(scale).mean()
    assert found.noisy["scaled"].mean() == pytest.approx(expected, rel=0.02)


def test_batches_do_not_matter():
    images = smooth_images(10)
    one, other = (
        relative_stability(lambda x: {"f": tf.sin(9 * x)}, images, LEVELS, batch_size=size)
        for size in (3, 10)
    )
    np.testing.assert_allclose(one.deformed["f"], other.deformed["f"], rtol=1e-5)
    np.testing.assert_allclose(one.noisy["f"], other.noisy["f"], rtol=1e-5)


def test_what_is_known_of_the_ratio():
    """An isometry has the input's; slow waves hear deformation more than noise, fast ones less."""
    images = smooth_images(60)
    turn, _ = np.linalg.qr(np.random.default_rng(2).standard_normal((196, 196)))

    def record(x):
        flat = tf.reshape(x, [-1, 196])
        slow = tf.nn.avg_pool2d(x, 3, 1, "SAME")
        return {"turned": flat @ tf.constant(turn, tf.float32), "slow": slow, "fast": x - slow}

    found = relative_stability(record, images, LEVELS)
    for average in (np.mean, np.median):
        ratios = found.relative(average)
        np.testing.assert_allclose(ratios["turned"], ratios["image"], rtol=1e-3)
        assert np.all(ratios["slow"] > 2 * ratios["image"])
        assert np.all(ratios["fast"] < 0.5 * ratios["image"])


def test_a_layer_that_hears_nothing_has_no_ratio():
    found = relative_stability(lambda x: {"dead": 0 * x}, smooth_images(4), LEVELS)
    assert np.isnan(found.relative()["dead"]).all()
    assert np.isnan(found.in_units_of_images(found.noisy)["dead"]).all()


def test_mean_and_median():
    found = relative_stability(lambda x: {"f": x**2}, smooth_images(11), LEVELS)
    ratio = np.median(found.deformed["f"][1]) / np.median(found.noisy["f"][1])
    assert found.relative(np.median)["f"][1] == pytest.approx(ratio)
    ratio = np.mean(found.deformed["f"][1]) / np.mean(found.noisy["f"][1])
    assert found.relative()["f"][1] == pytest.approx(ratio)


def test_temperatures_span_the_range():
    low, high = temperature_range(28, 3)
    np.testing.assert_allclose(temperatures(28, 3, 2), [low, high])
    np.testing.assert_allclose(temperatures(28, 3, 1), [np.sqrt(low * high)])
    steps = np.diff(np.log(temperatures(28, 3, 6)))
    np.testing.assert_allclose(steps, steps[0])


def test_bad_input():
    with pytest.raises(InputError, match="at least 1 temperature, received 0"):
        temperatures(28, 3, 0)
    with pytest.raises(InputError, match="cut of at least 2, received 1"):
        temperatures(28, 1, 3)
    with pytest.raises(InputError, match="received none"):
        relative_stability(lambda x: {}, smooth_images(2), [])
    with pytest.raises(InputError, match="expected a temperature"):
        relative_stability(lambda x: {}, smooth_images(2), [Diffeomorphisms(3, 1.0)])
