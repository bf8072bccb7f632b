"""What TensorFlow runs on here, as far as it decides which operations are fast."""

from functools import cache

import tensorflow as tf


@cache
def has_gpu() -> bool:
    """Whether TensorFlow has found a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


@cache
def onednn_is_on() -> bool:
    """Whether TensorFlow computes on the CPU with oneDNN's kernels.

    It switches them on by itself for some processors; `TF_ENABLE_ONEDNN_OPTS` overrides that. It
    does not say which; but only with them a grouped convolution has a gradient.
    """
    with tf.init_scope(), tf.device("CPU:0"):
        two_channels = tf.zeros([1, 1, 1, 2])
        try:
            tf.raw_ops.Conv2DBackpropFilter(
                input=two_channels,
                filter_sizes=[1, 1, 1, 2],
                out_backprop=two_channels,
                strides=[1, 1, 1, 1],
                padding="VALID",
            )
        except tf.errors.InvalidArgumentError:
            return False
    return True
