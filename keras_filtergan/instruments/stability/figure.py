"""What relative stability looks like."""

from typing import Any

from matplotlib.figure import Figure

from keras_filtergan.instruments.stability.result import StabilityResult
from keras_filtergan.plots.axes import plain_log
from keras_filtergan.plots.run import GREY

STYLES = {
    "initial": {"color": GREY, "linestyle": ":", "marker": "o", "markerfacecolor": "white"},
    "trained": {"color": "black", "linestyle": "-", "marker": "o"},
    "generated": {"color": "tab:orange", "linestyle": "--", "marker": "s"},
    "averaged": {"color": "tab:blue", "linestyle": "-.", "marker": "^"},
}


def stability_figure(result: StabilityResult) -> Figure:
    """R_f by depth at one temperature, and of the answer against the size of the deformation.

    Args:
        result: of a `StabilityStudy`.
    """
    ratios = result.over_mean
    layers = list(ratios["trained"])
    figure = Figure(figsize=(5.5 + 0.28 * len(layers), 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.5 + 0.09 * len(layers), 2])
    shown = result.shown_temperature
    for name, by_layer in ratios.items():
        left.plot([by_layer[layer][shown] for layer in layers], **_style(name))
    displacement = result.shown.displacement
    left.set_xticks(range(len(layers)), layers, rotation=90, fontsize=8)
    left.set_title(f"by depth, displaced by {displacement:.1f} pixels (rms)", fontsize=9)
    left.set_ylabel("R_f = D_f / G_f, mean over images", fontsize=9)
    answer = layers[-1]
    norms = [level.noise_norm for level in result.temperatures]
    for name, by_layer in ratios.items():
        values = by_layer[answer]
        right.plot(norms, values, label=f"{name}, {values[shown]:.2f}", **_style(name))
    right.set_title(f"of {answer}, against the size of the change", fontsize=9)
    right.set_xlabel("r = ‖η‖ = ⟨‖τx − x‖⟩, in pixel values", fontsize=9)
    right.legend(
        fontsize=8, edgecolor="white", title=f"at {displacement:.1f} pixels", title_fontsize=8
    )
    for ax in (left, right):
        ax.axhline(1.0, color=GREY, linewidth=0.7)
        plain_log(ax)
    figure.suptitle(
        f"Relative stability: {result.network}\n"
        "below 1, a layer responds less to a smooth deformation than to noise of the same norm",
        fontsize=10,
    )
    return figure


def _style(name: str) -> dict[str, Any]:
    return {"markersize": 4, "linewidth": 1.2, **STYLES[name]}
