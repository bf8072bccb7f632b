"""Images brought to one size, once, when they are read."""

from typing import Any

import numpy as np

from keras_filtergan.data.decoding.image_size import Size
from keras_filtergan.data.decoding.storage import chunks, empty_array


def resized(images: np.ndarray, size: Size | None) -> np.ndarray:
    """Images of another size, by bilinear interpolation that smooths where it makes them smaller.

    Args:
        images: `(h, w, c)` or `(n, h, w, c)`, whole numbers or floats.
        size: `(height, width)`; `None` for that which they have.

    Returns:
        Images of the same type.

    Example:
        >>> resized(np.zeros([4, 6, 3], "uint8"), (2, 3)).shape
        (2, 3, 3)
    """
    if size is None or images.shape[-3:-1] == size:
        return images
    if images.ndim == 3:
        return _resized(images, size)
    made = empty_array((len(images), *size, images.shape[-1]), images.dtype)
    start = 0
    for chunk in chunks(images):
        made[start : start + len(chunk)] = _resized(chunk, size)
        start += len(chunk)
    return made


def resized_tensor(image: Any, size: Size) -> Any:
    """The same for a tensor `(h, w, c)` or `(n, h, w, c)`, as in `tf.data`."""
    import tensorflow as tf

    found = tf.image.resize(image, size, antialias=True)
    if not image.dtype.is_integer:
        return tf.cast(found, image.dtype)
    return tf.saturate_cast(tf.round(found), image.dtype)


def _resized(images: np.ndarray, size: Size) -> np.ndarray:
    import tensorflow as tf

    kind = images.dtype
    given = images.astype(np.uint8) if kind.kind == "b" else images
    found = tf.image.resize(tf.constant(given), size, antialias=True).numpy()
    if kind.kind in "iub":
        limits = np.iinfo(given.dtype)
        found = np.clip(np.round(found), limits.min, limits.max)
    return found.astype(kind)
