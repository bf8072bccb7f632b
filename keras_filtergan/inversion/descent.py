"""Gradient descent on images: one compiled loop for whatever is to be minimised."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_filtergan.guards.graphs import let_go_of_graphs
from keras_filtergan.images.parametrizations import Parameters, Parametrization

# Adam, Kingma and Ba (2015), Algorithm 1. A shorter memory of the second moment than the usual
# 0.999, which would not have settled after the few hundred steps of a run.
BETA_1, BETA_2 = 0.9, 0.99
# Below this gradient steps shrink. Objectives are of the order 1; without it Adam turns rounding
# noise (1e-8) into steps of full length, and an image in a batch ends elsewhere than alone.
EPSILON = 1e-5
SLOWER = 2  # times that the rate is lowered where nothing is found
# With a guide, the objective is only looked at: every so many steps, and at the last.
JUDGED_EVERY = 4

Objective = Callable[[tf.Tensor], dict[str, tf.Tensor]]
Guide = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


class Descent(NamedTuple):
    """Where a descent ended and how it got there.

    Attributes:
        images: `(m, h, w, c)`, of each example the best image that was visited.
        history: term → `(steps + 1, m)`, every term of the objective and their sum `total`, at
            the start and after every step.
        film: `(frames, m, h, w, c)`, the best images so far, from the start to `images`.
    """

    images: tf.Tensor
    history: dict[str, tf.Tensor]
    film: tf.Tensor


class _State(NamedTuple):
    parameters: Parameters
    mean: Parameters  # Adam's first moment
    variance: Parameters  # Adam's second moment
    terms: dict[str, tf.Tensor]  # of the objective, when it was last computed
    best_images: tf.Tensor
    best_total: tf.Tensor


def descend(
    objective: Objective,
    start: tf.Tensor,
    parametrization: Parametrization,
    steps: int,
    learning_rate: float | tf.Tensor,
    guide: Guide | None = None,
    frames: int = 2,
) -> Descent:
    """Minimise an objective over images with Adam and a cosine decay of the learning rate to 0.

    Call it inside a `tf.function`: the steps are one `tf.while_loop`. Examples do not see each
    other, as long as the objective of an image depends on that image alone. Of each example the
    image with the lowest total is kept, so that the result is never worse than the start.

    Steps go down the total, or down a `guide` that is easier or more robust to descend and another
    in each step. Which image is kept and what the history holds is the objective's business alone.
    With a guide it is computed every `JUDGED_EVERY` steps; between, the history repeats itself.

    Args:
        objective: images `(m, h, w, c)` in [0, 1] → its terms, each `(m,)`; they are added up.
        start: images `(m, h, w, c)` in [0, 1].
        parametrization: the coordinates in which to move.
        steps: number of steps.
        learning_rate: of the first step; about the change of a pixel in one step.
        guide: images and the number of the step → what this step descends, `(m,)`.
        frames: pictures in the film, at even distances, at least 2; no more than there are steps.

    Example:
        >>> darker = descend(lambda x: {"light": tf.reduce_mean(x, [1, 2, 3])}, images, Pixels(),
        ...                  steps=50, learning_rate=0.02).images
    """
    parameters = parametrization.init(start)
    zeros = tuple(tf.zeros_like(p) for p in parameters)
    images = parametrization.decode(parameters)
    nothing = tf.fill(tf.shape(images)[:1], float("inf"))
    terms = dict.fromkeys([*objective(images), "total"], nothing)
    state = _State(parameters, zeros, zeros, terms, images, nothing)
    every = math.ceil(steps / (frames - 1))

    def visit(step, state, history, film):
        images, terms, gradients = _differentiate(
            objective, guide, step, steps, parametrization, state
        )
        history = {key: rows.write(step, terms[key]) for key, rows in history.items()}
        better = terms["total"] < state.best_total
        state = state._replace(
            terms=terms,
            best_images=tf.where(better[:, None, None, None], images, state.best_images),
            best_total=tf.where(better, terms["total"], state.best_total),
        )
        # a frame is written again and again, until the step that it stands for
        film = film.write((step + every - 1) // every, state.best_images)
        fraction = tf.cast(step, tf.float32) / steps
        rate = learning_rate * 0.5 * (1.0 + tf.cos(3.14159265 * fraction))
        return step + 1, _adam(state, gradients, step + 1, rate, parametrization), history, film

    history = {name: tf.TensorArray(tf.float32, steps + 1) for name in terms}
    film = tf.TensorArray(tf.float32, math.ceil(steps / every) + 1, clear_after_read=False)
    _, state, history, film = tf.while_loop(
        lambda step, *_: step <= steps, visit, (tf.constant(0), state, history, film)
    )
    history = {name: rows.stack() for name, rows in history.items()}
    return Descent(state.best_images, history, film.stack())


def batches(count: int, limit: int) -> Iterator[np.ndarray]:
    """Numbers 0 … count − 1 in batches of one size ≤ limit, so that one compiled loop serves all.

    The last batch is filled up by repeating the last number.
    """
    size = math.ceil(count / math.ceil(count / limit))
    for first in range(0, count, size):
        yield np.minimum(np.arange(first, first + size), count - 1)


def descend_in_batches(
    one_batch: Callable[[np.ndarray], Descent], count: int, limit: int
) -> Descent:
    """Run a compiled descent over any number of examples with bounded memory.

    Args:
        one_batch: the descent of the examples with these numbers.
        count: number of examples.
        limit: examples at once, at most.

    Returns:
        What one descent of all would give, as arrays.
    """
    runs = [one_batch(index) for index in batches(count, limit)]
    let_go_of_graphs()
    images = np.concatenate([run.images.numpy() for run in runs])[:count]
    history = {
        name: np.concatenate([run.history[name].numpy() for run in runs], axis=1)[:, :count]
        for name in runs[0].history
    }
    film = np.concatenate([run.film.numpy() for run in runs], axis=1)[:, :count]
    return Descent(images, history, film)


def as_slow_as_needed(
    at_rate: Callable[[float], tuple[np.ndarray, dict[str, np.ndarray]]], rate: float
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A descent, repeated at a tenth of the rate while half of the examples get nowhere.

    The activations of a deep network may change so fast with each pixel that every step leads too
    far. (A MobileNetV2: nothing explained at 0.03, 0.75 of the change at 0.003.)

    Args:
        at_rate: learning rate → images `(m, h, w, c)` and history, as of `Inverter.invert`.
        rate: the first one.
    """
    found, history = at_rate(rate)
    for _ in range(SLOWER):
        total = history["total"]
        stuck = (total[0] > 0) & (total.min(axis=0) >= total[0])
        if 2 * np.count_nonzero(stuck) < max(1, np.count_nonzero(total[0] > 0)):
            break
        rate /= 10
        images, again = at_rate(rate)
        found = np.where(stuck[:, None, None, None], images, found)
        history = {name: np.where(stuck, again[name], rows) for name, rows in history.items()}
    return found, history


def _differentiate(
    objective: Objective,
    guide: Guide | None,
    step: tf.Tensor,
    steps: int,
    parametrization: Parametrization,
    state: _State,
) -> tuple[tf.Tensor, dict[str, tf.Tensor], Parameters]:
    """Images, the terms of the objective with their total, and the gradient to go down."""

    def judged(images: tf.Tensor) -> dict[str, tf.Tensor]:
        terms = objective(images)
        return {**terms, "total": tf.add_n(list(terms.values()))}

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(state.parameters)
        images = parametrization.decode(state.parameters)
        if guide is None:
            terms = judged(images)
            descended = terms["total"]
        else:
            descended = guide(images, step)
    # the tape sums over examples; each gradient is that of its own example
    gradients = tape.gradient(descended, state.parameters, unconnected_gradients="zero")
    if guide is not None:
        due = tf.logical_or(step % JUDGED_EVERY == 0, tf.equal(step, steps))
        terms = tf.cond(due, lambda: judged(images), lambda: state.terms)
    return images, terms, gradients


def _adam(
    state: _State,
    gradients: Parameters,
    count: tf.Tensor,
    rate: tf.Tensor,
    parametrization: Parametrization,
) -> _State:
    """One step; parameters without a gradient stay bit for bit what they are."""
    count = tf.cast(count, tf.float32)
    rate = rate * tf.sqrt(1.0 - BETA_2**count) / (1.0 - BETA_1**count)
    moments = list(zip(state.mean, state.variance, gradients, strict=True))
    mean = tuple(m + (1.0 - BETA_1) * (g - m) for m, _, g in moments)
    variance = tuple(v + (1.0 - BETA_2) * (g * g - v) for _, v, g in moments)
    moved = tuple(
        p - rate * m / (tf.sqrt(v) + EPSILON)
        for p, m, v in zip(state.parameters, mean, variance, strict=True)
    )
    return state._replace(parameters=parametrization.project(moved), mean=mean, variance=variance)
