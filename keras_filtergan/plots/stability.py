"""What relative stability looks like."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from keras_filtergan.plots.run import GREY

TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 2, 3, 5, 10)
STYLES = {
    "initial": {"color": GREY, "linestyle": ":", "marker": "o", "markerfacecolor": "white"},
    "trained": {"color": "black", "linestyle": "-", "marker": "o"},
    "generated": {"color": "tab:orange", "linestyle": "--", "marker": "s"},
    "averaged": {"color": "tab:blue", "linestyle": "-.", "marker": "^"},
}


def stability_figure(numbers: dict[str, Any], title: str) -> Figure:
    """R_f by depth at one temperature, and of the answer against the size of the deformation.

    Args:
        numbers: those of a `StabilityStudy`.
        title: what was examined.
    """
    ratios = {name: kinds["mean"] for name, kinds in numbers["relative_stability"].items()}
    layers = list(ratios["trained"])
    figure = Figure(figsize=(5.5 + 0.28 * len(layers), 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.5 + 0.09 * len(layers), 2])
    shown = numbers["shown_temperature"]
    for name, by_layer in ratios.items():
        left.plot([by_layer[layer][shown] for layer in layers], **_style(name))
    displacement = numbers["temperatures"][shown]["displacement"]
    left.set_xticks(range(len(layers)), layers, rotation=90, fontsize=8)
    left.set_title(f"by depth, displaced by {displacement:.1f} pixels (rms)", fontsize=9)
    left.set_ylabel("R_f = D_f / G_f, mean over images", fontsize=9)
    answer = layers[-1]
    norms = [level["noise_norm"] for level in numbers["temperatures"]]
    for name, by_layer in ratios.items():
        values = by_layer[answer]
        right.plot(norms, values, label=f"{name}, {values[shown]:.2f}", **_style(name))
    right.set_title(f"of {answer}, against the size of the change", fontsize=9)
    right.set_xlabel("r = ‖η‖ = ⟨‖τx − x‖⟩, in pixel values", fontsize=9)
    right.legend(
        fontsize=8, edgecolor="white", title=f"at {displacement:.1f} pixels", title_fontsize=8
    )
    for ax in (left, right):
        _finish(ax)
    figure.suptitle(
        f"{title}\nbelow 1, a layer hears a smooth deformation less than noise of the same norm",
        fontsize=10,
    )
    return figure


def _style(name: str) -> dict[str, Any]:
    return {"markersize": 4, "linewidth": 1.2, **STYLES[name]}


def _finish(ax: Axes) -> None:
    ax.axhline(1.0, color=GREY, linewidth=0.7)
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(FixedLocator(TICKS))
    ax.yaxis.set_major_formatter(ScalarFormatter())
    ax.yaxis.set_minor_locator(NullLocator())
    ax.tick_params(labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)
