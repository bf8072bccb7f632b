"""What a report says in words: the finding in a sentence, the figures that matter, the whole card.

Everything here takes the plain dicts of a run directory, as far as they are there.
"""

import dataclasses
from typing import Any

from keras_filtergan.evaluation.registry import METRICS

Card = dict[str, Any]
GOOD = 0.03  # of accuracy that generated kernels may cost before the sentence says so
KINDS = {
    "translation": "shift",
    "rotation": "turn",
    "shear": "slant",
    "scale": "size",
    "stroke_width": "stroke width",
    "brightness": "brightness",
}


@dataclasses.dataclass(frozen=True)
class Headline:
    """One figure that matters.

    Attributes:
        value: as text.
        title: what it is of.
        meaning: in a sentence or two; what is good.
        beside: what it is to be held against: who, and the figure there.
    """

    value: str
    title: str
    meaning: str
    beside: list[tuple[str, str]] = dataclasses.field(default_factory=list)


def finding(card: Card, layer: str, dataset: str) -> str:
    """The one sentence that a reader takes home.

    Args:
        card: of the run; may be empty.
        layer, dataset: their names.

    Example:
        >>> finding({}, "conv4", "mnist")
        'This run has no card yet, so nothing is known of what conv4 ignores.'
    """
    own, swapped = card.get("classifier_accuracy"), figure_of(card, "swapped_accuracy", "mean")
    if own is None or swapped is None:
        return f"This run has no card yet, so nothing is known of what {layer} ignores."
    kept, whole = _percent(swapped), _percent(own)
    variation = card.get("activation_variation")
    moved = "" if variation is None else f" vary {variation:.2f} times as much as between images"
    if own - swapped > GOOD:
        return (
            f"With generated kernels in layer {layer} the classifier of {dataset} is right on "
            f"{kept} of the test images instead of {whole}: these kernels do not keep "
            "what the network needs, so what they change is no invariance."
        )
    if variation is not None and variation < 0.05:
        return (
            f"Generated kernels in layer {layer} keep the classifier of {dataset} right on "
            f"{kept} of the test images ({whole} with its own), but they hardly change "
            f"what the layer computes ({variation:.3f} of the variation between images)."
        )
    return (
        f"The classifier of {dataset} does not need the kernels that it learned: with generated "
        f"ones in layer {layer} it is right on {kept} of the test images ({whole} with "
        f"its own), while its activations{moved or ' change'}. What changes there is what the "
        "network ignores."
    )


def headlines(card: Card) -> list[Headline]:
    """The figures that matter, as far as the card has them, in the order to be read in.

    Args:
        card: of the run, perhaps with `baselines`.
    """
    found = [
        _accuracy(card),
        _swapped(card),
        _variation(card),
        _natural(card),
        _of_pictures(card, "explained_fraction", "found by inversion"),
        _of_pictures(card, "transformed_fraction", "made by the learned transformation"),
        _retrained(card),
    ]
    return [headline for headline in found if headline is not None]


def _accuracy(card: Card) -> Headline | None:
    value = card.get("classifier_accuracy")
    if value is None:
        return None
    meaning = f"Share of {_over(card, 'classifier_accuracy', 'images')} test images that the "
    meaning += "frozen network gets right with the kernels it learned."
    paper = [("the paper, full MNIST", "97.1 %")]
    return Headline(_percent(value), "right with its own kernels", meaning, paper)


def _swapped(card: Card) -> Headline | None:
    value = figure_of(card, "swapped_accuracy", "mean")
    if value is None:
        return None
    worst, latents = figure_of(card, "swapped_accuracy", "min"), _over(card, "swapped_accuracy")
    meaning = f"The same with the layer's kernels replaced, mean of {latents} latents"
    meaning += "" if worst is None else f" (the worst: {_percent(worst)})"
    meaning += "; nothing is re-trained. Good is close to the figure with its own kernels."
    beside = _baselines(card, "swapped_accuracy", "mean", _percent)
    return Headline(_percent(value), "right with generated kernels", meaning, beside)


def _variation(card: Card) -> Headline | None:
    value = card.get("activation_variation")
    if value is None:
        return None
    meaning = "How much activations vary with the latent, as a share of how much they vary between "
    meaning += "images. Near 0 the generator would only copy the kernels."
    beside = _baselines(card, "activation_variation", None, _number)
    return Headline(_number(value), "variation with the latent", meaning, beside)


def _natural(card: Card) -> Headline | None:
    value = card.get("natural_share")
    if value is None:
        return None
    meaning = "Share of the change that lies where images of one class differ. Speckle that no "
    meaning += "image has scores near 0; the difference between two images of a class is the goal."
    images = card.get("natural_share_of_images")
    beside = [] if images is None else [("two images of a class", _number(images))]
    beside += _baselines(card, "natural_share", None, _number)
    return Headline(_number(value), "natural share of the change", meaning, beside)


def _of_pictures(card: Card, name: str, how: str) -> Headline | None:
    value = card.get(name)
    if value is None:
        return None
    meaning = f"Share of the change of kernels that pictures {how} undo. At 100 % each change of "
    meaning += "kernels is a change of the image; at 0 % no picture does what the kernels do."
    beside = _baselines(card, name, None, _percent)
    return Headline(_percent(value), f"explained by pictures {how}", meaning, beside)


def _retrained(card: Card) -> Headline | None:
    value = card.get("averaged_retrained_accuracy")
    if value is None:
        return None
    meaning = "With the activations of ten latents averaged and all later layers re-trained. It "
    meaning += "says something only beside the real kernels, re-trained in the same way."
    control = card.get("control_retrained_accuracy")
    beside = [] if control is None else [("real kernels, re-trained", _percent(control))]
    beside += [("the paper, full MNIST, without that control", "98.2 %")]
    return Headline(_percent(value), "right after averaging and re-training", meaning, beside)


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the whole card: a metric, its meaning, and a text for each column."""

    name: str
    meaning: str
    cells: list[str]


def card_table(card: Card) -> tuple[list[str], list[Row]]:
    """The whole card.

    Args:
        card: of the run, perhaps with `baselines`.

    Returns:
        Titles of the columns, the generator first; and the rows.
    """
    cards = {"generator": card, **card.get("baselines", {})}
    rows = []
    for name, value in card.items():
        if name in ("taken_over", "baselines"):
            continue
        meaning = _meaning(name)
        for part in [key for key in value if key != "count"] if isinstance(value, dict) else [None]:
            cells = [_number(figure_of(one, name, part)) for one in cards.values()]
            rows.append(Row(f"{name}.{part}" if part else name, meaning, cells))
            meaning = ""
    return list(cards), rows


@dataclasses.dataclass(frozen=True)
class Bar:
    """A share in [0, 1] with its name."""

    name: str
    share: float
    text: str


def natural_bars(card: Card) -> list[Bar]:
    """The natural share of the generator beside that of images and of baselines."""
    shares = {"the generator": card.get("natural_share")}
    shares["two images of a class"] = card.get("natural_share_of_images")
    for title, baseline in card.get("baselines", {}).items():
        shares[f"baseline: {title}"] = baseline.get("natural_share")
    return _bars(shares)


def kind_bars(card: Card) -> list[Bar]:
    """Of which kinds what the learned transformation does is, if that was measured."""
    kinds = card.get("latent_geometry")
    if not isinstance(kinds, dict):
        return []
    return _bars({text: kinds.get(name) for name, text in KINDS.items()})


def known_changes(reach: Any) -> tuple[list[str], list[tuple[str, list[Bar]]]]:
    """What the instrument `reach` found: how much of a known change kernels of a layer can make.

    Args:
        reach: content of its file; anything else gives an empty table.

    Returns:
        Names of the layers, and for each change its name and a share a layer.
    """
    layers = reach.get("layers") if isinstance(reach, dict) else None
    if not isinstance(layers, dict) or not layers:
        return [], []
    shares = {name: layer.get("share", {}) for name, layer in layers.items()}
    names = list(dict.fromkeys(change for one in shares.values() for change in one))
    return list(layers), [
        (name.replace("_", " "), _bars({k: one.get(name) for k, one in shares.items()}))
        for name in names
    ]


def _bars(shares: dict[str, float | None]) -> list[Bar]:
    return [
        Bar(name, min(max(share, 0.0), 1.0), _percent(share))
        for name, share in shares.items()
        if share is not None
    ]


def figure_of(card: Card, name: str, part: str | None) -> float | None:
    """A number of a card, or a part of it; `None` where there is none.

    Example:
        >>> figure_of({"swapped_accuracy": {"mean": 0.98}}, "swapped_accuracy", "mean")
        0.98
    """
    value = card.get(name)
    if isinstance(value, dict):
        value = value.get(part) if part is not None else None
    return value if isinstance(value, int | float) else None


def _over(card: Card, name: str, what: str = "latents") -> str:
    count = card.get("taken_over", {}).get(name, {}).get(what)
    return "the" if count is None else f"{count:,}"


def _baselines(card: Card, name: str, part: str | None, shown) -> list[tuple[str, str]]:
    found = {title: figure_of(one, name, part) for title, one in card.get("baselines", {}).items()}
    return [(f"baseline: {title}", shown(v)) for title, v in found.items() if v is not None]


def _meaning(name: str) -> str:
    """The first sentence of what a metric says of itself."""
    entry = METRICS.get(name)
    text = (entry.measure.__doc__ or "").split("\n\n")[0] if entry else ""
    return " ".join(text.split())


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
