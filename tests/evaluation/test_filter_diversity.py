import dataclasses
import math

import numpy as np
import pytest

from keras_filtergan.evaluation import evaluate
from keras_filtergan.generators.kernel_source import KernelFunction

NAMES = ["filter_diversity", "filter_distance"]


def test_both_are_mean_distances_in_units_of_the_real_norm(subject):
    sets = [np.asarray(subject.kernels(z[None]))[0].ravel() for z in subject.latents(20)]
    real = subject.target.kernel.numpy().ravel()

    def distance(a, b):
        return math.sqrt(
            math.fsum((x - y) ** 2 for x, y in zip(a.tolist(), b.tolist(), strict=True))
        )

    norm = distance(real, 0 * real)
    pairs = [distance(sets[i], sets[j]) for i in range(20) for j in range(i)]
    card = evaluate(subject, NAMES)
    assert card["filter_diversity"] == pytest.approx(np.mean(pairs) / norm, rel=1e-5)
    expected = np.mean([distance(one, real) for one in sets]) / norm
    assert card["filter_distance"] == pytest.approx(expected, rel=1e-5)
    assert card["taken_over"] == {name: {"latents": 20} for name in NAMES}


def test_known_kernels_have_known_numbers(subject):
    real = subject.target.kernel.numpy()

    def doubled(latents):  # twice the real kernels, or none, as the sign of z₀ says
        return np.where(latents[:, :1, None, None, None] > 0, 2 * real, 0 * real)

    up = int(np.sum(subject.latents(20)[:, 0] > 0))
    source = KernelFunction(doubled, subject.latent_dim)
    card = evaluate(dataclasses.replace(subject, kernels=source), NAMES)
    assert card["filter_distance"] == pytest.approx(1.0, rel=1e-6)
    assert card["filter_diversity"] == pytest.approx(2 * up * (20 - up) / 190, rel=1e-6)


def test_memorised_kernels_have_neither(memorising):
    card = evaluate(memorising, NAMES)
    assert card["filter_diversity"] == 0.0
    assert card["filter_distance"] == 0.0
