import numpy as np
import pytest

from keras_filtergan.instruments.spectra.power_spectrum import (
    mean_frequency,
    power_spectrum,
    radial_mean,
)


def wave(side, down, right):
    rows, columns = np.indices((side, side))
    return np.cos(2 * np.pi * (down * rows + right * columns) / side)[None, ..., None]


def test_a_wave_has_its_power_in_its_ring():
    frequencies, power = radial_mean(power_spectrum(wave(16, 3, 4)))
    ring = np.argmax(power)
    assert ring == 5
    assert frequencies[ring] == pytest.approx(5 / 16, rel=0.05)
    np.testing.assert_allclose(np.delete(power, ring), 0, atol=1e-9)
    assert mean_frequency(power_spectrum(wave(16, 3, 4))) == pytest.approx(5 / 16)
    assert mean_frequency(power_spectrum(7 + wave(16, 8, 0))) == pytest.approx(0.5)


def test_ring_by_ring_with_a_loop():
    maps = np.random.default_rng(0).normal(size=(2, 6, 9, 3))
    frequencies, power = radial_mean(power_spectrum(maps))
    rings = {}
    for u in range(6):
        for v in range(9):
            phase = np.exp(-2j * np.pi * (u * np.arange(6)[:, None] / 6 + v * np.arange(9) / 9))
            square = np.mean(np.abs(np.einsum("hw,mhwc->mc", phase, maps)) ** 2) / 54
            frequency = np.hypot(min(u, 6 - u) / 6, min(v, 9 - v) / 9)
            rings.setdefault(round(frequency * 9), []).append((frequency, square))
    expected = np.array([np.mean(rings[ring], axis=0) for ring in sorted(rings)])
    np.testing.assert_allclose(frequencies, expected[:, 0])
    np.testing.assert_allclose(power, expected[:, 1])


def test_ring_0_is_the_mean_of_a_map():
    maps = np.random.default_rng(0).normal(1.0, 1.0, size=(5, 8, 8, 2))
    _, power = radial_mean(power_spectrum(maps))
    assert power[0] == pytest.approx(64 * np.mean(np.square(maps.mean(axis=(1, 2)))))


def test_white_noise_is_flat_and_smoothing_takes_the_fast_part():
    maps = np.random.default_rng(0).normal(size=(2000, 12, 12, 1))
    _, power = radial_mean(power_spectrum(maps))
    np.testing.assert_allclose(power, 1.0, atol=0.1)
    smooth = sum(np.roll(maps, i, axis=1) for i in range(3)) / 3
    smooth = sum(np.roll(smooth, i, axis=2) for i in range(3)) / 3
    _, slow = radial_mean(power_spectrum(smooth))
    assert slow[1] > 0.5 > 0.05 > slow[-1]
    assert mean_frequency(power_spectrum(smooth)) < 0.6 * mean_frequency(power_spectrum(maps))


def test_the_mean_does_not_count_and_a_constant_has_no_frequency():
    maps = np.random.default_rng(0).normal(size=(3, 8, 8, 2))
    assert mean_frequency(power_spectrum(maps + 50)) == pytest.approx(
        mean_frequency(power_spectrum(maps))
    )
    assert np.isnan(mean_frequency(power_spectrum(np.ones((2, 4, 4, 1)))))


def test_the_sum_is_that_of_the_squares():
    maps = np.random.default_rng(0).normal(size=(4, 5, 7, 3))
    expected = np.square(maps).sum(axis=(1, 2)).mean()
    assert power_spectrum(maps).sum() == pytest.approx(expected)
