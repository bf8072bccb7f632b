"""The figures of a card as rows and bars: the whole card, natural share, known changes."""

import dataclasses
from typing import Any

from keras_filtergan.evaluation.registry import METRICS
from keras_filtergan.inversion.kinds import KIND_NAMES
from keras_filtergan.report.contents import Card, figure_of, number, percent

COUNTS = ("geometry_kinds",)  # whole numbers
PARTS = {
    "std": "Standard deviation of the same over the latents.",
    "min": "The same for the worst latent.",
    "max": "The same for the best latent.",
    "all": "All kinds together, in the latent dimension that has most of them.",
    "moved_1": "What the critic of natural coordinates says of images moved by one pixel.",
    "moved_2": "The same of images moved by two pixels.",
}
KINDS = {**KIND_NAMES, "brightness": "brightness"}


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
        if name in ("taken_over", "baselines", "notes"):
            continue
        shown = _whole if name in COUNTS else number
        for part in [key for key in value if key != "count"] if isinstance(value, dict) else [None]:
            cells = [shown(figure_of(one, name, part)) for one in cards.values()]
            rows.append(Row(f"{name}.{part}" if part else name, _meaning(name, part), cells))
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
        Bar(name, min(max(share, 0.0), 1.0), percent(share))
        for name, share in shares.items()
        if share is not None
    ]


def _meaning(name: str, part: str | None) -> str:
    """The first sentence of what a metric says of itself, or what a part of it is."""
    if part in PARTS:
        return PARTS[part]
    entry = METRICS.get(name)
    text = (entry.measure.__doc__ or "").split("\n\n")[0] if entry else ""
    text = " ".join(text.replace("`", "").split())
    return text if part in (None, "mean") else f"{KINDS.get(part, part).capitalize()}. {text}"


def _whole(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"
