"""The adversarial losses, as functions of D's logits `(m,)` (positive means "real")."""

from collections.abc import Callable

import tensorflow as tf

from keras_filtergan.names import by_name


def discriminator_loss(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """−E log D(real) − E log(1 − D(fake)), which D descends; 2 ln 2 when it can only guess."""
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))


def saturating(fake: tf.Tensor) -> tf.Tensor:
    """E log(1 − D(fake)), which G descends: Algorithm 1 as it is printed."""
    return -tf.reduce_mean(tf.nn.softplus(fake))


def non_saturating(fake: tf.Tensor) -> tf.Tensor:
    """−E log D(fake), which G descends: the same fixed point, and a gradient when D is sure."""
    return tf.reduce_mean(tf.nn.softplus(-fake))


def generator_loss(name: str) -> Callable[[tf.Tensor], tf.Tensor]:
    """Look a generator loss up by its name.

    Raises:
        InputError: there is none of that name.
    """
    known = {function.__name__: function for function in (non_saturating, saturating)}
    return by_name("generator loss", name, known)
