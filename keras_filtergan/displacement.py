"""Bending images: a smooth displacement field, and sampling an image along it."""

import numpy as np
import tensorflow as tf


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
    h, w, c = images.shape[1:]
    y, x = tf.meshgrid(tf.range(h, dtype=tf.float32), tf.range(w, dtype=tf.float32), indexing="ij")
    down, right = tf.unstack(displacement, axis=-1)  # slices have a slower gradient
    y = tf.clip_by_value(y + down, 0.0, h - 1.0)  # (m, h, w)
    x = tf.clip_by_value(x + right, 0.0, w - 1.0)
    top = tf.clip_by_value(tf.floor(y), 0.0, max(h - 2.0, 0.0))
    left = tf.clip_by_value(tf.floor(x), 0.0, max(w - 2.0, 0.0))
    down, right = (y - top)[..., None], (x - left)[..., None]  # (m, h, w, 1)
    corner = tf.cast(top, tf.int32) * w + tf.cast(left, tf.int32)
    # Four neighbours side by side, so that one look-up finds all. The last row and column have
    # none beyond them, and need none: their weight is 0.
    framed = tf.pad(images, [[0, 0], [0, 1], [0, 1], [0, 0]])
    neighbours = [framed[:, i : i + h, j : j + w] for i in (0, 1) for j in (0, 1)]
    flat = tf.reshape(tf.stack(neighbours, axis=3), [-1, h * w, 4 * c])
    found = tf.gather(flat, corner, batch_dims=1)  # (m, h, w, 4 c)
    upper_left, upper_right, lower_left, lower_right = tf.split(found, 4, axis=-1)
    upper = (1 - right) * upper_left + right * upper_right
    lower = (1 - right) * lower_left + right * lower_right
    return (1 - down) * upper + down * lower


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
