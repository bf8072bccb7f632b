"""The natural metrics on changes that were made to have the answer."""

import dataclasses

import numpy as np
import oracles
import pytest
import tensorflow as tf

from keras_filtergan.classifiers.natural import (
    NaturalCoordinates,
    channel_standard,
    main_directions,
)
from keras_filtergan.evaluation import evaluate
from keras_filtergan.evaluation.metrics import critic, natural_critic
from keras_filtergan.generators.kernel_source import KernelFunction

RANDOM = np.random.default_rng(3)
NAMES = ["natural_share", "natural_coverage", "discriminant"]


def classes_along(axes, n=60, units=12):
    """Activations of three classes whose members differ along some axes, most along the first."""
    labels = np.arange(n) % 3
    means = RANDOM.normal(0, 5, (3, units))
    spread = np.zeros(units)
    spread[list(axes)] = 2.0 ** -np.arange(len(axes))
    return means[labels] + spread * RANDOM.normal(size=(n, units)), labels


def test_directions_are_those_in_which_a_class_varies():
    rows, labels = classes_along((4, 7))
    found = NaturalCoordinates.fit(rows, labels, rank=5)
    assert (found.rank, found.within_classes) == (2, True)
    kept = np.zeros(12)
    kept[[4, 7]] = 1
    np.testing.assert_allclose(found.directions @ found.directions.T, np.diag(kept), atol=1e-5)
    assert found.share == pytest.approx(1.0)
    first = NaturalCoordinates.fit(rows, labels, rank=1)
    residuals = rows - np.stack([rows[labels == k].mean(0) for k in range(3)])[labels]
    strengths = np.linalg.svd(residuals, compute_uv=False)
    assert first.share == pytest.approx(strengths[0] ** 2 / np.sum(strengths**2))
    assert first.spread == pytest.approx(strengths[0] / np.sqrt(60))


@pytest.mark.parametrize("shape", [(40, 70), (70, 40), (700, 900), (900, 700)], ids=str)
def test_main_directions_are_the_first_right_singular_vectors(shape):
    """By NumPy's SVD, of few and of many rows, which are looked at in another way."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=shape) * np.linspace(3, 0.5, shape[1])
    rows[:, :5] += 8 * rng.normal(size=(shape[0], 5)) * np.arange(5, 0, -1)
    directions, lengths = main_directions(rows, 5)
    _, expected, vectors = np.linalg.svd(rows, full_matrices=False)
    np.testing.assert_allclose(lengths, expected[:5], rtol=1e-6)
    np.testing.assert_allclose(np.abs(np.sum(directions.T * vectors[:5], axis=1)), 1, atol=1e-5)
    assert np.all(directions[np.argmax(np.abs(directions), axis=0), range(5)] > 0)


def test_directions_of_many_rows_that_span_little_are_no_more_than_these():
    rows = np.outer(np.random.default_rng(0).normal(size=900), np.arange(700.0))
    directions, lengths = main_directions(rows, 10)
    assert directions.shape == (700, 1)
    assert lengths == pytest.approx([np.linalg.norm(rows)])


def test_shares_of_changes_along_across_and_between():
    found = NaturalCoordinates.fit(*classes_along((4, 7)), rank=2)
    axes = np.eye(12)
    assert found.share_of(axes[[4]] - 3 * axes[[7]]) == pytest.approx(1.0, abs=1e-5)
    assert found.share_of(axes[[0]]) == pytest.approx(0.0, abs=1e-5)
    assert found.share_of(2 * axes[[4]] + axes[[0]]) == pytest.approx(4 / 5, abs=1e-5)


def test_without_two_images_of_a_class_the_mean_of_all_stands_for_it():
    rows = RANDOM.normal(size=(20, 12)) * (np.arange(12) < 2)
    found = NaturalCoordinates.fit(rows, np.arange(20), rank=2)
    assert not found.within_classes
    expected = np.linalg.svd(rows - rows.mean(0), full_matrices=False)[2][:2]
    np.testing.assert_allclose(
        found.directions @ found.directions.T, expected.T @ expected, atol=1e-5
    )


def test_a_class_of_one_image_says_nothing():
    rows, labels = classes_along((4, 7))
    alone = np.append(labels, 9), np.vstack([rows, RANDOM.normal(size=12)])
    with_it = NaturalCoordinates.fit(alone[1], alone[0], rank=2)
    without = NaturalCoordinates.fit(rows, labels, rank=2)
    for one, other in zip(with_it.directions.T, without.directions.T, strict=True):
        assert abs(one @ other) == pytest.approx(1.0, abs=1e-5)


def test_channels_that_are_off_are_not_blown_up():
    mean, variance = np.zeros((2, 2, 2)), np.stack([np.full((2, 2), 4.0), np.zeros((2, 2))], -1)
    np.testing.assert_allclose(channel_standard(mean, variance)[1], [4.0, 0.01 * 2.0])


def test_metrics_by_hand(affine):
    """W + z₀ A + z₁ B: both changes of each image are convolutions that are known."""
    subject = dataclasses.replace(affine, discriminator=None)
    view, count = subject.view, 20

    def under(kernels):
        return oracles.activations(subject, kernels)

    real = under(subject.target.kernel)  # (40, h, w, c)
    training = subject.dataset.x_train[:2000] / np.float32(255)
    maps = subject.target.activations(subject.target.features(training)).numpy()
    scale = maps.std(axis=(0, 1, 2))
    latents = subject.latents(2 * count)
    kernels = [np.asarray(subject.kernels(latents[i::2])) for i in (0, 1)]
    changes = np.stack([under(kernels[0][i])[i] - under(kernels[1][i])[i] for i in range(count)])
    changes = (changes / scale).reshape(count, -1)
    held = ((real - maps.mean(axis=(0, 1, 2))) / scale)[count:].reshape(count, -1)
    labels = subject.labels[count:]
    means = {k: held[labels == k].mean(0) for k in np.unique(labels)}
    residuals = held - np.stack([means[k] for k in labels])
    rank = view.natural.rank
    directions = np.linalg.svd(residuals, full_matrices=False)[2][:rank]
    of_changes = np.linalg.svd(changes, full_matrices=False)[2][:rank]
    between = np.stack(list(means.values()))
    between = np.square((between - between.mean(0)) @ changes.T).mean(0).sum()
    expected = {
        "natural_share": np.square(changes @ directions.T).sum() / np.square(changes).sum(),
        "natural_coverage": np.square(residuals @ of_changes.T).sum() / np.square(residuals).sum(),
        "discriminant": between / np.square(residuals @ changes.T).mean(0).sum(),
    }
    card = evaluate(subject, NAMES)
    for name in NAMES:
        assert card[name] == pytest.approx(expected[name], rel=1e-3), name
    assert card["taken_over"]["natural_share"] == {"latents": 40, "images": 20, "directions": rank}


def test_other_images_of_a_class_are_more_natural_than_noise(trained_subject):
    real = trained_subject.target.kernel.numpy()
    noise = RANDOM.normal(0, 1, (3, *real.shape)).astype("float32")
    noisy = dataclasses.replace(
        trained_subject, kernels=KernelFunction(lambda z: real + np.tensordot(z, noise, 1), 3)
    )
    card = evaluate(noisy, ["natural_share", "natural_share_of_images"])
    assert 0 < card["natural_share"] < card["natural_share_of_images"] <= 1


def test_the_critic_of_natural_coordinates_is_blind_to_the_rest(trained_subject, monkeypatch):
    monkeypatch.setattr(critic, "STEPS", 60)
    view = trained_subject.view
    network = natural_critic.build_natural_critic(trained_subject)
    network.layers[-1].set_weights([RANDOM.normal(size=(64, 1)), np.zeros(1)])
    maps = oracles.activations(trained_subject, trained_subject.target.kernel)[:4]
    directions = view.training_natural.directions
    change = RANDOM.normal(size=(4, len(directions))).astype("float32")
    along = change @ directions @ directions.T
    deviation = np.sqrt(view.standard[1])

    def answer(rows):
        return np.ravel(network(maps + rows.reshape(maps.shape) * deviation))

    np.testing.assert_allclose(answer(change - along), answer(0 * change), atol=1e-3)
    assert np.abs(answer(along) - answer(0 * change)).min() > 1e-2


def test_images_that_are_moved_are_what_the_real_kernels_see(trained_subject):
    """Against images moved by NumPy, their border repeated outward."""
    count, side = 30, 3
    images = trained_subject.dataset.x_test[:count].astype("float32") / 255
    latents = RANDOM.normal(size=(count, 4)).astype("float32")
    seen = natural_critic.moved_images(trained_subject, 2)(tf.constant(images), latents)
    padded = np.pad(images, ((0, 0), (side, side), (side, side), (0, 0)), "edge")
    h, w = images.shape[1:3]
    moves = [(y, x) for y in (-2, 0, 2) for x in (-2, 0, 2) if (y, x) != (0, 0)]
    kernel = trained_subject.target.kernel
    candidates = [
        oracles.activations(trained_subject, kernel, padded[:, side + y :, side + x :][:, :h, :w])
        for y, x in moves
    ]
    distances = np.array([np.abs(c - seen).max(axis=(1, 2, 3)) for c in candidates])
    assert distances.min(axis=0).max() < 1e-4
    assert len(set(distances.argmin(axis=0))) > 4  # in many directions


def test_the_critic_tells_images_that_are_moved_from_those_that_are_not(
    trained_subject, monkeypatch
):
    monkeypatch.setattr(critic, "STEPS", 60)
    monkeypatch.setattr(natural_critic, "PIXELS", (0, 1))
    said = evaluate(trained_subject, ["natural_critic_of_images"])["natural_critic_of_images"]
    assert said["moved_0"] == 0.5  # the same activations twice, once said to be real
    assert 0.8 < said["moved_1"] <= 1
