import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.convolution import convolve

CASES = [
    ((1, 1), "SAME", (1, 1)),
    ((1, 1), "VALID", (1, 1)),
    ((2, 2), "SAME", (1, 1)),
    ((2, 1), "VALID", (1, 1)),
    ((1, 1), "SAME", (2, 3)),
    ((1, 1), "VALID", (3, 1)),
]


def loop(images, kernels, strides, padding, dilations):
    """Cross-correlation written out, one number at a time."""
    m, h, w, _ = images.shape
    kh, kw, _, cout = kernels.shape[1:]
    reach = [(kh - 1) * dilations[0] + 1, (kw - 1) * dilations[1] + 1]
    if padding == "SAME":
        size = [-(-h // strides[0]), -(-w // strides[1])]
        total = [
            max((n - 1) * s + r - full, 0)
            for n, s, r, full in zip(size, strides, reach, (h, w), strict=True)
        ]
        pads = [(p // 2, p - p // 2) for p in total]
        images = np.pad(images, [(0, 0), *pads, (0, 0)])
    else:
        size = [(h - reach[0]) // strides[0] + 1, (w - reach[1]) // strides[1] + 1]
    maps = np.zeros((m, *size, cout))
    for i, r, c, o in np.ndindex(*maps.shape):
        for a, b in np.ndindex(kh, kw):
            pixel = images[i, r * strides[0] + a * dilations[0], c * strides[1] + b * dilations[1]]
            maps[i, r, c, o] += pixel @ kernels[i, a, b, :, o]
    return maps


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    images = generator.normal(size=(3, 7, 8, 2)).astype("float32")
    return images, generator.normal(size=(3, 3, 3, 2, 4)).astype("float32")


@pytest.mark.parametrize(("strides", "padding", "dilations"), CASES)
def test_equals_a_loop(data, strides, padding, dilations):
    images, kernels = data
    maps = convolve(images, kernels, strides, padding, dilations)
    expected = loop(images, kernels, strides, padding, dilations)
    np.testing.assert_allclose(maps, expected, atol=1e-5)


@pytest.mark.parametrize(("strides", "padding", "dilations"), CASES)
def test_gradients_equal_those_of_single_convolutions(data, strides, padding, dilations):
    """The map is bilinear: against weights v, d/dk is found by convolving with unit kernels."""
    images, kernels = map(tf.constant, data)
    with tf.GradientTape() as tape:
        tape.watch([images, kernels])
        maps = convolve(images, kernels, strides, padding, dilations)
        weights = tf.constant(np.random.default_rng(1).normal(size=maps.shape), tf.float32)
        value = tf.reduce_sum(maps * weights)
    d_images, d_kernels = tape.gradient(value, [images, kernels])
    # Euler: a bilinear form equals its gradient in either argument times that argument.
    np.testing.assert_allclose(tf.reduce_sum(d_images * images), value, rtol=1e-4)
    np.testing.assert_allclose(tf.reduce_sum(d_kernels * kernels), value, rtol=1e-4)
    generator = np.random.default_rng(2)
    for _ in range(5):  # single entries, against the loop with that entry alone
        entry = tuple(generator.integers(kernels.shape))
        unit = np.zeros(kernels.shape)
        unit[entry] = 1.0
        expected = np.sum(loop(data[0], unit, strides, padding, dilations) * weights.numpy())
        np.testing.assert_allclose(d_kernels.numpy()[entry], expected, atol=1e-4)
        entry = tuple(generator.integers(images.shape))
        unit = np.zeros(images.shape)
        unit[entry] = 1.0
        expected = np.sum(loop(unit, data[1], strides, padding, dilations) * weights.numpy())
        np.testing.assert_allclose(d_images.numpy()[entry], expected, atol=1e-4)


def test_a_shared_kernel_set_is_the_same_set_for_each(data):
    images, kernels = data
    shared = convolve(images, kernels[0], (2, 1), "SAME", (1, 1))
    each = convolve(images, np.stack([kernels[0]] * 3), (2, 1), "SAME", (1, 1))
    np.testing.assert_allclose(shared, each, atol=1e-5)


def test_example_i_sees_only_kernel_set_i(data):
    images, kernels = data
    changed = kernels.copy()
    changed[1] += 1.0
    difference = np.abs(convolve(images, kernels) - convolve(images, changed)).max(axis=(1, 2, 3))
    assert difference[0] == 0
    assert difference[1] > 1
    assert difference[2] == 0


def test_batch_size_may_be_unknown(data):
    images, kernels = data
    spec = [tf.TensorSpec([None, 7, 8, 2]), tf.TensorSpec([None, 3, 3, 2, 4])]
    graph = tf.function(lambda x, k: convolve(x, k, dilations=(2, 2)), input_signature=spec)
    np.testing.assert_allclose(
        graph(images, kernels), convolve(images, kernels, dilations=(2, 2)), atol=1e-6
    )
