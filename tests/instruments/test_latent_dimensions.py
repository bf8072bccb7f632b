import numpy as np
import pytest

from keras_filtergan.instruments.latents.dimensions import arithmetic, dimension_effects, moved


def images(count=6):
    """Bars of several widths, half as bright as can be."""
    found = np.zeros((count, 16, 16, 1), "float32")
    for i in range(count):
        found[i, 3:13, 5 : 7 + i % 3] = 0.5
    return found


def brighten(given, latents):
    """Only the second latent does anything: it multiplies."""
    return np.clip(given * np.exp(0.2 * latents[:, 1])[:, None, None, None], 0, 1)


def test_every_image_under_every_latent():
    latents = np.array([[0, -1], [0, 0], [0, 2]], "float32")
    found = moved(brighten, images(), latents)
    for k, n in np.ndindex(3, 6):
        expected = brighten(images()[n : n + 1], latents[k : k + 1])[0]
        np.testing.assert_array_equal(found[k, n], expected)


def test_what_a_dimension_does_by_hand():
    nothing, gain = dimension_effects(brighten, images(), 2, reach=2.0)
    assert nothing["pixel_distance"] == 0
    assert nothing["brightness"] == nothing["stroke width"] == nothing["slant"] == 0
    up, down = np.exp(0.4), np.exp(-0.4)
    assert gain["brightness"] == pytest.approx(images().mean() * (up - down) / 2)
    assert gain["pixel_distance"] == pytest.approx((up - 1 + 1 - down) / 2, rel=1e-5)
    assert gain["stroke width"] == pytest.approx(0, abs=1e-6)
    assert gain["shares"]["brightness"] == pytest.approx(1)
    lit = np.mean([(image > 0).mean() for image in images()])
    assert gain["pixels"] == pytest.approx(lit, rel=0.1)


def test_arithmetic_finds_the_direction_of_brightness():
    found = arithmetic(brighten, images(), 2, count=60)["brightness"]
    assert found.agreement == 1
    assert found.effect > 3 > found.random_effect
    assert found.length == pytest.approx(3.5, abs=0.5)  # means of the outer tenths: ±1.75


def test_arithmetic_finds_nothing_where_nothing_is():
    found = arithmetic(lambda given, latents: given, images(), 2, count=20)
    for effect in found.values():
        assert effect.effect == effect.random_effect == effect.agreement == 0
