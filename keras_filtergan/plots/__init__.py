"""The figures. Each function draws arrays into one matplotlib figure and returns it."""

import matplotlib

matplotlib.use("Agg")

from keras_filtergan.plots.run import (
    filters_figure,
    invariances_figure,
    layers_figure,
    mds_figure,
    training_figure,
)
from keras_filtergan.plots.spectra import spectra_figure
from keras_filtergan.plots.stability import stability_figure
from keras_filtergan.plots.uncertainty import uncertainty_figure

__all__ = [
    "filters_figure",
    "invariances_figure",
    "layers_figure",
    "mds_figure",
    "spectra_figure",
    "stability_figure",
    "training_figure",
    "uncertainty_figure",
]
