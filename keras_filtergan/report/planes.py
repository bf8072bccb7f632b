"""What the explorer can be moved over: pairs of latent directions, principal or plain."""

import dataclasses
import itertools

import numpy as np

from keras_filtergan.data import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.inversion.directions import Directions, principal_directions
from keras_filtergan.inversion.walks import Walk
from keras_filtergan.runs.trained import TrainedRun

IMAGES = 20
MOST_DIRECTIONS = 4  # of each kind: more pairs would make the file too large
ALIKE = 0.999  # cosine from which two directions are one


@dataclasses.dataclass(frozen=True)
class Axis:
    """A latent direction that a slider moves along.

    Attributes:
        kind: `principal` or `plain`.
        number: which of its kind, from 0.
        vector: the direction, of length 1, `(d,)`.
        title: what it is called, if it has a name of its own.
    """

    kind: str
    number: int
    vector: np.ndarray
    title: str = ""

    @property
    def name(self) -> str:
        """What a reader sees.

        Example:
            >>> Axis("plain", 2, np.eye(4)[2]).name
            'z[2]'
        """
        if self.title:
            return self.title
        if self.kind == "plain":
            return f"z[{self.number}]"
        return f"principal {self.number + 1}"


@dataclasses.dataclass(frozen=True)
class Plane:
    """Two axes, down and to the right; of a latent of one dimension there is none down."""

    down: Axis | None
    right: Axis

    def latents(self, grid: int, span: float) -> np.ndarray:
        """Latents s_i · down + s_j · right with s from −span to span.

        Args:
            grid: latents a side, odd.
            span: the largest s.

        Returns:
            `(grid, grid, d)`, or `(1, grid, d)` where nothing is down.

        Example:
            >>> Plane(None, Axis("plain", 0, np.eye(1)[0])).latents(3, 2.0).ravel()
            array([-2.,  0.,  2.], dtype=float32)
        """
        steps = span / (grid // 2) * (np.arange(grid) - grid // 2)  # exactly 0 in the middle
        along = steps[None, :, None] * self.right.vector
        if self.down is not None:
            along = along + steps[:, None, None] * self.down.vector
        return along.astype("float32")

    def view_of(self, walk: Walk) -> Walk | None:
        """A walk over this plane as it lies in it, turned if need be; `None` if it is of another.

        Args:
            walk: over any two directions around z = 0.
        """
        middle = len(walk.latents) // 2
        if self.down is None or np.any(walk.latents[middle, middle]):
            return None
        ends = walk.latents[-1, middle], walk.latents[middle, -1]
        if all(_are_alike(end, axis) for end, axis in zip(ends, self._axes, strict=True)):
            return walk
        if all(_are_alike(end, axis) for end, axis in zip(ends[::-1], self._axes, strict=True)):
            return walk.turned()
        return None

    @property
    def _axes(self) -> tuple[Axis, ...]:
        return (self.right,) if self.down is None else (self.down, self.right)


def image_numbers(labels: np.ndarray) -> list[int]:
    """Which test images the explorer shows: of ten classes at most, two of each, 20 in all.

    Args:
        labels: of all test images.

    Returns:
        The first of each class, as many as there are; ordered by class.

    Example:
        >>> image_numbers(np.array([1, 0, 0, 1, 1]))
        [1, 2, 0, 3, 4]
    """
    classes = np.unique(labels)[: IMAGES // 2]
    each = max(2, -(-IMAGES // len(classes)))
    return [int(i) for label in classes for i in np.flatnonzero(labels == label)[:each]]


def planes_of(trained: TrainedRun) -> tuple[list[Plane], str]:
    """The planes of a run, and why some are not there.

    Dimensions that are kinds of change have names and come first; else principal directions do, the
    best explained before the others. They are those of the images that the explorer shows.

    Args:
        trained: the run.

    Returns:
        Every pair of the first four dimensions, and of the first four principal directions; and a
        sentence on what is missing, or nothing.
    """
    latent_dim = trained.settings.latent_dim
    images = to_unit_interval(trained.dataset.x_test[image_numbers(trained.dataset.y_test)])
    names = trained.dimensions
    rows = np.eye(latent_dim)[:MOST_DIRECTIONS]
    plain = [Axis("plain", i, row, names[i]) for i, row in enumerate(rows)]
    if latent_dim == 1:
        return [Plane(None, plain[0])], ""
    try:
        found = principal_directions(trained.target, trained.generator, images)
    except InputError as error:
        return _pairs(plain), f"There are no principal directions: {error}."
    note = ""
    if latent_dim > MOST_DIRECTIONS:
        note = f"Of {latent_dim} latent directions the first {MOST_DIRECTIONS} are shown."
    pairs = [_pairs(_principal(found)), _pairs(plain)]
    first, then = reversed(pairs) if any(trained.kinds) else pairs
    return [*first, *then], note


def _principal(found: Directions) -> list[Axis]:
    return [Axis("principal", i, row) for i, row in enumerate(found.vectors[:MOST_DIRECTIONS])]


def _pairs(axes: list[Axis]) -> list[Plane]:
    return [Plane(*pair) for pair in itertools.combinations(axes, 2)]


def _are_alike(end: np.ndarray, axis: Axis) -> bool:
    cosine = end @ axis.vector / (np.linalg.norm(end) * np.linalg.norm(axis.vector))
    return bool(cosine > ALIKE)
