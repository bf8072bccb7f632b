"""Accuracy against the size of a change, and the smallest changes themselves."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from keras_filtergan.instruments.adversarial.summary import NormResult
from keras_filtergan.plots.tiles import show_image, subfigures

STYLES = (("black", "-", "o"), ("black", "--", "s"), ("0.45", "-", "^"), ("0.45", ":", "x"))
AXES = {"l2": "ε, L2 length of the change", "linf": "ε, largest change of a pixel (L∞)"}


@dataclasses.dataclass(frozen=True)
class Changed:
    """Images with the smallest change that misleads a network.

    Attributes:
        images: `(n, h, w, c)`.
        sizes: of the changes, `(n,)`.
        answers: of the network, `(n,)`.
    """

    images: np.ndarray
    sizes: np.ndarray
    answers: np.ndarray


@dataclasses.dataclass(frozen=True)
class Examples:
    """Images and what misleads each network.

    Attributes:
        norm: in which changes are measured.
        images, labels: `(n, h, w, c)` and `(n,)`.
        changed: name of the network → the changed images.
    """

    norm: str
    images: np.ndarray
    labels: np.ndarray
    changed: dict[str, Changed]


def adversarial_figure(
    parts: Mapping[str, NormResult], examples: Examples, classes: Sequence[str], title: str
) -> Figure:
    """A panel a norm, and below it images with their smallest changes.

    Args:
        parts: norm → its curves.
        examples: shown below.
        classes: their names.
        title: what the picture shows and the numbers that matter.
    """
    count, rows = len(examples.images), 1 + len(examples.changed)
    figure = Figure(figsize=(9.5, 4.2 + 1.05 * rows), layout="constrained")
    above, below = subfigures(figure, 2, 1, height_ratios=[4.0, 1.05 * rows])
    for ax, (norm, part) in zip(
        above.subplots(1, len(parts), squeeze=False)[0], parts.items(), strict=True
    ):
        _curves(ax, norm, part)
    axes = below.subplots(rows, count, squeeze=False)
    for ax, image, label in zip(axes[0], examples.images, examples.labels, strict=True):
        show_image(ax, image)
        ax.set_title(classes[label], fontsize=7)
    axes[0, 0].set_ylabel("original", rotation=0, ha="right", va="center", fontsize=8)
    for row, (name, changed) in zip(axes[1:], examples.changed.items(), strict=True):
        row[0].set_ylabel(
            name.replace(" of ", " of\n"), rotation=0, ha="right", va="center", fontsize=8
        )
        for ax, image, size, answer in zip(
            row, changed.images, changed.sizes, changed.answers, strict=True
        ):
            show_image(ax, image)
            ax.set_title(f"{classes[answer]}, {size:.2g}", fontsize=7)
    kind = AXES[examples.norm].removeprefix("ε, ")
    below.suptitle(
        f"smallest changes that mislead; above each image the answer and the {kind}", fontsize=8
    )
    figure.suptitle(title, fontsize=9)
    return figure


def _curves(ax, norm: str, part: NormResult) -> None:
    for (name, row), (colour, line, marker) in zip(part.networks.items(), STYLES, strict=False):
        median = row.smallest_change.median
        ax.plot(
            part.epsilons,
            row.accuracy,
            color=colour,
            linestyle=line,
            marker=marker,
            markersize=4,
            label=f"{name}: median {median:.3g}",
        )
    ax.set(xlabel=AXES[norm], ylabel="accuracy under attack", ylim=(0, 1.02))
    ax.set_xlim(left=0)
    ax.legend(fontsize=7, frameon=False, title="smallest change", title_fontsize=7)
    ax.spines[["top", "right"]].set_visible(False)
