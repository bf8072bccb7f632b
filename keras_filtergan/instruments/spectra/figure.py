"""What smoothness of kernels and activations looks like, and what it does."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from keras_filtergan.instruments.spectra.result import (
    KernelSpectrum,
    NetworkStability,
    SpectraResult,
    UnitStability,
)
from keras_filtergan.plots.run import GREY

NETWORKS = {
    "initial": {"color": GREY, "linestyle": ":", "marker": "o", "markerfacecolor": "white"},
    "normalised": {"color": GREY, "linestyle": "--", "marker": "x"},
    "trained": {"color": "black", "linestyle": "-", "marker": "o"},
    "generated": {"color": "tab:orange", "linestyle": "--", "marker": "s"},
    "permuted": {"color": "tab:blue", "linestyle": "-.", "marker": "v"},
}
LEGEND = {"frameon": True, "framealpha": 1.0, "edgecolor": "none"}  # over a line, not under it
FAMILIES = {"translation": "o", "rotation": "s", "compression": "^", "pure shear": "D"}


def spectra_figure(result: SpectraResult) -> Figure:
    """Kernels, power spectrum, permuted channels and local deformations in four panels.

    Args:
        result: of a `SpectraStudy`.
    """
    figure = Figure(figsize=(11.5, 8.2), layout="constrained")
    axes = figure.subplots(2, 2)
    _draw_components(axes[0, 0], result.kernels)
    _draw_power(axes[0, 1], result)
    _draw_stability(axes[1, 0], result.stability)
    _draw_local(axes[1, 1], result.local_deformations)
    for ax in axes.flat:
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"Why stable: {result.network}", fontsize=11)
    return figure


def _draw_components(ax: Axes, kernels: dict[str, KernelSpectrum]) -> None:
    shades = np.linspace(0.75, 0.0, len(kernels))
    for (name, layer), shade in zip(kernels.items(), shades, strict=True):
        initial = np.array(layer.components["initial"])
        for kind in ("trained", "generated"):
            if kind not in layer.components:
                continue
            ratio = np.array(layer.components[kind]) / initial
            before, after = layer.roughness["initial"], layer.roughness[kind]
            style: dict[str, Any] = {"color": str(shade), "marker": "o"}
            if kind == "generated":
                style = NETWORKS[kind]
            label = f"{name}, {kind}: ⟨λ⟩ {before:.2f} → {after:.2f}"
            ax.plot(layer.eigenvalues, ratio, markersize=4, linewidth=1.2, label=label, **style)
    ax.axhline(1.0, color=GREY, linewidth=0.7)
    ax.set_yscale("log")
    _plain_ticks(ax)
    ax.set_xticks(
        sorted({float(value) for layer in kernels.values() for value in layer.eigenvalues})
    )
    ax.set_xlabel("eigenvalue λ of the grid's Laplacian: 0 is constant, large is rough", fontsize=9)
    ax.set_ylabel("c_λ / c_λ at initialisation", fontsize=9)
    ax.set_title("Do kernels become smooth? Their mean λ before and after training", fontsize=10)
    ax.set_ylim(bottom=0.5 * ax.get_ylim()[0])  # room for the legend
    ax.legend(fontsize=7, **LEGEND, loc="lower left", ncols=2)


def _draw_power(ax: Axes, result: SpectraResult) -> None:
    name = result.layer
    if name not in result.power_spectrum:
        name = next(iter(result.power_spectrum))
    layer = result.power_spectrum[name]
    for kind, power in layer.power.items():
        slow = layer.mean_frequency[kind]
        share = np.array(power[1:]) / np.sum(power[1:])
        label = f"{kind}, mean frequency {slow:.3f}"
        ax.plot(layer.frequencies[1:], share, label=label, **_style(kind))
    ax.set_yscale("log")
    _plain_ticks(ax)
    ax.set_xlabel("spatial frequency, cycles a place of the map", fontsize=9)
    ax.set_ylabel("power, as a share of the sum but that of the mean", fontsize=9)
    ax.set_title(f"Are activations slow? Power spectrum of {name} (no window)", fontsize=10)
    ax.legend(fontsize=8, **LEGEND)


def _draw_stability(ax: Axes, stability: dict[str, NetworkStability]) -> None:
    layers = list(stability["trained"].relative)
    for kind, one in stability.items():
        values = list(one.deformed.values())
        ratio = one.at_the_answer["relative"]
        name = "initial, batch norms fitted" if kind == "normalised" else kind
        label = f"{name}: {values[-1]:.3f}, R_f {ratio:.2f}, accuracy {one.accuracy:.3f}"
        ax.plot(range(len(layers)), values, label=label, **_style(kind))
    size = min(8, 200 / len(layers))
    ax.set_xticks(range(len(layers)), layers, rotation=90)
    ax.set_yscale("log")
    ax.set_ylabel("D_f: change by τ / distance between images", fontsize=9)
    low, high = ax.get_ylim()
    ax.set_ylim(top=high * (high / low) ** 0.5)  # room for the legend
    ax.set_title("Is it the channels? Permuted: the same kernels, other channels", fontsize=10)
    ax.legend(fontsize=7, title="at the answer", title_fontsize=7, **LEGEND)
    _plain_ticks(ax)
    for label in ax.get_xticklabels():
        label.set_fontsize(size)


def _draw_local(ax: Axes, layers: dict[str, UnitStability]) -> None:
    for kind in ("initial", "trained"):
        for family, marker in FAMILIES.items():
            values = [one.ratios[kind][family] for one in layers.values()]
            style = {**_style(kind), "marker": marker}
            ax.plot(range(len(layers)), values, label=f"{family}, {kind}", **style)
    ax.axhline(1.0, color=GREY, linewidth=0.7)
    names = [f"{name}\n{_extent(one)}" for name, one in layers.items()]
    ax.set_xticks(range(len(layers)), names)
    ax.set_yscale("log")
    _plain_ticks(ax)
    ax.set_xlabel("layer and its receptive field, in pixels; the unit in the middle", fontsize=9)
    ax.set_ylabel("change by τ of 1 pixel rms / by noise of its norm", fontsize=9)
    ax.set_title("How units respond to linear deformations", fontsize=10)
    ax.legend(fontsize=7, **LEGEND, ncols=2)


def _extent(layer: UnitStability) -> str:
    return "×".join(map(str, layer.size)) if layer.size else f"{layer.pixels} px"


def _style(kind: str) -> dict[str, Any]:
    return {"markersize": 4, "linewidth": 1.2, **NETWORKS[kind]}


def _plain_ticks(ax: Axes) -> None:
    low, high = ax.get_ylim()
    spread = high / low
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5) if spread < 1e3 else (1,)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_locator(NullLocator())
