import numpy as np
import pytest
from test_stability import smooth_images

from keras_filtergan.data import randomness
from keras_filtergan.errors import InputError
from keras_filtergan.instruments.stability.diffeomorphisms import Diffeomorphisms, temperature_range
from keras_filtergan.instruments.stability.smooth_share import SmoothDeformation, smooth_share


def test_displaced_images_are_recovered():
    images = smooth_images(12)
    _, high = temperature_range(14, 3)
    moved = Diffeomorphisms(3, high / 4, seed=1)(images).numpy()
    assert smooth_share(images, moved, cut=3) > 0.97


def test_what_no_displacement_makes():
    """A flat image stays flat wherever its pixels go."""
    grey = np.full([3, 14, 14, 1], 0.5, "float32")
    assert smooth_share(grey, 0.5 * grey) == pytest.approx(0, abs=1e-6)
    noise = np.random.default_rng(0).uniform(0, 1, (6, 14, 14, 1))
    other = np.random.default_rng(1).uniform(0, 1, (6, 14, 14, 1))
    assert smooth_share(noise, other, cut=2) < 0.3


def test_nothing_changes():
    assert np.isnan(smooth_share(smooth_images(2), smooth_images(2)))


def test_images_do_not_influence_each_other():
    images = smooth_images(5)
    moved = Diffeomorphisms(3, 0.004)(images).numpy()
    together = smooth_share(images, moved, cut=3)
    total, left = 0, 0
    for i in range(5):
        change = np.square(moved[i] - images[i]).sum()
        total += change
        left += change * (1 - smooth_share(images[i : i + 1], moved[i : i + 1], cut=3))
    assert together == pytest.approx(1 - left / total, abs=1e-3)


def test_a_field_is_no_rougher_than_a_typical_one():
    """Coefficients that are too large come back to the sphere of those of unit variance."""
    shape = SmoothDeformation(cut=3)
    count = 2 * sum(i * i + j * j <= 9 for i in (1, 2, 3) for j in (1, 2, 3))
    draws = np.random.default_rng(0).standard_normal((500, 2, 3, 3)).astype("float32")
    images = np.zeros([500, 14, 14, 1], "float32")
    large, _ = shape.project((10 * draws, images))
    used = np.add.outer(np.arange(1, 4) ** 2, np.arange(1, 4) ** 2) <= 9
    np.testing.assert_allclose((large.numpy() ** 2 * used).sum(axis=(1, 2, 3)), count, rtol=1e-4)
    small, _ = shape.project((0.1 * draws, images))
    np.testing.assert_array_equal(small, 0.1 * draws)


def test_units_are_those_of_the_highest_temperature():
    """Standard normal coefficients give the fields of `Diffeomorphisms` at T_max."""
    _, high = temperature_range(14, 3)
    draws = np.stack(
        [
            randomness.stream(5, randomness.DEFORMATION, i).standard_normal((2, 3, 3))
            for i in range(4)
        ]
    )
    field = SmoothDeformation(3).displacement(
        (draws.astype("float32"), np.zeros([4, 14, 14, 1], "float32"))
    )
    expected = Diffeomorphisms(3, high, seed=5).displacement(0, 4, 14, 14)
    np.testing.assert_allclose(field, expected, atol=1e-5)


def test_images_of_several_sizes():
    for side in (14, 16, 20):
        images = smooth_images(2, side)
        moved = Diffeomorphisms(3, 0.004)(images).numpy()
        assert smooth_share(images, moved, cut=3) > 0.9


def test_bad_input():
    with pytest.raises(InputError, match="one shape"):
        smooth_share(smooth_images(2), smooth_images(3))
