"""Optimised inputs side by side."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from keras_filtergan.plots.tiles import set_gaps, show_image


def maxima_figure(
    images: np.ndarray,
    values: np.ndarray,
    columns: Sequence[str],
    rows: Sequence[str],
    best: np.ndarray,
    best_values: np.ndarray,
    title: str,
) -> Figure:
    """What maximises each objective under each kernel set, beside the best test image.

    Args:
        images: `(objectives, sets, h, w, c)` in [0, 1].
        values: of the objectives, `(objectives, sets)`; above each image.
        columns: names of the kernel sets.
        rows: names of the objectives.
        best: the test images that have most of each objective, `(objectives, h, w, c)`.
        best_values: how much, `(objectives,)`.
        title: what the picture shows and the number that matters.
    """
    count, sets = values.shape
    label = max(len(row) for row in map(_broken, rows) for row in row.splitlines())
    size = (1.05 * (sets + 1) + 0.3 + 0.085 * label, 1.2 * count + 0.9)
    figure = Figure(figsize=size, layout="compressed")
    set_gaps(figure, 0.01)
    axes = figure.subplots(count, sets + 2, squeeze=False, width_ratios=[1, 0.15, *[1] * sets])
    for row in range(count):
        axes[row, 1].axis("off")
        tiles = [(axes[row, 0], best[row], best_values[row], "best test image")]
        tiles += zip(axes[row, 2:], images[row], values[row], columns, strict=True)
        for ax, image, value, column in tiles:
            show_image(ax, image)
            ax.set_title(f"{column}\n{value:#.3g}" if row == 0 else f"{value:#.3g}", fontsize=8)
        axes[row, 0].set_ylabel(
            _broken(rows[row]), rotation=0, ha="right", va="center", fontsize=8, family="monospace"
        )
    figure.suptitle(title, fontsize=9)
    return figure


def _broken(name: str) -> str:
    """A sum with a line for each term."""
    return name.replace(" + ", "\n+ ").replace(" - ", "\n- ")
