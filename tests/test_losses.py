import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.gan import losses

REAL = np.array([2.0, -1.0])
FAKE = np.array([0.5, -3.0, 4.0])


def d(logits):
    """D's probability of "real"."""
    return 1.0 / (1.0 + np.exp(-logits))


def test_discriminator_loss_is_the_papers_with_the_sign_turned():
    expected = -np.mean(np.log(d(REAL))) - np.mean(np.log(1 - d(FAKE)))
    assert float(losses.discriminator_loss(REAL, FAKE)) == pytest.approx(expected)


def test_generator_losses_are_the_two_of_goodfellow():
    assert float(losses.saturating(FAKE)) == pytest.approx(np.mean(np.log(1 - d(FAKE))))
    assert float(losses.non_saturating(FAKE)) == pytest.approx(-np.mean(np.log(d(FAKE))))


def test_both_generator_losses_push_logits_up():
    for name in ("saturating", "non_saturating"):
        logits = tf.Variable(FAKE)
        with tf.GradientTape() as tape:
            value = losses.generator_loss(name)(logits)
        assert np.all(tape.gradient(value, logits).numpy() < 0)


def test_a_sure_discriminator_still_teaches_the_non_saturating_generator():
    logits = tf.Variable([-20.0])
    gradients = {}
    for name in ("saturating", "non_saturating"):
        with tf.GradientTape() as tape:
            value = losses.generator_loss(name)(logits)
        gradients[name] = -float(tape.gradient(value, logits)[0])
    assert gradients["saturating"] < 1e-8
    assert gradients["non_saturating"] == pytest.approx(1.0)


def test_unknown_loss():
    with pytest.raises(InputError, match="one of: non_saturating, saturating"):
        losses.generator_loss("hinge")


def test_answer_loss_is_a_divergence_at_temperature_three():
    generator = np.random.default_rng(0)
    real, generated = generator.normal(0, 3, (2, 5, 4)).astype("float32")
    p, q = (scipy.special.softmax(x / 3, axis=1) for x in (real, generated))
    expected = 9 * np.mean(scipy.stats.entropy(p, q, axis=1))
    assert float(losses.answer_loss(real, generated)) == pytest.approx(expected, rel=1e-4)
    assert float(losses.answer_loss(real, real + 2.0)) == pytest.approx(0, abs=1e-6)
