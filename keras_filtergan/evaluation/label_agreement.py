"""Are the images along a walk still of their class, to this network and to another one?"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject


@metric(needs=("dims",))
def label_agreement(subject: Subject) -> Measurement:
    """Share of the x_k in all grids to which the frozen network still gives the label of x."""
    return _agreement(subject, subject.target)


@metric(needs=("dims", "independent_classifier"))
def independent_label_agreement(subject: Subject) -> Measurement:
    """Share of the x_k in all grids to which an independent network gives the label of x.

    The x_k were optimised through the frozen network, and may fool it; a network of another seed
    and width, trained on the same images, was not asked.
    """
    return _agreement(subject, subject.independent_classifier())


def _agreement(subject: Subject, network: Callable[[np.ndarray], tf.Tensor]) -> Measurement:
    walk = subject.walk  # of images that the frozen network gets right: its answer is the label
    labels = np.argmax(subject.target(walk.start), axis=-1)  # (n,)
    images, rows, columns = walk.images.shape[:3]
    cells = walk.images.reshape(-1, *walk.images.shape[3:])
    answers = np.argmax(network(cells), axis=-1).reshape(images, -1)  # (n, cells)
    value = np.mean(answers == labels[:, None])
    return Measurement(value, {"latents": rows * columns, "images": images})
