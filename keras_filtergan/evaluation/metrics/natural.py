"""Is what moves between latents what moves between images of one class?

The change of an image's activation from one latent to another is held against the differences
between held-out images of one class (`FrozenView.natural`). It is no change from the real kernels:
how far the mean over latents lies from those is `activation_bias`.
"""

import numpy as np

from keras_filtergan.classifiers.natural import class_residuals, main_directions, share_along
from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject


@metric()
def natural_share(subject: Subject) -> Measurement:
    """Share of the change between two latents that lies where images of one class differ.

    Σ‖N'(a(x|z) − a(x|r))‖² / Σ‖a(x|z) − a(x|r)‖², with the columns of N the main directions of the
    differences within classes of held-out images. Between two images of a class the share is that
    of the variance which these directions hold, `natural_share_of_images`. More directions give
    larger shares: compare at one rank only.
    """
    natural = subject.view.natural
    value = natural.share_of(subject.changes)
    return Measurement(value, _taken_over(subject))


@metric(of_kernels=False)
def natural_share_of_images(subject: Subject) -> Measurement:
    """The natural share of the difference between two images of one class: what is to be reached.

    The images of the changes are taken, each with the next of its class; the directions are those
    of the other images.
    """
    view = subject.view
    images, labels = view.changed, subject.labels[: len(view.changed)]
    following = np.arange(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        following[members] = np.roll(members, -1)
    differences = (images[following] - images)[following != np.arange(len(labels))]
    value = view.natural.share_of(differences) if len(differences) else np.nan
    return Measurement(value, {"images": len(differences), "directions": view.natural.rank})


@metric()
def natural_coverage(subject: Subject) -> Measurement:
    """Share of the differences within classes in the main directions of the change of latents.

    `natural_share` turned round, with as many directions: one transformation alone covers little of
    what images of a class differ by, however natural it is.
    """
    view, changes = subject.view, subject.changes.astype(np.float64)
    directions, _ = main_directions(changes, view.natural.rank)
    residuals = class_residuals(view.held.astype(np.float64), view.held_labels)
    return Measurement(share_along(directions, residuals), _taken_over(subject))


@metric()
def discriminant(subject: Subject) -> Measurement:
    """Variance between class means over variance within classes, along the change of latents.

    Fisher's criterion Σ u'S_B u / Σ u'S_W u, summed over the changes u, each class with the same
    weight: 0 where latents move nothing that tells classes apart.

    Reference:
        Fisher (1936), The use of multiple measurements in taxonomic problems.
    """
    view, changes = subject.view, subject.changes.astype(np.float64)
    held, labels = view.held.astype(np.float64), view.held_labels
    means = np.stack([held[labels == label].mean(axis=0) for label in np.unique(labels)])
    between = np.square((means - means.mean(axis=0)) @ changes.T).mean(axis=0).sum()
    within = np.square(class_residuals(held, labels) @ changes.T).mean(axis=0).sum()
    return Measurement(float(between / within), _taken_over(subject))


def _taken_over(subject: Subject) -> dict[str, int]:
    count, natural = len(subject.changes), subject.view.natural
    return {"latents": 2 * count, "images": count, "directions": natural.rank}
