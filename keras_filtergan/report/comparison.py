"""Several runs beside one another: the main figures over the layers, as charts and as a table."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from keras_filtergan.classifiers.choice import chosen_convolution, convolution_layers
from keras_filtergan.classifiers.classifier import load_classifier
from keras_filtergan.errors import InputError
from keras_filtergan.report import contents
from keras_filtergan.report.charts import HEIGHT, WIDTH, Tick, ticks
from keras_filtergan.report.contents import Card, figure_of
from keras_filtergan.runs.run_directory import RunDirectory

Measure = Callable[[Card], float | None]
APART = 9.0  # pixels between marks of one layer


@dataclasses.dataclass(frozen=True)
class Compared:
    """A run in a comparison.

    Attributes:
        name: of its folder.
        layer, depth: name of its convolution and which it is in the network, from 1; 0 if unknown.
        seed: of the run, as text.
        data: what its images are called.
        card: its figures.
    """

    name: str
    layer: str
    depth: int
    seed: str
    data: str
    card: Card

    @classmethod
    def of(cls, run: RunDirectory, config: dict[str, Any], card: Card) -> "Compared":
        """A run by what its directory has; a network that cannot be read leaves the number.

        Args:
            run: its directory.
            config, card: what was read of it.
        """
        settings = config.get("settings", {})
        layer, depth = settings.get("layer", "?"), 0
        try:
            classifier = load_classifier(run.classifier)
            layer = chosen_convolution(classifier, layer)[0]
            depth = list(convolution_layers(classifier)).index(layer) + 1
        except (InputError, OSError, TypeError, ValueError):
            depth = layer if isinstance(layer, int) else 0
        data = str(config.get("made_of", {}).get("dataset") or settings.get("dataset", "?"))
        seed = str(settings.get("seed", "?"))
        return cls(run.path.name, str(layer), depth, seed, data, card)


@dataclasses.dataclass(frozen=True)
class Mark:
    """One figure of one run; `low` is where its whisker ends, if it has one."""

    x: float
    y: float
    low: float | None
    shape: str
    text: str


@dataclasses.dataclass(frozen=True)
class Chart:
    """A figure over the layers.

    Attributes:
        title, meaning: what is shown, and how to read it.
        marks: one a run and series.
        line: through the means of the layers, as SVG has points; empty for one layer.
        across, up: ticks, in pixels from the upper left.
        keys: shape and name of each series.
        summary: the same in words, for who does not see it.
    """

    title: str
    meaning: str
    marks: list[Mark]
    line: str
    across: list[Tick]
    up: list[Tick]
    keys: list[tuple[str, str]]
    summary: str
    width: int = WIDTH
    height: int = HEIGHT


def accuracy_lost(card: Card, kind: str = "mean") -> float | None:
    """Points of accuracy that generated kernels cost; `min` for the worst latent.

    Example:
        >>> accuracy_lost({"classifier_accuracy": 0.98, "swapped_accuracy": {"mean": 0.97}})
        1.0
    """
    own, swapped = (
        figure_of(card, "classifier_accuracy", None),
        figure_of(card, "swapped_accuracy", kind),
    )
    return None if own is None or swapped is None else round(100 * (own - swapped), 10)


def _worst(card: Card) -> float | None:
    return accuracy_lost(card, "min")


def _single(name: str) -> Measure:
    return lambda card: figure_of(card, name, None)


def _percent_of(name: str) -> Measure:
    def measure(card: Card) -> float | None:
        value = figure_of(card, name, None)
        return None if value is None else 100 * value

    return measure


CHARTS: tuple[tuple[str, str, str, tuple[tuple[str, str, Measure], ...]], ...] = (
    (
        "Accuracy lost, points",
        "Less is better. The mean over latents, with a whisker up to the worst.",
        "{:.2f} points",
        (("disc", "generated kernels", accuracy_lost),),
    ),
    (
        "Variation V_z / V_x",
        "How much activations move with the latent. Compare other figures at a like variation.",
        "{:.3f}",
        (("disc", "generated kernels", _single("activation_variation")),),
    ),
    (
        "Natural share of the change",
        "More is better; images of a class are the goal.",
        "{:.3f}",
        (
            ("disc", "generated kernels", _single("natural_share")),
            ("ring", "two images of a class", _single("natural_share_of_images")),
        ),
    ),
    (
        "Explained by pictures, %",
        "More is better: what part of the change of kernels a picture undoes.",
        "{:.1f} %",
        (
            ("disc", "found by inversion", _percent_of("explained_fraction")),
            ("ring", "learned transformation", _percent_of("transformed_fraction")),
        ),
    ),
)


def charts(runs: Sequence[Compared]) -> list[Chart]:
    """The main figures over the layers of some runs, as far as their cards have them.

    A column is a layer, or a run where all runs are of one layer.

    Args:
        runs: at least one.
    """
    columns = _columns(runs)
    drawn = [_chart(columns, *one) for one in CHARTS]
    return [chart for chart in drawn if chart is not None]


def table(runs: Sequence[Compared]) -> list[tuple[str, list[str]]]:
    """All figures that matter: the title of each, and a text for each run."""
    shown = [{one.title: one.value for one in contents.headlines(run.card)} for run in runs]
    lost = [accuracy_lost(run.card) for run in runs]
    rows = [("layer", [run.layer for run in runs]), ("seed", [run.seed for run in runs])]
    texts = ["–" if value is None else f"{value:.2f} points" for value in lost]
    rows.append(("accuracy lost with generated kernels", texts))
    titles = dict.fromkeys(title for one in shown for title in one)
    return rows + [(title, [one.get(title, "–") for one in shown]) for title in titles]


def in_order(runs: Sequence[Compared]) -> list[Compared]:
    """From the first layer to the last, then by seed."""
    return sorted(runs, key=lambda run: (run.depth, run.layer, run.seed, run.name))


def _columns(runs: Sequence[Compared]) -> dict[str, list[Compared]]:
    """Runs by layer; by name where there is one layer only."""
    layers: dict[str, list[Compared]] = {}
    for run in runs:
        layers.setdefault(run.layer, []).append(run)
    if len(layers) > 1:
        return layers
    seeds = [run.seed for run in runs]
    is_told = len(set(seeds)) == len(seeds)
    return {f"seed {run.seed}" if is_told else run.name: [run] for run in runs}


@dataclasses.dataclass(frozen=True)
class _Value:
    """What is drawn of one run: in which column and series, how much, and of the worst latent."""

    column: str
    run: Compared
    key: str
    name: str
    value: float
    worst: float | None


def _values(columns: dict[str, list[Compared]], series) -> list[_Value]:
    found = []
    for column, runs in columns.items():
        for key, name, measure in series:
            for run in runs:
                value = measure(run.card)
                worst = _worst(run.card) if measure is accuracy_lost else None
                if value is not None:
                    found.append(_Value(column, run, key, name, value, worst))
    return found


def _chart(columns: dict[str, list[Compared]], title, meaning, shown, series) -> Chart | None:
    """One chart; none where no run has such a figure."""
    values = _values(columns, series)
    if not values:
        return None
    reach = [v.value for v in values] + [v.worst for v in values if v.worst is not None]
    up = ticks(min(0.0, *reach), max(*reach, 1e-9))

    def y(value: float) -> float:
        return round(HEIGHT * (1 - (value - up[0]) / (up[-1] - up[0])), 1)

    width = WIDTH / len(columns)
    middles = {column: width * (i + 0.5) for i, column in enumerate(columns)}
    marks, means = [], []
    for column, middle in middles.items():
        for key, _, _ in series:
            here = [v for v in values if (v.column, v.key) == (column, key)]
            for k, v in enumerate(here):
                x = round(middle + APART * (k - (len(here) - 1) / 2), 1)
                text = f"{v.run.name}, {v.name}: {shown.format(v.value)}"
                text += "" if v.worst is None else f", worst latent {shown.format(v.worst)}"
                low = None if v.worst is None else y(v.worst)
                marks.append(Mark(x, y(v.value), low, key, text))
            if here and key == series[0][0]:
                means.append((middle, y(sum(v.value for v in here) / len(here))))
    is_line = len(means) > 1 and len({v.run.layer for v in values}) > 1
    words = "; ".join(f"{v.column}, {v.name}: {shown.format(v.value)}" for v in values)
    return Chart(
        title,
        meaning,
        marks,
        " ".join(f"{x:.1f},{at:.1f}" for x, at in means) if is_line else "",
        [Tick(round(middle, 1), column) for column, middle in middles.items()],
        [Tick(y(value), f"{value:.6g}") for value in up],
        list(dict.fromkeys((v.key, v.name) for v in values)),
        f"{title}. {words}.",
    )
