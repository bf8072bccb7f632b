"""A fresh critic of natural coordinates, and what it says of images that are really moved."""

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.displacement import sample_bilinear
from keras_filtergan.evaluation.metrics.critic import (
    IMAGES,
    STEPS,
    Source,
    accuracy_against,
    generated_by,
)
from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject
from keras_filtergan.precision import single_precision

WIDTHS = (128, 64)
PIXELS = (1, 2)  # that images are moved
DIRECTIONS = np.array([(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)])


@metric()
def natural_critic(subject: Subject) -> Measurement:
    """Accuracy of a fresh critic that sees natural coordinates only; 0.5 is chance.

    As `critic_accuracy`, whose critic sees everything and wins by what no image varies by. What it
    says of images that are moved is `natural_critic_of_images`. The baseline `noisy` has the same
    figure for white noise.
    """
    value = accuracy_against(subject, generated_by(subject), build_natural_critic)
    count = min(IMAGES, len(subject.labels))
    return Measurement(value, {"latents": count, "images": count, "steps": STEPS})


@metric(of_kernels=False)
def natural_critic_of_images(subject: Subject) -> Measurement:
    """What the critic of natural coordinates says of images moved by one and by two pixels.

    The real kernels on moved images, against the real kernels on images as they are: how noticeable
    a change is that nobody would call unnatural. `moved_1` and `moved_2`; 0.5 is chance.
    """
    value = {
        f"moved_{pixels}": accuracy_against(
            subject, moved_images(subject, pixels), build_natural_critic
        )
        for pixels in PIXELS
    }
    return Measurement(value, {"images": min(IMAGES, len(subject.labels)), "steps": STEPS})


def moved_images(subject: Subject, pixels: int) -> Source:
    """What the real kernels make of images that are moved, each in one of eight directions.

    Whole pixels need no interpolation, whose blur a critic would notice first; the border is
    repeated outward.

    Args:
        subject: whose network; its kernels are not asked.
        pixels: how far, down or up, to a side, or both.

    Returns:
        Images and latents → activations; the first number of a latent decides on the direction.
    """

    @tf.function
    def activations(images: tf.Tensor, fields: tf.Tensor) -> tf.Tensor:
        moved = sample_bilinear(images, fields)
        return subject.target.activations(subject.target.features(moved))

    def source(images: tf.Tensor, latents: np.ndarray) -> tf.Tensor:
        number = np.floor(1000 * np.abs(np.asarray(latents)[:, 0])).astype(int)
        direction = DIRECTIONS[number % len(DIRECTIONS)][:, None, None]
        fields = np.broadcast_to(pixels * direction, (*images.shape[:3], 2))
        return activations(images, tf.constant(fields, tf.float32))

    return source


@single_precision()
def build_natural_critic(subject: Subject) -> keras.Model:
    """An untrained critic, activations `(m, h', w', cout)` → logits `(m, 1)`, positive for real.

    Its first layers are fixed: they take the natural coordinates of training images, each in units
    of its standard deviation.
    """
    layers, he, seed = keras.layers, keras.initializers.HeNormal, subject.seed * 10
    view = subject.view
    mean, variance = view.standard
    natural = view.training_natural
    project = layers.Dense(natural.rank, use_bias=False, trainable=False, name="natural")
    critic = keras.Sequential(
        [
            keras.Input(subject.target.activation_shape),
            layers.Normalization(axis=-1, mean=mean, variance=variance),
            layers.Flatten(),
            project,
            layers.Dense(WIDTHS[0], kernel_initializer=he(seed + 1)),
            layers.LeakyReLU(0.2),
            layers.Dense(WIDTHS[1], kernel_initializer=he(seed + 2)),
            layers.LeakyReLU(0.2),
            layers.Dense(1, kernel_initializer="zeros"),
        ],
        name="natural_critic",
    )
    project.set_weights([natural.directions / natural.spread])
    return critic
