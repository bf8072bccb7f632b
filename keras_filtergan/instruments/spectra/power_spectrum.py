"""At which spatial frequencies maps have their power."""

import numpy as np


def power_spectrum(maps: np.ndarray) -> np.ndarray:
    """Power spectral density |F|² / (h · w), the mean over maps and channels.

    Maps are taken as they are, without a window, as if they repeated beyond their borders; a step
    from one border to the opposite one adds power that falls off like 1 / f².

    Args:
        maps: `(m, h, w, c)`.

    Returns:
        `(h, w)` in the order of `np.fft.fftfreq`: the sum is that of the squares, a mean over maps.

    Example:
        >>> frequencies, power = radial_mean(power_spectrum(target.record(images)["conv4"]))
        >>> frequencies.shape == power.shape
        True
    """
    maps = np.asarray(maps, np.float64)
    squares = np.square(np.abs(np.fft.fft2(maps, axes=(1, 2))))
    return squares.mean(axis=(0, 3)) / (maps.shape[1] * maps.shape[2])


def radial_mean(power: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A power spectrum averaged over directions.

    Frequencies belong to the ring of the nearest multiple of 1 / max(h, w); ring 0 is the mean of a
    map alone.

    Args:
        power: `(h, w)`, as of `power_spectrum`.

    Returns:
        The mean frequency of each ring in cycles a place (the highest along an axis is 0.5), and
        the mean power there.
    """
    frequency = _frequencies(*power.shape)
    ring = np.round(frequency * max(power.shape)).astype(int).ravel()
    ring = np.unique(ring, return_inverse=True)[1]
    count = np.bincount(ring)
    return np.bincount(ring, frequency.ravel()) / count, np.bincount(ring, power.ravel()) / count


def mean_frequency(power: np.ndarray) -> float:
    """Σ f P(f) / Σ P(f) over all frequencies but 0, in cycles a place.

    Args:
        power: `(h, w)`, as of `power_spectrum`.

    Returns:
        NaN if there is no power but at 0.
    """
    frequency = _frequencies(*power.shape)
    beside = power * (frequency > 0)
    return float(np.sum(frequency * beside) / beside.sum()) if beside.sum() > 0 else np.nan


def _frequencies(height: int, width: int) -> np.ndarray:
    """In cycles a place, `(h, w)`."""
    axes = np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
    return np.hypot(*axes)
