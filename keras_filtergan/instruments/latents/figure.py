"""What a latent space looks like."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_filtergan.instruments.latents.result import LatentsResult, Representation
from keras_filtergan.plots.axes import plain_log
from keras_filtergan.plots.tiles import frame, show_image, subfigures

LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)))
MARKERS = "os^dv"
EFFECTS = {
    "pixel_distance": "change\n‖x′−x‖/‖x‖",
    "pixels": "pixels that\nchange",
    "brightness": "brightness",
    "stroke width": "stroke width\n(pixels)",
    "slant": "slant",
}


def latents_figure(images: np.ndarray, steps: np.ndarray, result: LatentsResult) -> Figure:
    """What each latent dimension does, and what a linear reader makes of D's features.

    Args:
        images: one image along each dimension, `(d, steps, h, w, c)` in [0, 1].
        steps: where on the dimension, in standard deviations.
        result: of a `LatentsStudy`.
    """
    d, count = images.shape[:2]
    figure = Figure(figsize=(13.5, 1.0 + 0.95 * max(d, 3)), layout="constrained")
    left, middle, right = subfigures(figure, 1, 3, width_ratios=[count, 5.2, 5.2])
    axes = left.subplots(d, count, squeeze=False)
    for dim, column in np.ndindex(d, count):
        ax: Any = axes[dim, column]
        show_image(ax, images[dim, column])
        if steps[column] == 0:
            frame(ax, "tab:orange", "-")
        if column == 0:
            ax.set_ylabel(f"z[{dim}]", rotation=0, ha="right", va="center")
        if dim == d - 1:
            ax.set_xlabel(f"{steps[column]:+.0f}", fontsize=8)
    left.suptitle("one image along each dimension\n(standard deviations)", fontsize=9)
    _effects(middle, result.dimensions, steps[-1])
    _accuracies(right, result.representation)
    figure.suptitle(f"Latents of {result.network}", fontsize=10)
    return figure


def _effects(panel, dimensions: list[dict[str, Any]], reach: float) -> None:
    """A table whose cells are darker where a dimension does more than the others."""
    values = np.array([[row[name] for name in EFFECTS] for row in dimensions])
    strength = np.abs(values) / np.maximum(np.abs(values).max(axis=0), 1e-12)
    ax = panel.subplots()
    ax.imshow(strength, cmap="Greys", vmin=0, vmax=2.5, aspect="auto")
    signed = [name not in ("pixel_distance", "pixels") for name in EFFECTS]
    for row, column in np.ndindex(values.shape):
        text = f"{values[row, column]:+.3f}" if signed[column] else f"{values[row, column]:.2f}"
        ax.text(column, row, text, ha="center", va="center", fontsize=8)
    ax.set_xticks(range(len(EFFECTS)), EFFECTS.values(), fontsize=7)
    ax.set_yticks(range(len(values)), [f"z[{dim}]" for dim in range(len(values))], fontsize=8)
    ax.xaxis.tick_top()
    panel.suptitle(f"what it does at ±{reach:g} (half the difference)", fontsize=9)


def _accuracies(panel, representation: dict[str, Representation]) -> None:
    ax = panel.subplots()
    for (name, row), line, marker in zip(representation.items(), LINES, MARKERS, strict=False):
        counts = [int(count) for count in row.accuracy]
        errors = [max(1 - held.mean, 1e-4) for held in row.accuracy.values()]  # log scale
        spread = [held.std for held in row.accuracy.values()]
        label = f"{name}: {errors[-1]:.3f}"
        ax.errorbar(
            counts,
            errors,
            spread,
            linestyle=line,
            marker=marker,
            markersize=4,
            capsize=2,
            linewidth=1.2,
            label=label,
        )
    ax.set_xscale("log")
    plain_log(ax)
    ax.set_xlabel("labels", fontsize=8)
    ax.set_ylabel("test error of a linear SVM", fontsize=8)
    ax.legend(fontsize=7, frameon=False)
    panel.suptitle("what a linear reader makes of features", fontsize=9)
