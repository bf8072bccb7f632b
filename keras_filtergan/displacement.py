"""Bending images: a smooth displacement field, and sampling an image along it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

FLAT = 0.05  # slope per pixel below which an edge is none
SMOOTHING = 3  # radius in pixels of the Gaussian of standard deviation 1 before slopes are taken


def spline_field(lattice: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """The cubic B-spline surface over a coarse lattice whose corners are the image's corners.

    It is smooth (twice differentiable), stays within the range of the lattice's values, and is
    constant where they are; beyond its border the lattice repeats its outermost values.

    Args:
        lattice: `(m, rows, columns, k)`, at least 2 × 2.
        height: of the image, in pixels.
        width: of the image, in pixels.

    Returns:
        `(m, height, width, k)`, linear in the lattice.

    Reference:
        Unser, "Splines: a perfect fit for signal and image processing" (1999).
    """
    rows, columns = (
        _splines(n, k) for n, k in zip((height, width), lattice.shape[1:3], strict=True)
    )
    return tf.einsum("hi,mijk,wj->mhwk", rows, lattice, columns)


def sample_bilinear(images: tf.Tensor, displacement: tf.Tensor) -> tf.Tensor:
    """x(u + τ(u)) by bilinear interpolation, the border repeated outward.

    Args:
        images: `(m, h, w, c)`.
        displacement: τ in pixels, `(m, h, w, 2)`, (down, right).

    Returns:
        `(m, h, w, c)`, differentiable in the displacement; equal to the images where τ = 0.
    """
    return _sample(images, displacement, LINEAR)


def sample_cubic(images: tf.Tensor, displacement: tf.Tensor) -> tf.Tensor:
    """x(u + τ(u)) by cubic convolution, which blurs far less than bilinear interpolation does.

    Beyond the border the outermost pixel is repeated. Values may leave the range of the image a
    little, beside an edge.

    Args:
        images: `(m, h, w, c)`.
        displacement: τ in pixels, `(m, h, w, 2)`, (down, right).

    Returns:
        `(m, h, w, c)`, differentiable in both; equal to the images where τ = 0.

    Reference:
        Keys (1981), Cubic convolution interpolation for digital image processing, equation 15.
    """
    return _sample(images, displacement, CUBIC)


def image_slopes(images: tf.Tensor) -> tf.Tensor:
    """Central differences down and right, per pixel, `(m, h, w, 2, c)`; the border is repeated."""
    framed = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    down = framed[:, 2:, 1:-1] - framed[:, :-2, 1:-1]
    right = framed[:, 1:-1, 2:] - framed[:, 1:-1, :-2]
    return tf.stack([down, right], axis=3) / 2.0


def edge_normals(images: tf.Tensor) -> tf.Tensor:
    """Unit vectors towards the brighter side at edges, and next to nothing where there is none.

    Args:
        images: `(m, h, w, c)`; channels are averaged and smoothed first.

    Returns:
        (down, right), `(m, h, w, 2)`: g / √(‖g‖² + 0.05²) with g the slopes.
    """
    grey = tf.reduce_mean(images, axis=-1, keepdims=True)
    smooth = _smoothed(_smoothed(grey, axis=1), axis=2)
    slopes = image_slopes(smooth)[..., 0]
    return slopes / tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=-1, keepdims=True) + FLAT**2)


def _smoothed(images: tf.Tensor, axis: int) -> tf.Tensor:
    """A Gaussian of one pixel along an axis, the border mirrored.

    Taps one by one: without oneDNN a convolution of one channel takes ten times as long.
    """
    size = images.shape[axis]
    reach = min(SMOOTHING, size)  # of a frame, at most the image
    bell = np.exp(-np.square(np.arange(-reach, reach + 1)) / 2.0)
    frame = np.zeros((4, 2), int)
    frame[axis] = reach
    framed = tf.pad(images, frame, "SYMMETRIC")
    start, shape = np.eye(4, dtype="int32")[axis], tf.shape(images)
    taps = [tf.slice(framed, i * start, shape) for i in range(len(bell))]
    return tf.add_n([float(w) * tap for w, tap in zip(bell / bell.sum(), taps, strict=True)])


class _Interpolation(NamedTuple):
    """A kernel in one direction: at a distance t from the pixel before, a value a neighbour."""

    weights: Callable[[tf.Tensor], list[tf.Tensor]]  # of the 2 or 4 nearest pixels
    slopes: Callable[[tf.Tensor], list[tf.Tensor]]  # derivatives of the weights by t


def _sample(images: tf.Tensor, displacement: tf.Tensor, kernel: _Interpolation) -> tf.Tensor:
    """x(u + τ(u)) by a kernel that is a product of one down and the same one right.

    Args:
        images: `(m, h, w, c)`.
        displacement: τ, `(m, h, w, 2)`.
        kernel: in one direction.
    """
    h, w, c = images.shape[1:]
    corner, down, right = _corners(displacement, h, w)
    side = len(kernel.weights(down))
    framed = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")  # the border repeated
    framed = tf.pad(framed, [[0, 0], [0, 1], [0, 1], [0, 0]])  # these have no weight
    first = 2 - side // 2
    # The neighbours in a row lie one behind the other, so that one look-up finds them all.
    lines = tf.concat([framed[:, :, j : j + w] for j in range(first, first + side)], axis=-1)
    lines = tf.reshape(lines, [-1, (h + 3) * w, side * c])
    found = [tf.gather(lines, corner + (first + i) * w, batch_dims=1) for i in range(side)]
    return _interpolated(kernel, down[..., None], right[..., None], *found)


def _interpolated(
    kernel: _Interpolation, down: tf.Tensor, right: tf.Tensor, *rows: tf.Tensor
) -> tf.Tensor:
    """Σ_ij k_i(down) k_j(right) x_ij, with its gradient written out.

    TensorFlow's own goes through each sum and product of the weights: twice the time. Second
    derivatives with respect to the distances are not to be had.

    Args:
        kernel: in one direction.
        down, right: distances from the pixel before, `(m, h, w, 1)`.
        rows: of neighbours, each `(m, h, w, side · c)`.
    """

    @tf.custom_gradient
    def interpolated(down: tf.Tensor, right: tf.Tensor, *rows: tf.Tensor):
        of_rows, of_columns = kernel.weights(down), kernel.weights(right)
        columns = _columns(of_rows, rows)

        def gradient(upstream: tf.Tensor):
            steeper = _columns(kernel.slopes(down), rows)
            parts = (_weighted(of_columns, steeper), _weighted(kernel.slopes(right), columns))
            of_place = [tf.reduce_sum(upstream * x, axis=-1, keepdims=True) for x in parts]
            of_line = tf.concat([upstream * weight for weight in of_columns], axis=-1)
            return (*of_place, *(weight * of_line for weight in of_rows))

        return _weighted(of_columns, columns), gradient

    return interpolated(down, right, *rows)


def _columns(weights: list[tf.Tensor], rows: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """The weighted sum of rows, cut into its columns."""
    return tf.split(_weighted(weights, rows), len(rows), axis=-1)


def _weighted(weights: list[tf.Tensor], parts: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.add_n([weight * part for weight, part in zip(weights, parts, strict=True)])


def _keys(t: tf.Tensor) -> list[tf.Tensor]:
    """Weights of the values at -1, 0, 1 and 2 for a place at t in 0..1; they add up to 1."""
    return [
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    ]


def _keys_slopes(t: tf.Tensor) -> list[tf.Tensor]:
    """Derivatives of `_keys`; they add up to 0."""
    return [
        (-1.5 * t + 2.0) * t - 0.5,
        (4.5 * t - 5.0) * t,
        (-4.5 * t + 4.0) * t + 0.5,
        (1.5 * t - 1.0) * t,
    ]


LINEAR = _Interpolation(lambda t: [1.0 - t, t], lambda t: [-tf.ones_like(t), tf.ones_like(t)])
CUBIC = _Interpolation(_keys, _keys_slopes)


def _corners(displacement: tf.Tensor, h: int, w: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The pixel above and left of each place u + τ(u), and how far the place lies beyond it.

    Returns:
        Number of the pixel, row by row, and the distances down and right, in 0..1; all `(m, h, w)`.
    """
    y, x = tf.meshgrid(tf.range(h, dtype=tf.float32), tf.range(w, dtype=tf.float32), indexing="ij")
    down, right = tf.unstack(displacement, axis=-1)  # slices have a slower gradient
    y = tf.clip_by_value(y + down, 0.0, h - 1.0)
    x = tf.clip_by_value(x + right, 0.0, w - 1.0)
    top = tf.clip_by_value(tf.floor(y), 0.0, max(h - 2.0, 0.0))
    left = tf.clip_by_value(tf.floor(x), 0.0, max(w - 2.0, 0.0))
    return tf.cast(top, tf.int32) * w + tf.cast(left, tf.int32), y - top, x - left


def _splines(pixels: int, grid: int) -> tf.Tensor:
    """Cubic B-spline weights `(pixels, grid)` of a lattice that spans the pixels; rows sum to 1."""
    position = np.linspace(0.0, grid - 1.0, pixels)[:, None]
    knots = np.arange(-1, grid + 1)  # one beyond each end, repeating the outermost lattice point
    distance = np.abs(position - knots)
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.maximum(2 - distance, 0.0) ** 3 / 6
    weights = np.where(distance < 1, near, far)
    inside = weights[:, 1:-1].copy()
    inside[:, 0] += weights[:, 0]
    inside[:, -1] += weights[:, -1]
    return tf.constant(inside, tf.float32)
