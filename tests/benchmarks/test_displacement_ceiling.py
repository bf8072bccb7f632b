"""What displacements could be at best, where the answer is known."""

import displacement_ceiling
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.displacement import sample_cubic


@pytest.fixture(scope="module")
def images():
    """Smooth blobs far from the border."""
    draws = np.random.default_rng(0)
    rows, columns = np.mgrid[:16, :16]
    found = []
    for _ in range(60):
        (y, x), (a, b) = draws.uniform(6, 10, 2), draws.uniform(1.2, 2.4, 2)
        found.append(np.exp(-(((rows - y) / a) ** 2) - ((columns - x) / b) ** 2))
    return np.rint(255 * np.array(found))[..., None].astype("uint8")


def target_of(kernel):
    layer = keras.layers.Conv2D(kernel.shape[-1], kernel.shape[0], padding="same", name="first")
    image = keras.Input((16, 16, 1))
    classifier = keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(layer(image))))
    layer.set_weights([kernel, np.zeros(kernel.shape[-1])])
    return FrozenTarget(classifier, "first")


@pytest.mark.slow  # half a minute of tracing
def test_kernels_that_copy_can_shift_and_a_single_tap_cannot_bend(images):
    """3 × 3 kernels that copy the image can copy its neighbours, which is a shift in two ways. A
    kernel of one tap can only make the image brighter: no bend, but a blob with moved edges is."""
    copying = np.zeros([3, 3, 1, 1], "float32")
    copying[1, 1] = 1.0
    found = displacement_ceiling.shares(target_of(copying), copying, images, images)["largest"]
    assert min(found[:2]) > 0.95
    one = np.ones([1, 1, 1, 1], "float32")
    found = displacement_ceiling.shares(target_of(one), one, images, images)["fields"]
    assert max(found[:-1]) < 0.1
    assert found[-1] > 0.5


@pytest.mark.slow
def test_a_change_is_the_odd_part_under_the_kernels_given(images):
    kernel = np.random.default_rng(1).normal(size=[3, 3, 1, 2]).astype("float32")
    displacements = displacement_ceiling.Displacements(target_of(kernel), 2 * kernel)
    some = next(displacement_ceiling.batches(images[:3]))
    _, changes = displacements.changes(some)
    assert len(changes) == len(displacements) == 33
    field = tf.broadcast_to(displacements.bends[9], [3, 16, 16, 2])
    there, back = (sample_cubic(some, sign * field) for sign in (1.0, -1.0))
    expected = tf.nn.conv2d(there - back, kernel, 1, "SAME")
    np.testing.assert_allclose(changes[9], expected, rtol=1e-4, atol=1e-5)
