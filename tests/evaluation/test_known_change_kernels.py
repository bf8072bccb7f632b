import numpy as np
import pytest
from scipy.special import softmax

from keras_filtergan.classifiers.kernel_regression import KernelRegression
from keras_filtergan.evaluation import evaluate
from keras_filtergan.evaluation.known_change_kernels import CHANGES, KnownChangeKernels
from keras_filtergan.images.known_changes import known_changes


@pytest.fixture(scope="module")
def images(dataset):
    return dataset.x_test[:60] / np.float32(255)


@pytest.fixture(scope="module")
def oracle(trained_target, dataset):
    return KnownChangeKernels.fit(trained_target, dataset, latent_dim=3)


def unexplained(target, images, change, kernels) -> float:
    """Share of the change of activations that a change of kernels leaves, at its best size."""
    maps = target.activations(target.features(images)).numpy()
    moved = target.activations(target.features(change(images))).numpy() - maps
    made = target.activations(target.features(images), target.kernel + kernels).numpy() - maps
    size = np.sum(made * moved) / np.sum(made**2)
    return np.sum((moved - size * made) ** 2) / np.sum(moved**2)


def test_each_latent_makes_its_own_change_of_held_out_images(trained_target, oracle, images):
    changes = known_changes(trained_target.image_shape)
    for i, name in enumerate(CHANGES[:3]):
        left = [
            unexplained(trained_target, images, changes[name], kernels)
            for kernels in oracle.changes
        ]
        assert left[i] == min(left)
        assert left[i] < 0.9


def test_the_answer_is_kept_better_than_by_the_regression_alone(trained_target, oracle, images):
    """Of both signs, at the size of the change itself: KL to the real answer, by NumPy."""
    target, change = trained_target, known_changes(trained_target.image_shape)[CHANGES[0]]
    features = target.features(images)
    maps = target.activations(features)
    moved = target.activations(target.features(change(images))) - maps
    regression = KernelRegression(target)
    regression.add(features[0], [moved])
    nearest = regression.solve()[0]
    size = np.sqrt(np.mean(moved.numpy() ** 2))  # the oracle's changes have size 1

    def divergence(kernels):
        p, q = (
            softmax(target.log_probabilities(one, features).numpy() / 3, axis=-1)
            for one in (maps, target.activations(features, target.kernel + kernels))
        )
        return np.mean(np.sum(p * np.log(p / q), axis=-1))

    lost = [
        sum(divergence(sign * kernels) for sign in (1, -1))
        for kernels in (size * oracle.changes[0], nearest)
    ]
    assert lost[0] < lost[1]


def test_latents_add_up_and_the_amount_scales(oracle):
    kernels = oracle(np.array([[1.0, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]])) - oracle.real
    np.testing.assert_allclose(kernels[0] + kernels[1], kernels[2], atol=1e-5)
    np.testing.assert_allclose(kernels[3], 0, atol=1e-6)
    twice = oracle.times(2.0)(np.array([[1.0, 0, 0]])) - oracle.real
    np.testing.assert_allclose(twice[0], 2 * kernels[0], rtol=1e-4, atol=1e-6)


def test_dimensions_beyond_the_known_changes_move_nothing(trained_target, dataset, monkeypatch):
    monkeypatch.setattr("keras_filtergan.evaluation.known_change_kernels.STEPS", 1)
    made = KnownChangeKernels.fit(trained_target, dataset, latent_dim=len(CHANGES) + 2)
    assert made.latent_dim == len(CHANGES) + 2
    assert not made.changes[len(CHANGES) :].any()
    assert np.abs(made.changes[: len(CHANGES)]).max(axis=(1, 2, 3, 4)).min() > 0


def test_it_is_judged_as_every_source_is(trained_subject, oracle):
    card = evaluate(
        trained_subject.with_kernels(oracle.times(0.2)), ["swapped_accuracy", "natural_share"]
    )
    assert 0 < card["natural_share"] < 1
    assert card["swapped_accuracy"]["mean"] > 0.5
