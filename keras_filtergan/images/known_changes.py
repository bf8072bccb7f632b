"""Changes of an image that have a name: what a person would call an invariance."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_filtergan.displacement import edge_normals, sample_cubic, spline_field

Change = Callable[[tf.Tensor], tf.Tensor]
Field = Callable[[tf.Tensor], np.ndarray | tf.Tensor]

SIDE = 28  # of the images on which lengths are given in pixels; on others they grow with the side
ELASTIC_GRID, ELASTIC_SEED = 5, 0xE1A5


def known_changes(image_shape: tuple[int, int, int]) -> dict[str, Change]:
    """The changes that images of this shape have, by name.

    Images are sampled by cubic convolution, so that moving them does not blur them. Lengths are in
    pixels of a side of 28: shift by 1 (`shift_right`, `shift_down`), `rotation` by 10°, `slant` by
    0.2 pixels a row, `scale` and horizontal `stretch` by 10 %, edges moved by 0.5 along their
    normals (`stroke_width`: wider), `elastic` by 1 (root mean square), the same smooth field for
    all images; and `gain` 1.2, `blur` by a Gaussian of 0.7. In colour also `hue` by a twentieth of
    the circle, `saturation` 1.5 and `contrast` 1.2.

    Args:
        image_shape: `(h, w, c)`.

    Returns:
        Name → images `(m, h, w, c)` in [0, 1] → changed images, in [0, 1] too.

    Example:
        >>> moved = known_changes((28, 28, 1))["shift_right"](images)
    """
    h, w, c = image_shape
    pixel = max(h, w) / SIDE
    changes: dict[str, Change] = {
        name: lambda x, field=field: _sampled(x, field(x))
        for name, field in displacement_fields(image_shape).items()
    }
    changes["gain"] = lambda x: tf.clip_by_value(1.2 * x, 0.0, 1.0)
    changes["blur"] = lambda x: _blurred(x, 0.7 * pixel)
    if c == 3:
        changes["hue"] = lambda x: tf.image.adjust_hue(x, 0.05)
        changes["saturation"] = lambda x: tf.image.adjust_saturation(x, 1.5)
        changes["contrast"] = lambda x: tf.clip_by_value(tf.image.adjust_contrast(x, 1.2), 0, 1)
    return changes


def displacement_fields(image_shape: tuple[int, int, int]) -> dict[str, Field]:
    """The known changes that move pixels: what is found at u comes from u + τ(u).

    Args:
        image_shape: `(h, w, c)`.

    Returns:
        Name → images `(m, h, w, c)` → τ in pixels (down, right): `(m, h, w, 2)` of `stroke_width`,
        whose edges move along their normals, `(h, w, 2)` of the others, the same for all images.

    Example:
        >>> displacement_fields((28, 28, 1))["shift_right"](images)[0, 0]
        array([ 0., -1.])
    """
    h, w, _ = image_shape
    pixel = max(h, w) / SIDE
    down, right = np.meshgrid(np.arange(h) - (h - 1) / 2, np.arange(w) - (w - 1) / 2, indexing="ij")
    still = np.zeros_like(down)
    angle = np.deg2rad(10.0)
    fields = {
        "shift_right": (still, still - pixel),
        "shift_down": (still - pixel, still),
        "rotation": (
            (np.cos(angle) - 1) * down + np.sin(angle) * right,
            (np.cos(angle) - 1) * right - np.sin(angle) * down,
        ),
        "slant": (still, 0.2 * down),
        "scale": (down / 1.1 - down, right / 1.1 - right),
        "stretch": (still, right / 1.1 - right),
    }
    fixed = {name: np.stack(field, axis=-1) for name, field in fields.items()}
    fixed["elastic"] = pixel * _elastic_field(h, w)
    return {
        **{name: lambda x, field=field: field for name, field in fixed.items()},
        "stroke_width": lambda x: 0.5 * pixel * edge_normals(x),
    }


def _sampled(images: tf.Tensor, field: np.ndarray | tf.Tensor) -> tf.Tensor:
    shape = [tf.shape(images)[0], *images.shape[1:3], 2]
    everywhere = tf.broadcast_to(tf.cast(field, tf.float32), shape)
    return tf.clip_by_value(sample_cubic(images, everywhere), 0.0, 1.0)


def _elastic_field(h: int, w: int) -> np.ndarray:
    """A smooth field `(h, w, 2)` of root mean square 1."""
    lattice = np.random.default_rng(ELASTIC_SEED).normal(size=(1, ELASTIC_GRID, ELASTIC_GRID, 2))
    field = spline_field(tf.constant(lattice, tf.float32), h, w).numpy()[0]
    return field / np.sqrt(np.square(field).sum(axis=-1).mean())


def _blurred(images: tf.Tensor, deviation: float) -> tf.Tensor:
    reach = max(1, round(3 * deviation))
    bell = np.exp(-np.square(np.arange(-reach, reach + 1) / deviation) / 2)
    bell = np.outer(bell, bell) / np.square(bell.sum())
    kernel = np.tile(bell[:, :, None, None], (1, 1, images.shape[-1], 1)).astype("float32")
    return tf.nn.depthwise_conv2d(images, kernel, [1, 1, 1, 1], "SAME")
