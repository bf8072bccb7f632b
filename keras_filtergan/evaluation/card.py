"""The whole report: one card for the generator and one for each baseline, side by side."""

import dataclasses
import functools
from collections.abc import Callable, Iterable
from typing import Any

from keras_filtergan.evaluation.baselines import baselines
from keras_filtergan.evaluation.metrics.activations import activation_variation
from keras_filtergan.evaluation.registry import METRICS, evaluate
from keras_filtergan.evaluation.subject import Subject

# What a training run ends with: cheap enough to wait for, without critic, grids, re-training and
# baselines.
TRAINING_CARD = (
    "classifier_accuracy",
    "swapped_accuracy",
    "averaged_accuracy",
    "activation_variation",
    "activation_bias",
    "code_r2",
    "code_information",
    "filter_diversity",
    "filter_distance",
    "natural_share",
    "natural_share_of_images",
    "natural_coverage",
)


def full_card(
    subject: Subject,
    only: Iterable[str] | None = None,
    say: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """The card of a subject and, under `baselines`, the same card for each baseline.

    A baseline's card leaves out what needs a code head. What is about the network alone is
    measured once.

    Args:
        subject: what is judged.
        only: names of the metrics wanted; by default all that the subject has what it takes for.
        say: takes a line for each metric and subject, with the seconds it took.

    Returns:
        As `evaluate`, with `"baselines": {"random": card, "noisy": card, …}` as well.

    Raises:
        InputError: as `evaluate`.

    Example:
        >>> card = full_card(TrainedRun.load(run).subject(), ["explained_fraction"])
        >>> card["explained_fraction"], card["baselines"]["noisy"]["explained_fraction"]
        (0.811, 0.217)
    """
    if subject.independent_classifier is not None:  # one for all subjects
        provide = functools.cache(subject.independent_classifier)
        subject = dataclasses.replace(subject, independent_classifier=provide)
    card = evaluate(subject, only, _prefixed("generator", say))
    names = [name for name in card if name != "taken_over"]
    variation = card.get("activation_variation") or activation_variation(subject).number
    cards = {}
    for title, kernels in baselines(subject, variation).items():
        baseline = subject.with_kernels(kernels)
        wanted = [
            name for name in names if METRICS[name].of_kernels and not METRICS[name].lacks(baseline)
        ]
        measured = evaluate(baseline, wanted, _prefixed(title, say))
        cards[title] = _with_network_metrics(measured, card, names)
    return {**card, "baselines": cards}


def merge_cards(held: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """A card with the metrics of a newer one in the place of its own, baselines included."""
    merged = {**held, **new, "taken_over": {**held.get("taken_over", {}), **new["taken_over"]}}
    if "baselines" in held and "baselines" in new:
        merged["baselines"] = {
            title: merge_cards(held["baselines"].get(title, {}), card)
            for title, card in new["baselines"].items()
        }
    return merged


def _with_network_metrics(
    measured: dict[str, Any], card: dict[str, Any], names: list[str]
) -> dict[str, Any]:
    """A baseline's card with the metrics that are about the network alone, in the card's order."""
    taken_over = {**card["taken_over"], **measured["taken_over"]}
    kept = [name for name in names if name in measured or not METRICS[name].of_kernels]
    values = {name: measured.get(name, card[name]) for name in kept}
    return {**values, "taken_over": {name: taken_over[name] for name in kept}}


def _prefixed(title: str, say: Callable[[str], None] | None) -> Callable[[str], None] | None:
    return None if say is None else lambda line: say(f"{title}: {line}")


def format_card(card: dict[str, Any]) -> str:
    """A card as a table for the screen: one metric a line, one subject a column.

    Args:
        card: from `evaluate` or `full_card`.
    """
    table = format_cards({"generator": card, **card.get("baselines", {})})
    return "\n".join([table, *(f"note: {note}" for note in card.get("notes", ()))])


def format_cards(cards: dict[str, dict[str, Any]]) -> str:
    """Cards side by side: one metric a line, one card a column, a dash where a card has none.

    Args:
        cards: title → card. The counts are those of the first card that has the metric.
    """
    rows = [["", *cards, "taken over"]]
    counts: dict[str, dict[str, int]] = {}
    for card in cards.values():
        over = card.get("taken_over", {})
        counts |= {k: v for k, v in over.items() if k not in counts and k in card}
    for name in counts:
        over = ", ".join(f"{count:,} {what}" for what, count in counts[name].items())
        value = next(card[name] for card in cards.values() if name in card)
        parts = [key for key in value if key != "count"] if isinstance(value, dict) else [None]
        for part in parts:
            shown = [_cell(card.get(name), part) for card in cards.values()]
            rows.append([f"{name}.{part}" if part else name, *shown, over])
    return format_table(rows)


def format_table(rows: list[list[str]]) -> str:
    """Rows of cells as aligned columns: the first and the last to the left, the others right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:-1], widths[1:]), row[-1]])
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: Any, part: str | None) -> str:
    """A number, or a dash where the metric does not apply or has no finite value."""
    if value is not None and part is not None:
        value = value.get(part) if isinstance(value, dict) else None
    return f"{value:.4f}" if isinstance(value, int | float) else "–"
