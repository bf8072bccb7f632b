"""The paper's quality measure (i), and the control that it lacks."""

import keras
import tensorflow as tf

from keras_filtergan.data import number_stream
from keras_filtergan.evaluation.averaged_accuracy import LATENTS
from keras_filtergan.evaluation.frozen_view import remembered
from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject

EPOCHS = 10
BATCH_SIZE = 64
LEARNING_RATE = 5e-4


@metric()
def averaged_retrained_accuracy(subject: Subject) -> Measurement:
    """Accuracy with 10 latents averaged and all following layers re-trained (paper: 0.982)."""
    value = retrained_accuracy(subject, subject.mean_kernels(LATENTS))
    return Measurement(value, {"latents": LATENTS, "images": len(subject.labels)})


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
    target, dataset = subject.target, subject.dataset
    suffix = keras.models.clone_model(target.suffix)
    suffix.set_weights(target.suffix.get_weights())
    batch_size = min(BATCH_SIZE, len(dataset.x_train))
    steps = EPOCHS * (len(dataset.x_train) // batch_size)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps))
    optimizer.build(suffix.trainable_variables)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=target.gives_logits)

    @tf.function
    def step(entering: list[tf.Tensor], labels: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            outputs = target.outputs(entering[0], entering, suffix=suffix, training=True)
            cost = loss(labels, outputs)
        variables = suffix.trainable_variables
        optimizer.apply(tape.gradient(cost, variables), variables)

    entering = remembered(
        lambda images: subject.view.enter_suffix(images, kernels), dataset.x_train
    )
    order = number_stream(len(dataset.x_train), batch_size, seed=subject.seed, steps=steps)
    for rows in order.as_numpy_iterator():
        step([tf.constant(part) for part in entering(rows)], tf.constant(dataset.y_train[rows]))
    return suffix
