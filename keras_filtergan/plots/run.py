"""What runs look like: kernels, invariances, training, layer against layer."""

import textwrap
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from keras_filtergan.plots.tiles import (
    frame,
    frame_tile,
    set_gaps,
    show_image,
    show_tile,
    tile_axes,
)

GREY = "0.35"


def filters_figure(real: np.ndarray, generated: np.ndarray, channels: int = 12) -> Figure:
    """Real kernels above generated ones (paper, Fig. 2).

    Args:
        real: `(kh, kw, cin, cout)`.
        generated: `(n, kh, kw, cin, cout)`, one row each.
        channels: how many output channels to show. Of each, the slice is shown that reads the
            input channel in which the real kernel is strongest.
    """
    outputs = np.argsort(-np.square(real).sum(axis=(0, 1, 2)))[:channels]
    inputs = np.argmax(np.linalg.norm(real, axis=(0, 1)), axis=0)
    rows = [real, *generated]
    figure = Figure(
        figsize=(0.72 * len(outputs) + 1.0, 0.72 * len(rows) + 0.8), layout="constrained"
    )
    ax = tile_axes(figure, len(rows), len(outputs), real.shape[:2])
    limit = np.abs(real[:, :, inputs[outputs], outputs]).max()
    for row, kernels in enumerate(rows):
        for column, output in enumerate(outputs):
            tile = kernels[:, :, inputs[output], output]
            show_tile(ax, tile, row, column, vmin=-limit, vmax=limit)
            frame_tile(ax, row, column, "black", 2 if row == 0 else 0.8)
    sources = [f"{inputs[output]}→{output}" for output in outputs]
    ax.set_xticks(range(len(outputs)), sources, fontsize=7)
    ax.xaxis.tick_top()
    ax.set_yticks(range(len(rows)), ["real", *(f"G(z{row})" for row in range(1, len(rows)))])
    figure.suptitle(
        f"Kernels, input channel→output channel; black −{limit:.2f}, white +{limit:.2f}", fontsize=9
    )
    return figure


def invariances_figure(
    images: np.ndarray,
    offsets: Sequence[float],
    dims: Sequence[str],
    title: str,
    changed: np.ndarray,
) -> Figure:
    """The grid of images with the same activation profile (paper, Figs. 3 and 4).

    Args:
        images: `(grid, grid, h, w, c)` in [0, 1]; the middle one is the original.
        offsets: latent offset of each row and column.
        dims: names of the latent directions, downwards and to the right.
        title: what the picture shows and the numbers that matter.
        changed: `(grid, grid)`, true where the classifier's answer is not the original's.
    """
    grid = len(images)
    figure = Figure(figsize=(0.95 * grid + 0.6, 0.95 * grid + 0.9), layout="constrained")
    ax = tile_axes(figure, grid, grid, images.shape[2:4])
    for row in range(grid):
        for column in range(grid):
            show_tile(ax, images[row, column], row, column)
            if row == column == grid // 2:
                frame_tile(ax, row, column, "tab:orange", 2.5)
            elif changed[row, column]:
                frame_tile(ax, row, column, "tab:red", 2.5, ":")
            else:
                frame_tile(ax, row, column, "black", 0.8)
    labels = [f"{offset:+.1f}" for offset in offsets]
    ax.set_xticks(range(grid), labels, fontsize=8)
    ax.set_yticks(range(grid), labels, fontsize=8, rotation=90, va="center")
    across, along = (f"latent direction {dim} (standard deviations)" for dim in dims)
    width, height = figure.get_size_inches()
    figure.suptitle(_wrapped(title, width), fontsize=9)
    figure.supxlabel(_wrapped(along, width), fontsize=9)
    figure.supylabel(_wrapped(across, height), fontsize=9)
    return figure


def _wrapped(text: str, inches: float) -> str:
    """A text at 9 points, its lines broken where they would be longer than so many inches."""
    width = round(15 * inches)  # letters
    return "\n".join(part for line in text.splitlines() for part in textwrap.wrap(line, width))


def layers_figure(
    originals: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    offsets: Sequence[float],
    labels: Sequence[str],
    notes: Sequence[str],
    title: str,
) -> Figure:
    """Walks through several layers, one row each (paper, Fig. 3 against Fig. 4).

    Args:
        originals: `(rows, h, w, c)` in [0, 1].
        first: along the first latent direction, `(rows, grid, h, w, c)`.
        second: along the second, alike.
        offsets: latent offset of each of the grid's columns.
        labels: which layer, at the left of each row.
        notes: the numbers at the right of each row.
        title: what the picture shows.
    """
    grid, rows = len(offsets), len(originals)
    columns = 2 * grid + 3  # the original, a gap, the first direction, a gap, the second
    figure = Figure(figsize=(0.85 * columns + 2.2, 0.9 * rows + 1.2), layout="compressed")
    set_gaps(figure, 0.0)
    widths = [1, 0.3, *[1] * grid, 0.3, *[1] * grid]
    axes = figure.subplots(rows, columns, squeeze=False, width_ratios=widths)
    for row in range(rows):
        tiles = [originals[row], None, *first[row], None, *second[row]]
        for ax, tile in zip(axes[row], tiles, strict=True):
            if tile is None:
                ax.axis("off")
            else:
                show_image(ax, tile)
        frame(axes[row, 0], "tab:orange", "-")
        axes[row, 0].set_ylabel(labels[row], rotation=0, ha="right", va="center", fontsize=9)
        axes[row, -1].yaxis.set_label_position("right")
        axes[row, -1].set_ylabel(notes[row], rotation=0, ha="left", va="center", fontsize=8)
    for left, direction in ((2, "first"), (grid + 3, "second")):
        for ax, offset in zip(axes[-1, left : left + grid], offsets, strict=True):
            ax.set_xlabel(f"{offset:+.1f}", fontsize=8)
        axes[0, left + grid // 2].set_title(
            f"{direction} latent direction (standard deviations)", fontsize=9
        )
    axes[0, 0].set_title("original", fontsize=9)
    figure.suptitle(title, fontsize=9)
    return figure


def mds_figure(points: np.ndarray, channels: np.ndarray, is_real: np.ndarray, title: str) -> Figure:
    """Real and generated filters in the plane, one colour an output channel (paper, Fig. 5).

    Args:
        points: `(n, 2)`.
        channels: output channel of each point `(n,)`.
        is_real: true for the real filters `(n,)`; drawn as numbered stars.
        title: what was embedded.
    """
    figure = Figure(figsize=(7, 6.4))
    ax = figure.subplots()
    kinds = np.unique(channels)
    colours = matplotlib.colormaps["turbo"](np.linspace(0.05, 0.95, len(kinds)))
    for colour, channel in zip(colours, kinds, strict=True):
        generated = points[(channels == channel) & ~is_real]
        real = points[(channels == channel) & is_real]
        ax.scatter(*generated.T, s=14, color=colour, alpha=0.75, linewidths=0)
        ax.scatter(*real.T, s=150, marker="*", color=colour, edgecolors="black", zorder=3)
        for x, y in real:
            ax.annotate(str(channel), (x, y), xytext=(6, 6), textcoords="offset points", fontsize=8)
    ax.set(xlabel="MDS coordinate 1", ylabel="MDS coordinate 2", aspect="equal")
    ax.set_title(title, fontsize=9)
    figure.tight_layout()
    return figure


def training_figure(history: Sequence[dict[str, float]], title: str) -> Figure:
    """How training went: losses, D's accuracy, the code, the variation, and what balances them.

    Args:
        history: dicts with `step` and every logged term.
        title: which run.
    """
    steps = [record["step"] for record in history]
    panels = {
        "adversarial losses": {"d_loss": "-", "g_loss": "--"},
        "accuracy of D (held near its goal)": {"real_accuracy": "-", "fake_accuracy": "--"},
        "error of the code (1 is chance)": {"code_error": "-"},
        "activation variation V_z / V_x": {"activation_variation": "-"},
        "noise on the inputs of D and Q (σ of units)": {
            "discriminator_noise": "-",
            "code_noise": "--",
        },
        "weight λ of the code": {"code_weight": "-"},
    }
    figure = Figure(figsize=(10, 5.2))
    for ax, (name, terms) in zip(figure.subplots(2, 3).flat, panels.items(), strict=True):
        for (term, style), colour in zip(terms.items(), ("black", GREY), strict=False):
            ax.plot(steps, [record[term] for record in history], style, color=colour, label=term)
        if len(terms) > 1:
            ax.legend(fontsize=7, frameon=False)
        ax.set_title(name, fontsize=9)
        ax.set_xlabel("step", fontsize=8)
        ax.set_ylim(bottom=0)
        ax.tick_params(labelsize=7)
        ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    return figure
