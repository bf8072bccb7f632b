import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.data import randomness

COUNT, EPOCHS = 37, 3000


@pytest.fixture(scope="module")
def orders():
    places = tf.range(COUNT, dtype=tf.int64)
    epochs = tf.data.Dataset.range(EPOCHS)
    shuffled = epochs.map(lambda epoch: randomness.shuffled(5, epoch, places, COUNT))
    return next(shuffled.batch(EPOCHS).as_numpy_iterator())  # (epochs, count)


def test_each_order_is_a_permutation(orders):
    np.testing.assert_array_equal(np.sort(orders, axis=1), np.tile(np.arange(COUNT), (EPOCHS, 1)))


def check_uniform(observed, freedom):
    """Chi-square within five standard deviations of its mean."""
    expected = observed.sum() / observed.size
    statistic = ((observed - expected) ** 2 / expected).sum()
    assert statistic < freedom + 5 * np.sqrt(2 * freedom)


def test_every_image_is_equally_likely_at_every_place(orders):
    places = [np.bincount(orders[:, place], minlength=COUNT) for place in range(COUNT)]
    check_uniform(np.array(places), (COUNT - 1) ** 2)


def test_every_distance_is_equally_likely_between_neighbours(orders):
    """The test that the cipher's default of 4 rounds fails."""
    distances = np.diff(orders, axis=1) % COUNT
    check_uniform(np.bincount(distances.ravel(), minlength=COUNT)[1:], COUNT - 2)


def test_numbers_are_written_down_once():
    """Resuming after an update of TensorFlow rests on these staying as they are."""
    step = tf.constant(9, tf.int64)
    latent = randomness.normal(3, randomness.LATENT, step, (4,)).numpy()
    np.testing.assert_allclose(latent, LATENT, rtol=1e-5)
    places = tf.range(8, dtype=tf.int64)
    assert randomness.shuffled(3, step, places, 8).numpy().tolist() == ORDER


LATENT = [0.6043727, -1.283378, -0.2021094, -0.8034742]
ORDER = [5, 3, 7, 6, 2, 0, 4, 1]


def test_no_two_purposes_share_numbers():
    numbers = {n: v for n, v in vars(randomness).items() if n.isupper() and n != "ROUNDS"}
    assert len(set(numbers.values())) == len(numbers)
    draws = {tuple(randomness.stream(3, one).integers(0, 2**32, 4)) for one in numbers.values()}
    assert len(draws) == len(numbers)
    assert randomness.stream(3, 1, 5).random() != randomness.stream(3, 1, 6).random()
