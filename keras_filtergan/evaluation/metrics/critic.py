"""Can a critic that G was never trained against tell generated activations from real ones?"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.data import image_stream, randomness, to_unit_interval
from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject
from keras_filtergan.precision import single_precision

STEPS = 600
BATCH_SIZE = 64
LEARNING_RATE = 1e-3
WIDTHS = (64, 128)
IMAGES = 2000  # held-out images
ADAPT_IMAGES = 2000  # training images that the standardisation is fitted to


# Images (m, h, w, c) in [0, 1] and latents (m, d) → the activations to be told from real ones.
Source = Callable[[tf.Tensor, np.ndarray], tf.Tensor]


@metric()
def critic_accuracy(subject: Subject) -> Measurement:
    """Accuracy of a fresh critic on held-out activations: 0.5 is indistinguishable, 1 obvious.

    The critic is trained on activations of training images without noise, half of them real,
    half with a fresh latent an image, and judged on test images, each once real and once with a
    latent of its own. Unlike D it is trained against a generator that holds still.
    """
    count = min(IMAGES, len(subject.labels))
    value = accuracy_against(subject, generated_by(subject))
    return Measurement(value, {"latents": count, "images": count, "steps": STEPS})


def generated_by(subject: Subject) -> Source:
    """The activations that a subject's kernels cause."""
    features = tf.function(subject.target.features)
    return lambda images, latents: subject.generate(features(images), latents)


def accuracy_against(
    subject: Subject, source: Source, build: Callable[[Subject], keras.Model] | None = None
) -> float:
    """How often a fresh critic is right about any source of activations, on held-out images.

    Args:
        subject: network and images; its kernels are not asked.
        source: what the critic has to tell from real activations.
        build: makes the untrained critic, `build_critic` if not given.
    """
    critic = trained_critic(subject, source, build or build_critic)
    count = min(IMAGES, len(subject.labels))
    latents = subject.latents(count)
    right = 0
    for features, rows in subject.batches(IMAGES):
        real = critic(subject.activate(features, subject.target.kernel))
        images = tf.constant(to_unit_interval(subject.dataset.x_test[rows]))
        generated = critic(source(images, latents[rows]))
        right += np.count_nonzero(real > 0) + np.count_nonzero(generated <= 0)
    return right / (2 * count)


@single_precision()
def build_critic(subject: Subject) -> keras.Model:
    """An untrained critic, activations `(m, h', w', cout)` → logits `(m, 1)`, positive for real.

    It standardises every channel by the mean and standard deviation of real activations.
    """
    he = keras.initializers.HeNormal
    layers, seed = keras.layers, subject.seed * 10
    means, variances = subject.target.moments(subject.dataset.x_train[:ADAPT_IMAGES])
    mean = means.mean(axis=(0, 1))
    variance = variances.mean(axis=(0, 1)) + means.var(axis=(0, 1))  # within and between places
    return keras.Sequential(
        [
            keras.Input(subject.target.activation_shape),
            layers.Normalization(axis=-1, mean=mean, variance=variance),
            layers.Conv2D(WIDTHS[0], 3, padding="same", kernel_initializer=he(seed + 1)),
            layers.LeakyReLU(0.2),
            layers.Conv2D(WIDTHS[1], 3, strides=2, padding="same", kernel_initializer=he(seed + 2)),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dense(WIDTHS[1], kernel_initializer=he(seed + 3)),
            layers.LeakyReLU(0.2),
            layers.Dense(1, kernel_initializer="zeros"),
        ],
        name="critic",
    )


def trained_critic(
    subject: Subject, source: Source, build: Callable[[Subject], keras.Model]
) -> keras.Model:
    """A critic after `STEPS` steps of Adam, with a cosine schedule, on the training images.

    Real and generated activations of a step are of different images, as they are for D.
    """
    critic, dataset, target = build(subject), subject.dataset, subject.target
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, STEPS))
    optimizer.build(critic.trainable_variables)

    @tf.function
    def step(real_images: tf.Tensor, generated: tf.Tensor) -> None:
        real = target.activations(target.features(real_images))
        with tf.GradientTape() as tape:
            # softplus(−l) = −log σ(l), softplus(l) = −log(1 − σ(l))
            cost = tf.nn.softplus(-critic(real)), tf.nn.softplus(critic(generated))
            loss = tf.reduce_mean(cost)
        variables = critic.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)

    size = min(BATCH_SIZE, len(dataset.x_train))
    real_images, images = (
        image_stream(dataset.x_train, dataset.y_train, size, seed=2 * subject.seed + i, steps=STEPS)
        for i in range(2)
    )
    # Another sequence than `subject.latents`: those of the judgement are held out.
    random = randomness.stream(subject.seed, randomness.CRITIC)
    for (real_batch, _), (batch, _) in zip(real_images, images, strict=True):
        latents = random.standard_normal((size, subject.latent_dim)).astype("float32")
        step(real_batch, source(batch, latents))
    return critic
