"""The one rule for pixels: whole numbers are bytes, 0 to 255; floats are in [0, 1]."""

from typing import Any

import numpy as np

from keras_filtergan.errors import InputError

ROUNDING = 1e-5  # by which a float may leave [0, 1], as after resampling


def to_unit_interval(images: Any) -> Any:
    """Brings pixels to [0, 1]; the only place in the package where pixels are scaled.

    Everything that takes images takes them by this rule. Inside a graph (`tf.function`, `tf.data`)
    only the type is known while it is made: there bytes are scaled and floats are not looked at.

    Args:
        images: NumPy array or TensorFlow tensor of any shape: whole numbers are bytes, 0 to 255,
            floats are in [0, 1].

    Returns:
        The same kind of array, `float32` in [0, 1]; `float32` comes back as it is.

    Raises:
        InputError: pixels outside of their range, NaN, or something that is no array of numbers.

    Example:
        >>> to_unit_interval(np.array([0, 51, 255], "uint8"))
        array([0. , 0.2, 1. ], dtype=float32)
    """
    kind = _kind(images)
    values = _values(images)
    if values is not None and values.size:
        _check_range(values, kind)
    if isinstance(images, np.ndarray):
        scaled = images.astype(np.float32, copy=False)
        return scaled / np.float32(255) if kind == "bytes" else scaled
    import tensorflow as tf  # a tensor came in, so this is loaded already

    scaled = tf.cast(images, tf.float32)
    return scaled / 255.0 if kind == "bytes" else scaled


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Pixels in [0, 1] to the nearest of 0..255, uint8; bytes come back as they are.

    Example:
        >>> to_bytes(np.array([0.0, 0.2, 1.0], "float32"))
        array([  0,  51, 255], dtype=uint8)
    """
    if images.dtype == np.uint8:
        return images
    return np.round(np.clip(images, 0.0, 1.0) * 255.0).astype(np.uint8)


def _kind(images: Any) -> str:
    """`bytes` or `floats`, by the type."""
    name = getattr(getattr(images, "dtype", None), "name", None)
    if name is not None and name.startswith(("uint", "int")):
        return "bytes"
    if name is not None and name.startswith(("float", "bfloat")):
        return "floats"
    raise InputError(
        "expected images as an array of bytes (0 to 255) or of floats in [0, 1], received "
        f"{name or type(images).__name__}; convert them with np.asarray(images, 'uint8')"
    )


def _values(images: Any) -> np.ndarray | None:
    """The pixels as they are, or `None` while a graph is made."""
    if isinstance(images, np.ndarray):
        return None if images.dtype == np.uint8 else images  # a byte cannot be out of range
    if not hasattr(images, "numpy"):
        return None
    try:
        return images.numpy()
    except (NotImplementedError, AttributeError):  # a symbolic tensor
        return None


def _check_range(values: np.ndarray, kind: str) -> None:
    low, high = values.min(), values.max()
    most, room = (255, 0) if kind == "bytes" else (1, ROUNDING)
    if low >= -room and high <= most + room:  # false for NaN
        return
    if kind == "bytes":
        raise InputError(
            f"expected whole-number pixels from 0 to 255, received {low} to {high}; "
            "clip them, or give floats in [0, 1]"
        )
    hint = "give bytes as whole numbers (uint8)" if 1 < high <= 255 and low >= 0 else "scale them"
    raise InputError(
        f"expected float pixels in [0, 1], received {low:g} to {high:g}; {hint}"
        if np.isfinite(low) and np.isfinite(high)
        else "expected float pixels in [0, 1], received NaN or infinity; remove such images"
    )
