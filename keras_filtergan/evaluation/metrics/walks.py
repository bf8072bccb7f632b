"""What walks show: the share that images undo, how far they move, and whether their class stays."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject
from keras_filtergan.inversion import anatomy


@metric(needs=("dims",))
def explained_fraction(subject: Subject) -> Measurement:
    """1 − Σ‖a(x_k|z_k) − a(x|z)‖² / Σ‖a(x|z_k) − a(x|z)‖², over all cells of all grids.

    1: each change of kernels *is* a change of the image; 0: no image does what the kernels do.
    See `Walk.explained_fraction` and, for the grids, `Subject.walk`.
    """
    walk = subject.walk
    images, rows, columns = walk.images.shape[:3]
    return Measurement(walk.explained_fraction, {"latents": rows * columns, "images": images})


@metric(needs=("dims",))
def pixel_distance(subject: Subject) -> Measurement:
    """Mean of ‖x_k − x‖ / ‖x‖ over all cells of all grids; 0 would be pictures that stand still.

    See `Walk.pixel_distance` and, for the grids, `Subject.walk`.
    """
    walk = subject.walk
    images, rows, columns = walk.images.shape[:3]
    return Measurement(walk.pixel_distance, {"latents": rows * columns, "images": images})


@metric(needs=("dims",))
def even_share(subject: Subject) -> Measurement:
    """Share of the change of pixels that is the same at +s and at −s.

    0 of a walk that goes through x, from thin to thick; 1 of one that is paler to both sides. See
    `anatomy.even_share` and, for the grids, `Subject.walk`.
    """
    walk = subject.walk
    images, rows, columns = walk.images.shape[:3]
    value = anatomy.even_share(walk)
    return Measurement(value, {"latents": rows * columns - 1, "images": images})


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
    assert subject.independent_classifier is not None  # it needs one
    return _agreement(subject, subject.independent_classifier())


def _agreement(subject: Subject, network: Callable[[np.ndarray], tf.Tensor]) -> Measurement:
    walk = subject.walk  # of images that the frozen network gets right: its answer is the label
    labels = np.argmax(subject.target(walk.start), axis=-1)  # (n,)
    images, rows, columns = walk.images.shape[:3]
    cells = walk.images.reshape(-1, *walk.images.shape[3:])
    answers = np.argmax(network(cells), axis=-1).reshape(images, -1)  # (n, cells)
    value = np.mean(answers == labels[:, None])
    return Measurement(value, {"latents": rows * columns, "images": images})
