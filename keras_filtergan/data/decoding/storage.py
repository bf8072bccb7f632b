"""Where images are kept: in memory, or where they are too many in a file."""

import math
import shutil
import tempfile
from collections.abc import Iterator

import numpy as np
from numpy.typing import DTypeLike

from keras_filtergan.errors import InputError
from keras_filtergan.guards.memory import memory_limit

MEMORY = 2**30  # bytes that the images of a split may take at most
SPLITS = 4  # arrays of that size that there may be at once: of two splits, read and put in order
CHUNK = 2**24  # bytes, at least one image


def empty_array(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """An array to be filled, in memory or, where there is too little, in a temporary file.

    The file is where Python's `tempfile` puts it (`TMPDIR` says where) and is gone with the
    process. The system keeps of it in memory what it has room for. There is too little above
    `MEMORY`, or above a share of what one thing may need (`guards.memory`).

    Raises:
        InputError: there is no room for the file.

    Example:
        >>> empty_array((10, 28, 28, 1), "uint8").shape
        (10, 28, 28, 1)
    """
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    if size <= min(MEMORY, memory_limit() // SPLITS):
        return np.empty(shape, kind)
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if size > free:
        raise InputError(
            f"expected room for {size / 1e9:.1f} GB of images in {folder}, there are "
            f"{free / 1e9:.1f}; give a smaller `image_size`, or set TMPDIR to a larger disk"
        )
    with tempfile.TemporaryFile(prefix="keras_filtergan-") as file:  # lives on in the map
        return np.memmap(file, kind, "w+", shape=shape)


def is_on_disk(images: np.ndarray) -> bool:
    """Whether an array, or what it is a view of, is in a file.

    Example:
        >>> is_on_disk(np.zeros([10, 28, 28, 1]))
        False
    """
    return isinstance(images, np.memmap)


def taken(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Some images in the order of their numbers, on disk if they are too many for memory.

    Args:
        images: `(n, …)`.
        rows: `(m,)`.

    Example:
        >>> taken(np.array([10, 11, 12]), np.array([2, 0]))
        array([12, 10])
    """
    made = empty_array((len(rows), *images.shape[1:]), images.dtype)
    step = _rows(images)
    for start in range(0, len(rows), step):
        made[start : start + step] = images[rows[start : start + step]]
    return made


def chunks(images: np.ndarray) -> Iterator[np.ndarray]:
    """Images in their order, a few megabytes at a time.

    Example:
        >>> sum(len(chunk) for chunk in chunks(np.zeros([1000, 200, 200, 3])))
        1000
    """
    step = _rows(images)
    return (images[start : start + step] for start in range(0, len(images), step))


def _rows(images: np.ndarray) -> int:
    one = math.prod(images.shape[1:]) * images.itemsize
    return max(CHUNK // max(one, 1), 1)
