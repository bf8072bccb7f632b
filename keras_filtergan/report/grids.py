"""What the explorer shows: pictures on grids of latents, and what two networks say of each."""

import dataclasses
import functools
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.checks import read_out_activation
from keras_filtergan.classifiers.layer_work import images_at_once
from keras_filtergan.data.batches import map_in_batches, slices
from keras_filtergan.inversion.walks import ROUNDING, Walk
from keras_filtergan.report.planes import Plane
from keras_filtergan.runs.trained import TrainedRun

COPIES = 2  # of what layers make of a picture: under its kernels, and under the real ones
AT_ONCE = 32  # pictures that a network is asked about
UNITS_AT_ONCE = 2**22  # units of activations of one batch: bounds the memory
Network = Callable[[tf.Tensor], tf.Tensor]  # images (m, h, w, c) → probabilities (m, classes)


@dataclasses.dataclass(frozen=True)
class Grid:
    """Pictures x_k of one image over one plane, by one method.

    Attributes:
        image: which of the explorer's images.
        plane: which of its planes.
        method: `transformation` or `inversion`.
        pictures: `(rows, columns, h, w, c)` in [0, 1].
        explained: of each cell the share of the change of activations that the picture undoes,
            `(rows, columns)`; NaN where nothing changes, as in the middle.
        frozen: class probabilities of the frozen network, `(rows, columns, classes)`.
        independent: those of the independent network, if there is one.
    """

    image: int
    plane: int
    method: str
    pictures: np.ndarray
    explained: np.ndarray
    frozen: np.ndarray
    independent: np.ndarray | None


def frozen_network(trained: TrainedRun) -> Network:
    """The frozen classifier with its real kernels, as images → probabilities."""
    target = trained.target
    return lambda images: tf.nn.softmax(target.as_logits(target(images)))


def other_network(model: keras.Model) -> Network:
    """Any classifier as images → probabilities."""
    if read_out_activation(model) is keras.activations.softmax:
        return lambda images: model(images, training=False)
    return lambda images: tf.nn.softmax(model(images, training=False))


def transformed_grids(
    trained: TrainedRun,
    images: np.ndarray,
    planes: list[Plane],
    size: int,
    span: float,
    independent: Network | None = None,
) -> Iterator[Grid]:
    """What the learned transformation makes of images over planes, plane by plane.

    The pictures and errors are those of `TrainedRun.transformed_walk`; all images of a plane share
    its kernel sets.

    Args:
        trained: the run.
        images: x, `(n, h, w, c)` in [0, 1].
        planes: where to go.
        size: latents a side, odd.
        span: how far, in standard deviations.
        independent: a second network, if there is one.
    """
    cell = tf.function(_cells(trained, independent), reduce_retracing=True, autograph=False)
    for p, plane in enumerate(planes):
        latents = plane.latents(size, span)
        rows = latents.reshape(-1, latents.shape[-1])
        sets = np.asarray(trained.generator(rows))
        middle, real = rows[len(rows) // 2], sets[len(rows) // 2]
        for i, image in enumerate(images):
            found = map_in_batches(
                functools.partial(cell, image, middle, real),
                rows,
                sets,
                batch_size=_cells_at_once(trained),
            )
            shaped = [part.reshape(*latents.shape[:2], *part.shape[1:]) for part in found]
            pictures, before, after, frozen, *others = shaped
            other = others[0] if others else None
            shares = explained_shares(before, after)
            yield Grid(i, p, "transformation", pictures, shares, frozen, other)


def inverted_grid(
    walk: Walk,
    image: int,
    plane: int,
    frozen: Network,
    independent: Network | None,
) -> Grid:
    """A walk of one image, which was found by inversion, as a grid.

    Args:
        walk: of n = 1, as it lies in the plane.
        image, plane: their numbers in the explorer.
        frozen, independent: the networks that are asked.
    """
    cells = walk.images[0]
    flat = cells.reshape(-1, *cells.shape[2:])

    def says(network: Network) -> np.ndarray:
        parts = [np.asarray(network(flat[part])) for part in slices(len(flat), AT_ONCE)]
        return np.concatenate(parts).reshape(*cells.shape[:2], -1)

    return Grid(
        image,
        plane,
        "inversion",
        cells,
        explained_shares(walk.error_before[0], walk.error_after[0]),
        says(frozen),
        None if independent is None else says(independent),
    )


def explained_shares(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """1 − after / before of each cell; NaN where the kernels change nothing but by rounding.

    Example:
        >>> explained_shares(np.array([4.0, 0.0]), np.array([1.0, 0.0]))
        array([0.75,  nan])
    """
    before, after = np.asarray(before, np.float64), np.asarray(after, np.float64)
    changed = before > ROUNDING * max(float(before.max()), 1e-30)
    ratio = np.divide(after, before, out=np.full_like(before, np.nan), where=changed)
    return 1.0 - ratio


def _cells_at_once(trained: TrainedRun) -> int:
    fitting = images_at_once(trained.target.classifier, UNITS_AT_ONCE, copies=COPIES)
    return max(1, min(fitting, UNITS_AT_ONCE // _units(trained)))


def _units(trained: TrainedRun) -> int:
    """Of the layer or the image, whichever is larger, for one example with its patches."""
    target = trained.target
    taps = int(np.prod(target.kernel_shape[:2]))
    return max(int(np.prod(target.activation_shape)), int(np.prod(target.image_shape))) * taps


def _cells(trained: TrainedRun, independent: Network | None) -> Callable[..., list[tf.Tensor]]:
    """One image under some latents: pictures, errors before and after, what networks say."""
    target, frozen = trained.target, frozen_network(trained)

    def cells(image, middle, real, latents, kernels) -> list[tf.Tensor]:
        start = tf.repeat(image[None], tf.shape(latents)[0], axis=0)
        pictures = trained.transformation((start, middle[None], latents))
        wanted = target.activations(target.features(image[None]), real)
        errors = [
            tf.reduce_sum(tf.square(target.activations(target.features(x), kernels) - wanted), axes)
            for x in (start, pictures)
        ]
        asked = [frozen] if independent is None else [frozen, independent]
        return [pictures, *errors, *(network(pictures) for network in asked)]

    axes = [1, 2, 3]
    return cells
