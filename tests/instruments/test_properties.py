import numpy as np
import pytest
import scipy.ndimage

from keras_filtergan.instruments.latents.properties import brightness, slant, stroke_width


def bar(width, length=24, side=32):
    image = np.zeros((1, side, side, 1))
    image[0, 4 : 4 + length, 10 : 10 + width] = 1
    return image


def test_brightness_is_the_mean():
    images = np.random.default_rng(0).uniform(size=(3, 5, 6, 3))
    np.testing.assert_allclose(brightness(images), [image.mean() for image in images])


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_the_width_of_a_bar(width):
    """2 · ink / outline by hand: sides of both kinds, up to the corner where they meet."""
    outline = 2 * 24 + 2 * width - 2 + np.sqrt(2)
    expected = 2 * 24 * width / outline
    assert stroke_width(bar(width))[0] == pytest.approx(expected)
    assert stroke_width(0.3 * bar(width))[0] == pytest.approx(expected)
    assert stroke_width(np.repeat(bar(width), 3, axis=-1))[0] == pytest.approx(expected)


def test_thicker_strokes_are_wider():
    """Dilation by a pixel on each side adds two pixels to a stroke."""
    thick = scipy.ndimage.grey_dilation(bar(3)[0, ..., 0], (3, 3))[None, ..., None]
    assert stroke_width(thick)[0] - stroke_width(bar(3))[0] == pytest.approx(2, abs=0.5)


@pytest.mark.parametrize("lean", [-0.5, 0.0, 0.25, 1.0])
def test_the_slant_of_a_leaning_bar(lean):
    image = np.zeros((1, 40, 60, 1))
    for row in range(5, 35):
        column = 30 - lean * (row - 20)
        image[0, row, int(column) : int(column) + 3] = 0.7
    assert slant(image)[0] == pytest.approx(lean, abs=0.02)


def test_slant_is_the_slope_of_a_regression():
    image = np.random.default_rng(1).uniform(size=(9, 11))
    rows, columns = np.mgrid[:9, :11]
    slope = np.polyfit(rows.ravel(), columns.ravel(), 1, w=np.sqrt(image.ravel()))[0]
    assert slant(image[None, ..., None])[0] == pytest.approx(-slope)


def test_nothing_drawn():
    black = np.zeros((1, 8, 8, 1))
    for measure in (brightness, stroke_width, slant):
        assert measure(black)[0] == 0
