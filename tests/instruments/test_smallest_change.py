"""In fewer attacks, the same smallest changes: the oracle is the bisection of each image."""

import types

import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.instruments.adversarial.attacker import Attacker
from keras_filtergan.instruments.adversarial.projected_gradient import L2, NORMS, ProjectedGradient
from keras_filtergan.instruments.adversarial.smallest_change import HALVINGS, median_change, refined

SHAPE = (5, 5, 1)
RADII = {"l2": np.linspace(0, 0.16, 5), "linf": np.linspace(0, 0.04, 5)}


def bent(images):
    """A network of two layers whose margins are no straight lines."""
    draw = np.random.default_rng(0)
    hidden, last = draw.normal(size=(25, 12)), draw.normal(size=(12, 3))
    flat = tf.reshape(images, [-1, 25]) - 0.5
    return tf.tanh(flat @ tf.constant(2 * hidden, tf.float32)) @ tf.constant(last, tf.float32)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).uniform(0.2, 0.8, (40, *SHAPE)).astype("float32")


@pytest.fixture(scope="module")
def labels(images):
    answers = np.argmax(bent(images), axis=1)
    answers[:3] = (answers[:3] + 1) % 3  # that it gets wrong as they are
    return answers


class Counted:
    """An attacker that counts the images it attacks."""

    def __init__(self, attacker):
        self.attacker, self.attacked = attacker, 0

    def __getattr__(self, name):
        return getattr(self.attacker, name)

    def __call__(self, images, *rest, **options):
        self.attacked += len(images)
        return self.attacker(images, *rest, **options)


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
def test_as_small_as_by_bisection_and_in_fewer_attacks(norm, images, labels):
    attacker = Counted(Attacker(bent, ProjectedGradient(norm, steps=20)))
    radii = RADII[norm.name]
    curve = attacker.curve(images, labels, radii)
    attacker.attacked = 0
    sizes, pictures = refined(attacker, images, labels, radii, curve)
    # of 7 attacks an image that a bisection takes; those beyond the last radius are bisected
    never = ~curve.misled.any(axis=0)
    assert 0 < never.sum() < 20
    assert attacker.attacked - 7 * never.sum() < 4 * np.sum(~never)
    assert sizes[:3].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(pictures[:3], images[:3])

    above = np.argmax(curve.misled, axis=0)
    low = np.where(never, radii[-1], radii[np.maximum(above - 1, 0)])
    high = np.where(never, norm.largest(SHAPE), radii[above])
    plain, _ = attacker.smallest_change(images, labels, low, high, HALVINGS)
    limit = (high - low) / 2**HALVINGS
    assert np.all(np.abs(sizes - plain) <= 1.01 * limit + 1e-6)
    assert np.median(np.abs(sizes - plain)) < 0.5 * np.median(limit)
    found = np.isfinite(sizes)
    np.testing.assert_allclose(norm.size(pictures - images)[found], sizes[found], atol=1e-5)
    assert np.all(attacker.margins(pictures, labels)[found] >= 0)


def test_where_no_line_helps_the_rest_is_halved():
    """Margins that jump: from −1 to a million at a threshold of each image."""
    thresholds = np.array([0.13, 0.2501, 0.4999, 0.9, 5.0])

    def attack(images, labels, radius, enough=np.inf):
        pictures = images.copy()
        pictures[:, 0, 0, 0] += radius
        own = images[:, 1, 1, 0].astype("float64")
        return pictures, np.where(radius >= own, 1e6, -1.0).astype("float32")

    images = np.zeros((5, *SHAPE), "float32")
    images[:, 1, 1, 0] = thresholds
    radii = np.array([0.0, 0.25, 0.5, 1.0])
    rows = [attack(images, None, np.full(5, radius)) for radius in radii]
    pictures, margins = (np.stack(column) for column in zip(*rows, strict=True))
    curve = types.SimpleNamespace(pictures=pictures, margins=margins, misled=margins >= 0)

    class Jumping(types.SimpleNamespace):
        __call__ = staticmethod(attack)

    attacker = Jumping(norm=L2(), smallest_change=lambda x, *_: (np.full(len(x), 5.0), x))
    sizes, _ = refined(attacker, images, np.zeros(5, int), radii, curve)
    gap = np.array([0.25, 0.25, 0.25, 0.5])
    assert np.all(sizes[:4] >= thresholds[:4] - 1e-6)
    assert np.all(sizes[:4] <= thresholds[:4] + 1.01 * gap / 2**HALVINGS)
    assert sizes[4] == 5.0  # from beyond the last radius


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
def test_the_median_is_that_of_all_bisections(norm, images, labels):
    attacker = Counted(Attacker(bent, ProjectedGradient(norm, steps=20)))
    median = median_change(attacker, images[:39], labels[:39])
    assert attacker.attacked < 0.9 * 9 * 39
    sizes = attacker.smallest_change(images[:39], labels[:39], halvings=8)[0]
    assert median == pytest.approx(np.median(sizes), abs=1.01 * norm.largest(SHAPE) / 2**8)


def test_medians_of_0_and_of_infinity(images, labels):
    attacker = Attacker(bent, ProjectedGradient(L2(), steps=2))
    assert median_change(attacker, images[:5], labels[:5]) == 0  # three of five are wrong

    def always_0(images):
        return tf.constant([1.0, 0.0]) + 0 * bent(images)[:, :2]

    sure = Attacker(always_0, ProjectedGradient(L2(), steps=2))
    assert median_change(sure, images, np.zeros(40, int), halvings=2) == np.inf
