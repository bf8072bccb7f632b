import numpy as np
import pytest
import scipy.ndimage

from keras_filtergan.images.known_changes import known_changes

GREY, COLOUR = (28, 28, 1), (20, 28, 3)


def images(shape, count=3):
    noise = np.random.default_rng(0).uniform(size=(count, *shape))
    smooth = scipy.ndimage.gaussian_filter(noise, (0, 2, 2, 0))
    low, high = smooth.min(), smooth.max()
    return (0.1 + 0.7 * (smooth - low) / (high - low)).astype("float32")


def blob(row, column, side=28):
    y, x = np.mgrid[:side, :side]
    bell = np.exp(-((y - row) ** 2 + (x - column) ** 2) / 8)
    return bell[None, :, :, None].astype("float32")


def middle_of(image):
    weights = np.asarray(image)[0, :, :, 0]
    return np.array(scipy.ndimage.center_of_mass(weights)) - 13.5


@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_images_stay_images_and_change(shape):
    x = images(shape)
    changes = known_changes(shape)
    assert ("hue" in changes) == (shape[-1] == 3)
    for name, change in changes.items():
        found = change(x).numpy()
        assert found.shape == x.shape, name
        assert found.min() >= 0, name
        assert found.max() <= 1, name
        assert 0.001 < np.abs(found - x).mean() < 0.3, name


def test_a_shift_is_exact():
    x, changes = images(GREY), known_changes(GREY)
    np.testing.assert_allclose(changes["shift_right"](x)[:, :, 1:], x[:, :, :-1], atol=1e-6)
    np.testing.assert_allclose(changes["shift_down"](x)[:, 1:], x[:, :-1], atol=1e-6)


def test_where_a_blob_goes():
    """A blob at (down, right) = (−6, 4) of the middle."""
    x, changes = blob(13.5 - 6, 13.5 + 4), known_changes(GREY)
    turned = middle_of(changes["rotation"](x))
    angle = np.arctan2(turned[0], turned[1]) - np.arctan2(-6, 4)
    assert np.abs(np.rad2deg(angle)) == pytest.approx(10, abs=0.5)
    assert np.linalg.norm(turned) == pytest.approx(np.hypot(6, 4), abs=0.1)
    np.testing.assert_allclose(middle_of(changes["scale"](x)), [-6.6, 4.4], atol=0.1)
    np.testing.assert_allclose(middle_of(changes["stretch"](x)), [-6, 4.4], atol=0.1)
    np.testing.assert_allclose(middle_of(changes["slant"](x)), [-6, 4 + 0.2 * 6], atol=0.1)


def test_strokes_get_wider_and_blur_is_that_of_scipy():
    y, x = np.mgrid[:28, :28] - 13.5
    disc = np.clip(0.5 + 7 - np.hypot(y, x), 0, 1)[None, :, :, None].astype("float32")
    changes = known_changes(GREY)
    assert np.sqrt(changes["stroke_width"](disc).numpy().sum() / np.pi) == pytest.approx(
        7.5, abs=0.1
    )
    expected = scipy.ndimage.gaussian_filter(disc, (0, 0.7, 0.7, 0), truncate=2.9)
    np.testing.assert_allclose(changes["blur"](disc), expected, atol=2e-3)


def test_elastic_moves_by_a_pixel_on_average():
    """Of a ramp, the change is the displacement times the slope."""
    ramp = np.tile(np.linspace(0.2, 0.8, 28, dtype="float32")[None, None, :, None], (1, 28, 1, 1))
    slope = 0.6 / 27
    right = (known_changes(GREY)["elastic"](ramp) - ramp).numpy()[0, :, 4:-4, 0] / slope
    down = known_changes(GREY)["elastic"](ramp.transpose(0, 2, 1, 3)) - ramp.transpose(0, 2, 1, 3)
    down = down.numpy()[0, 4:-4, :, 0] / slope
    assert np.sqrt(np.mean(right**2) + np.mean(down**2)) == pytest.approx(1.0, abs=0.25)
