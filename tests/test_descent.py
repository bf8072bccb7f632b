import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.images.parametrizations import Deformation, Fourier, Pixels
from keras_filtergan.inversion.descent import (
    as_slow_as_needed,
    batches,
    descend,
    descend_in_batches,
)


def some_images(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(size=(count, 6, 5, 1)).astype("float32")


def distance_to(goal):
    return lambda images: {
        "distance": tf.reduce_mean(tf.square(images - goal), axis=[1, 2, 3]),
        "light": 0.1 * tf.reduce_mean(images, axis=[1, 2, 3]),
    }


def run(start, goal, parametrization=None, steps=100, rate=0.05, frames=2):
    how = parametrization or Pixels(), steps, rate
    compiled = tf.function(lambda x, y: descend(distance_to(y), x, *how, frames=frames))
    return compiled(tf.constant(start), tf.constant(goal))


def test_the_minimum_of_a_quadratic_is_found():
    start, goal = some_images(4), some_images(4, seed=1)
    result = run(start, goal, steps=200)
    # by hand: (x − y)² + 0.1 x is lowest at y − 0.05, and inside the range at 0
    np.testing.assert_allclose(result.images, np.maximum(goal - 0.05, 0.0), atol=1e-3)


def test_steps_are_those_of_keras_adam():
    start, goal = some_images(3), some_images(3, seed=1)
    variable = keras.Variable(start)
    schedule = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=20)
    adam = keras.optimizers.Adam(schedule, beta_1=0.9, beta_2=0.99, epsilon=1e-5)
    totals = []
    for _ in range(21):
        with tf.GradientTape() as tape:
            total = tf.add_n(list(distance_to(goal)(variable.value).values()))
        totals.append(total.numpy())
        adam.apply([tape.gradient(total, variable.value)], [variable])
        variable.assign(np.clip(variable.numpy(), 0.0, 1.0))
    result = run(start, goal, steps=20, rate=0.01)
    np.testing.assert_allclose(result.history["total"], totals, rtol=1e-5)


def test_history_has_every_term_at_the_start_and_after_every_step():
    start, goal = some_images(3), some_images(3, seed=1)
    history = run(start, goal, steps=7).history
    assert set(history) == {"distance", "light", "total"}
    assert all(rows.shape == (8, 3) for rows in history.values())
    np.testing.assert_allclose(history["distance"][0], np.mean((start - goal) ** 2, axis=(1, 2, 3)))
    np.testing.assert_allclose(history["total"], history["distance"] + history["light"])


@pytest.mark.parametrize("parametrization", [Pixels(), Fourier(), Deformation()], ids=repr)
@pytest.mark.parametrize("rate", [0.05, 5.0])
def test_the_best_image_visited_is_kept(parametrization, rate):
    start, goal = some_images(5), some_images(5, seed=1)
    result = run(start, goal, parametrization, steps=30, rate=rate)
    terms = distance_to(goal)(result.images)
    kept = terms["distance"] + terms["light"]
    np.testing.assert_allclose(kept, np.min(result.history["total"], axis=0), rtol=1e-5)
    assert np.all(kept <= result.history["total"][0])


def test_a_film_from_the_start_to_the_result():
    start, goal = some_images(3), some_images(3, seed=1)
    result = run(start, goal, steps=11, frames=5)
    assert result.film.shape == (5, *start.shape)  # after 0, 3, 6, 9 and 11 steps
    for frame, step in zip(result.film, (0, 3, 6, 9, 11), strict=True):
        terms = distance_to(goal)(frame)
        best = np.min(result.history["total"][: step + 1], axis=0)
        np.testing.assert_allclose(terms["distance"] + terms["light"], best, rtol=1e-5)
    np.testing.assert_array_equal(result.film[0], start)
    np.testing.assert_array_equal(result.film[-1], result.images)
    assert run(start, goal, steps=3, frames=40).film.shape == (4, *start.shape)


@pytest.mark.parametrize("parametrization", [Pixels(), Fourier(), Deformation()], ids=repr)
def test_three_steps_improve_every_image(parametrization):
    history = run(some_images(5), some_images(5, seed=1), parametrization, 3, 0.01).history
    assert np.all(history["total"][-1] < history["total"][0])


def test_nothing_but_the_start_is_kept_when_the_objective_breaks():
    start = some_images(2)
    broken = tf.function(
        lambda x: descend(
            lambda images: {
                "odd": tf.where(tf.reduce_any(images != x, [1, 2, 3]), float("nan"), 1.0)
                + tf.reduce_mean(images, [1, 2, 3])
            },
            x,
            Pixels(),
            steps=3,
            learning_rate=0.1,
        )
    )
    np.testing.assert_array_equal(broken(tf.constant(start)).images, start)


@pytest.mark.parametrize(("count", "limit"), [(1, 1), (5, 2), (10, 4), (196, 256), (7, 3), (6, 6)])
def test_batches_have_one_size_and_cover_everything(count, limit):
    found = list(batches(count, limit))
    assert len({len(index) for index in found}) == 1
    assert len(found[0]) <= limit
    np.testing.assert_array_equal(np.concatenate(found)[:count], np.arange(count))
    assert sum(map(len, found)) - count < len(found[0])  # no batch of repetitions only


def test_descending_in_batches_is_descending_at_once():
    start, goal = some_images(7), some_images(7, seed=1)
    parts = descend_in_batches(lambda i: run(start[i], goal[i], steps=10), 7, limit=3)
    at_once = run(start, goal, steps=10)
    np.testing.assert_allclose(parts.images, at_once.images, atol=1e-6)
    np.testing.assert_allclose(parts.history["total"], at_once.history["total"], rtol=1e-5)
    np.testing.assert_allclose(parts.film, at_once.film, atol=1e-6)


def test_steps_are_shorter_while_half_of_the_images_get_nowhere():
    """By hand: three images that move at rates of 1, 0.1 and 0.01 or less, and one that is done."""
    works_at = np.array([1.0, 0.1, 0.01])
    tried = []

    def at_rate(rate):
        tried.append(rate)
        after = np.append(np.where(rate <= works_at * 1.001, 0.1 + rate / 10, 2.0), 0.0)
        images = np.full((4, 2, 2, 1), rate)
        return images, {"total": np.stack([np.array([1.0, 1.0, 1.0, 0.0]), after])}

    images, history = as_slow_as_needed(at_rate, 1.0)
    np.testing.assert_allclose(tried, [1.0, 0.1])  # two of three are stuck, then one of three
    np.testing.assert_allclose(images[:, 0, 0, 0], [1.0, 0.1, 0.1, 1.0])  # the third has not moved
    np.testing.assert_allclose(history["total"][1], [0.2, 0.11, 2.0, 0.0])


@pytest.mark.parametrize(("stuck", "expected"), [(1.0, [0.03, 0.003, 0.0003]), (0.9, [0.03])])
def test_steps_are_shortened_twice_at_most_and_never_without_need(stuck, expected):
    tried = []

    def at_rate(rate):
        tried.append(rate)
        return np.zeros((3, 2, 2, 1)), {"total": np.array([[1.0] * 3, [stuck] * 3])}

    as_slow_as_needed(at_rate, 0.03)
    np.testing.assert_allclose(tried, expected)
