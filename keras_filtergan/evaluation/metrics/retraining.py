"""The paper's quality measure (i), and the control that it lacks."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.copies import copied
from keras_filtergan.data import number_stream
from keras_filtergan.data.batches import cached_map
from keras_filtergan.evaluation.metrics.accuracy import AVERAGED_LATENTS
from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject

EPOCHS = 10
BATCH_SIZE = 64
LEARNING_RATE = 5e-4


@metric()
def averaged_retrained_accuracy(subject: Subject) -> Measurement:
    """Accuracy with 10 latents averaged and all following layers re-trained (paper: 0.982)."""
    value = retrained_accuracy(subject, subject.mean_kernels(AVERAGED_LATENTS))
    return Measurement(value, {"latents": AVERAGED_LATENTS, "images": len(subject.labels)})


@metric(of_kernels=False)
def control_retrained_accuracy(subject: Subject) -> Measurement:
    """Accuracy with the real kernels and all following layers re-trained in the same way."""
    value = retrained_accuracy(subject, subject.target.kernel)
    return Measurement(value, {"images": len(subject.labels)})


def retrained_accuracy(subject: Subject, kernels: tf.Tensor) -> float:
    """Test accuracy after re-training what follows the layer on top of fixed kernels.

    Args:
        subject: target and data.
        kernels: one shared set `(kh, kw, cin, cout)`.
    """
    return subject.accuracy(kernels, retrained_suffix(subject, kernels))


def retrained_suffix(subject: Subject, kernels: tf.Tensor) -> keras.Model:
    """A copy of the suffix, re-trained on the training set on top of fixed kernels.

    The copy starts from the trained weights and sees the whole training set `EPOCHS` times, with
    Adam and a cosine schedule; the target itself stays as it is. What enters it is the same in
    every epoch, and is computed only once if it fits into memory.

    Args:
        subject: target and data.
        kernels: one shared set `(kh, kw, cin, cout)`.
    """
    target, images = subject.target, subject.dataset.x_train
    suffix = copied(target.suffix)
    entering = cached_map(lambda chunk: subject.view.enter_suffix(chunk, kernels), images)

    def answer(parts: list[tf.Tensor]) -> tf.Tensor:
        return target.outputs(parts[0], parts, suffix=suffix, training=True)

    retrain(suffix, answer, entering, subject)
    return suffix


def retrain(
    model: keras.Model,
    answer: Callable[[list[tf.Tensor]], tf.Tensor],
    entering: Callable[[np.ndarray], Sequence[np.ndarray | tf.Tensor]],
    subject: Subject,
) -> None:
    """Train the end of a network further, in place.

    Args:
        model: whose variables are trained.
        answer: what enters it, for a batch → outputs `(m, classes)` in training mode.
        entering: numbers of training images `(m,)` → what enters.
        subject: gives the labels and the order of the images, and says whether outputs are logits.
    """
    labels = subject.dataset.y_train
    batch_size = min(BATCH_SIZE, len(labels))
    steps = EPOCHS * (len(labels) // batch_size)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps))
    optimizer.build(model.trainable_variables)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=subject.target.gives_logits)

    @tf.function
    def step(parts: list[tf.Tensor], expected: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            cost = loss(expected, answer(parts))
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(cost, variables), variables)

    order = number_stream(len(labels), batch_size, seed=subject.seed, steps=steps)
    for rows in order.as_numpy_iterator():
        step([tf.constant(part) for part in entering(rows)], tf.constant(labels[rows]))
