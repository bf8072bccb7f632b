"""What images of one class differ by, in the activations of a layer: its natural coordinates."""

import dataclasses

import numpy as np
import tensorflow as tf
from scipy.sparse.linalg import eigsh

from keras_filtergan.classifiers.layer_work import images_at_once
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data.batches import BATCH_SIZE, map_in_batches

RANK = 50
IMAGES = 4096
VALUES = 2**25  # activations that are held at once: a quarter of a GiB in float64
NEGLIGIBLE = 1e-9  # of the largest sum of squares: rounding
DENSE = 512  # rows of a matrix, up to which all of its eigenvectors are found


@dataclasses.dataclass(frozen=True)
class NaturalCoordinates:
    """The main directions in which real activations differ from the mean of their class.

    A change of activations is *natural* as far as it lies along these directions: it is then a
    change that leads from an image to others of its kind. Activations are standardised first, each
    channel by one mean and one standard deviation, so that no channel counts for its scale.

    Where labels say nothing, because every class has one image, the directions are those in which
    images differ from the mean of all: `within_classes` is then false. With one class the two are
    the same.

    Attributes:
        directions: orthonormal, `(units, rank)`, the largest spread first.
        spread: standard deviation of real activations along each, `(rank,)`.
        share: of the variance within classes that the directions hold, on the images of the fit.
        within_classes: whether they are differences within classes.

    Example:
        >>> coordinates = NaturalCoordinates.fit(activations, labels, rank=50)
        >>> coordinates.directions.shape, coordinates.share
        ((1568, 50), 0.76)
    """

    directions: np.ndarray
    spread: np.ndarray
    share: float
    within_classes: bool = True

    @classmethod
    def fit(
        cls, activations: np.ndarray, labels: np.ndarray, rank: int = RANK
    ) -> "NaturalCoordinates":
        """Principal components of activations less the mean of their class.

        Args:
            activations: standardised, `(n, units)` or `(n, h', w', cout)`, n at least 2.
            labels: classes `(n,)`.
            rank: how many directions; fewer are returned where the data carry no more.
        """
        rows = np.asarray(activations, np.float64).reshape(len(activations), -1)
        residuals = class_residuals(rows, labels)
        within = bool(np.any(residuals))
        if not within:
            residuals = rows - rows.mean(axis=0)
        directions, lengths = main_directions(residuals, rank)
        return cls(
            directions=directions.astype(np.float32),
            spread=(lengths / np.sqrt(len(rows))).astype(np.float32),
            share=float(np.square(lengths).sum() / np.square(residuals).sum()),
            within_classes=within,
        )

    @property
    def rank(self) -> int:
        """How many directions there are."""
        return self.directions.shape[1]

    def notes(self, asked: int) -> list[str]:
        """What a user should know of these coordinates, a line each.

        Args:
            asked: the rank that was asked for.
        """
        lines = []
        if not self.within_classes:
            lines.append(
                "note: no class has two images that differ; natural changes are taken to be those "
                "in which images differ from the mean of all"
            )
        if self.rank < asked:
            lines.append(
                f"note: the images differ in {self.rank} directions only, `rank` asked for {asked}"
            )
        return lines

    def share_of(self, changes: np.ndarray) -> float:
        """`share_along` these directions."""
        return share_along(self.directions, changes)


def share_along(directions: np.ndarray, changes: np.ndarray) -> float:
    """Share of the squares of changes that lies along some directions; NaN if nothing changes.

    Args:
        directions: orthonormal columns, `(units, rank)`.
        changes: `(n, …)`, of `units` numbers each.

    Example:
        >>> share_along(np.eye(3)[:, :2], np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]))
        0.75
    """
    rows = np.asarray(changes, np.float64).reshape(len(changes), -1)
    total = np.square(rows).sum()
    along = np.square(rows @ directions.astype(np.float64)).sum()
    return float(along / total) if total > 0 else np.nan


def main_directions(rows: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """The main directions of rows `(n, units)` about the origin, and the length along each.

    Returns:
        Orthonormal directions `(units, k)` and, falling, the root of the sum of squares along each,
        `(k,)`; k is `rank`, or less where the rows span less.
    """
    of_rows = rows.shape[0] <= rows.shape[1]
    values, vectors = _largest(rows @ rows.T if of_rows else rows.T @ rows, rank)
    kept = values > NEGLIGIBLE * max(values.max(), np.finfo(float).tiny)
    lengths, vectors = np.sqrt(values[kept]), vectors[:, kept]
    directions = (rows.T @ vectors) / lengths if of_rows else vectors
    # of v and −v, which are as good, the one whose largest entry is positive
    largest = directions[np.argmax(np.abs(directions), axis=0), np.arange(len(lengths))]
    return directions * np.sign(largest), lengths


def _largest(matrix: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues of a symmetric matrix, falling, and their vectors in columns."""
    size = len(matrix)
    if size <= DENSE or 4 * count > size:
        values, vectors = np.linalg.eigh(matrix)
    else:  # ten times as fast; not started at a vector that may be in the null space
        start = np.random.default_rng(0).standard_normal(size)
        values, vectors = eigsh(matrix, k=count, v0=start)
    order = np.argsort(values)[::-1][:count]
    return values[order], vectors[:, order]


def class_residuals(activations: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Activations `(n, units)` less the mean of their class; 0 for a class of one image."""
    _, places = np.unique(labels, return_inverse=True)
    residuals = np.array(activations, np.float64)
    for place in range(places.max() + 1):
        residuals[places == place] -= residuals[places == place].mean(axis=0)
    return residuals


def channel_standard(mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each channel, `(cout,)`, from those of its units, `(h', w', cout)`.

    A filter that training has switched off has no variance to be measured in: it gets 1 % of the
    mean variance of the channels.
    """
    places = (0, 1)
    of_channels = variance.mean(places) + mean.var(places)
    return mean.mean(places), np.maximum(of_channels, 0.01 * of_channels.mean())


def standardised_activations(
    target: FrozenTarget,
    images: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    batch_size: int = BATCH_SIZE,
) -> np.ndarray:
    """Real activations of images, `(n, units)` float32, each channel standardised.

    Args:
        target: whose layer.
        images: `(n, h, w, c)`; only the first are taken, at most `IMAGES`, and as many as hold
            `VALUES` activations.
        mean, variance: of each channel, `(cout,)`.
        batch_size: images at once at most; fewer where they are large.
    """
    units = int(np.prod(target.activation_shape))
    images = images[: max(min(IMAGES, VALUES // units), 2)]

    def activate(batch: np.ndarray) -> list[tf.Tensor]:
        maps = target.activations(target.features(batch))
        return [tf.reshape((maps - mean) / np.sqrt(variance), [len(batch), units])]

    at_once = images_at_once(target.classifier, batch_size)
    return map_in_batches(activate, images, batch_size=at_once)[0]
