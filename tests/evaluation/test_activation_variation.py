import dataclasses

import numpy as np
import oracles
import pytest

from keras_filtergan.evaluation import evaluate
from keras_filtergan.evaluation.metrics import activations as module


def test_variation_is_the_ratio_of_two_variances_unit_by_unit(subject):
    maps = oracles.all_activations(subject, 20)
    real = oracles.activations(subject, subject.target.kernel).astype("float64")
    over_latents = over_images = 0.0
    for unit in np.ndindex(maps.shape[2:]):
        of_images = [np.var(maps[:, x, *unit], ddof=1) for x in range(maps.shape[1])]
        over_latents += np.mean(of_images)
        over_images += np.var(real[:, *unit], ddof=1)
    card = evaluate(subject, ["activation_variation"])
    assert card["activation_variation"] == pytest.approx(over_latents / over_images, rel=1e-4)
    assert card["taken_over"]["activation_variation"] == {"latents": 20, "images": 40}


def test_variation_is_estimated_without_bias(affine):
    """For kernels W + z₀A + z₁B, V_z = ‖conv(x, A)‖² + ‖conv(x, B)‖² exactly."""
    real = affine.target.kernel.numpy()
    zero, one, two = affine.kernels(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "float32"))
    base = oracles.activations(affine, zero)
    exact = sum(np.square(oracles.activations(affine, k) - base).mean(0).sum() for k in (one, two))
    exact /= oracles.activations(affine, real).var(axis=0, ddof=1).sum()
    seeds = [dataclasses.replace(affine, seed=seed) for seed in range(40)]
    values = [module.activation_variation(subject).value for subject in seeds]
    error = np.std(values) / np.sqrt(len(values))
    assert np.mean(values) == pytest.approx(exact, abs=3 * error)


def test_bias_is_the_squared_distance_of_the_mean_activation(subject, monkeypatch):
    monkeypatch.setattr(module, "BIAS_LATENTS", 30)
    mean = oracles.all_activations(subject, 30).mean(axis=0)
    real = oracles.activations(subject, subject.target.kernel).astype("float64")
    expected = np.square(mean - real).mean(axis=0).sum() / real.var(axis=0, ddof=1).sum()
    card = evaluate(subject, ["activation_bias"])
    assert card["activation_bias"] == pytest.approx(expected, rel=1e-4)
    assert card["taken_over"]["activation_bias"] == {"latents": 30, "images": 40}


def test_variation_about_the_real_kernels_is_no_bias(affine):
    card = evaluate(affine, ["activation_variation", "activation_bias"])
    assert card["activation_bias"] < 0.01 * card["activation_variation"]


def test_memorised_kernels_have_neither(memorising):
    card = evaluate(memorising, ["activation_variation", "activation_bias"])
    assert card["activation_variation"] == pytest.approx(0.0, abs=1e-9)
    assert card["activation_bias"] == pytest.approx(0.0, abs=1e-9)


def test_both_are_taken_over_the_first_images_only(subject, monkeypatch):
    monkeypatch.setattr(module, "IMAGES", 10)
    real = oracles.activations(subject, subject.target.kernel)[:10].astype("float64")
    expected = real.var(axis=0, ddof=1).sum()
    assert module.variance_over_images(subject) == pytest.approx(expected, rel=1e-5)
    card = evaluate(subject, ["activation_variation", "activation_bias"])
    assert {counts["images"] for counts in card["taken_over"].values()} == {10}
