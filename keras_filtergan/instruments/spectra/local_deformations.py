"""What a unit makes of a small linear deformation of what it sees."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_filtergan.data import randomness
from keras_filtergan.displacement import sample_bilinear
from keras_filtergan.errors import InputError

Unit = Callable[[tf.Tensor], tf.Tensor]


def linear_fields(pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Displacement fields of unit norm, one pixel rms, within a receptive field.

    Translation (down, right); rotation, compression and pure shear (along the axes, along the
    diagonals) about the middle of the field.

    Args:
        pixels: those that the unit sees, `(h, w)`, at least two in each direction.

    Returns:
        For each family `(k, h, w, 2)`, displacements in pixels, (down, right).

    Raises:
        InputError: a receptive field without extent, in which there is nothing to turn.

    Example:
        >>> linear_fields(visible(classifier, "conv2", (7, 7)))["pure shear"].shape
        (2, 28, 28, 2)
    """
    rows, columns = np.nonzero(pixels)
    if len(np.unique(rows)) < 2 or len(np.unique(columns)) < 2:
        raise InputError(
            f"expected a receptive field of at least 2×2 pixels, received {len(rows)} pixels; "
            "choose a layer further on"
        )
    down, right = np.indices(pixels.shape).astype(np.float64)
    down, right = down - rows.mean(), right - columns.mean()
    still, one = np.zeros(pixels.shape), np.ones(pixels.shape)
    families = {
        "translation": [(one, still), (still, one)],
        "rotation": [(-right, down)],
        "compression": [(down, right)],
        "pure shear": [(down, -right), (right, down)],
    }
    return {
        name: np.stack([_unit_norm(np.stack(field, axis=-1), pixels) for field in fields])
        for name, fields in families.items()
    }


def local_stability(
    unit: Unit, images: np.ndarray, pixels: np.ndarray, seed: int = 0
) -> dict[str, float]:
    """⟨(f(τx) − f(x))²⟩ / ⟨(f(x + η) − f(x))²⟩ of a unit for each family of linear deformations.

    τ and −τ deform the image within the receptive field; what comes in over its border is the image
    beside it. η is noise there, uniform on the sphere of radius ⟨‖τx − x‖⟩. Squares are summed over
    fields, signs, images and the channels of the unit before the division.

    Args:
        unit: images `(m, h, w, c)` → what the unit makes of them `(m, channels)`.
        images: `(m, h, w, c)` in [0, 1].
        pixels: those that the unit sees, `(h, w)`.
        seed: of the noise.

    Returns:
        Family → ratio: below 1, the unit responds less to it than to noise. NaN if noise
        changes nothing.

    Example:
        >>> local_stability(unit, images, pixels)["rotation"]
        0.31
    """
    images = np.asarray(images, np.float32)
    here = np.asarray(unit(tf.constant(images)), np.float64)

    def change(moved: np.ndarray) -> float:
        return np.square(np.asarray(unit(tf.constant(moved)), np.float64) - here).sum()

    found = {}
    for number, (name, fields) in enumerate(linear_fields(pixels).items()):
        deformed = noisy = 0.0
        for i, field in enumerate(np.concatenate([fields, -fields])):
            moved = _deformed(images, field, pixels)
            norm = np.sqrt(np.square(moved - images).sum(axis=(1, 2, 3))).mean()
            draw = randomness.stream(seed, randomness.LOCAL, number, i).standard_normal(
                images.shape
            )
            noise = draw * pixels[..., None]
            noise /= np.sqrt(np.square(noise).sum(axis=(1, 2, 3), keepdims=True))
            deformed += change(moved)
            noisy += change(images + (norm * noise).astype("float32"))
        found[name] = float(deformed / noisy) if noisy > 0 else np.nan
    return found


def _unit_norm(field: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    return field / np.sqrt(np.square(field).sum(axis=-1)[pixels].mean())


def _deformed(images: np.ndarray, field: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    everywhere = np.broadcast_to(field.astype("float32"), (len(images), *field.shape))
    moved = sample_bilinear(tf.constant(images), tf.constant(everywhere)).numpy()
    return np.where(pixels[..., None], moved, images)
