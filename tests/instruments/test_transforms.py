import math

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.images.jitter import Jitter
from keras_filtergan.instruments.maximize.transforms import RandomViews


def some_images(*shape, seed=0):
    return np.random.default_rng(seed).uniform(size=shape).astype("float32")


@pytest.mark.parametrize(("size", "channels"), [((9, 9), 1), ((8, 13), 3)])
def test_a_view_is_that_of_scipy(size, channels):
    images = some_images(2, *size, channels)
    views = RandomViews(jitter=2, scale=1.3, rotation=40, seed=4)
    for step in range(6):
        angle, scale = (float(value) for value in views.angle_and_scale(step))
        matrix = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        middle = (np.array(size) - 1) / 2
        offset = middle - matrix @ middle / scale + Jitter(2, 4).shift(step).numpy()
        view = views(images, step).numpy()
        for i, c in np.ndindex(2, channels):
            expected = scipy.ndimage.affine_transform(
                images[i, ..., c], matrix / scale, offset, order=1, mode="nearest"
            )
            np.testing.assert_allclose(view[i, ..., c], expected, atol=1e-4)


def test_each_range_is_filled_and_not_left():
    views = RandomViews(jitter=3, scale=1.5, rotation=30, seed=1)
    draw = tf.function(lambda step: (*views.angle_and_scale(step), Jitter(3, 1).shift(step)))
    angles, scales, shifts = zip(*(draw(tf.constant(step)) for step in range(400)), strict=True)
    degrees, zooms = np.degrees(angles), np.log(scales) / math.log(1.5)
    for values in (degrees / 30, zooms):
        assert np.abs(values).max() == pytest.approx(1, abs=0.02)
        assert np.abs(values).max() <= 1 + 1e-5
        assert np.mean(values) == pytest.approx(0, abs=0.1)  # 3.5 standard deviations
        assert np.std(values) == pytest.approx(math.sqrt(1 / 3), abs=0.05)
    for one, other in ((degrees, zooms), (degrees, np.array(shifts)[:, 0])):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.18


def test_a_view_is_a_function_of_seed_and_step():
    images = some_images(3, 8, 8, 1)
    views = RandomViews(seed=2)
    view = views(images, 5)
    np.testing.assert_allclose(tf.function(views)(images, tf.constant(5)), view, atol=1e-5)
    np.testing.assert_allclose(views(images[1:2], 5), view[1:2], atol=1e-6)
    for other in (views(images, 6), RandomViews(seed=3)(images, 5)):
        assert np.abs(other - view).max() > 0.01


def test_without_ranges_nothing_moves():
    images = some_images(3, 8, 9, 2)
    still = RandomViews(jitter=0, scale=1, rotation=0)
    np.testing.assert_array_equal(still(images, 3), images)


def test_shifts_alone_are_exact():
    images = some_images(1, 8, 9, 2)
    for step in range(10):
        view = RandomViews(jitter=2, scale=1, rotation=0)(images, step).numpy()
        down, right = Jitter(2).shift(step).numpy()
        rows = np.clip(np.arange(8) + down, 0, 7)
        columns = np.clip(np.arange(9) + right, 0, 8)
        np.testing.assert_array_equal(view, images[:, rows][:, :, columns])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"jitter": -1}, "a jitter of 0 pixels or more, received -1"),
        ({"jitter": 1.5}, "received 1.5"),
        ({"scale": 0.9}, "a scale from 1 to 4, received 0.9; 1 for none"),
        ({"scale": math.nan}, "received nan"),
        ({"rotation": -1}, "a rotation from 0 to 180, received -1"),
        ({"rotation": math.inf}, "received inf"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(InputError, match=message):
        RandomViews(**settings)
