"""Charts as plain coordinates; the template draws them as SVG, so that every name is escaped."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_filtergan.runs.filter_map import FilterMap

WIDTH, HEIGHT = 300, 150  # of a panel of curves, without its margins
MAP = 420  # side of the map, without its margins
SHADES = ("#1b1b1b", "#0b62a4", "#a3430b", "#1a7a34", "#7a2a8c", "#8a6d00", "#a01848", "#00707a")
PANELS = {
    "Adversarial losses": {"d_loss": "loss of D", "g_loss": "loss of G"},
    "Accuracy of D": {
        "real_accuracy": "on real activations",
        "fake_accuracy": "on generated ones",
    },
    "Error of the code (1 is chance)": {"code_error": "error"},
    "Variation of activations": {"activation_variation": "V_z / V_x"},
}
GOALS = {"Accuracy of D": "accuracy_goal", "Variation of activations": "variation_goal"}


@dataclasses.dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclasses.dataclass(frozen=True)
class Curve:
    """One line of a panel: `points` as SVG has them."""

    name: str
    points: str
    is_dashed: bool


@dataclasses.dataclass(frozen=True)
class Panel:
    """Curves over the steps of training.

    Attributes:
        title: what is shown.
        curves: at most two.
        across, up: ticks, in pixels from the lower left.
        summary: the same in words, for who does not see it.
        goal: what was asked for, as a mark on the axis upwards; `None` if nothing was.
    """

    title: str
    curves: list[Curve]
    across: list[Tick]
    up: list[Tick]
    summary: str
    goal: Tick | None = None
    width: int = WIDTH
    height: int = HEIGHT


@dataclasses.dataclass(frozen=True)
class Spot:
    """A filter on the map."""

    x: float
    y: float
    to_x: float
    to_y: float
    channel: int
    is_real: bool
    colour: str
    text: str


def training_panels(
    history: Sequence[dict[str, float]], settings: Mapping[str, Any] | None = None
) -> list[Panel]:
    """The curves of training as far as the history has them, with the goals that were set.

    Args:
        history: dicts with `step` and the logged terms.
        settings: of the run.

    Example:
        >>> records = [{"step": 0, "code_error": 1.0}, {"step": 9, "code_error": 0.0}]
        >>> [panel] = training_panels(records)
        >>> panel.curves[0].points
        '0.0,0.0 300.0,150.0'
    """
    panels = []
    for title, terms in PANELS.items():
        lines = {
            name: [(record["step"], record[term]) for record in history if term in record]
            for term, name in terms.items()
        }
        lines = {name: line for name, line in lines.items() if line}
        if lines:
            panels.append(_panel(title, lines, _goal(settings, GOALS.get(title, ""))))
    return panels


def asked_and_reached(
    history: Sequence[dict[str, float]], settings: Mapping[str, Any] | None = None
) -> str:
    """What training asked of the players, and what they had reached at its end.

    Args:
        history: dicts with `step` and the logged terms.
        settings: of the run.

    Example:
        >>> asked_and_reached([{"activation_variation": 0.163}], {"variation_goal": 0.22})
        'Asked for: variation 0.22 (reached 0.16).'
    """
    last = history[-1] if history else {}
    asked, rest = [], []
    right = [
        f"{100 * last[name]:.0f} %" for name in ("real_accuracy", "fake_accuracy") if name in last
    ]
    if len(right) == 2:
        reached = " of real and ".join(right) + " of generated activations"
        goal = _goal(settings, "accuracy_goal")
        if goal is None:
            rest.append(f"D is right on {reached}.")
        else:
            asked.append(f"D right in {100 * goal:.0f} % of the cases (reached: on {reached})")
    if "activation_variation" in last:
        goal = _goal(settings, "variation_goal")
        if goal is None:
            rest.append(f"Variation is {last['activation_variation']:.2f}.")
        else:
            asked.append(f"variation {goal:g} (reached {last['activation_variation']:.2f})")
    if "code_error" in last:
        rest.append(f"The error of the code is {last['code_error']:.2f} (1 is chance).")
    return " ".join([f"Asked for: {', '.join(asked)}."] * bool(asked) + rest)


def _goal(settings: Mapping[str, Any] | None, name: str) -> float | None:
    value = (settings or {}).get(name)
    return float(value) if isinstance(value, int | float) else None


def _panel(title: str, lines: dict[str, list[tuple[float, float]]], goal: float | None) -> Panel:
    points = [point for line in lines.values() for point in line]
    first, last = min(step for step, _ in points), max(step for step, _ in points)
    up = ticks(0.0, max(*(value for _, value in points), goal or 0.0, 1e-9))
    top = up[-1]

    def x(step: float) -> float:
        return WIDTH * (step - first) / (last - first) if last > first else WIDTH / 2

    def y(value: float) -> float:
        return HEIGHT * (1 - value / top)

    curves = [
        Curve(name, " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in line), i > 0)
        for i, (name, line) in enumerate(lines.items())
    ]
    ends = [f"{name} from {line[0][1]:.3g} to {line[-1][1]:.3g}" for name, line in lines.items()]
    across = [tick for tick in ticks(first, last) if first <= tick <= last]
    asked = "" if goal is None else f"; asked for {goal:g}"
    return Panel(
        title,
        curves,
        [Tick(round(x(step), 1), f"{step:,.0f}") for step in across],
        [Tick(round(y(value), 1), f"{value:.6g}") for value in up],
        f"{title}, steps {first:,.0f} to {last:,.0f}: {'; '.join(ends)}{asked}.",
        None if goal is None else Tick(round(y(goal), 1), f"asked for {goal:g}"),
    )


def map_spots(found: FilterMap) -> list[Spot]:
    """The filters of a map, each with the place of the real filter of its channel.

    Args:
        found: the map.
    """
    low, high = found.points.min(axis=0), found.points.max(axis=0)
    placed = MAP * (found.points - low) / max(float((high - low).max()), 1e-12)
    channels = found.channels[found.is_real].tolist()
    real = {k: placed[found.is_real][i] for i, k in enumerate(channels)}
    spots = []
    for (x, y), channel, number in zip(placed, found.channels, found.numbers, strict=True):
        source = "the real filter" if number < 0 else f"generated from latent {number + 1}"
        to_x, to_y = real[int(channel)]
        shade = SHADES[channels.index(int(channel)) % len(SHADES)]
        at = [round(float(value), 1) for value in (x, y, to_x, to_y)]
        text = f"channel {channel}, {source}"
        spots.append(Spot(at[0], at[1], at[2], at[3], int(channel), number < 0, shade, text))
    return sorted(spots, key=lambda spot: spot.is_real)


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers from at most `low` to at least `high`, about `count` of them.

    Example:
        >>> [float(tick) for tick in ticks(0.0, 3.5)]
        [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    rough = max(high - low, 1e-12) / count
    unit = 10 ** math.floor(math.log10(rough))
    step = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= rough * 0.999)
    return list(np.arange(math.floor(low / step), math.ceil(high / step - 1e-9) + 1) * step)
