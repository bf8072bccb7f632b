"""The figures. Each function draws arrays into one matplotlib figure and returns it."""

from keras_filtergan.plots.adversarial import adversarial_figure
from keras_filtergan.plots.latents import latents_figure
from keras_filtergan.plots.maximize import maxima_figure
from keras_filtergan.plots.reach import reach_figure
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
    "adversarial_figure",
    "filters_figure",
    "invariances_figure",
    "latents_figure",
    "layers_figure",
    "maxima_figure",
    "mds_figure",
    "reach_figure",
    "spectra_figure",
    "stability_figure",
    "training_figure",
    "uncertainty_figure",
]
