"""A compiled attack, made on any number of images and on networks that differ in their kernels."""

import copy
import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.errors import InputError
from keras_filtergan.instruments.adversarial.projected_gradient import (
    ProjectedGradient,
    Scores,
    margin,
)
from keras_filtergan.inversion.descent import batches

BATCH = 500  # images at once


class Curve(NamedTuple):
    """What attacks within several radii make of images.

    Attributes:
        pictures: the attacked images, `(radii, n, h, w, c)`.
        margins: by how much they mislead, `(radii, n)`; below 0 they do not.
    """

    pictures: np.ndarray
    margins: np.ndarray

    @property
    def misled(self) -> np.ndarray:
        """Which images mislead within which radius, `(radii, n)`."""
        return self.margins >= 0


class Attacker:
    """A compiled attack on one network: any number of images, in batches.

    Args:
        scores: the network, images → logits or log-probabilities `(m, classes)`.
        attack: the attack.
        given: further arguments of `scores`: tensors, such as kernels, in which networks differ.

    Example:
        >>> one = Attacker(scores_under, ProjectedGradient(L2()), kernels[0])
        >>> other = one.of(kernels[1])  # compiled together
    """

    def __init__(self, scores: Callable, attack: ProjectedGradient, *given: tf.Tensor):
        self.norm = attack.norm
        self.given = given
        self._scores = scores

        def attacked(images, labels, radius, enough, *given):
            return attack(lambda x: scores(x, *given), images, labels, radius, enough)

        @functools.cache
        def compiled(image_shape: tuple[int, int, int]) -> Callable:
            """One trace for any number of images and all that may be given."""
            specs = [tf.TensorSpec([None, *image_shape]), tf.TensorSpec([None], tf.int32)]
            specs += [tf.TensorSpec([None]), tf.TensorSpec([])]
            specs += [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in given]
            return tf.function(attacked, input_signature=specs)

        self._compiled = compiled

    def of(self, *given: tf.Tensor) -> "Attacker":
        """The same attack, not compiled anew, on a network that differs in what is given.

        Args:
            given: in the place of what this one was given, of the same shapes.
        """
        other = copy.copy(self)
        other.given = given
        return other

    def scores(self, images: np.ndarray) -> np.ndarray:
        """What the network answers to images, `(n, classes)`."""
        return in_parts(lambda part: self._scores(part, *self.given), images)

    def margins(self, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """By how much images mislead the network as they are, `(n,)`."""
        return margin(tf.constant(self.scores(images)), tf.constant(labels)).numpy()

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, radius: np.ndarray, enough: float = np.inf
    ) -> tuple[np.ndarray, np.ndarray]:
        """Attack images `(n, h, w, c)` with labels `(n,)` within radii `(n,)`.

        Args:
            images, labels, radius: as above.
            enough: as in `ProjectedGradient`.

        Returns:
            The images that mislead most, `(n, h, w, c)`, and their margins, `(n,)`: those of at
            least 0 mislead.

        Raises:
            InputError: a radius below 0 or not a number.
        """
        radius = np.asarray(radius, "float32")
        if not np.all(radius >= 0):
            raise InputError(f"expected radii of at least 0, received {radius.min():g}")
        compiled = self._compiled(tuple(images.shape[1:]))
        pictures, margins = [], []
        for index in batches(len(images), BATCH):
            batch = images[index], labels[index].astype("int32"), radius[index]
            moved, found = compiled(*map(tf.constant, batch), tf.constant(enough), *self.given)
            pictures.append(moved.numpy())
            margins.append(found.numpy())
        n = len(images)
        return np.concatenate(pictures)[:n], np.concatenate(margins)[:n]

    def curve(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        radii: np.ndarray,
        begin: Callable[[], None] = lambda: None,
    ) -> Curve:
        """Attack every image within every radius.

        What misleads within a radius also does within all larger ones, found again or not.

        Args:
            images: `(n, h, w, c)` in [0, 1].
            labels: `(n,)`.
            radii: ε in ascending order, from 0 on.
            begin: called before each radius above 0.

        Raises:
            InputError: radii that do not begin with 0 or not in ascending order.
        """
        radii = np.asarray(radii, "float32")
        if radii.ndim != 1 or not radii.size or radii[0] != 0 or not np.all(np.diff(radii) > 0):
            raise InputError(f"expected radii in ascending order from 0, not {radii.tolist()}")
        rows = [(images, self.margins(images, labels))]
        for radius in radii[1:]:
            begin()
            pictures, margins = self(images, labels, np.full(len(images), radius))
            lost = (rows[-1][1] >= 0) & (margins < 0)
            pictures[lost] = rows[-1][0][lost]
            rows.append((pictures, np.where(lost, rows[-1][1], margins)))
        return Curve(*(np.stack(column) for column in zip(*rows, strict=True)))

    def smallest_change(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        low: np.ndarray | None = None,
        high: np.ndarray | None = None,
        halvings: int = 12,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The smallest radius at which the attack misleads, by bisection, for each image.

        Args:
            images: `(n, h, w, c)` in [0, 1].
            labels: `(n,)`.
            low, high: `(n,)`, between which to look; by default 0 and the largest possible change.
            halvings: steps of the bisection; each halves the distance of low and high.

        Returns:
            The sizes of the changes `(n,)`, 0 where the network is wrong without any and infinite
            where none was found; and the changed images `(n, h, w, c)`.
        """
        n = len(images)
        low = np.zeros(n) if low is None else low
        high = np.full(n, self.norm.largest(images.shape[1:])) if high is None else high
        sizes, best = np.full(n, np.inf), images
        for step in range(halvings + 1):
            middle = (low + high) / 2 if step else high
            pictures, margins = self(images, labels, middle)
            misled = margins >= 0
            # a change may stay within its radius
            reached = np.asarray(self.norm.size(pictures - images))
            better = misled & (reached < sizes)
            sizes = np.where(better, reached, sizes)
            best = np.where(better[:, None, None, None], pictures, best)
            if step:
                low, high = np.where(misled, low, middle), np.where(misled, middle, high)
        wrong = self.margins(images, labels) >= 0
        return np.where(wrong, 0.0, sizes), np.where(wrong[:, None, None, None], images, best)


def in_parts(scores: Scores, images: np.ndarray) -> np.ndarray:
    """What a network answers to any number of images, `(n, classes)`, some at a time."""
    answers = map_in_batches(lambda part: [scores(tf.constant(part))], images, batch_size=BATCH)
    return answers[0]
