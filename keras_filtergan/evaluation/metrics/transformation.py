"""What the image transformation T that was learned along with the generator makes."""

import numpy as np

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject
from keras_filtergan.inversion.anatomy import shares
from keras_filtergan.inversion.kinds import KIND_NAMES, NOTICEABLE


@metric(needs=("dims", "transformation"))
def transformed_fraction(subject: Subject) -> Measurement:
    """`explained_fraction` by T alone: images are T(x; 0 → z_k), and nothing is sought.

    For the grids see `Subject.walk`.
    """
    walk = subject.transformed_walk
    images, rows, columns = walk.images.shape[:3]
    return Measurement(walk.explained_fraction, {"latents": rows * columns, "images": images})


@metric(needs=("transformation",))
def latent_geometry(subject: Subject) -> Measurement:
    """Of each kind of change, the largest share that it has in a latent dimension, by T.

    The pictures of T along a dimension, from −1.5 to 1.5, are projected on the tangents of each
    kind: `translation`, `rotation`, `shear`, `scale`, `stroke_width`, `brightness`, and `all`
    together (`anatomy.shares`). Tangents overlap, so one dimension may have much of several kinds.
    A dimension along which T changes nothing does not count.
    """
    rows = [shares(line) for line in subject.transformed_lines]
    value = {name: _largest([row[name] for row in rows]) for name in rows[0]}
    return Measurement(value, _taken_over(subject))


@metric(needs=("transformation",))
def geometry_kinds(subject: Subject) -> Measurement:
    """How many different kinds of geometry latent dimensions are: shift, turn, slant, scale, width.

    A dimension is of a kind if the kind has a share of at least 0.3 in it (`latent_geometry`). The
    number is that of the kinds for which there is a dimension, but at most that of the dimensions
    which are of some kind.
    """
    rows = [shares(line) for line in subject.transformed_lines]
    of_kind = np.array([[row[name] >= NOTICEABLE for name in KIND_NAMES] for row in rows])
    value = min(of_kind.any(axis=0).sum(), of_kind.any(axis=1).sum())
    return Measurement(float(value), _taken_over(subject))


def _largest(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return max(known, default=float("nan"))


def _taken_over(subject: Subject) -> dict[str, int]:
    lines = subject.transformed_lines
    return {"latents": lines[0].latents.shape[1] * len(lines), "images": len(lines[0].start)}
