"""What the uncertainty of networks looks like."""

import itertools

import numpy as np
from matplotlib.figure import Figure

from keras_filtergan.instruments.uncertainty.result import UncertaintyResult

STYLES = ("-", "--", "-.", ":", (0, (1, 3)))


def uncertainty_figure(
    scores: dict[str, dict[str, np.ndarray]], result: UncertaintyResult, known: str
) -> Figure:
    """Share of images below each score, one panel a score, one line a kind of image.

    Args:
        scores: kind of image → score → `(n,)` in nats.
        result: of an `UncertaintyStudy`.
        known: which kind the network was made for.
    """
    names = list(scores[known])
    figure = Figure(figsize=(3.1 * len(names), 3.6), layout="constrained")
    for ax, name in zip(figure.subplots(1, len(names), sharey=True), names, strict=True):
        for (kind, held), style in zip(scores.items(), itertools.cycle(STYLES)):
            values = np.sort(held[name])
            label = kind if kind == known else f"{kind}, {result.auroc[kind][name]:.3f}"
            colour = "black" if kind == known else None
            ax.step(
                values,
                np.arange(1, len(values) + 1) / len(values),
                linestyle=style,
                color=colour,
                label=label,
            )
        ax.set_title(name, fontsize=9)
        ax.set_xlabel("nats", fontsize=8)
        ax.legend(fontsize=7, frameon=False, title="AUROC", title_fontsize=7, loc="lower right")
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("share of images below", fontsize=9)
    figure.suptitle(
        f"{result.network}: how unsure of known and of strange images "
        f"({result.networks} generated networks)",
        fontsize=10,
    )
    return figure
