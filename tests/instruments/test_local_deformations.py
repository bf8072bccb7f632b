import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from keras_filtergan.data import randomness
from keras_filtergan.errors import InputError
from keras_filtergan.instruments.spectra.local_deformations import linear_fields, local_stability


def window(rows, columns, side=14):
    mask = np.zeros((side, side), bool)
    mask[rows, columns] = True
    return mask


PIXELS = window(slice(3, 10), slice(2, 13))


def smooth_images(count=6, side=14):
    noise = np.random.default_rng(0).normal(size=(count, side, side))
    smooth = np.stack([scipy.ndimage.gaussian_filter(one, 2.0) for one in noise])
    return (0.5 + 0.5 * smooth / np.abs(smooth).max())[..., None].astype("float32")


def test_every_field_has_unit_norm_and_all_are_orthogonal():
    fields = np.concatenate(list(linear_fields(PIXELS).values()))
    within = fields[:, PIXELS].reshape(len(fields), -1) / np.sqrt(PIXELS.sum())
    square = linear_fields(window(slice(3, 10), slice(4, 11)))
    square = np.concatenate(list(square.values()))[:, window(slice(3, 10), slice(4, 11))]
    np.testing.assert_allclose(np.diag(within @ within.T), 1.0)
    gram = np.einsum("apx,bpx->ab", square, square) / 49
    np.testing.assert_allclose(gram, np.eye(6), atol=1e-9)


def test_the_families_by_their_gradients():
    """Of a field the divergence, the rotation and the two shears, at one place."""
    for name, fields in linear_fields(PIXELS).items():
        for field in fields:
            by_row, by_column = field[5, 5] - field[4, 5], field[5, 5] - field[5, 4]
            divergence, curl = by_row[0] + by_column[1], by_row[1] - by_column[0]
            shears = abs(by_row[0] - by_column[1]), abs(by_row[1] + by_column[0])
            assert (abs(divergence) > 0.1) == (name == "compression")
            assert (abs(curl) > 0.1) == (name == "rotation")
            assert (max(shears) > 0.1) == (name == "pure shear")
            assert (min(shears)) < 1e-9


def test_the_middle_of_the_field_stays():
    for name, fields in linear_fields(PIXELS).items():
        if name != "translation":
            np.testing.assert_allclose(fields[:, 6, 7], 0, atol=1e-9)


def mean_of_field(images):
    return tf.reduce_mean(images[:, 3:10, 2:13], axis=[1, 2])


def corner_of_field(images):
    return images[:, 4, 3]


def test_a_unit_that_is_symmetric_does_not_hear_what_it_is_symmetric_to():
    """The mean of an odd change about the middle is 0: of a slope along rows, only translation."""
    slope = np.broadcast_to(np.linspace(0, 1, 14)[:, None, None], (2, 14, 14, 1))
    found = local_stability(mean_of_field, slope.astype("float32"), PIXELS)
    assert found["translation"] > 1
    for family in ("rotation", "compression", "pure shear"):
        assert found[family] < 1e-6


def test_by_hand_with_scipy():
    """The ratio of a unit that reads one pixel, each deformation by map_coordinates."""
    images = smooth_images()
    found = local_stability(corner_of_field, images, PIXELS, seed=4)
    grid = np.indices((14, 14)).astype(float)
    for number, (family, fields) in enumerate(linear_fields(PIXELS).items()):
        deformed = noisy = 0.0
        for i, field in enumerate([*fields, *-fields]):
            moved = np.stack(
                [
                    scipy.ndimage.map_coordinates(
                        one[..., 0], grid + np.moveaxis(field, -1, 0), order=1, mode="nearest"
                    )
                    for one in images
                ]
            )
            change = np.where(PIXELS, moved - images[..., 0], 0)
            norm = np.mean([np.linalg.norm(one) for one in change])
            noise = randomness.stream(4, randomness.LOCAL, number, i).standard_normal(images.shape)
            noise = np.where(PIXELS, noise[..., 0], 0)
            noise = np.stack([norm * one / np.linalg.norm(one) for one in noise])
            deformed += np.square(change[:, 4, 3]).sum()
            noisy += np.square(noise[:, 4, 3]).sum()
        assert found[family] == pytest.approx(deformed / noisy, rel=1e-3)


def test_what_a_unit_does_not_see_is_left_alone():
    images = smooth_images()

    def outside(images):
        return tf.reshape(tf.where(PIXELS[..., None], 0.0, images), [len(images), -1])

    assert np.isnan(local_stability(outside, images, PIXELS)["translation"])


def test_a_field_without_extent():
    with pytest.raises(InputError, match="at least 2×2 pixels, received 3 pixels"):
        linear_fields(window(slice(3, 4), slice(2, 5)))
