"""A layer that works until a time that a test chooses, then fails inside TensorFlow."""

import keras
import tensorflow as tf

BATCH = 8  # batches of this size are counted: those of training
NEVER = 10**6


@keras.saving.register_keras_serializable("tests")
class Moody(keras.layers.Layer):
    """Returns its input; from batch number `FAILS_AT` on an operation fails.

    What counts and what decides are no weights of the layer: a network that fails and one that does
    not are the same network.
    """

    seen = tf.Variable(0, trainable=False)
    fails_at = tf.Variable(NEVER, trainable=False)

    def __init__(self, trouble, **kwargs):
        super().__init__(**kwargs)
        self.trouble = trouble

    def get_config(self):
        return {**super().get_config(), "trouble": self.trouble}

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, x.dtype)

    def call(self, x):
        number = self.seen.assign_add(tf.cast(tf.equal(tf.shape(x)[0], BATCH), tf.int32))
        return getattr(self, self.trouble)(x, number)

    def assertion(self, x, number):
        fine = tf.debugging.assert_less(number, self.fails_at, message="no more paper")
        with tf.control_dependencies([fine] if fine is not None else []):
            return tf.identity(x)

    def shape(self, x, number):
        rows = tf.where(number < self.fails_at, 1, 7)
        return tf.ensure_shape(x + tf.zeros([rows, 1, 1, 1]), x.shape)

    def memory(self, x, number):
        rows = tf.where(number < self.fails_at, 0, 10**7)
        return x + tf.reduce_sum(tf.zeros([rows, 10**7]))


def fail_in_step(step, calls_a_step):
    """From the first batch of this step of training on; 0: never."""
    Moody.seen.assign(0)
    Moody.fails_at.assign((step - 1) * calls_a_step + 1 if step else NEVER)
