import math

import numpy as np
import pytest
import scipy.ndimage

from keras_filtergan.data import randomness
from keras_filtergan.errors import InputError
from keras_filtergan.instruments.stability.diffeomorphisms import (
    Diffeomorphisms,
    folded_share,
    temperature_range,
)


def field_by_the_formula(draws, cut, temperature, side):
    """Σ C_ij sin(iπu) sin(jπv), one term and one place at a time."""
    field = np.zeros((side, side))
    for row in range(side):
        for column in range(side):
            u, v = row / (side - 1), column / (side - 1)
            for i in range(1, cut + 1):
                for j in range(1, cut + 1):
                    if i**2 + j**2 <= cut**2:
                        c = draws[i - 1, j - 1] * math.sqrt(temperature) / math.hypot(i, j)
                        field[row, column] += (
                            c * math.sin(i * math.pi * u) * math.sin(j * math.pi * v)
                        )
    return side * field


def test_the_field_is_that_of_the_formula():
    deform = Diffeomorphisms(cut=3, temperature=0.01, seed=5)
    displacement = deform.displacement(7, 2, 12, 12).numpy()
    for image in range(2):
        draws = randomness.stream(5, randomness.DEFORMATION, 7 + image).standard_normal((2, 3, 3))
        for axis in range(2):
            expected = field_by_the_formula(draws[axis], 3, 0.01, 12)
            np.testing.assert_allclose(displacement[image, ..., axis], expected, atol=1e-5)


def test_sides_of_their_own():
    """Down in units of the height, right in units of the width; the border stays."""
    displacement = Diffeomorphisms(3, 0.005).displacement(0, 4, 20, 40).numpy()
    assert displacement.shape == (4, 20, 40, 2)
    for border in (displacement[:, [0, -1]], displacement[:, :, [0, -1]]):
        np.testing.assert_allclose(border, 0, atol=1e-4)
    many = Diffeomorphisms(3, 0.005).displacement(0, 400, 20, 40).numpy()
    ratio = many[..., 1].std() / many[..., 0].std()
    assert ratio == pytest.approx(2.0, rel=0.1)


def test_images_are_deformed_as_scipy_does():
    images = np.random.default_rng(0).uniform(size=(3, 14, 14, 3)).astype("float32")
    deform = Diffeomorphisms(cut=4, temperature=0.004, seed=1)
    tau = deform.displacement(0, 3, 14, 14).numpy()
    grid = np.stack(np.meshgrid(np.arange(14), np.arange(14), indexing="ij"))
    moved = deform(images).numpy()
    for i in range(3):
        places = grid + np.moveaxis(tau[i], -1, 0)
        for channel in range(3):
            expected = scipy.ndimage.map_coordinates(
                images[i, ..., channel], places, order=1, mode="nearest"
            )
            np.testing.assert_allclose(moved[i, ..., channel], expected, atol=1e-4)


def test_an_image_is_deformed_alike_in_any_batch():
    images = np.random.default_rng(0).uniform(size=(6, 14, 14, 1)).astype("float32")
    deform = Diffeomorphisms(3, 0.005)
    parts = [deform(images[:4]), deform(images[4:], first=4)]
    np.testing.assert_allclose(np.concatenate(parts), deform(images), atol=1e-6)
    first, second = deform(images[:1]).numpy(), deform(images[:1], first=1).numpy()
    assert np.abs(first - second).max() > 0.01


def test_the_energy_grows_with_the_temperature_as_the_spectrum_says():
    """E τ² = T Σ sin² sin² / (i² + j²); sin² has mean (n − 1) / 2n over the pixels."""
    cut, temperature, side = 4, 0.004, 30
    taken = Diffeomorphisms(cut, temperature).displacement(0, 4000, side, side).numpy()
    pairs = [(i, j) for i in range(1, 5) for j in range(1, 5) if i * i + j * j <= 16]
    mean_square = ((side - 1) / (2 * side)) ** 2
    expected = temperature * side**2 * mean_square * sum(1 / (i * i + j * j) for i, j in pairs)
    assert np.mean(np.square(taken)) == pytest.approx(expected, rel=0.05)


def test_within_the_range_next_to_nothing_folds_over_and_far_above_much_does():
    low, high = temperature_range(28, 3)
    for temperature, most in ((low, 0.0), (high / 4, 0.0), (high, 0.01)):
        displacement = Diffeomorphisms(3, temperature).displacement(0, 200, 28, 28)
        assert folded_share(displacement.numpy()) <= most
    assert folded_share(10 * displacement.numpy()) > 0.2


def test_folds_by_hand():
    displacement = np.zeros((1, 3, 3, 2))
    assert folded_share(displacement) == 0
    displacement[0, 1, 1] = (-1.5, 0.0)  # the middle goes above the first row
    # cells are named by their upper left corner: (0, 1) is turned over
    assert folded_share(displacement) == pytest.approx(1 / 4)


@pytest.mark.parametrize(
    ("cut", "message"), [(1, "at least 2, received 1"), (0, "received 0"), (40, "below 18")]
)
def test_a_cut_without_a_temperature(cut, message):
    with pytest.raises(InputError, match=message):
        temperature_range(28, cut)


@pytest.mark.parametrize("temperature", [1e-7, 0.5, math.nan])
def test_a_temperature_out_of_range_is_refused_with_the_range(temperature):
    with pytest.raises(InputError, match=r"of 0\.00037 to 0\.013 for 28×28 pixels and cut 3"):
        Diffeomorphisms(3, temperature).displacement(0, 1, 28, 28)


def test_the_range_by_hand():
    low, high = temperature_range(28, 3)
    assert low == pytest.approx(1 / (math.pi * 784 * 1.0986123))
    assert high == pytest.approx(4 / (31.00627668 * 9 * 1.0986123))
