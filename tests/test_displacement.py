import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from keras_filtergan.displacement import sample_bilinear, sample_cubic, spline_field


@pytest.mark.parametrize("shape", [(9, 12, 1), (7, 7, 3), (1, 5, 1), (6, 1, 2)])
def test_sampling_is_that_of_scipy(shape):
    rng = np.random.default_rng(0)
    h, w, c = shape
    images = rng.uniform(size=(3, *shape)).astype("float32")
    displacement = rng.normal(scale=3.0, size=(3, h, w, 2)).astype("float32")
    found = sample_bilinear(tf.constant(images), tf.constant(displacement)).numpy()
    place = np.stack(np.mgrid[:h, :w], axis=-1) + displacement
    for i in range(3):
        for k in range(c):
            expected = scipy.ndimage.map_coordinates(
                images[i, ..., k], np.moveaxis(place[i], -1, 0), order=1, mode="nearest"
            )
            np.testing.assert_allclose(found[i, ..., k], expected, atol=1e-5)


def keys(distance):
    """Keys' kernel with a = -1/2, as in his equation 15."""
    s = np.abs(distance)
    near = 1.5 * s**3 - 2.5 * s**2 + 1
    far = -0.5 * s**3 + 2.5 * s**2 - 4 * s + 2
    return np.where(s < 1, near, np.where(s < 2, far, 0.0))


@pytest.mark.parametrize("shape", [(9, 12, 1), (7, 7, 3), (1, 5, 1), (6, 1, 2), (2, 2, 1)])
def test_cubic_sampling_is_keys_convolution_by_loops(shape):
    rng = np.random.default_rng(0)
    h, w, _ = shape
    images = rng.uniform(size=(2, *shape)).astype("float32")
    displacement = rng.normal(scale=2.0, size=(2, h, w, 2)).astype("float32")
    found = sample_cubic(tf.constant(images), tf.constant(displacement)).numpy()
    framed = np.pad(images, [[0, 0], [3, 3], [3, 3], [0, 0]], "edge").astype("float64")
    for i in range(2):
        for u, v in np.ndindex(h, w):
            y = np.clip(u + displacement[i, u, v, 0], 0, h - 1)
            x = np.clip(v + displacement[i, u, v, 1], 0, w - 1)
            weights = np.outer(keys(np.arange(-3, h + 3) - y), keys(np.arange(-3, w + 3) - x))
            expected = np.einsum("yx,yxc->c", weights, framed[i])
            np.testing.assert_allclose(found[i, u, v], expected, atol=1e-5)


def test_cubic_sampling_blurs_less_than_bilinear():
    """A wave of eight pixels, moved by half a pixel, keeps 0.99 of its height instead of 0.92."""
    wave = np.sin(2 * np.pi * np.arange(32) / 8)
    images = np.tile(wave.astype("float32")[None, None, :, None], (1, 4, 1, 1))
    half = tf.tile(tf.constant([0.0, 0.5])[None, None, None], [1, 4, 32, 1])
    expected = np.sin(2 * np.pi * (np.arange(32) + 0.5) / 8)[4:-4]
    near, far = np.cos(np.pi / 8), np.cos(3 * np.pi / 8)  # neighbours at 0.5 and at 1.5 pixels
    for sample, height in ((sample_bilinear, near), (sample_cubic, (9 * near - far) / 8)):
        found = sample(images, half).numpy()[0, 0, 4:-4, 0]
        np.testing.assert_allclose(found, height * expected, atol=1e-5)


@pytest.mark.parametrize("sample", [sample_bilinear, sample_cubic])
def test_no_displacement_is_the_image_bit_for_bit(sample):
    images = np.random.default_rng(0).uniform(size=(2, 9, 8, 3)).astype("float32")
    np.testing.assert_array_equal(sample(images, tf.zeros([2, 9, 8, 2])), images)


def test_direction_of_a_displacement_by_hand():
    image = np.arange(12, dtype="float32").reshape(1, 3, 4, 1)
    one_down = tf.tile(tf.constant([1.0, 0.0])[None, None, None], [1, 3, 4, 1])
    half_right = tf.tile(tf.constant([0.0, 0.5])[None, None, None], [1, 3, 4, 1])
    np.testing.assert_array_equal(
        sample_bilinear(image, one_down)[0, ..., 0],
        [[4, 5, 6, 7], [8, 9, 10, 11], [8, 9, 10, 11]],  # the last row is repeated
    )
    np.testing.assert_allclose(sample_bilinear(image, half_right)[0, 0, :, 0], [0.5, 1.5, 2.5, 3])


def test_gradient_is_the_slope_of_the_image():
    ramp = np.tile(np.arange(8, dtype="float32")[None, None, :, None], (1, 8, 1, 1))
    displacement = tf.fill([1, 8, 8, 2], 0.25)
    with tf.GradientTape() as tape:
        tape.watch(displacement)
        total = tf.reduce_sum(sample_bilinear(ramp, displacement))
    gradient = tape.gradient(total, displacement).numpy()[0]
    np.testing.assert_allclose(gradient[:-1, :-1, 0], 0.0, atol=1e-6)
    np.testing.assert_allclose(gradient[:-1, :-1, 1], 1.0)


@pytest.mark.parametrize(
    ("grid", "size"), [((7, 7), (28, 28)), ((2, 4), (9, 13)), ((5, 3), (5, 3))]
)
def test_spline_surface_is_that_of_scipy(grid, size):
    lattice = np.random.default_rng(0).normal(size=(2, *grid, 2)).astype("float32")
    found = spline_field(tf.constant(lattice), *size).numpy()
    place = np.meshgrid(
        np.linspace(0, grid[0] - 1, size[0]), np.linspace(0, grid[1] - 1, size[1]), indexing="ij"
    )
    for i in range(2):
        for k in range(2):
            expected = scipy.ndimage.map_coordinates(
                lattice[i, ..., k], place, order=3, prefilter=False, mode="nearest"
            )
            np.testing.assert_allclose(found[i, ..., k], expected, atol=1e-5)


def test_a_constant_lattice_is_a_constant_surface_within_its_range():
    flat = spline_field(tf.fill([1, 4, 4, 2], 1.5), 10, 11).numpy()
    np.testing.assert_allclose(flat, 1.5, rtol=1e-6)
    lattice = np.random.default_rng(1).uniform(-1, 1, size=(1, 5, 5, 1)).astype("float32")
    assert np.abs(spline_field(tf.constant(lattice), 40, 40)).max() <= np.abs(lattice).max()
