import dataclasses

import numpy as np
import pytest
from sklearn.metrics import r2_score

from keras_filtergan.evaluation import evaluate


@pytest.fixture
def readable(affine):
    """A code head that was fitted by least squares to latents other than those of the card."""
    discriminator, target = affine.discriminator, affine.target
    latents = np.random.default_rng(1).standard_normal((96, 3)).astype("float32")
    features = target.features(affine.dataset.x_train / np.float32(255))
    maps = target.activations(features, affine.kernels(latents))
    hidden = discriminator.trunk(discriminator.standardize(maps)).numpy()
    ridge = hidden.T @ hidden + 10.0 * np.eye(hidden.shape[1])
    weights = np.linalg.solve(ridge, hidden.T @ latents).astype("float32")
    discriminator.code.set_weights([weights, np.zeros(3, "float32")])
    return dataclasses.replace(affine, code_noise=0.0)


def codes_of(subject):
    """What Q says of each test image under a latent of its own, image by image, noise-free."""
    latents = subject.latents(40)
    codes = []
    for i, image in enumerate(subject.dataset.x_test):
        features = subject.target.features(image[None] / np.float32(255))
        kernels = np.asarray(subject.kernels(latents[i : i + 1]))
        maps = subject.target.activations(features, kernels)
        codes.append(subject.discriminator(subject.discriminator.standardize(maps))[1][0])
    return latents, np.stack(codes)


def test_it_is_the_r2_of_scikit_learn(readable):
    latents, codes = codes_of(readable)
    expected = r2_score(latents.ravel(), codes.ravel())
    # scikit-learn takes one mean of everything, the card one each dimension
    total = np.square(latents - latents.mean()).sum() / np.square(latents - latents.mean(0)).sum()
    expected = 1 - (1 - expected) * total
    assert expected > 0.05
    card = evaluate(readable, ["code_r2"])
    assert card["code_r2"] == pytest.approx(expected, abs=1e-4)
    assert card["taken_over"]["code_r2"] == {"latents": 40, "images": 40}


def test_noise_makes_the_code_harder_to_read(readable):
    clean = evaluate(readable, ["code_r2"])["code_r2"]
    noisy = evaluate(dataclasses.replace(readable, code_noise=4.0), ["code_r2"])["code_r2"]
    assert noisy < clean - 0.05


def test_a_code_head_that_says_nothing_explains_nothing(subject):
    latents = subject.latents(40)  # the head is 0 before training
    expected = 1 - np.square(latents).sum() / np.square(latents - latents.mean(axis=0)).sum()
    assert evaluate(subject, ["code_r2"])["code_r2"] == pytest.approx(expected, abs=1e-5)
