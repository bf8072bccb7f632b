"""How much of a change of images a smooth deformation of them can account for."""

import dataclasses
import math
from typing import ClassVar

import numpy as np
import tensorflow as tf

from keras_filtergan.displacement import sample_bilinear
from keras_filtergan.errors import InputError
from keras_filtergan.images.parametrizations import Parameters, Parametrization
from keras_filtergan.instruments.stability.diffeomorphisms import (
    deviations,
    sine_field,
    temperature_range,
)
from keras_filtergan.inversion.descent import Descent, descend, descend_in_batches

STEPS = 150
LEARNING_RATE = 0.1  # of a coefficient, in standard deviations at the highest temperature
BATCH = 256


@dataclasses.dataclass(frozen=True)
class SmoothDeformation(Parametrization):
    """The start image along a displacement made of sines: no new ink, nothing gone.

    The parameters are the coefficients C_ij in units of their standard deviation at the highest
    temperature at which diffeomorphisms seldom fold. `project` keeps a field from being rougher
    than a typical one there: its mean squared coefficient stays at 1 or below.

    Args:
        cut: c, the highest frequency in half-waves a side.

    Reference:
        Petrini et al. (NeurIPS 2021), eq. 1, for the fields.
    """

    cut: int = 5
    name: ClassVar[str] = "smooth_deformation"

    def init(self, images: tf.Tensor) -> Parameters:
        """Zeros `(m, 2, cut, cut)`, and the start images."""
        return tf.zeros([tf.shape(images)[0], 2, self.cut, self.cut]), images

    def decode(self, parameters: Parameters) -> tf.Tensor:
        """Images `(m, h, w, c)` in [0, 1]."""
        return sample_bilinear(tf.stop_gradient(parameters[1]), self.displacement(parameters))

    def project(self, parameters: Parameters) -> Parameters:
        """Coefficients on or inside the sphere of typical ones."""
        coefficients, start = parameters
        used = tf.constant(deviations(self.cut, 1.0) > 0, tf.float32)
        size = tf.reduce_sum(used * coefficients**2, axis=[1, 2, 3], keepdims=True)
        typical = 2.0 * tf.reduce_sum(used)
        return coefficients * tf.minimum(1.0, tf.sqrt(typical / tf.maximum(size, 1e-12))), start

    def displacement(self, parameters: Parameters) -> tf.Tensor:
        """The field τ in pixels, `(m, h, w, 2)`, (down, right)."""
        coefficients, start = parameters
        h, w = start.shape[1:3]
        spread = deviations(self.cut, temperature_range(min(h, w), self.cut)[1])
        return sine_field(coefficients * tf.constant(spread, tf.float32), h, w)


def smooth_share(start: np.ndarray, changed: np.ndarray, cut: int = 5) -> float:
    """1 − min_τ Σ‖τx − x'‖² / Σ‖x' − x‖²: the share of changes that smooth displacement makes.

    Each image has a field of its own, sought by gradient descent from τ = 0 among those that are
    no rougher than a typical diffeomorphism of the highest temperature. So the result is a lower
    bound, and a change of brightness does not count.

    Args:
        start: x, `(m, h, w, c)` in [0, 1].
        changed: x', of the same shape.
        cut: c, the highest frequency of the fields.

    Returns:
        0 if no displacement brings x any nearer to x', 1 if one makes all of the change; NaN if
        nothing changes.

    Raises:
        InputError: different shapes, or a cut that the size of the images does not allow.

    Example:
        >>> smooth_share(images, Diffeomorphisms(cut=3, temperature=0.002)(images).numpy())
        0.97
    """
    start, changed = np.asarray(start, np.float32), np.asarray(changed, np.float32)
    if start.shape != changed.shape:
        raise InputError(f"expected images of one shape, received {start.shape}, {changed.shape}")
    before = np.square(changed - start, dtype=np.float64).sum()
    if before == 0:
        return math.nan
    found = descend_in_batches(
        lambda which: _fit(cut, start[which], changed[which]), len(start), BATCH
    ).images
    return float(1.0 - np.square(found - changed, dtype=np.float64).sum() / before)


@tf.function
def _fit(cut: int, start: tf.Tensor, changed: tf.Tensor) -> Descent:
    size = tf.reduce_sum(tf.square(changed - start), axis=[1, 2, 3]) + 1e-6

    def left(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"left": tf.reduce_sum(tf.square(images - changed), axis=[1, 2, 3]) / size}

    return descend(left, start, SmoothDeformation(cut), STEPS, LEARNING_RATE)
