import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.data.batches import cached_map, map_in_batches

IMAGES = np.random.default_rng(0).uniform(size=(10, 3, 4, 1)).astype("float32")


def sums(images):
    """Two things of different shape and type that are easy to know of each image."""
    return [tf.reduce_sum(images, [1, 2, 3]), tf.cast(images[:, 0] > 0.5, tf.uint8)]


def test_every_image_is_mapped_whatever_the_batches():
    for size in (1, 4, 10, 256):
        total, bright = map_in_batches(sums, IMAGES, batch_size=size)
        np.testing.assert_allclose(total, IMAGES.sum((1, 2, 3)), rtol=1e-6)
        np.testing.assert_array_equal(bright, IMAGES[:, 0] > 0.5)
        assert (total.dtype, bright.dtype) == (np.float32, np.uint8)


@pytest.mark.parametrize(("memory", "computed"), [(10 * 8, False), (10 * 8 - 1, True)])
def test_what_fits_is_computed_once_and_what_does_not_each_time(memory, computed):
    calls = []  # one image: a float of 4 bytes and 4 pixels of one byte

    def compute(images):
        calls.append(len(images))
        return sums(images)

    look_up = cached_map(compute, IMAGES, memory)
    made = len(calls)
    rows = np.array([7, 0, 7])
    total, bright = look_up(rows)
    np.testing.assert_allclose(total, IMAGES[rows].sum((1, 2, 3)), rtol=1e-6)
    np.testing.assert_array_equal(bright, IMAGES[rows, 0] > 0.5)
    assert calls[made:] == ([3] if computed else [])
    assert max(calls[:made]) == (1 if computed else 10)


def test_arrays_are_cut_alike():
    [found] = map_in_batches(lambda a, b: [a[:, 0, 0, 0] + b], IMAGES, np.arange(10), batch_size=3)
    np.testing.assert_allclose(found, IMAGES[:, 0, 0, 0] + np.arange(10))


@pytest.mark.parametrize("arrays", [(IMAGES[:0],), (IMAGES, np.arange(9))])
def test_no_images_or_other_lengths_are_refused(arrays):
    with pytest.raises(ValueError, match="expected arrays of one length, not 0; received"):
        map_in_batches(lambda *batch: batch, *arrays)
