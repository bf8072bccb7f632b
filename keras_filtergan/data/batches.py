"""One way to run a function over more images than fit at once."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_filtergan.data.decoding.storage import empty_array

BATCH_SIZE = 256
MEMORY = 2 * 2**30  # bytes that `cached_map` may keep

Compute = Callable[[np.ndarray], Sequence[tf.Tensor | np.ndarray]]


def slices(count: int, batch_size: int = BATCH_SIZE) -> Iterator[slice]:
    """The rows of each batch, in order.

    Args:
        count: rows altogether.
        batch_size: rows at once; the last batch has what is left.

    Example:
        >>> list(slices(5, batch_size=2))
        [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return (slice(i, min(i + batch_size, count)) for i in range(0, count, batch_size))


def map_in_batches(
    compute: Compute, *arrays: np.ndarray, batch_size: int = BATCH_SIZE
) -> list[np.ndarray]:
    """Run a function of images over all of them, a batch at a time.

    Args:
        compute: arrays `(m, …)` → one or more tensors `(m, …)`, each example by itself.
        arrays: `(n, …)` each, for instance images and their labels.
        batch_size: examples at once.

    Returns:
        One array `(n, …)` a tensor, in a temporary file where it is too large for memory.

    Raises:
        ValueError: there are no examples, or the arrays differ in length.

    Example:
        >>> [sums] = map_in_batches(lambda rows: [rows.sum(axis=1)], np.ones([3, 4]))
        >>> sums
        array([4., 4., 4.])
    """
    count = len(arrays[0])
    if count == 0 or any(len(array) != count for array in arrays):
        raise ValueError(
            "expected arrays of one length, not 0; received lengths "
            f"{', '.join(str(len(array)) for array in arrays)}"
        )
    columns: list[np.ndarray] = []
    for batch in slices(count, batch_size):
        parts = [np.asarray(part) for part in compute(*(array[batch] for array in arrays))]
        if not columns:  # not lists of parts, which would need the memory twice
            columns = [empty_array((count, *part.shape[1:]), part.dtype) for part in parts]
        for column, part in zip(columns, parts, strict=True):
            column[batch] = part
    return columns


def cached_map(
    compute: Compute, images: np.ndarray, memory: int | None = None
) -> Callable[[np.ndarray], Sequence[np.ndarray | tf.Tensor]]:
    """A function of images as a function of their numbers, computed once if memory allows.

    Args:
        compute, images: as for `map_in_batches`.
        memory: bytes that the results may take, `MEMORY` if not given; where they would take more,
            every call computes.

    Returns:
        Numbers `(m,)` → what `compute` makes of these images.

    Example:
        >>> look_up = cached_map(lambda images: target.features(images), images)
        >>> np.allclose(look_up(np.array([3, 0]))[0], target.features(images[[3, 0]])[0], atol=1e-5)
        True
    """
    size = sum(np.asarray(part[0]).nbytes for part in compute(images[:1])) * len(images)
    if size > (MEMORY if memory is None else memory):
        return lambda rows: compute(images[rows])
    columns = map_in_batches(compute, images)
    return lambda rows: [column[rows] for column in columns]
