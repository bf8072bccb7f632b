"""Geometry of a convolution, against numbers worked out by hand and against loops."""

import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.window import Window, with_gaps

BY_HAND = [  # taps, strides, padding, dilation, image → maps, margins of rows, of columns
    ((3, 3), (1, 1), "same", (1, 1), (7, 8), [7, 8], [1, 1], [1, 1]),
    ((3, 3), (2, 2), "same", (1, 1), (7, 8), [4, 4], [1, 1], [0, 1]),
    ((2, 4), (1, 1), "same", (1, 1), (7, 8), [7, 8], [0, 1], [1, 2]),
    ((3, 3), (1, 1), "same", (2, 3), (7, 8), [7, 8], [2, 2], [3, 3]),
    ((1, 1), (3, 3), "same", (1, 1), (7, 8), [3, 3], [0, 0], [0, 0]),
    ((5, 5), (1, 2), "same", (1, 1), (2, 3), [2, 2], [2, 2], [2, 2]),
    ((3, 3), (1, 1), "valid", (1, 1), (7, 8), [5, 6], [0, 0], [0, 0]),
    ((3, 2), (2, 3), "valid", (1, 1), (7, 8), [3, 3], [0, 0], [0, 0]),
    ((3, 3), (1, 2), "valid", (3, 2), (7, 8), [1, 2], [0, 0], [0, 0]),
]


@pytest.fixture(params=BY_HAND, ids=str)
def case(request):
    *how, size, places, rows, columns = request.param
    return Window(*how), list(size), places, [rows, columns]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def test_places_and_margins_by_hand(case):
    window, size, places, margins = case
    assert window.places(size) == places
    assert window.margins(size) == margins


def test_places_are_those_of_tensorflow(case):
    window, size, places, _ = case
    taps = tf.zeros([*window.reach, 1, 1])  # the dilation written out
    maps = tf.nn.conv2d(tf.zeros([1, *size, 1]), taps, window.strides, window.padding.upper())
    assert maps.shape[1:3] == places


def test_reach_and_offsets_by_hand():
    window = Window((2, 3), (1, 1), "same", (4, 1))
    assert window.reach == (5, 3)
    assert window.offsets == [(0, 0), (0, 1), (0, 2), (4, 0), (4, 1), (4, 2)]


def test_views_are_what_each_tap_sees(case):
    window, size, (rows, columns), margins = case
    images = draw(2, *size, 3)
    padded = np.pad(images, [(0, 0), *margins, (0, 0)])
    views = window.views(tf.constant(images), size)
    assert len(views) == len(window.offsets)
    for view, (down, right) in zip(views, window.offsets, strict=True):
        for r, c in np.ndindex(rows, columns):
            row, column = r * window.strides[0] + down, c * window.strides[1] + right
            np.testing.assert_array_equal(view[:, r, c], padded[:, row, column])


def test_spread_is_the_adjoint_of_views(case):
    """⟨views(x), y⟩ = ⟨x, spread(y)⟩ for any x and y."""
    window, size, places, _ = case
    x = draw(2, *size, 3)
    y = draw(len(window.offsets), 2, *places, 3, seed=1)
    there = np.sum(np.array(window.views(tf.constant(x), size)) * y, dtype="float64")
    back = window.spread(list(tf.constant(y)), size)
    assert back.shape == x.shape
    np.testing.assert_allclose(np.sum(x * back, dtype="float64"), there, rtol=1e-5)


def test_sizes_may_be_known_at_run_time_only(case):
    window, size, places, margins = case
    images = draw(2, *size, 3)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3])])
    def both(x):
        now = list(tf.unstack(tf.shape(x)[1:3]))
        views = window.views(x, now)
        return window.places(now), window.margins(now), views, window.spread(views, now)

    *numbers, views, sums = both(images)
    assert np.array_equal(numbers[0], places)
    assert np.array_equal(numbers[1], margins)
    expected = window.views(tf.constant(images), size)
    np.testing.assert_array_equal(views, expected)
    np.testing.assert_allclose(sums, window.spread(expected, size), rtol=1e-6)


def test_gaps_by_hand():
    np.testing.assert_array_equal(with_gaps(tf.constant([1, 2, 3]), 0, 3), [1, 0, 0, 2, 0, 0, 3])
    spaced = with_gaps(tf.constant([[1, 2], [3, 4]]), 1, 2)
    np.testing.assert_array_equal(spaced, [[1, 0, 2], [3, 0, 4]])
    same = tf.constant([5, 6])
    assert with_gaps(same, 0, 1) is same
    unknown = tf.function(lambda x: with_gaps(x, 0, 2), input_signature=[tf.TensorSpec([None])])
    np.testing.assert_array_equal(unknown([1.0, 2.0]), [1, 0, 2])


@pytest.mark.parametrize("padding", ["SAME", "full", None])
def test_unknown_paddings_are_refused(padding):
    with pytest.raises(InputError, match=f"padding 'same' or 'valid', received {padding!r}"):
        Window((3, 3), (1, 1), padding, (1, 1))
