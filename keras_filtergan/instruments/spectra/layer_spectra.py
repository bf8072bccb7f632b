"""Power spectra of every layer of maps, of several kinds of networks."""

import numpy as np
import tensorflow as tf

from keras_filtergan.data.batches import slices
from keras_filtergan.instruments.spectra.power_spectrum import (
    mean_frequency,
    power_spectrum,
    radial_mean,
)
from keras_filtergan.instruments.spectra.result import MapSpectrum
from keras_filtergan.instruments.stability.relative_stability import Record
from keras_filtergan.instruments.steps import Begin, quietly

SMALLEST_MAP = 4  # places a side, below which a spectrum has no rings to speak of
BATCH = 100


def layer_spectra(
    records: dict[str, list[Record]], images: np.ndarray, begin: Begin = quietly
) -> dict[str, MapSpectrum]:
    """Power of every layer of maps by frequency, averaged over directions, and its mean frequency.

    Args:
        records: name → networks of this kind, over which the mean is taken.
        images: `(n, h, w, c)` in [0, 1].
        begin: takes the name of each kind as it begins.

    Returns:
        Path of the layer → its spectrum under each kind of network.
    """
    found: dict[str, MapSpectrum] = {}
    for name, several in records.items():
        begin(f"power spectra, {name}")
        spectra = [_spectra(record, images) for record in several]
        for path in spectra[0]:
            radial = [radial_mean(one[path]) for one in spectra]
            layer = found.setdefault(path, MapSpectrum(radial[0][0], {}, {}))
            layer.power[name] = np.mean([power for _, power in radial], axis=0)
            frequencies = [mean_frequency(one[path]) for one in spectra]
            layer.mean_frequency[name] = float(np.mean(frequencies))
    return found


def _spectra(record: Record, images: np.ndarray) -> dict[str, np.ndarray]:
    """The power spectrum of every layer whose maps are large enough."""
    total: dict[str, np.ndarray] = {}
    for batch in slices(len(images), BATCH):
        for path, maps in record(tf.constant(images[batch])).items():
            if len(maps.shape) == 4 and min(maps.shape[1:3]) >= SMALLEST_MAP:
                total[path] = total.get(path, 0.0) + len(maps) * power_spectrum(maps)
    return {path: power / len(images) for path, power in total.items()}
