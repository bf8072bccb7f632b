"""Projected gradient attacks: the change of an image, within a radius, that misleads most."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import tensorflow as tf

from keras_filtergan.descent import batches
from keras_filtergan.errors import InputError

Scores = Callable[[tf.Tensor], tf.Tensor]

AXES = [1, 2, 3]
BATCH = 500  # images at once


class Norm:
    """How large a change of an image is, and what follows for moving within a radius."""

    name: ClassVar[str]

    def size(self, change: tf.Tensor) -> tf.Tensor:
        """Of changes `(m, h, w, c)`: `(m,)`."""
        raise NotImplementedError

    def steepest(self, gradient: tf.Tensor) -> tf.Tensor:
        """The change of size 1 that climbs fastest along a gradient `(m, h, w, c)`."""
        raise NotImplementedError

    def project(self, change: tf.Tensor, radius: tf.Tensor) -> tf.Tensor:
        """The nearest change `(m, h, w, c)` of a size within the radius `(m,)`."""
        raise NotImplementedError

    def largest(self, shape: tuple[int, int, int]) -> float:
        """The size that no change within [0, 1] exceeds, of images `(h, w, c)`."""
        raise NotImplementedError


@dataclass(frozen=True)
class L2(Norm):
    """The Euclidean length of all values of an image: √Σ δ²."""

    name: ClassVar[str] = "l2"

    def size(self, change: tf.Tensor) -> tf.Tensor:
        """√Σ δ², `(m,)`."""
        return tf.sqrt(tf.reduce_sum(tf.square(change), AXES))

    def steepest(self, gradient: tf.Tensor) -> tf.Tensor:
        """g / ‖g‖₂; 0 where there is no gradient."""
        # by its largest value first, whose square could not underflow
        gradient = tf.math.divide_no_nan(
            gradient, tf.reduce_max(tf.abs(gradient), AXES, keepdims=True)
        )
        return tf.math.divide_no_nan(gradient, self.size(gradient)[:, None, None, None])

    def project(self, change: tf.Tensor, radius: tf.Tensor) -> tf.Tensor:
        """The change, shortened if it is too long."""
        fraction = tf.math.divide_no_nan(radius, self.size(change))
        return change * tf.minimum(fraction, 1.0)[:, None, None, None]

    def largest(self, shape: tuple[int, int, int]) -> float:
        """√(h·w·c)."""
        return float(np.sqrt(np.prod(shape)))


@dataclass(frozen=True)
class LInf(Norm):
    """The largest change of any value: max |δ|."""

    name: ClassVar[str] = "linf"

    def size(self, change: tf.Tensor) -> tf.Tensor:
        """max |δ|, `(m,)`."""
        return tf.reduce_max(tf.abs(change), AXES)

    def steepest(self, gradient: tf.Tensor) -> tf.Tensor:
        """sign g."""
        return tf.sign(gradient)

    def project(self, change: tf.Tensor, radius: tf.Tensor) -> tf.Tensor:
        """Every value clipped to ±radius."""
        radius = radius[:, None, None, None]
        return tf.clip_by_value(change, -radius, radius)

    def largest(self, shape: tuple[int, int, int]) -> float:
        """1."""
        return 1.0


NORMS: dict[str, Norm] = {norm.name: norm for norm in (L2(), LInf())}


def margin(scores: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """By how much the best other class is ahead of the label, `(m,)`: at 0 and above, misled.

    Args:
        scores: logits or log-probabilities `(m, classes)`.
        labels: `(m,)`.
    """
    own = tf.one_hot(labels, scores.shape[-1], on_value=True, off_value=False)
    others = tf.reduce_max(tf.where(own, -np.inf, scores), axis=1)
    return others - tf.gather(scores, labels, batch_dims=1)


@dataclass(frozen=True)
class ProjectedGradient:
    """The attack: steps of steepest ascent of the margin, each projected back into the radius.

        δ ← P_ε(δ + α · steepest(∇ margin(x + δ))), then x + δ clipped to [0, 1];
        α falls from ε/4 to ε/40 (cosine)

    The margin, unlike the cross entropy, keeps its gradient where a network is sure. Directions
    that lead out of [0, 1] are left out of the gradient before it is normalised. Of the images
    visited the one with the largest margin is kept; the first is x itself.

    Args:
        norm: in which the radius is measured.
        steps: number of steps, at least 1.

    Raises:
        InputError: no steps.

    Reference:
        Madry, Makelov, Schmidt, Tsipras, Vladu (ICLR 2018), "Towards deep learning models resistant
        to adversarial attacks", section 2.1; the margin: Carlini and Wagner (2017).
    """

    norm: Norm
    steps: int = 40

    def __post_init__(self):
        if self.steps < 1:
            raise InputError(f"expected at least 1 step, received {self.steps}")

    def __call__(
        self, scores: Scores, images: tf.Tensor, labels: tf.Tensor, radius: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Attack images, each within its own radius. For use inside a `tf.function`.

        Args:
            scores: the network, images → logits or log-probabilities `(m, classes)`.
            images: x, `(m, h, w, c)` in [0, 1].
            labels: `(m,)`.
            radius: ε, `(m,)`, at least 0.

        Returns:
            x + δ with the largest margin visited, `(m, h, w, c)`, and that margin `(m,)`.
        """

        def visit(step, change, best_change, best_margin):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(change)
                found = margin(scores(images + change), labels)
            gradient = tape.gradient(found, change)
            better = found > best_margin
            best_change = tf.where(better[:, None, None, None], change, best_change)
            best_margin = tf.where(better, found, best_margin)
            current = images + change
            stuck = ((current >= 1) & (gradient > 0)) | ((current <= 0) & (gradient < 0))
            gradient = tf.where(stuck, 0.0, gradient)
            fraction = tf.cast(step, tf.float32) / self.steps
            rate = radius * (0.025 + 0.225 * 0.5 * (1.0 + tf.cos(np.pi * fraction)))
            moved = change + rate[:, None, None, None] * self.norm.steepest(gradient)
            # clipping shortens a change value by value, so it stays within the radius
            moved = tf.clip_by_value(images + self.norm.project(moved, radius), 0.0, 1.0) - images
            return step + 1, moved, best_change, best_margin

        change = tf.zeros_like(images)
        start = (tf.constant(0), change, change, tf.fill(tf.shape(labels), -np.inf))
        _, _, change, found = tf.while_loop(lambda step, *_: step <= self.steps, visit, start)
        return images + change, found


class Attacker:
    """A compiled attack on one network: any number of images, in batches.

    Args:
        scores: the network, images → logits or log-probabilities `(m, classes)`.
        attack: the attack.
    """

    def __init__(self, scores: Scores, attack: ProjectedGradient):
        self.norm = attack.norm
        # of any number of images: one trace serves curves and bisections
        self._compiled = tf.function(partial(attack, scores), reduce_retracing=True)
        self._untouched = tf.function(partial(_untouched, scores), reduce_retracing=True)

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, radius: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Attack images `(n, h, w, c)` with labels `(n,)` within radii `(n,)`.

        Returns:
            The images that mislead most, `(n, h, w, c)`, and whether they mislead, `(n,)`.

        Raises:
            InputError: a radius below 0 or not a number.
        """
        radius = np.asarray(radius, "float32")
        if not np.all(radius >= 0):
            raise InputError(f"expected radii of at least 0, received {radius.min():g}")
        return _in_batches(self._compiled, images, labels, radius)

    def wrong(self, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Which images mislead the network as they are, `(n,)`."""
        return _in_batches(self._untouched, images, labels, np.zeros(len(images), "float32"))[1]

    def curve(
        self, images: np.ndarray, labels: np.ndarray, radii: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Attack every image within every radius.

        What misleads within a radius also does within all larger ones, found again or not.

        Args:
            images: `(n, h, w, c)` in [0, 1].
            labels: `(n,)`.
            radii: ε in ascending order, from 0 on.

        Returns:
            The attacked images `(radii, n, h, w, c)`, and whether they mislead, `(radii, n)`.

        Raises:
            InputError: radii that do not begin with 0 or not in ascending order.
        """
        radii = np.asarray(radii, "float32")
        if radii.ndim != 1 or not radii.size or radii[0] != 0 or not np.all(np.diff(radii) > 0):
            raise InputError(f"expected radii in ascending order from 0, not {radii.tolist()}")
        rows = [(images, self.wrong(images, labels))]
        for radius in radii[1:]:
            pictures, misled = self(images, labels, np.full(len(images), radius))
            lost = rows[-1][1] & ~misled
            pictures[lost] = rows[-1][0][lost]
            rows.append((pictures, misled | lost))
        pictures, misled = (np.stack(column) for column in zip(*rows, strict=True))
        return pictures, misled

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
            pictures, misled = self(images, labels, middle)
            # a change may stay within its radius
            reached = np.asarray(self.norm.size(pictures - images))
            better = misled & (reached < sizes)
            sizes = np.where(better, reached, sizes)
            best = np.where(better[:, None, None, None], pictures, best)
            if step:
                low, high = np.where(misled, low, middle), np.where(misled, middle, high)
        wrong = self.wrong(images, labels)
        return np.where(wrong, 0.0, sizes), np.where(wrong[:, None, None, None], images, best)


def _untouched(
    scores: Scores, images: tf.Tensor, labels: tf.Tensor, radius: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The attack that changes nothing."""
    return images, margin(scores(images), labels)


def _in_batches(
    compiled: Callable, images: np.ndarray, labels: np.ndarray, radius: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Images `(n, h, w, c)` and whether they mislead `(n,)`, from a function that gives margins."""
    pictures, margins = [], []
    for index in batches(len(images), BATCH):
        batch = images[index], labels[index].astype("int32"), radius[index]
        moved, found = compiled(*map(tf.constant, batch))
        pictures.append(moved.numpy())
        margins.append(found.numpy())
    n = len(images)
    return np.concatenate(pictures)[:n], np.concatenate(margins)[:n] >= 0
