"""Metrics registered by name, computed in the order of their registration."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from keras_filtergan.errors import InputError
from keras_filtergan.evaluation.subject import Subject
from keras_filtergan.files import plain
from keras_filtergan.guards.graphs import forget_traces, let_go_of_graphs


@dataclass(frozen=True)
class Measurement:
    """A value and what it was taken over.

    Attributes:
        value: a float, or a dict of floats.
        taken_over: for instance `{"latents": 20, "images": 2000}`.
    """

    value: float | dict[str, float]
    taken_over: dict[str, int] = field(default_factory=dict)

    @property
    def number(self) -> float:
        """The value of a metric that is one number.

        Raises:
            TypeError: it is a dict.
        """
        if isinstance(self.value, dict):
            raise TypeError(f"expected one number, received {', '.join(self.value)}")
        return self.value


@dataclass(frozen=True)
class Metric:
    """A registered metric.

    Attributes:
        measure: what computes it.
        needs: attributes of a `Subject` without which it has no meaning.
        of_kernels: whether it judges the kernels; else it is about the network alone, and the same
            for all subjects with that network.
    """

    measure: Callable[[Subject], Measurement]
    needs: tuple[str, ...] = ()
    of_kernels: bool = True

    def lacks(self, subject: Subject) -> list[str]:
        """What it needs and the subject does not have."""
        return [name for name in self.needs if getattr(subject, name) is None]


METRICS: dict[str, Metric] = {}


def metric(*, needs: tuple[str, ...] = (), of_kernels: bool = True) -> Callable:
    """Register a function `Subject` → `Measurement` under its own name; see `Metric`.

    Example:
        >>> @metric(needs=("discriminator",))
        ... def code_r2(subject: Subject) -> Measurement: ...
    """

    def register(function: Callable[[Subject], Measurement]) -> Callable[[Subject], Measurement]:
        METRICS[function.__name__] = Metric(function, needs, of_kernels)
        return function

    return register


def metric_names(subject: Subject | None = None) -> list[str]:
    """Names of all metrics, or of those that a subject has all it takes for, in order."""
    return [name for name, entry in METRICS.items() if not (subject and entry.lacks(subject))]


def evaluate(
    subject: Subject,
    only: Iterable[str] | None = None,
    say: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Fill in the card for a subject.

    Args:
        subject: what is judged.
        only: names of the metrics wanted; by default all that the subject has what it takes for.
        say: takes a line for each metric, with the seconds it took.

    Returns:
        One entry a metric, a number or a dict of numbers, `None` for one that is not finite; and
        `taken_over` with the counts behind each. Ready for JSON.

    Raises:
        InputError: a name is unknown, or the subject lacks what its metric needs. Nothing is
            computed then.
    """
    names = metric_names(subject) if only is None else list(only)
    check_names(names)
    for name in names:
        if lacking := METRICS[name].lacks(subject):
            raise InputError(f"{name} needs {' and '.join(lacking)}, which this subject lacks")
    forget_traces()
    card: dict[str, Any] = {}
    taken_over: dict[str, dict[str, int]] = {}
    for name in names:
        began = time.perf_counter()
        result = METRICS[name].measure(subject)
        card[name] = plain(result.value)
        taken_over[name] = {what: int(count) for what, count in result.taken_over.items()}
        if say is not None:
            say(f"{name} ({time.perf_counter() - began:.0f} s)")
    let_go_of_graphs()
    return {**card, "taken_over": taken_over}


def check_names(names: Iterable[str]) -> None:
    """Refuse names that no metric has.

    Raises:
        InputError: with the names that exist.
    """
    for name in names:
        if name not in METRICS:
            raise InputError(f"unknown metric {name!r}, there are: {', '.join(METRICS)}")
