import itertools

import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.instruments.adversarial.attacker import Attacker
from keras_filtergan.instruments.adversarial.projected_gradient import (
    L2,
    NORMS,
    LInf,
    ProjectedGradient,
    margin,
)

SHAPE = (6, 5, 2)
BOTH = pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
DUAL = {"l2": 2, "linf": 1}  # Hölder: the norm that measures the gradient


def weights(classes=4, seed=0):
    return np.random.default_rng(seed).normal(size=(60, classes)).astype("float32")


def linear(matrix):
    return lambda images: tf.reshape(images, [-1, 60]) @ matrix


def some_images(count=24, seed=1):
    """Away from 0 and 1, so that the box does not matter."""
    return np.random.default_rng(seed).uniform(0.4, 0.6, (count, *SHAPE)).astype("float32")


def answers(matrix, images):
    return np.argmax(images.reshape(len(images), -1) @ matrix, axis=1)


def distance_to_the_boundary(matrix, images, order):
    """min over j of (f_i − f_j) / ‖w_i − w_j‖, exact for a linear classifier."""
    flat = images.reshape(len(images), -1)
    distances = []
    for x, own in zip(flat, answers(matrix, images), strict=True):
        others = [j for j in range(matrix.shape[1]) if j != own]
        steps = [matrix[:, own] - matrix[:, j] for j in others]
        distances.append(min(x @ step / np.linalg.norm(step, order) for step in steps))
    return np.array(distances)


@pytest.fixture(scope="module")
def attackers():
    return {name: Attacker(linear(weights()), ProjectedGradient(n)) for name, n in NORMS.items()}


@BOTH
def test_the_smallest_change_of_a_linear_classifier_is_the_distance_to_its_boundary(
    norm, attackers
):
    images = some_images()
    labels = answers(weights(), images)
    exact = distance_to_the_boundary(weights(), images, DUAL[norm.name])
    near = exact < {"l2": 0.35, "linf": 0.3}[norm.name]
    assert near.sum() > 12
    found, pictures = attackers[norm.name].smallest_change(images, labels)
    resolution = norm.largest(SHAPE) / 2**12
    assert np.all(found >= exact * 0.999 - 1e-6)  # no change can be smaller
    np.testing.assert_allclose(found[near], exact[near], rtol=0.03, atol=2 * resolution)
    assert np.all(answers(weights(), pictures)[near] != labels[near])
    np.testing.assert_allclose(norm.size(pictures - images), found, atol=1e-5)


@BOTH
@pytest.mark.parametrize("radius", [0.0, 0.03, 0.5, 20.0])
def test_no_attack_leaves_its_radius_or_the_box(norm, radius, attackers):
    images = np.random.default_rng(2).uniform(size=(20, *SHAPE)).astype("float32")
    images[:5] = np.round(images[:5])  # on the faces of the box
    labels = answers(weights(), images)
    pictures, _ = attackers[norm.name](images, labels, np.full(20, radius))
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    change = (pictures - images).reshape(20, -1)
    sizes = np.linalg.norm(change, {"l2": 2, "linf": np.inf}[norm.name], axis=1)
    assert sizes.max() <= radius + 1e-6


@BOTH
def test_in_the_corner_of_the_box_the_best_change_is_found(norm, attackers):
    """By hand: black images can only become brighter, so only weights above 0 count."""
    images, labels = np.zeros((1, *SHAPE), "float32"), np.array([0])
    matrix = weights(2, seed=3)
    slope = np.maximum(matrix[:, 1] - matrix[:, 0], 0)
    attacker = Attacker(linear(matrix), ProjectedGradient(norm))
    pictures, _ = attacker(images, labels, np.array([0.2]))
    best = {"l2": 0.2 * slope / np.linalg.norm(slope), "linf": 0.2 * (slope > 0)}[norm.name]
    assert pictures.ravel() @ slope == pytest.approx(best @ slope, rel=0.01)


def test_no_part_of_a_step_is_lost_against_the_faces_of_the_box():
    """By hand: the first step has a quarter of the radius, all of it where there is room."""
    matrix = weights(2, seed=3)
    slope = np.maximum(matrix[:, 1] - matrix[:, 0], 0)
    attacker = Attacker(linear(matrix), ProjectedGradient(L2(), steps=1))
    pictures, _ = attacker(np.zeros((1, *SHAPE), "float32"), np.array([0]), np.array([0.2]))
    np.testing.assert_allclose(
        pictures.ravel(), 0.05 * slope / np.linalg.norm(slope), rtol=1e-4, atol=1e-7
    )


@BOTH
def test_the_curve_is_clean_at_0_and_exact_and_falls(norm, attackers):
    images = some_images(40)
    labels = answers(weights(), images)
    labels[:6] = (labels[:6] + 1) % 4  # that the network gets wrong from the beginning
    radii = {"l2": [0.0, 0.05, 0.1, 0.3], "linf": [0.0, 0.005, 0.01, 0.05]}[norm.name]
    curve = attackers[norm.name].curve(images, labels, np.array(radii))
    pictures, misled = curve.pictures, curve.misled
    np.testing.assert_array_equal(misled[0], np.arange(40) < 6)
    np.testing.assert_array_equal(pictures[0], images)
    assert np.all(misled[1:] >= misled[:-1])
    exact = distance_to_the_boundary(weights(), images, DUAL[norm.name])[6:]
    for radius, found in zip(radii[1:], misled[1:, 6:], strict=True):
        assert np.all(found[exact < 0.97 * radius])
        assert not np.any(found[exact > 1.001 * radius])


def test_batches_change_nothing(attackers, monkeypatch):
    images = some_images(7)
    labels = answers(weights(), images)
    radii = np.linspace(0, 0.3, 7)
    at_once, _ = attackers["l2"](images, labels, radii)
    monkeypatch.setattr("keras_filtergan.instruments.adversarial.attacker.BATCH", 3)
    in_parts, _ = attackers["l2"](images, labels, radii)
    np.testing.assert_allclose(at_once, in_parts, atol=1e-5)


def test_margins_by_hand():
    scores = tf.constant([[3.0, 1.0, 2.5], [0.0, -4.0, 5.0], [1.0, 1.0, 0.0]])
    np.testing.assert_allclose(margin(scores, tf.constant([0, 1, 1])), [-0.5, 9.0, 0.0])


def test_projections_are_the_nearest_points():
    generator = np.random.default_rng(0)
    changes = generator.normal(size=(10, *SHAPE)).astype("float32")
    radius = np.linspace(0, 12, 10).astype("float32")
    for norm, order in ((L2(), 2), (LInf(), np.inf)):
        projected = norm.project(changes, radius).numpy().reshape(10, -1)
        flat = changes.reshape(10, -1)
        assert np.all(np.linalg.norm(projected, order, axis=1) <= radius + 1e-5)
        for _ in range(20):  # of other points within the radius none is nearer
            other = generator.normal(size=flat.shape)
            other *= (radius / np.linalg.norm(other, order, axis=1))[:, None]
            assert np.all(
                np.linalg.norm(flat - projected, axis=1)
                <= np.linalg.norm(flat - other, axis=1) + 1e-5
            )


def test_the_steepest_change_has_size_1_and_climbs_most():
    generator = np.random.default_rng(0)
    gradient = generator.normal(size=(5, *SHAPE)).astype("float32") * 1e-25
    for norm, order in ((L2(), 2), (LInf(), 1)):
        steepest = norm.steepest(gradient)
        np.testing.assert_allclose(norm.size(steepest), 1, rtol=1e-5)
        climbed = np.sum(steepest.numpy().astype("float64") * gradient, axis=(1, 2, 3))
        dual = np.linalg.norm(gradient.reshape(5, -1).astype("float64"), order, axis=1)
        np.testing.assert_allclose(climbed, dual, rtol=1e-5)
        np.testing.assert_array_equal(norm.steepest(tf.zeros([2, *SHAPE])), 0)


def test_what_is_refused(attackers):
    images, labels = some_images(2), np.zeros(2, int)
    for radius in (-0.1, np.nan):
        with pytest.raises(InputError, match="radii of at least 0"):
            attackers["l2"](images, labels, np.array([0.1, radius]))
    for radii in ([0.0, 0.2, 0.1], [0.0, 0.1, 0.1], [0.1, 0.2], [-0.1, 0.0], []):
        with pytest.raises(InputError, match="ascending order from 0"):
            attackers["l2"].curve(images, labels, np.array(radii))
    with pytest.raises(InputError, match="at least 1 step"):
        ProjectedGradient(L2(), steps=0)


def test_a_network_that_nothing_misleads():
    sure = Attacker(
        lambda x: (
            tf.stack([tf.ones(tf.shape(x)[0]), tf.zeros(tf.shape(x)[0])], 1)
            + 0.0 * tf.reshape(x, [-1, 60])[:, :2]
        ),
        ProjectedGradient(L2(), steps=2),
    )
    images = some_images(3)
    sizes, pictures = sure.smallest_change(images, np.array([0, 0, 1]), halvings=2)
    assert sizes.tolist() == [np.inf, np.inf, 0]
    assert all(np.isfinite(p).all() for p in itertools.chain(pictures))
