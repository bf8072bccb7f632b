"""What one batch shows of the game between G, D and Q."""

from typing import Any, NamedTuple

import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError
from keras_filtergan.gan.replicas import before, count, mean, total

BATCH_KEYS = ("image", "label", "latent", "noise_real", "noise_fake", "noise_code")


class Pair(NamedTuple):
    """The images of a batch under two latents each, z and r: their change is what moving does.

    Attributes:
        latents, origins: z and r, `(m, d)`.
        kernels: of z, `(m, kh, kw, cin, cout)`.
        generated, other: activations under z and under r, `(m, h', w', cout)`.
        steps: which part of the latent differs between z and r, one-hot `(m, parts)`; one column
            of ones where all of it does.
    """

    latents: tf.Tensor
    origins: tf.Tensor
    kernels: tf.Tensor
    generated: tf.Tensor
    other: tf.Tensor
    steps: tf.Tensor

    @property
    def parts(self) -> int:
        """How many parts of the latent move one at a time; 1 where all of it moves."""
        return self.steps.shape[1]


class Round(NamedTuple):
    """Everything that the losses, the controls and the log of a step are made of.

    Attributes:
        fake, other: standardised activations under z and under r, `(m, h', w', cout)`.
        real_logits, fake_logits: D's of the real and of the generated activations, `(m,)`.
        code_error: mean squared error of Q; 1 is chance.
        answer_loss: see `losses.answer_loss`.
        unexplained: share of the change between latents that T does not explain.
        alikeness: of what T's latent dimensions do; 0 where each is a change of its own.
        activation_variation: V_z / V_x.
    """

    fake: tf.Tensor
    other: tf.Tensor
    real_logits: tf.Tensor
    fake_logits: tf.Tensor
    code_error: tf.Tensor
    answer_loss: tf.Tensor
    unexplained: tf.Tensor
    alikeness: tf.Tensor
    activation_variation: tf.Tensor

    def measured(self, d_loss: tf.Tensor, g_loss: tf.Tensor) -> "Measured":
        """What is logged and held, over the whole batch where replicas have slices of it."""
        local = d_loss, g_loss, self.code_error, self.answer_loss
        d_loss, g_loss, code, answer, real, fake = mean(
            [*local, self.real_accuracy, self.fake_accuracy]
        )
        varied = self.activation_variation
        return Measured(d_loss, g_loss, code, answer, self.unexplained, real, fake, varied)

    @property
    def real_accuracy(self) -> tf.Tensor:
        """Share of the real activations that D takes for real."""
        return _share(self.real_logits > 0)

    @property
    def fake_accuracy(self) -> tf.Tensor:
        """Share of the generated activations that D takes for generated."""
        return _share(self.fake_logits < 0)


class Measured(NamedTuple):
    """The numbers of a step that are logged, of the whole batch; as of `Round`.

    Attributes:
        d_loss, g_loss: of D, and of G against D.
    """

    d_loss: tf.Tensor
    g_loss: tf.Tensor
    code_error: tf.Tensor
    answer_loss: tf.Tensor
    unexplained: tf.Tensor
    real_accuracy: tf.Tensor
    fake_accuracy: tf.Tensor
    activation_variation: tf.Tensor


def ring_pair(
    target: FrozenTarget, latents: tf.Tensor, features: list[tf.Tensor], kernels: tf.Tensor
) -> Pair:
    """Each image of a batch under its own latent and under that of the example before.

    Args:
        target: whose layer.
        latents: `(m, d)`.
        features: of the images, from `target.features`.
        kernels: of the latents, `(m, kh, kw, cin, cout)`.
    """
    if count() == 1:
        # The next image under these kernels, turned back, is this one under the kernels before.
        # Kernels are several times the size of features and activations.
        following = tf.roll(features[0], -1, axis=0)
        other = tf.roll(target.activations([following], kernels), 1, axis=0)
    else:
        other = target.activations(features, before(kernels))
    return Pair(
        latents=latents,
        origins=before(latents),
        kernels=kernels,
        generated=target.activations(features, kernels),  # (m, h', w', cout)
        other=other,
        steps=tf.ones([tf.shape(latents)[0], 1]),
    )


def check_batch(data: Any) -> None:
    """Refuse what is no batch of `data.training_stream`.

    Raises:
        InputError: it is no dictionary, or a part is missing.
    """
    if not isinstance(data, dict) or set(BATCH_KEYS) - set(data):
        raise InputError(
            f"expected batches with {', '.join(BATCH_KEYS)}; make them with data.training_stream"
        )


def unexplained(fake: tf.Tensor, other: tf.Tensor, found: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Share of the change of activations from latent r to z that T(x; r → z) does not undo.

    E‖a(T x|z) − a(x|r)‖² / E‖a(x|z) − a(x|r)‖²: 0 if T explains all of it, 1 if T might as well be
    the identity. It is `explained_fraction` turned round, with T in the place of the inversion. As
    r and z are drawn alike, what it divides by is the variation itself: no step from a special
    latent can make the share look small. Where the latent moves in parts, the mean over parts: a
    part that moves little counts as much as one that moves most.

    Args:
        fake: a(x|z), standardised, `(m, h', w', cout)`.
        other: a(x|r).
        found: a(T x|z).
        steps: which part of the latent moves, `(m, parts)`.
    """
    per_image = [tf.reduce_sum(tf.square(x - other), axis=(1, 2, 3)) for x in (found, fake)]
    left, moved = (tf.linalg.matvec(steps, sums, transpose_a=True) for sums in per_image)
    return tf.reduce_mean(tf.math.divide_no_nan(total(left), total(moved)))


def variation(real: tf.Tensor, fake: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """V_z / V_x in a batch, without a gradient.

    For two independent draws E(a − a')² / 2 is the variance over latents; the variance over images
    is the unbiased one of a sample.

    Args:
        real: activations of the images under the real kernels, `(m, h', w', cout)`.
        fake: of the same images, each under a latent of its own.
        other: of the same images, each under another latent.
    """
    replicas = count()
    over_latents = tf.reduce_sum(tf.reduce_mean(tf.square(fake - other), axis=0)) / 2.0
    over_latents = total(over_latents) / replicas
    m = tf.cast(replicas * tf.shape(real)[0], tf.float32)
    if replicas == 1:
        variance = tf.math.reduce_variance(real, axis=0)
    else:
        mean_maps = total(tf.reduce_sum(real, axis=0)) / m
        variance = total(tf.reduce_sum(tf.square(real - mean_maps), axis=0)) / m
    over_images = tf.reduce_sum(variance) * m / (m - 1.0)
    return tf.stop_gradient(tf.math.divide_no_nan(over_latents, over_images))


def _share(true: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.cast(true, tf.float32))
