"""The card: metrics registered by name, computed in the order of their registration."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from keras_filtergan.errors import InputError
from keras_filtergan.evaluation.subject import Subject


@dataclass(frozen=True)
class Measurement:
    """A value and what it was taken over.

    Attributes:
        value: a float, or a dict of floats.
        taken_over: for instance `{"latents": 20, "images": 2000}`.
    """

    value: float | dict[str, float]
    taken_over: dict[str, int] = field(default_factory=dict)


Metric = Callable[[Subject], Measurement]
_METRICS: dict[str, Metric] = {}


def metric(function: Metric) -> Metric:
    """Register a function of a `Subject` under its own name."""
    _METRICS[function.__name__] = function
    return function


def metric_names() -> list[str]:
    """Names of all metrics, in the order of the card."""
    return list(_METRICS)


def evaluate(subject: Subject, only: Iterable[str] | None = None) -> dict[str, Any]:
    """Fill in the card for a subject.

    Args:
        subject: what is judged.
        only: names of the metrics wanted; all by default.

    Returns:
        One entry a metric, and `taken_over` with the counts behind each of them.

    Raises:
        InputError: a name is unknown; the message lists those that exist.
    """
    names = metric_names() if only is None else list(only)
    unknown = [name for name in names if name not in _METRICS]
    if unknown:
        raise InputError(f"unknown metric {unknown[0]!r}, there are: {', '.join(_METRICS)}")
    measured = {name: _METRICS[name](subject) for name in names}
    card: dict[str, Any] = {name: result.value for name, result in measured.items()}
    card["taken_over"] = {name: result.taken_over for name, result in measured.items()}
    return card


def format_card(card: dict[str, Any]) -> str:
    """The card as a table for the screen, one metric a line."""
    lines = []
    for name, value in card.items():
        if name == "taken_over":
            continue
        if isinstance(value, dict):
            shown = "  ".join(f"{key} {_number(number)}" for key, number in value.items())
        else:
            shown = _number(value)
        counts = card.get("taken_over", {}).get(name, {})
        over = ", ".join(f"{count:,} {what}" for what, count in counts.items())
        lines.append(f"{name:<28} {shown:<54} {over}".rstrip())
    return "\n".join(lines)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4f}"
