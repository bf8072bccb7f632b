"""What an input can be optimised for, as values with arithmetic and a name of their own."""

import json
import math
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from typing import ClassVar, NamedTuple

import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError
from keras_filtergan.names import by_name

PLACE = ("row", "column", "channel")  # as the axes of maps


class Activity(NamedTuple):
    """What a network makes of images: all that an objective may look at.

    Attributes:
        layers: path of the layer → its output `(m, ...)`, as of `FrozenTarget.record`.
        logits: `(m, classes)`; log-probabilities where the network ends in a softmax, which are
            its logits up to one number an image.
    """

    layers: Mapping[str, tf.Tensor]
    logits: tf.Tensor

    @classmethod
    def of(
        cls, target: FrozenTarget, images: tf.Tensor, kernels: tf.Tensor | None = None
    ) -> "Activity":
        """What the network makes of images `(m, h, w, c)`; kernels as in `FrozenTarget.record`."""
        layers = target.record(images, kernels)
        answer = tf.cast(list(layers.values())[-1], tf.float32)
        return cls(layers, target.as_logits(answer))


class Objective:
    """Something that an input can have more or less of: activity of a network → `(m,)`.

    Objectives are values: two that say the same are equal. They add up, and numbers multiply and
    divide them; what comes out is an objective again. `str` gives an expression that
    `expression.parse_objective` reads back to the equal value.

    Calling one raises `InputError` for a layer, channel, place or class that the network does not
    have; the message lists those that there are.

    Example:
        >>> wanted = 0.2 * channel("conv4", 3) - class_logit(7)
        >>> str(wanted)
        '0.2 * channel("conv4", 3) - class_logit(7)'
        >>> wanted(Activity.of(target, images)).shape
        TensorShape([64])

    Reference:
        Olah, Mordvintsev and Schubert, "Feature Visualization" (Distill 2017), and the objectives
        of its library, lucid; Fleuret, deep learning course, 9.4 "Optimizing inputs".
    """

    def __call__(self, activity: Activity) -> tf.Tensor:
        """How much of it each image has, `(m,)`, to be maximised."""
        raise NotImplementedError

    def weighted(self) -> tuple[tuple[float, "Objective"], ...]:
        """The objective as a sum: (weight, objective that is no sum), …"""
        return ((1.0, self),)

    def __add__(self, other: "Objective") -> "Objective":
        if not isinstance(other, Objective):
            return NotImplemented
        return _collect([*self.weighted(), *other.weighted()])

    def __mul__(self, factor: float) -> "Objective":
        if not isinstance(factor, numbers.Real) or isinstance(factor, bool):
            return NotImplemented
        return _collect((float(factor) * weight, part) for weight, part in self.weighted())

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> "Objective":
        if not isinstance(divisor, numbers.Real) or isinstance(divisor, bool):
            return NotImplemented
        if not divisor:
            raise InputError(f"expected a divisor other than 0, received {self} / {divisor}")
        return self * (1.0 / divisor)

    def __neg__(self) -> "Objective":
        return self * -1.0

    def __sub__(self, other: "Objective") -> "Objective":
        if not isinstance(other, Objective):
            return NotImplemented
        return self + -other


@dataclass(frozen=True)
class Combination(Objective):
    """A weighted sum of different objectives; arithmetic makes these.

    Attributes:
        terms: (weight, objective that is no sum), at least one, no weight 0.
    """

    terms: tuple[tuple[float, Objective], ...]

    def __call__(self, activity: Activity) -> tf.Tensor:
        """Σ weight · objective, `(m,)`."""
        return tf.add_n([weight * part(activity) for weight, part in self.terms])

    def weighted(self) -> tuple[tuple[float, Objective], ...]:
        """Its terms."""
        return self.terms

    def __str__(self) -> str:
        texts = []
        for weight, part in self.terms:
            sign = "-" if weight < 0 else "+" if texts else ""
            gap = " " if texts else ""
            size = "" if abs(weight) == 1 else f"{_number(abs(weight))} * "
            texts.append(f"{sign}{gap}{size}{part}")
        return " ".join(texts)


@dataclass(frozen=True)
class _Named(Objective):
    """An objective that is written as a call: `name(argument, …)`."""

    name: ClassVar[str]

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
            if not (isinstance(value, str) if field.type is str else whole and int(value) >= 0):
                wanted = "a layer's path" if field.type is str else "a whole number from 0 on"
                raise InputError(
                    f"expected {wanted} as {field.name} of {self.name}, received {value!r}"
                )

    def __str__(self) -> str:
        values = (v if isinstance(v, str) else int(v) for v in astuple(self))
        arguments = ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
        return f"{self.name}({arguments})"


@dataclass(frozen=True)
class Unit(_Named):
    """The activation of one unit of a layer of maps.

    Args:
        layer: its path.
        channel, row, column: its place, from 0.
    """

    layer: str
    channel: int
    row: int
    column: int
    name: ClassVar[str] = "unit"

    def __call__(self, activity: Activity) -> tf.Tensor:
        """a[row, column, channel], `(m,)`."""
        maps = _layer(activity, self.layer)
        if maps.shape.rank != 4:
            raise InputError(
                f"expected a layer of maps in {self}, {self.layer!r} gives "
                f"{tuple(maps.shape[1:])}; use channel({json.dumps(self.layer)}, n)"
            )
        place = (self.row, self.column, self.channel)
        for what, number, count in zip(PLACE, place, maps.shape[1:], strict=True):
            _check_below(self, what, number, count)
        return tf.cast(maps[:, self.row, self.column, self.channel], tf.float32)


@dataclass(frozen=True)
class Channel(_Named):
    """The mean activation of one channel over all places; of a dense layer, that of one unit.

    Args:
        layer: its path.
        channel: its number, from 0.
    """

    layer: str
    channel: int
    name: ClassVar[str] = "channel"

    def __call__(self, activity: Activity) -> tf.Tensor:
        """mean of a[…, channel], `(m,)`."""
        maps = _layer(activity, self.layer)
        _check_below(self, "channel", self.channel, maps.shape[-1])
        values = tf.cast(maps[..., self.channel], tf.float32)
        return tf.reduce_mean(tf.reshape(values, [tf.shape(values)[0], -1]), axis=1)


@dataclass(frozen=True)
class Layer(_Named):
    """The mean square of all activations of a layer: more of whatever it sees, "deep dream".

    Args:
        layer: its path.

    Reference:
        Mordvintsev, Olah and Tyka (2015), "Inceptionism".
    """

    layer: str
    name: ClassVar[str] = "layer"

    def __call__(self, activity: Activity) -> tf.Tensor:
        """mean of a², `(m,)`."""
        squares = tf.square(tf.cast(_layer(activity, self.layer), tf.float32))
        return tf.reduce_mean(tf.reshape(squares, [tf.shape(squares)[0], -1]), axis=1)


@dataclass(frozen=True)
class ClassLogit(_Named):
    """The logit of a class; of a network that ends in a softmax its log-probability.

    Args:
        number: of the class, from 0.
    """

    number: int
    name: ClassVar[str] = "class_logit"

    def __call__(self, activity: Activity) -> tf.Tensor:
        """The logit, `(m,)`."""
        _check_below(self, "class", self.number, activity.logits.shape[-1])
        return activity.logits[:, self.number]


@dataclass(frozen=True)
class ClassProbability(_Named):
    """The probability of a class, in [0, 1]; it saturates, and then gives no direction.

    Args:
        number: of the class, from 0.
    """

    number: int
    name: ClassVar[str] = "class_probability"

    def __call__(self, activity: Activity) -> tf.Tensor:
        """The softmax of the logits, `(m,)`."""
        _check_below(self, "class", self.number, activity.logits.shape[-1])
        return tf.nn.softmax(activity.logits)[:, self.number]


# As they are written in expressions.
unit, channel, layer = Unit, Channel, Layer
class_logit, class_probability = ClassLogit, ClassProbability

OBJECTIVES: dict[str, type[_Named]] = {
    kind.name: kind for kind in (Unit, Channel, Layer, ClassLogit, ClassProbability)
}


def _collect(terms: Iterable[tuple[float, Objective]]) -> Objective:
    """The sum of weighted objectives, equal ones taken together."""
    weights: dict[Objective, float] = {}
    for weight, part in terms:
        weights[part] = weights.get(part, 0.0) + weight
    kept = tuple((weight, part) for part, weight in weights.items() if weight)
    if not kept or not all(math.isfinite(weight) for weight, _ in kept):
        named = ", ".join(map(str, weights))
        raise InputError(f"expected weights that are finite and not all 0, of {named}")
    return kept[0][1] if len(kept) == 1 and kept[0][0] == 1 else Combination(kept)


def _number(value: float) -> str:
    """The shortest text that reads back to the same number."""
    return repr(value).removesuffix(".0")


def _layer(activity: Activity, path: str) -> tf.Tensor:
    return by_name("layer", path, activity.layers)


def _check_below(objective: _Named, what: str, number: int, count: int) -> None:
    if number >= count:
        raise InputError(f"expected a {what} from 0 to {count - 1} in {objective}")
