"""What a card says that makes no sense to go on with, in words."""

from typing import Any

import numpy as np

from keras_filtergan.data import ImageDataset

MARGIN = 3  # standard errors above the most frequent class
LARGEST_VARIATION = 10.0  # times the variation between images; a goal is a fraction of one


def with_notes(card: dict[str, Any], dataset: ImageDataset) -> dict[str, Any]:
    """A card with `notes`, a line for each number that says that the rest means little.

    Args:
        card: from `evaluate`, `full_card` or `merge_cards`.
        dataset: what it was filled in on.

    Returns:
        The card; without `notes` if there is nothing to say.

    Example:
        >>> with_notes({"activation_variation": 1e10}, dataset)["notes"]
        ['activations vary 1e+10 times as much with the latent as between images: ...']
    """
    notes = [*_of_accuracy(card, dataset), *_of_variation(card), *_of_what_is_not_finite(card)]
    rest = {name: value for name, value in card.items() if name != "notes"}
    return {**rest, "notes": notes} if notes else rest


def _of_accuracy(card: dict[str, Any], dataset: ImageDataset) -> list[str]:
    labels = dataset.y_test
    guessed = np.bincount(labels).max() / len(labels)
    enough = guessed + MARGIN * np.sqrt(guessed * (1 - guessed) / len(labels))
    network, swapped = (_number(card.get(f"{name}_accuracy")) for name in ("classifier", "swapped"))
    if network is not None and network <= enough:
        return [
            f"the classifier is right on {network:.1%} of the test images, one class for all on "
            f"{guessed:.1%}: what it cannot tell apart says nothing"
        ]
    if swapped is not None and swapped <= enough:
        return [
            f"under generated kernels the network is right on {swapped:.1%} of the test images, "
            f"one class for all on {guessed:.1%}: the kernels are no alternatives"
        ]
    return []


def _of_variation(card: dict[str, Any]) -> list[str]:
    variation = _number(card.get("activation_variation"))
    if variation is None or variation <= LARGEST_VARIATION:
        return []
    return [
        f"activations vary {variation:.3g} times as much with the latent as between images: "
        "training has come apart; try lower learning rates or a lower `variation_goal`"
    ]


def _of_what_is_not_finite(card: dict[str, Any]) -> list[str]:
    names = ("swapped_accuracy", "activation_variation", "filter_diversity", "filter_distance")
    lost = [name for name in names if name in card and _number(card[name]) is None]
    return [f"{', '.join(lost)}: not finite"] if lost else []


def _number(value: Any) -> float | None:
    return value.get("mean") if isinstance(value, dict) else value
