"""At which spatial frequencies maps have their power."""

import numpy as np


def radial_power(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Power spectral density |F|² / (h · w) of maps, averaged over directions.

    Maps are taken as they are, without a window, as if they repeated beyond their borders; a step
    from one border to the opposite one adds power that falls off like 1 / f². Frequencies belong to
    the ring of the nearest multiple of 1 / max(h, w); ring 0 is the mean of a map alone.

    Args:
        maps: `(m, h, w, c)`.

    Returns:
        The mean frequency of each ring in cycles a place (the highest along an axis is 0.5), and
        the power there, the mean over its frequencies, images and channels.

    Example:
        >>> frequencies, power = radial_power(target.record(images)["conv4"])
    """
    maps = np.asarray(maps, np.float64)
    h, w = maps.shape[1:3]
    power = np.square(np.abs(np.fft.fft2(maps, axes=(1, 2)))).mean(axis=(0, 3)) / (h * w)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(h), np.fft.fftfreq(w), indexing="ij"))
    ring = np.round(frequency * max(h, w)).astype(int).ravel()
    ring = np.unique(ring, return_inverse=True)[1]
    count = np.bincount(ring)
    return tuple(np.bincount(ring, one.ravel()) / count for one in (frequency, power))


def mean_frequency(maps: np.ndarray) -> float:
    """⟨f |F|²⟩ / ⟨|F|²⟩ over all frequencies of maps `(m, h, w, c)` but 0, in cycles a place.

    Returns:
        NaN if the maps are constant.
    """
    maps = np.asarray(maps, np.float64)
    maps = maps - maps.mean(axis=(1, 2), keepdims=True)
    power = np.square(np.abs(np.fft.fft2(maps, axes=(1, 2)))).sum(axis=(0, 3))
    axes = (np.fft.fftfreq(side) for side in maps.shape[1:3])
    frequency = np.hypot(*np.meshgrid(*axes, indexing="ij"))
    return float(np.sum(frequency * power) / power.sum()) if power.sum() > 0 else np.nan
