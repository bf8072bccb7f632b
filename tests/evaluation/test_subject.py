import dataclasses

import numpy as np
import oracles

from keras_filtergan.evaluation import frozen_view
from keras_filtergan.generators.kernel_source import KernelFunction


def test_latents_are_one_sequence_of_the_seed(subject, memorising):
    assert subject.latents(5).shape == (5, 3)
    np.testing.assert_array_equal(subject.latents(5), subject.latents(50)[:5])
    np.testing.assert_array_equal(subject.latents(5), memorising.latents(5))
    many = subject.latents(4000)
    np.testing.assert_allclose(many.mean(), 0.0, atol=0.03)
    np.testing.assert_allclose(many.std(), 1.0, atol=0.03)


def test_batches_are_the_features_of_all_test_images_in_order(subject, monkeypatch):
    monkeypatch.setattr(frozen_view, "BATCH", 16)
    whole = subject.target.prefix(oracles.images(subject)).numpy()
    batches = list(subject.batches())
    assert [rows for _, rows in batches] == [slice(0, 16), slice(16, 32), slice(32, 40)]
    np.testing.assert_allclose(
        np.concatenate([features[0] for features, _ in batches]), whole, atol=1e-5
    )
    assert [rows for _, rows in subject.batches(20)] == [slice(0, 16), slice(16, 20)]
    assert [rows for _, rows in subject.batches(900)][-1] == slice(32, 40)


def test_mean_kernels_act_as_the_mean_of_the_activations(subject):
    expected = oracles.all_activations(subject, 45).mean(axis=0)  # more than one chunk
    maps = oracles.activations(subject, subject.mean_kernels(45))
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-4)


def test_generate_gives_each_image_the_kernels_of_its_own_latent(subject):
    features, rows = next(subject.batches(4))
    latents = subject.latents(4)
    maps = subject.generate(features, latents)
    for i in range(4):
        one = oracles.activations(subject, subject.kernels(latents[i : i + 1])[0])
        np.testing.assert_allclose(maps[i], one[rows][i], rtol=1e-4, atol=1e-4)


def test_other_kernels_leave_the_subject_as_it_is(subject):
    other = subject.with_kernels(KernelFunction(lambda latents: latents, 3))
    assert other.discriminator is None
    assert other.target is subject.target
    assert other.seed == subject.seed
    assert subject.discriminator is not None


def test_the_view_is_shared_by_subjects_of_one_network_and_one_data_set(
    subject, trained_target, dataset
):
    assert subject.with_kernels(KernelFunction(lambda latents: latents, 3)).view is subject.view
    assert dataclasses.replace(subject, seed=8).view is subject.view
    other = dataclasses.replace(subject, target=trained_target)
    assert other.view.target is trained_target
    cut = dataclasses.replace(dataset, x_test=dataset.x_test[:5], y_test=dataset.y_test[:5])
    other = dataclasses.replace(subject, dataset=cut)
    assert other.view.dataset is cut
    assert len(other.view.features[0]) == 5
