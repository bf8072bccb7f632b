"""Where augmentations lead, by hand and on a network with known kernels."""

import importlib
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.data import ImageDataset

conditions = importlib.import_module("few_labels_conditions")
directions = importlib.import_module("few_labels_directions")

Condition = conditions.Condition


def test_discriminant_by_hand():
    """Class means (±2, 0), within classes ±1 along the second axis and ±0.5 along the first."""
    noise = np.array([[0.5, 1.0], [0.5, -1.0], [-0.5, 1.0], [-0.5, -1.0]])
    activations = np.concatenate([noise + np.array([2, 0]), noise - np.array([2, 0])])
    labels = np.array([3, 3, 3, 3, 7, 7, 7, 7])
    along, across = np.array([[3.0, 0.0]]), np.array([[0.0, 0.1]])
    assert directions.discriminant(along, activations, labels) == pytest.approx(4 / 0.25)
    assert directions.discriminant(across, activations, labels) == pytest.approx(0)
    both = np.concatenate([along, 3 / 0.1 * across])  # of one length: (9·4 + 0) / (9·0.25 + 9·1)
    assert directions.discriminant(both, activations, labels) == pytest.approx(4 / 1.25)


def test_captured_is_a_share_of_squares():
    plane = np.array([[2.0, 0, 0], [0, 3.0, 0], [0, 0, 0.1]])  # main directions: x and y
    values = np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 1.0]])
    assert directions.captured(values, plane, rank=2) == pytest.approx((1 + 4) / (1 + 4 + 4 + 1))
    assert directions.captured(plane[:2], plane, rank=2) == pytest.approx(1)


def test_same_class_pairs_each_image_with_another_of_its_class():
    labels = np.array([0, 1, 0, 1, 1])
    activations = np.array([[0.0], [10.0], [1.0], [12.0], [15.0]])
    differences = directions.same_class(activations, labels)
    np.testing.assert_allclose(differences[:, 0], [1, 2, -1, 3, -5])


@pytest.fixture
def trained(target):
    def generator(latents):  # of one direction of kernels
        scale = latents[:, :1, None, None, None]
        return target.kernel + scale * tf.ones_like(target.kernel)

    generator.latent_dim = 1
    return SimpleNamespace(target=target, generator=generator, transformation=None)


def test_changes_are_what_the_drawn_kernels_add(trained):
    """A kernel added to the real one adds its own convolution: here, sums over patches."""
    target = trained.target
    images = np.random.default_rng(0).integers(0, 256, (3, *target.image_shape), "uint8")
    moved = directions.changes(Condition("one direction", "generated"), trained, 0.1, images)
    features = target.features(images.astype("float32") / 255)[0]
    ones = tf.nn.conv2d(features, tf.ones_like(target.kernel), 1, "SAME")
    ones = ones.numpy().reshape(3, -1)
    factors = (moved * ones).sum(axis=1) / np.square(ones).sum(axis=1)
    np.testing.assert_allclose(moved, factors[:, None] * ones, atol=1e-4)
    assert len(np.unique(factors)) == 3  # drawn anew for each image
    again = directions.changes(Condition("one direction", "generated"), trained, 0.1, images)
    np.testing.assert_array_equal(moved, again)


def test_what_one_would_wish_for_covers_more_than_noise(trained, monkeypatch):
    """Classes that differ by brightness along one pattern, images within by another's strength."""
    random = np.random.default_rng(1)
    shape = trained.target.image_shape
    patterns = random.random((2, *shape))
    labels = np.arange(40) % 2
    strengths = random.random((40, 1, 1, 1))
    images = 60 * patterns[0] * (1 + labels[:, None, None, None]) + 120 * strengths * patterns[1]
    images = images.astype("uint8")
    classes = ImageDataset("two", images, labels, images, labels, ("a", "b"))
    monkeypatch.setattr(directions, "COUNT", 20)
    monkeypatch.setattr(directions, "noise_scale", lambda trained: 0.1)
    noise = (Condition("noise", "noise"),)
    found = directions.measured(trained, classes, noise, rank=3)
    assert found["same class"]["natural"] > 0.9 > found["noise"]["natural"]
    assert found["same class"]["coverage"] > 0.9
    table = directions.table_of({"old": found, "new": found}).splitlines()
    assert [line.count("|") for line in table] == [2 + 4 * 2] * 4
