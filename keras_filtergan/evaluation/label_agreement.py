"""Are the images along a walk still of the same class, to this network and to another one?"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject
from keras_filtergan.walks import Walk


@metric(needs=("dims",))
def label_agreement(subject: Subject) -> Measurement:
    """Share of the x_k in all grids that the frozen network answers as it does x."""
    return _agreement(subject.walk, subject.target)


@metric(needs=("dims", "independent_classifier"))
def independent_label_agreement(subject: Subject) -> Measurement:
    """Share of the x_k in all grids that an independent network answers as it does x.

    The x_k were optimised through the frozen network, and may fool it; a network of another seed
    and width, trained on the same images, was not asked.
    """
    return _agreement(subject.walk, subject.independent_classifier())


def _agreement(walk: Walk, network: Callable[[np.ndarray], tf.Tensor]) -> Measurement:
    images, rows, columns = walk.images.shape[:3]
    cells = walk.images.reshape(-1, *walk.images.shape[3:])
    answers = np.argmax(network(cells), axis=-1).reshape(images, -1)  # (n, cells)
    originals = np.argmax(network(walk.start), axis=-1)  # (n,)
    value = np.mean(answers == originals[:, None])
    return Measurement(value, {"latents": rows * columns, "images": images})
