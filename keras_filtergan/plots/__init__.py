"""The figures of runs. Each function draws arrays into one matplotlib figure and returns it."""

from keras_filtergan.plots.run import (
    filters_figure,
    invariances_figure,
    layers_figure,
    mds_figure,
    training_figure,
)

__all__ = [
    "filters_figure",
    "invariances_figure",
    "layers_figure",
    "mds_figure",
    "training_figure",
]
