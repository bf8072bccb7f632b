import dataclasses

import numpy as np
import oracles
import pytest

from keras_filtergan.evaluation import evaluate
from keras_filtergan.evaluation.metrics import critic as module
from keras_filtergan.generators.kernel_source import KernelFunction


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(module, "STEPS", 60)


def shifted(subject, amount):
    """Real kernels scaled by 1 + amount · z₀ …: with amount 0 they are the real ones."""
    real = subject.target.kernel.numpy()
    return dataclasses.replace(
        subject,
        kernels=KernelFunction(
            lambda z: real * (1 + amount * (2 + z[:, :1, None, None, None])), subject.latent_dim
        ),
    )


def test_it_is_right_on_half_of_what_cannot_be_told_apart(memorising):
    card = evaluate(memorising, ["critic_accuracy"])
    assert card["critic_accuracy"] == pytest.approx(0.5, abs=0.02)
    assert card["taken_over"]["critic_accuracy"] == {"latents": 40, "images": 40, "steps": 60}


def test_it_standardises_by_channel(trained_subject, monkeypatch):
    monkeypatch.setattr(module, "ADAPT_IMAGES", 50)
    norm = module.build_critic(trained_subject).layers[0]
    target, images = trained_subject.target, trained_subject.dataset.x_train[:50]
    maps = target.activations(target.features(images / np.float32(255))).numpy()
    np.testing.assert_allclose(np.ravel(norm.mean), maps.mean(axis=(0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(np.ravel(norm.variance), maps.var(axis=(0, 1, 2)), rtol=1e-4)


def test_it_sees_kernels_of_another_strength(trained_subject):
    assert evaluate(shifted(trained_subject, 1.0), ["critic_accuracy"])["critic_accuracy"] > 0.95


def test_it_sees_more_the_larger_the_difference(trained_subject):
    small, large = (
        evaluate(shifted(trained_subject, amount), ["critic_accuracy"])["critic_accuracy"]
        for amount in (0.002, 0.3)
    )
    assert small < 0.7 < large


def test_it_is_counted_image_by_image_on_held_out_images_and_latents(trained_subject, monkeypatch):
    subject = shifted(trained_subject, 0.1)
    critic = module.trained_critic(subject, module.generated_by(subject), module.build_critic)
    monkeypatch.setattr(module, "trained_critic", lambda *_: critic)
    real = oracles.activations(subject, subject.target.kernel)
    verdicts = []
    for i, z in enumerate(subject.latents(40)):
        generated = oracles.activations(subject, subject.kernels(z[None])[0])[i]
        verdicts += [critic(real[i][None])[0, 0] > 0, critic(generated[None])[0, 0] <= 0]
    assert 0.5 < np.mean(verdicts) < 1
    value = evaluate(subject, ["critic_accuracy"])["critic_accuracy"]
    assert value == pytest.approx(np.mean(verdicts), abs=1e-6)


def test_the_latents_it_is_trained_on_are_not_those_it_is_judged_on(trained_subject):
    seen = []

    def kernels(latents):
        seen.append(latents)
        return trained_subject.kernels(latents)

    subject = dataclasses.replace(trained_subject, kernels=KernelFunction(kernels, 3))
    evaluate(subject, ["critic_accuracy"])
    *training, judged = seen
    assert len(training) == 60
    assert {part.shape for part in training} == {(64, 3)}
    everything = np.concatenate(seen)
    assert len(np.unique(everything, axis=0)) == len(everything)
    np.testing.assert_array_equal(judged, subject.latents(40))


def test_it_judges_other_sources_than_kernels(trained_subject):
    """Real activations of other images are real ones, those of negatives are not."""
    target, others = trained_subject.target, trained_subject.dataset.x_train / np.float32(255)
    random = np.random.default_rng(5)

    def real(images, latents):
        return target.activations(target.features(random.choice(others, len(images))))

    def negative(images, latents):
        return target.activations(target.features(1 - images))

    assert module.accuracy_against(trained_subject, real) == pytest.approx(0.5, abs=0.2)
    assert module.accuracy_against(trained_subject, negative) > 0.9


def test_it_standardises_by_the_real_activations(trained_subject):
    critic = module.build_critic(trained_subject)
    target = trained_subject.target
    maps = target.activations(target.features(trained_subject.dataset.x_train / np.float32(255)))
    standard = critic.layers[0](maps).numpy()
    np.testing.assert_allclose(standard.mean(axis=(0, 1, 2)), 0.0, atol=1e-4)
    np.testing.assert_allclose(standard.std(axis=(0, 1, 2)), 1.0, atol=1e-3)


def test_the_seed_decides(trained_subject):
    subject = shifted(trained_subject, 0.1)

    def weights(subject):
        return module.trained_critic(
            subject, module.generated_by(subject), module.build_critic
        ).get_weights()

    first, again, other = (weights(dataclasses.replace(subject, seed=seed)) for seed in (7, 7, 8))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    assert not np.allclose(first[3], other[3], atol=1e-2)
