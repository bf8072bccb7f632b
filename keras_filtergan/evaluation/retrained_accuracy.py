"""The paper's quality measure (i), and the control that it lacks."""

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.data.dataset import to_unit_interval
from keras_filtergan.data.streams import image_stream
from keras_filtergan.evaluation.averaged_accuracy import LATENTS, averaged_kernels
from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import BATCH, Subject

EPOCHS = 3
LEARNING_RATE = 5e-4


@metric
def averaged_retrained_accuracy(subject: Subject) -> Measurement:
    """Accuracy with 10 latents averaged and all following layers re-trained (paper: 0.982)."""
    value = retrained_accuracy(subject, averaged_kernels(subject))
    return Measurement(value, {"latents": LATENTS, "images": len(subject.labels)})


@metric
def control_retrained_accuracy(subject: Subject) -> Measurement:
    """Accuracy with the real kernels and all following layers re-trained in the same way."""
    value = retrained_accuracy(subject, subject.target.kernel)
    return Measurement(value, {"images": len(subject.labels)})


def retrained_accuracy(subject: Subject, kernels: tf.Tensor) -> float:
    """Test accuracy after re-training a copy of the suffix on top of fixed kernels.

    The copy starts from the trained weights and sees the whole training set `EPOCHS` times, with
    Adam and a cosine schedule; the target itself stays as it is.

    Args:
        subject: target and data.
        kernels: one shared set `(kh, kw, cin, cout)`.
    """
    target, dataset = subject.target, subject.dataset
    suffix = keras.models.clone_model(target.suffix)
    suffix.set_weights(target.suffix.get_weights())
    batch_size = min(64, len(dataset.x_train))
    steps = EPOCHS * (len(dataset.x_train) // batch_size)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps))
    optimizer.build(suffix.trainable_variables)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=target.gives_logits)

    def run(images: tf.Tensor, training: bool) -> tf.Tensor:
        features = target.features(images)
        return target.outputs(
            target.activations(features, kernels), features, suffix=suffix, training=training
        )

    @tf.function
    def step(images: tf.Tensor, labels: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            cost = loss(labels, run(images, training=True))
        variables = suffix.trainable_variables
        optimizer.apply(tape.gradient(cost, variables), variables)

    for images, labels in image_stream(
        dataset.x_train, dataset.y_train, batch_size, seed=subject.seed, steps=steps
    ):
        step(images, labels)
    predict = tf.function(lambda images: tf.argmax(run(images, training=False), axis=-1))
    images, labels = dataset.x_test, dataset.y_test
    right = [
        predict(to_unit_interval(images[i : i + BATCH])).numpy() == labels[i : i + BATCH]
        for i in range(0, len(images), BATCH)
    ]
    return float(np.mean(np.concatenate(right)))
