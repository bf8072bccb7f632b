import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.instruments.adversarial.attacker import Attacker
from keras_filtergan.instruments.adversarial.projected_gradient import L2, ProjectedGradient


def linear(images, matrix):
    return tf.reshape(images, [-1, 9]) @ matrix


def matrix(seed):
    draw = np.random.default_rng(seed).normal(size=(9, 3))
    return tf.constant(draw, tf.float32)


@pytest.fixture
def images():
    return np.random.default_rng(3).uniform(size=(20, 3, 3, 1)).astype("float32")


def test_networks_that_differ_in_what_is_given_are_traced_once(images):
    traces = []

    def counted(images, matrix):
        if tf.inside_function():
            traces.append(1)
        return linear(images, matrix)

    labels = np.argmax(linear(images, matrix(0)), axis=1)
    first = Attacker(counted, ProjectedGradient(L2(), steps=3), matrix(0))
    for attacker in (first, first.of(matrix(1)), first.of(matrix(2))):
        attacker.curve(images, labels, np.array([0.0, 0.1, 0.3]))
        attacker(images[:7], labels[:7], np.full(7, 0.2), enough=0.0)
        attacker.smallest_change(images[:11], labels[:11], halvings=1)
    assert len(traces) == 1


def test_each_is_attacked_with_what_it_was_given(images):
    labels = np.argmax(linear(images, matrix(0)), axis=1)
    attack, radius = ProjectedGradient(L2(), steps=5), np.full(20, 0.2)
    first = Attacker(linear, attack, matrix(0))
    other = first.of(matrix(1))
    alone = Attacker(lambda x: linear(x, matrix(1)), attack)
    for found, wanted in zip(
        other(images, labels, radius), alone(images, labels, radius), strict=True
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    np.testing.assert_allclose(other.scores(images), alone.scores(images), atol=1e-5)
    assert not np.allclose(first.scores(images), other.scores(images))


def test_an_attack_that_ends_early_misleads_the_same_images(images):
    visits = tf.Variable(0)

    def counted(images, matrix):
        visits.assign_add(1)
        return linear(images, matrix)

    labels = np.argmax(linear(images, matrix(0)), axis=1)
    attacker = Attacker(counted, ProjectedGradient(L2(), steps=30), matrix(0))
    for radius, most in ((3.0, 15), (0.15, 31)):
        full = attacker(images, labels, np.full(20, radius))[1] >= 0
        visits.assign(0)
        early = attacker(images, labels, np.full(20, radius), enough=0.0)[1] >= 0
        np.testing.assert_array_equal(full, early)
        assert int(visits) <= most
        assert (most == 31) == (not full.all())
