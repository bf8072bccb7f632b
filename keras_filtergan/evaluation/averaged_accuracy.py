"""The paper's pooling over learned transformations, without re-training."""

import tensorflow as tf

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject

LATENTS = 10  # the paper's number, section 4


def averaged_kernels(subject: Subject) -> tf.Tensor:
    """The one kernel set `(kh, kw, cin, cout)` whose activations are the average over 10 latents.

    A convolution is linear in its kernels: averaging the activations of ten kernel sets and
    convolving once with the average kernel set give the same maps.
    """
    return tf.reduce_mean(subject.kernel_sets(LATENTS), axis=0)


@metric
def averaged_accuracy(subject: Subject) -> Measurement:
    """Accuracy with the activations of 10 latents averaged, nothing re-trained."""
    value = subject.accuracy(averaged_kernels(subject))
    return Measurement(value, {"latents": LATENTS, "images": len(subject.labels)})
