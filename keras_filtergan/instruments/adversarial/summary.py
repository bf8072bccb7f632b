"""What attacks on several networks say together: accuracy, smallest changes, transfer."""

import dataclasses
from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from keras_filtergan.instruments.adversarial.attacks import Attacked
from keras_filtergan.instruments.adversarial.averages import REAL

SINGLES = "single kernel sets"
RESAMPLES = 2000  # for an interval

One = TypeVar("One")


@dataclasses.dataclass(frozen=True)
class Quartiles:
    """Of the smallest changes of the images; infinite where none misleads."""

    median: float
    lower_quartile: float
    upper_quartile: float

    @classmethod
    def of(cls, values: np.ndarray) -> "Quartiles":
        """By the values that there are: no mean of a finite and an infinite one."""
        low, median, high = np.quantile(values, [0.25, 0.5, 0.75], method="nearest")
        return cls(float(median), float(low), float(high))


@dataclasses.dataclass(frozen=True)
class Ratio:
    """Median over images of smallest change / that of the real kernels, with a 95 % interval."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: np.ndarray, real: np.ndarray) -> "Ratio":
        """By resampling the images; NaN where no image has both changes."""
        known = np.isfinite(values) & np.isfinite(real) & (real > 0)
        if not known.any():
            return cls(*[float("nan")] * 3)
        ratios = values[known] / real[known]
        draws = np.random.default_rng(0).integers(len(ratios), size=(RESAMPLES, len(ratios)))
        low, high = np.quantile(np.median(ratios[draws], axis=1), [0.025, 0.975])
        return cls(float(np.median(ratios)), float(low), float(high))


@dataclasses.dataclass(frozen=True)
class Robustness:
    """What attacks make of one network, or of the single kernel sets taken together.

    Attributes:
        accuracy: at each ε.
        smallest_change: over the images that all networks get right.
        ratio_to_real: of these changes.
    """

    accuracy: list[float]
    smallest_change: Quartiles
    ratio_to_real: Ratio


@dataclasses.dataclass(frozen=True)
class NormResult:
    """Attacks under one norm.

    Attributes:
        epsilons: sizes of changes, in ascending order from 0.
        networks: name → what attacks make of it.
        transfer: made on → judged by → accuracy at each ε; `any` is the worst of all attacks.
    """

    epsilons: list[float]
    networks: dict[str, Robustness]
    transfer: dict[str, dict[str, list[float]]]


def robustness(attacked: Mapping[str, Attacked], clean: np.ndarray) -> dict[str, Robustness]:
    """Accuracy against ε and smallest changes, with the single kernel sets taken together.

    Args:
        attacked: by the name of the network.
        clean: the images that all get right, booleans `(n,)`.
    """
    real = attacked[REAL].smallest[clean]
    rows = {}
    for name, members in grouped(attacked).items():
        smallest = np.mean([one.smallest[clean] for one in members], axis=0)
        accuracies = np.mean([1 - one.misled.mean(axis=1) for one in members], axis=0)
        rows[name] = Robustness(
            [float(accuracy) for accuracy in accuracies],
            Quartiles.of(smallest),
            Ratio.of(smallest, real),
        )
    return rows


def transfer(
    attacked: Mapping[str, Attacked], labels: np.ndarray
) -> dict[str, dict[str, list[float]]]:
    """Made on → judged by → accuracy at each ε; `any` is the worst of all attacks an image.

    Args:
        attacked: by the name of the network.
        labels: of the images, `(n,)`.
    """
    misled = {
        (source, name): np.stack(
            [judge.attacker.margins(pictures, labels) >= 0 for pictures in one.pictures]
        )
        if source != name
        else one.misled
        for source, one in attacked.items()
        for name, judge in attacked.items()
    }
    table: dict[str, dict[str, list[float]]] = {}
    groups = grouped({name: name for name in attacked})
    for source, sources in groups.items():
        for judge, judges in groups.items():
            rates = [misled[s, j].mean(1) for s in sources for j in judges]
            table.setdefault(source, {})[judge] = [float(1 - r) for r in np.mean(rates, axis=0)]
    for judge, judges in groups.items():
        worst = [np.any([misled[s, j] for s in attacked], axis=0).mean(1) for j in judges]
        table.setdefault("any", {})[judge] = [float(1 - rate) for rate in np.mean(worst, axis=0)]
    return table


def grouped(attacked: Mapping[str, One]) -> dict[str, list[One]]:
    """The networks by what they are; the single kernel sets are one kind."""
    groups: dict[str, list[One]] = {}
    for name, one in attacked.items():
        groups.setdefault(SINGLES if name.startswith("G(") else name, []).append(one)
    return groups
