"""What kernels can do, as a table of colours."""

import numpy as np
from matplotlib.figure import Figure

from keras_filtergan.instruments.reach.result import ReachResult


def reach_figure(result: ReachResult) -> Figure:
    """Shares of known changes that kernels of each layer make, and the accuracy that they leave.

    Args:
        result: of a `ReachStudy`.
    """
    layers, names = result.layers, result.changes
    share = np.array([[one.share[name] for name in names] for one in layers.values()], float)
    accuracy = np.array([[one.accuracy[name] for name in names] for one in layers.values()], float)
    height = 1.6 + 0.34 * len(layers)
    figure = Figure(figsize=(2.2 + 1.25 * len(names), height), layout="constrained")
    ax_share, ax_accuracy = figure.subplots(1, 2, sharey=True)
    real = result.classifier_accuracy
    _shade(ax_share, share, 0.0, 1.0, "share of the change that kernels make")
    _shade(ax_accuracy, accuracy, real - 0.2, real, f"accuracy left (real kernels {real:.3f})")
    for ax in (ax_share, ax_accuracy):
        ax.set_xticks(range(len(names)), [n.replace("_", " ") for n in names], rotation=60)
        ax.set_yticks(range(len(layers)), list(layers))
        ax.tick_params(labelsize=8, length=0)
    figure.suptitle(f"What kernels can do: {result.network}", fontsize=10)
    return figure


def _shade(ax, values: np.ndarray, low: float, high: float, title: str) -> None:
    """Cells as dark as their value, which is written in them."""
    ax.imshow(values, cmap="Greys", vmin=low, vmax=high, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        dark = value > (low + high) / 2
        text = "–" if np.isnan(value) else f"{value:.2f}"
        color = "white" if dark else "black"
        ax.text(column, row, text, ha="center", va="center", fontsize=7, color=color)
    ax.set_title(title, fontsize=9)
    ax.spines[:].set_visible(False)
