"""The adversarial losses, of D's logits `(m,)` (positive means "real"), and the answer loss."""

from collections.abc import Callable

import tensorflow as tf

from keras_filtergan.names import by_name

TEMPERATURE = 3.0  # of the answer loss


def discriminator_loss(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """−E log D(real) − E log(1 − D(fake)), which D descends; 2 ln 2 when it can only guess."""
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))


def saturating(fake: tf.Tensor) -> tf.Tensor:
    """E log(1 − D(fake)), which G descends: Algorithm 1 as it is printed."""
    return -tf.reduce_mean(tf.nn.softplus(fake))


def non_saturating(fake: tf.Tensor) -> tf.Tensor:
    """−E log D(fake), which G descends: the same fixed point, and a gradient when D is sure."""
    return tf.reduce_mean(tf.nn.softplus(-fake))


def answer_loss(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """Divergence of the network's answer with generated kernels from that with the real ones.

    KL(softmax(real / T) ‖ softmax(generated / T)) · T², mean over images. At the temperature T = 3
    not only the first answer counts, but also how near the others are.

    Args:
        real: log-probabilities (or logits) `(m, classes)` with the real kernels.
        generated: the same with generated ones.

    Reference:
        Hinton, Vinyals, Dean (2015), Distilling the knowledge in a neural network, section 2.
    """
    real, generated = (tf.nn.log_softmax(x / TEMPERATURE) for x in (real, generated))
    divergence = tf.reduce_sum(tf.exp(real) * (real - generated), axis=-1)
    return TEMPERATURE**2 * tf.reduce_mean(divergence)


def generator_loss(name: str) -> Callable[[tf.Tensor], tf.Tensor]:
    """Look a generator loss up by its name.

    Raises:
        InputError: there is none of that name.
    """
    known = {function.__name__: function for function in (non_saturating, saturating)}
    return by_name("generator loss", name, known)
