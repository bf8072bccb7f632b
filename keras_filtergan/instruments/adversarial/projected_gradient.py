"""Projected gradient attacks: the change of an image, within a radius, that misleads most."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf

from keras_filtergan.errors import InputError

Scores = Callable[[tf.Tensor], tf.Tensor]

AXES = [1, 2, 3]


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
        self,
        scores: Scores,
        images: tf.Tensor,
        labels: tf.Tensor,
        radius: tf.Tensor,
        enough: float | tf.Tensor = np.inf,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Attack images, each within its own radius. For use inside a `tf.function`.

        Args:
            scores: the network, images → logits or log-probabilities `(m, classes)`.
            images: x, `(m, h, w, c)` in [0, 1].
            labels: `(m,)`.
            radius: ε, `(m,)`, at least 0.
            enough: the attack ends when all margins have reached this; at 0, when all images
                mislead. Whether they do is then what it would be after all steps.

        Returns:
            x + δ with the largest margin visited, `(m, h, w, c)`, and that margin `(m,)`.
        """

        def goes_on(step, change, best_change, best_margin):
            return (step <= self.steps) & tf.reduce_any(best_margin < enough)

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
        _, _, change, found = tf.while_loop(goes_on, visit, start)
        return images + change, found
