import math

import keras
import pytest
import tensorflow as tf

from keras_filtergan.gan.control import Control


def test_one_step_by_hand():
    control = Control(2.0, goal=0.75, rate=0.02)
    control.update(tf.constant(0.95))
    assert float(control.value) == pytest.approx(2.0 * math.exp(0.02 * 0.2))


def test_it_finds_the_value_at_which_the_goal_is_met():
    control = Control(1.0, goal=0.75, rate=0.1)
    for _ in range(500):  # a discriminator whose accuracy falls with the noise: 1 / (1 + noise)
        control.update(1.0 / (1.0 + control.value))
    assert float(control.value) == pytest.approx(1.0 / 3.0, rel=1e-3)


def test_it_stays_within_its_bounds():
    control = Control(1.0, goal=0.5, rate=1.0, lowest=0.5, highest=2.0)
    for measured, bound in ((1.0, 2.0), (0.0, 0.5)):
        for _ in range(10):
            control.update(tf.constant(measured))
        assert float(control.value) == bound


def test_without_a_goal_it_stays_where_it_is():
    control = Control(3.0, goal=None, rate=1.0)
    control.update(tf.constant(1.0))
    assert float(control.value) == 3.0


def test_it_moves_at_the_pace_that_it_is_given():
    control = Control(3.0, goal=0.5, rate=1.0)
    control.update(tf.constant(1.0), pace=tf.constant(0.0))
    assert float(control.value) == 3.0
    control.update(tf.constant(1.0), pace=tf.constant(0.2))
    assert float(control.value) == pytest.approx(3.0 * math.exp(0.1))


def test_config_round_trip():
    control = Control(3.0, goal=0.4, rate=0.1, lowest=1.0, highest=9.0)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(control))
    assert again.get_config() == control.get_config()
