"""The tests run in two worlds: with TensorFlow's own CPU kernels, and with oneDNN's."""

import os
import platform

import pytest
import tensorflow as tf
from tensorflow.python.framework import test_util

from keras_filtergan import processor

pytestmark = pytest.mark.onednn


def test_the_world_that_was_asked_for_is_on():
    asked = os.environ.get("TF_ENABLE_ONEDNN_OPTS")
    if asked not in ("0", "1"):
        pytest.skip("none was asked for")
    if platform.machine().lower() not in ("x86_64", "amd64"):
        pytest.skip("TensorFlow may have one only for this processor")
    assert test_util.IsMklEnabled() == (asked == "1")


def test_the_worlds_differ_in_what_has_a_gradient():
    """Why the convolution is written as it is: this one can be differentiated in one of them."""
    with tf.device("CPU:0"), tf.GradientTape() as tape:
        images = tf.ones([1, 4, 4, 4])
        tape.watch(images)
        maps = tf.nn.conv2d(images, tf.ones([3, 3, 2, 6]), 1, "SAME")  # two groups
    if test_util.IsMklEnabled():
        assert tape.gradient(maps, images).shape == images.shape
    else:
        with pytest.raises(tf.errors.InvalidArgumentError, match="not supported on CPU"):
            tape.gradient(maps, images)


def test_the_package_knows_which_world_it_is_in_also_while_a_graph_is_traced():
    found = []

    @tf.function
    def traced() -> tf.Tensor:
        processor.onednn_is_on.cache_clear()
        found.append(processor.onednn_is_on())
        return tf.zeros([])

    traced()
    assert found == [test_util.IsMklEnabled()]
