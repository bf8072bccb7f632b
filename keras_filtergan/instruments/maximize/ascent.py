"""Gradient ascent on inputs: the image that has most of an objective, under any kernels."""

import math
import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_filtergan.classifiers.layer_work import images_at_once
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import randomness, to_unit_interval
from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.errors import InputError
from keras_filtergan.images.parametrizations import Fourier, Parametrization
from keras_filtergan.images.priors import MultiscaleEdge, NoPrior, Prior, TotalVariation
from keras_filtergan.instruments.maximize.objectives import Activity, Objective
from keras_filtergan.instruments.maximize.transforms import RandomViews
from keras_filtergan.inversion.descent import Descent, descend, descend_in_batches

BATCH = 64  # images at once
FRAMES = 40  # of a film

# Weighed against objectives in units of their spread over natural images, of which an ascent wins
# several; a drawing has multi-scale edges of 0.02 and a total variation of 0.1.
PRIORS: dict[str, Prior] = {
    prior.name: prior
    for prior in (
        MultiscaleEdge(weight=100.0),
        TotalVariation(tv_weight=20.0, norm_weight=1.0),
        NoPrior(),
    )
}


@dataclass(frozen=True)
class Ascent:
    """How an input is sought.

    Args:
        prior: h, counted as far as it exceeds that of the start.
        parametrization: the coordinates in which to move.
        views: random transformations that the input has to survive on its way.
        steps: number of steps.
        learning_rate: about the change of a pixel in the first step; it decays to 0 (cosine).

    Raises:
        InputError: no steps, or a learning rate that is not above 0.
    """

    prior: Prior = PRIORS["multiscale_edge"]
    parametrization: Parametrization = field(default_factory=Fourier)
    views: RandomViews = field(default_factory=RandomViews)
    steps: int = 256
    learning_rate: float = 0.05

    def __post_init__(self):
        if not isinstance(self.steps, numbers.Integral) or self.steps < 1:
            raise InputError(f"expected at least 1 step, received {self.steps!r}")
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"expected a finite learning rate > 0, received {self.learning_rate}")


class Maximum(NamedTuple):
    """What was found: an image for every objective under every kernel set.

    Attributes:
        images: `(objectives, sets, h, w, c)` in [0, 1].
        start: value of each objective at the start, `(objectives, sets)`.
        end: the same at the images; never below the start.
        film: `(frames, objectives, sets, h, w, c)`, from the start to the images.
    """

    images: np.ndarray
    start: np.ndarray
    end: np.ndarray
    film: np.ndarray


def start_near(image: np.ndarray, seed: int = 0) -> np.ndarray:
    """An image `(h, w, c)` with a trace of noise (0.01), so that no two directions are alike."""
    noise = randomness.stream(seed, randomness.ASCENT).standard_normal(np.shape(image))
    return np.clip(image + 0.01 * noise, 0.0, 1.0).astype("float32")


def survey(target: FrozenTarget, objectives: Sequence[Objective], images: np.ndarray) -> np.ndarray:
    """What each objective is on given images, under the real kernels.

    Args:
        target: the frozen network.
        objectives: at least one.
        images: `(n, h, w, c)`, bytes or values in [0, 1].

    Returns:
        `(objectives, n)`.

    Raises:
        InputError: an objective of something that the network does not have.
    """
    check_objectives(target, objectives)
    measure = tf.function(lambda batch: [_values(objectives, Activity.of(target, batch))])
    at_once = images_at_once(target.classifier)
    answers = map_in_batches(
        lambda batch: measure(to_unit_interval(batch)), images, batch_size=at_once
    )
    return answers[0].T


def ascend(
    target: FrozenTarget,
    objectives: Sequence[Objective],
    kernels: tf.Tensor,
    start: np.ndarray,
    how: Ascent | None = None,
    spread: ArrayLike | None = None,
) -> Maximum:
    """Find for each objective, under each kernel set, the image that has most of it.

        x* = argmax f(x) / spread − max(h(x) − h(start), 0), on the way through random views of x

    All images ascend in one compiled loop, in batches, and none influences another. Of the images
    visited the one with the highest sum, judged without the random view, is kept. Because the
    prior costs nothing at the start, f(x*) is never below f(start).

    Args:
        target: the frozen network.
        objectives: f, at least one.
        kernels: kernel sets `(sets, kh, kw, cin, cout)`.
        start: one image `(h, w, c)` in [0, 1] from which all start.
        how: prior, coordinates, views and steps.
        spread: of each objective, its standard deviation over natural images, say: in these units
            it is weighed against the prior; 1 if not given.

    Raises:
        InputError: an objective of something that the network does not have, a start of another
            shape or range, a spread that is not above 0.

    Example:
        >>> found = ascend(target, [class_logit(7)], target.kernel[None], start_near(mean_image))
        >>> found.images.shape, found.start, found.end
        ((1, 1, 28, 28, 1), array([[0.4]]), array([[38.2]]))

    Reference:
        Fleuret, deep learning course, 9.4 "Optimizing inputs"; Olah, Mordvintsev and Schubert,
        "Feature Visualization" (Distill 2017).
    """
    how = Ascent() if how is None else how
    check_objectives(target, objectives)
    start = _check_start(start, target.image_shape)
    units = np.ones(len(objectives)) if spread is None else np.asarray(spread, "float64")
    if units.shape != (len(objectives),) or not np.all((units > 0) & np.isfinite(units)):
        raise InputError(f"expected a spread above 0 for each objective, received {units}")
    sets, layout = len(kernels), (len(objectives), len(kernels))
    climb = tf.function(_climb(target, objectives, units, start, how))
    found = descend_in_batches(
        lambda pair: climb(tf.constant(pair // sets), tf.gather(kernels, pair % sets)),
        len(objectives) * sets,
        BATCH,
    )
    best = np.argmin(found.history["total"], axis=0)
    values = -np.transpose(found.history["objective"]).reshape(*layout, -1)
    values = values * units[:, None, None]
    return Maximum(
        images=found.images.reshape(*layout, *start.shape),
        start=values[..., 0],
        end=np.take_along_axis(values, best.reshape(*layout, 1), axis=-1)[..., 0],
        film=found.film.reshape(-1, *layout, *start.shape),
    )


def _climb(
    target: FrozenTarget,
    objectives: Sequence[Objective],
    spread: np.ndarray,
    start: np.ndarray,
    how: Ascent,
) -> Callable[[tf.Tensor, tf.Tensor], Descent]:
    """Numbers of objectives `(m,)` and a kernel set for each → the ascent of their images."""
    units, origin = tf.constant(spread, tf.float32), tf.constant(start[None])

    def climb(which: tf.Tensor, kernels: tf.Tensor) -> Descent:
        unit = tf.gather(units, which)

        def value(images):
            values = _values(objectives, Activity.of(target, images, kernels))
            return tf.gather(values, which, batch_dims=1)

        def cost(images):
            return how.prior.excess(images, tf.broadcast_to(origin, tf.shape(images)))

        return descend(
            lambda images: {"objective": -value(images) / unit, "prior": cost(images)},
            tf.repeat(origin, tf.shape(which)[0], axis=0),
            how.parametrization,
            how.steps,
            how.learning_rate,
            guide=lambda images, step: cost(images) - value(how.views(images, step)) / unit,
            frames=FRAMES,
        )

    return climb


def check_objectives(target: FrozenTarget, objectives: Sequence[Objective]) -> None:
    """Refuse objectives of layers, channels, places or classes that a network does not have.

    Raises:
        InputError: such an objective, or none at all; the message lists what there is.
    """
    if not objectives:
        raise InputError("expected at least one objective, received none")
    activity = Activity.of(target, tf.zeros([1, *target.image_shape]))
    for objective in objectives:
        objective(activity)


def _values(objectives: Sequence[Objective], activity: Activity) -> tf.Tensor:
    """`(m, objectives)`."""
    return tf.stack([objective(activity) for objective in objectives], axis=1)


def _check_start(start: np.ndarray, image_shape: tuple[int, int, int]) -> np.ndarray:
    start = np.asarray(start, "float32")
    if start.shape != tuple(image_shape) or not (start.min() >= 0 and start.max() <= 1):
        raise InputError(
            f"expected a start {tuple(image_shape)} in [0, 1], received {start.shape} from "
            f"{start.min():g} to {start.max():g}"
        )
    return start
