"""Endless batches whose order and random numbers depend on (seed, epoch, step) alone.

Step k of a stream is the same, bit by bit, whether the stream began at 0 or at k: a run that was
killed goes on exactly where it stood, with no state to save but the step. And because latents
and noise are data, a training step is a pure function of weights and batch, on one device or many.
"""

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_filtergan.data.decoding.storage import is_on_disk
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.errors import InputError

if TYPE_CHECKING:
    import tensorflow as tf

WORKERS = 2  # batches made at once; fixed, so that a stream costs the same everywhere


def steps_per_epoch(num_images: int, batch_size: int) -> int:
    """Whole batches in one pass over the images; the remainder is dropped, another each epoch.

    Raises:
        InputError: When `batch_size` is below 1 or above the number of images.
    """
    batch_size = _integer("batch_size", batch_size, low=1)
    if batch_size > num_images:
        raise InputError(
            f"Expected a batch_size up to the number of images, {num_images}. "
            f"Received: batch_size={batch_size}; make it smaller."
        )
    return num_images // batch_size


def image_stream(
    images: np.ndarray,
    labels: np.ndarray,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    steps: int | None = None,
    shift: int = 0,
) -> "tf.data.Dataset":
    """Batches of images and labels, shuffled anew each epoch; for training a classifier.

    Args:
        images: `(n, height, width, channels)`, `uint8` or `float32` in [0, 1]; kept in memory as
            it is, and scaled batch by batch.
        labels: Class indices `(n,)`.
        batch_size: Examples a batch, m, in 1..n.
        seed: Integer in 0..2^63-1. The same seed gives the same order here and in
            `training_stream`.
        start_step: Step of the first batch: the number of steps already taken.
        steps: Number of batches, or None for an infinite stream.
        shift: Each image is moved by up to so many pixels down or up and right or left, each time
            anew; what moves in is the mirror image of what is there.

    Returns:
        Dataset of `(images, labels)`: `(m, height, width, channels)` float32 in [0, 1] and `(m,)`
        int32. Each image comes once an epoch, but for the remainder.

    Raises:
        InputError: For arguments out of range.

    Example:
        >>> x, y = next(iter(image_stream(data.x_train, data.y_train, 32, seed=0)))
        >>> x.shape, y.shape
        (TensorShape([32, 28, 28, 1]), TensorShape([32]))
    """
    seed = _integer("seed", seed, low=0)
    batch = _batcher(images, labels, batch_size, seed)
    if _integer("shift", shift, low=0) == 0:
        return _stream(batch, start_step, steps)
    if shift >= min(images.shape[1:3]):
        raise InputError(
            f"Expected a shift below the sides of the images, {images.shape[1:3]}. "
            f"Received: shift={shift}; give a few pixels."
        )
    from keras_filtergan.data import randomness

    def shifted_batch(step: "tf.Tensor") -> tuple["tf.Tensor", "tf.Tensor"]:
        image, label = batch(step)
        offsets = randomness.integers(seed, randomness.SHIFT, step, (batch_size, 2), 2 * shift + 1)
        return _moved(image, offsets, shift), label

    return _stream(shifted_batch, start_step, steps)


def number_stream(
    count: int,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    steps: int | None = None,
) -> "tf.data.Dataset":
    """The batches of `image_stream` as numbers of images, in the same order.

    For whoever holds something else than the pixels of each image, and looks it up.

    Args:
        count: Number of images, n.
        batch_size, seed, start_step, steps: As for `image_stream`.

    Returns:
        Dataset of `(m,)` int64, in 0..n-1.

    Raises:
        InputError: For arguments out of range.

    Example:
        >>> rows = next(iter(number_stream(len(data.x_train), 32, seed=0)))
        >>> images, labels = data.x_train[rows], data.y_train[rows]
    """
    return _stream(_numberer(count, batch_size, _integer("seed", seed, low=0)), start_step, steps)


def training_stream(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    batch_size: int,
    latent_dim: int,
    noise_shape: Sequence[int],
    seed: int,
    code_shape: Sequence[int] | None = None,
    start_step: int = 0,
    steps: int | None = None,
) -> "tf.data.Dataset":
    """Batches for FilterGAN, with every random number a training step needs.

    Args:
        images, labels, batch_size, seed, start_step, steps: As for `image_stream`.
        latent_dim: Length of a latent, at least 1.
        noise_shape: Shape of the noise of one example: that of the target's activation,
            `(height, width, channels)`.
        code_shape: Shape of the noise on what Q reads of one example, `FilterGAN.code_shape`; that
            of the other noises if it is not given.

    Returns:
        Dataset of dicts: "image" `(m, height, width, channels)` float32 in [0, 1], "label" `(m,)`
        int32, "latent" `(m, latent_dim)`, "noise_real" and "noise_fake", each `(m, *noise_shape)`,
        and "noise_code" `(m, *code_shape)`; latent and noises are independent N(0, 1), float32.

    Raises:
        InputError: For arguments out of range.

    Example:
        >>> stream = training_stream(data.x_train, data.y_train, batch_size=64, latent_dim=8,
        ...                          noise_shape=(7, 7, 32), seed=0)
        >>> next(iter(stream))["noise_code"].shape
        TensorShape([64, 7, 7, 32])
    """
    from keras_filtergan.data import randomness

    seed = _integer("seed", seed, low=0)
    batch = _batcher(images, labels, batch_size, seed)
    latent_shape = (batch_size, _integer("latent_dim", latent_dim, low=1))
    noise, code = (
        (batch_size, *_shape(name, shape))
        for name, shape in (("noise_shape", noise_shape), ("code_shape", code_shape or noise_shape))
    )

    def training_batch(step: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        image, label = batch(step)
        return {
            "image": image,  # (m, h, w, c)
            "label": label,  # (m,)
            "latent": randomness.normal(seed, randomness.LATENT, step, latent_shape),
            "noise_real": randomness.noise(seed, randomness.NOISE_REAL, step, noise),
            "noise_fake": randomness.noise(seed, randomness.NOISE_FAKE, step, noise),
            "noise_code": randomness.noise(seed, randomness.NOISE_CODE, step, code),
        }

    return _stream(training_batch, start_step, steps)


def _batcher(images: np.ndarray, labels: np.ndarray, batch_size: int, seed: int) -> Any:
    """Returns the function from step to (images, labels)."""
    if np.ndim(images) != 4 or np.shape(labels) != np.shape(images)[:1]:
        raise InputError(
            "Expected images (n, height, width, channels) and one label each. "
            f"Received: images {np.shape(images)} and labels {np.shape(labels)}; "
            "take both from one ImageDataset."
        )
    if not np.issubdtype(np.asarray(labels).dtype, np.integer):
        raise InputError(
            f"Expected integer labels. Received: {np.asarray(labels).dtype}; "
            "take images and labels from one ImageDataset."
        )
    to_unit_interval(np.asarray(images[:1]))  # refuses a wrong type now, not inside the graph
    numbers = _numberer(len(images), batch_size, seed)
    import tensorflow as tf

    with tf.device("CPU"):  # the set stays in host memory, one batch at a time leaves it
        gather = _from_disk(images) if is_on_disk(images) else _from_memory(tf.constant(images))
        all_labels = tf.constant(labels, tf.int32)

    def batch(step: "tf.Tensor") -> tuple["tf.Tensor", "tf.Tensor"]:
        index = numbers(step)
        return to_unit_interval(gather(index)), tf.gather(all_labels, index)

    return batch


def _from_memory(images: "tf.Tensor") -> Any:
    """Returns the function from numbers to images, of a tensor that holds all."""
    import tensorflow as tf

    return lambda index: tf.gather(images, index)


def _from_disk(images: np.ndarray) -> Any:
    """Returns the same of images in a file, of which a batch is read at a time."""
    import tensorflow as tf

    def gather(index: "tf.Tensor") -> "tf.Tensor":
        read = tf.numpy_function(lambda rows: np.array(images[rows]), [index], images.dtype)
        return tf.ensure_shape(read, (*index.shape, *images.shape[1:]))

    return gather


def _moved(images: "tf.Tensor", offsets: "tf.Tensor", shift: int) -> "tf.Tensor":
    """Windows `(m, h, w, c)` of the images within a mirrored frame of `shift` pixels.

    Args:
        images: `(m, h, w, c)`.
        offsets: Row and column of each window's corner in the frame, `(m, 2)` in 0..2 shift.
        shift: Width of the frame, less than the sides.
    """
    import tensorflow as tf

    edge = [shift, shift]
    framed = tf.pad(images, [[0, 0], edge, edge, [0, 0]], "REFLECT")
    rows = offsets[:, :1] + tf.range(images.shape[1])  # (m, h)
    columns = offsets[:, 1:] + tf.range(images.shape[2])  # (m, w)
    windows = tf.gather(framed, rows, axis=1, batch_dims=1)
    return tf.gather(windows, columns, axis=2, batch_dims=1)


def _numberer(count: int, batch_size: int, seed: int) -> Any:
    """Returns the function from step to numbers of images."""
    per_epoch = steps_per_epoch(count, batch_size)
    import tensorflow as tf

    from keras_filtergan.data import randomness

    def numbers(step: "tf.Tensor") -> "tf.Tensor":
        epoch, step_in_epoch = step // per_epoch, step % per_epoch
        places = step_in_epoch * batch_size + tf.range(batch_size, dtype=tf.int64)  # (m,)
        return randomness.shuffled(seed, epoch, places, count)

    return numbers


def _stream(batch: Any, start_step: int, steps: int | None) -> "tf.data.Dataset":
    import tensorflow as tf

    start_step = _integer("start_step", start_step, low=0)
    steps = -1 if steps is None else _integer("steps", steps, low=1)  # take(-1): all
    options = tf.data.Options()
    options.deterministic = True
    # Numbers of workers are fixed. Left on, its thread holds up the end of a stream for seconds.
    options.autotune.enabled = False
    # Without this, distribution may try to shard by file, and there is none.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return (
        tf.data.Dataset.range(start_step, 2**63 - 1)  # a `counter` leaves its graph behind
        .repeat(None)  # so that it counts as endless, as a counter does
        .take(steps)
        .map(batch, num_parallel_calls=WORKERS, deterministic=True)
        .prefetch(WORKERS)
        .with_options(options)
    )


def _shape(name: str, shape: Any) -> tuple[int, ...]:
    if isinstance(shape, str) or not isinstance(shape, Sequence):
        raise InputError(
            f"Expected {name} as a tuple such as (7, 7, 32). "
            f"Received: {name}={shape!r}; give the shape of one activation."
        )
    return tuple(_integer(name, size, low=1) for size in shape)


def _integer(name: str, value: Any, low: int) -> int:
    try:
        number = operator.index(value) if not isinstance(value, bool) else None
    except TypeError:
        number = None
    if number is None or not low <= number < 2**63:
        raise InputError(
            f"Expected {name} as an integer of at least {low}. Received: {name}={value!r}; "
            f"give a whole number from {low} on."
        )
    return number
