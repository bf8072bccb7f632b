"""What one batch shows of the game between G, D and Q."""

from typing import NamedTuple

import tensorflow as tf


class Round(NamedTuple):
    """Everything that the losses, the controls and the log of a step are made of.

    Attributes:
        fake: standardised generated activations, `(m, h', w', cout)`.
        real_logits, fake_logits: D's of the real and of the generated activations, `(m,)`.
        code_error: mean squared error of Q; 1 is chance.
        answer_loss: see `losses.answer_loss`.
        unexplained: share of the change between latents that no image transformation undoes.
        variation: V_z / V_x of the activations.
    """

    fake: tf.Tensor
    real_logits: tf.Tensor
    fake_logits: tf.Tensor
    code_error: tf.Tensor
    answer_loss: tf.Tensor
    unexplained: tf.Tensor
    variation: tf.Tensor

    @property
    def real_accuracy(self) -> tf.Tensor:
        """Share of the real activations that D takes for real."""
        return _share(self.real_logits > 0)

    @property
    def fake_accuracy(self) -> tf.Tensor:
        """Share of the generated activations that D takes for generated."""
        return _share(self.fake_logits < 0)


def variation(real: tf.Tensor, fake: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """V_z / V_x in a batch, without a gradient.

    For two independent draws E(a − a')² / 2 is the variance over latents; the variance over images
    is the unbiased one of a sample.

    Args:
        real: activations of the images under the real kernels, `(m, h', w', cout)`.
        fake: of the same images, each under a latent of its own.
        other: of the same images, each under another latent.
    """
    over_latents = tf.reduce_sum(tf.reduce_mean(tf.square(fake - other), axis=0)) / 2.0
    m = tf.cast(tf.shape(real)[0], tf.float32)
    over_images = tf.reduce_sum(tf.math.reduce_variance(real, axis=0)) * m / (m - 1.0)
    return tf.stop_gradient(tf.math.divide_no_nan(over_latents, over_images))


def _share(true: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.cast(true, tf.float32))
