"""How many bits a pixel has: whole numbers of any width become bytes, or floats in [0, 1]."""

from collections.abc import Sequence

import numpy as np

from keras_filtergan.data.decoding.storage import chunks, empty_array
from keras_filtergan.errors import InputError

BITS = (10, 12, 14, 16)  # of cameras and scanners; 8 are bytes
DARK = 31  # of 255: where no pixel of a set is brighter, something else than bytes may be meant


def to_depth(splits: Sequence[np.ndarray]) -> tuple[list[np.ndarray], str]:
    """Images of whole numbers as bytes, or, with more bits, as floats in [0, 1].

    What the numbers mean is read off all images together:

    * up to 255: bytes. If there are no others than 0 and 1, as in masks, 1 is white.
    * more: as many bits as hold the largest, of 10, 12, 14 and 16. Cameras of 12 bits write files
      of 16, which divided by 65535 would be nearly black.

    Args:
        splits: arrays of images, of whole numbers or truth values.

    Returns:
        The arrays, `uint8` (as they came, if they are) or `float32`; and what to tell the user, or
        an empty string where nothing is unusual.

    Raises:
        InputError: negative numbers, or some above 65535.

    Example:
        >>> [images], note = to_depth([np.array([0, 2047, 4095], "uint16")])
        >>> images, note
        (array([0.   , 0.4998779, 1.   ], dtype=float32), 'pixels up to 4095 read as 12 bits')
    """
    if all(images.dtype == np.uint8 for images in splits) and _is_bright(splits):
        return list(splits), ""
    low, high = _ends(splits)
    if low < 0 or high >= 2**16:
        raise InputError(
            f"expected whole-number pixels from 0 to 255, or to 65535, received {low} to {high}; "
            "give floats in [0, 1]"
        )
    if high == 1:
        scaled = [_scaled(images, 255, np.uint8) for images in splits]
        return scaled, "pixels are 0 and 1 only: 1 read as white"
    if high < 256:
        note = f"no pixel is brighter than {high} of 255: if {high} means white, give floats"
        bytes_ = [images.astype(np.uint8, copy=False) for images in splits]
        return bytes_, note if 0 < high <= DARK else ""
    bits = next(bits for bits in BITS if high < 2**bits)
    floats = [_scaled(images, 1 / (2**bits - 1), np.float32) for images in splits]
    return floats, f"pixels up to {high} read as {bits} bits"


def _is_bright(splits: Sequence[np.ndarray]) -> bool:
    """Whether there is a pixel that only bytes have; seldom more than a few images are seen."""
    return any(chunk.max() > DARK for images in splits for chunk in chunks(images))


def _ends(splits: Sequence[np.ndarray]) -> tuple[int, int]:
    """The smallest and the largest number."""
    ends = [(int(c.min()), int(c.max())) for images in splits for c in chunks(images)]
    lows, highs = zip(*ends, strict=True)
    return min(lows), max(highs)


def _scaled(images: np.ndarray, factor: float, kind: type) -> np.ndarray:
    """The images times a factor; as much memory as is needed for the result."""
    made = empty_array(images.shape, kind)
    start = 0
    for chunk in chunks(images):
        made[start : start + len(chunk)] = chunk * factor
        start += len(chunk)
    return made
