import dataclasses

import numpy as np
import pytest
import scipy.stats

from keras_filtergan.evaluation import evaluate


class Reader:
    """Stands for D and Q: answers with latents that it is told, each off by a known error."""

    def __init__(self, answers):
        self.answers = iter([answers])

    def standardize(self, maps):
        return maps

    def __call__(self, maps):
        return None, next(self.answers)


def test_it_is_the_information_of_a_gaussian_channel(affine):
    """Errors of variance σ² tell ½ ln(1/σ²) nats of each latent, and none where they are larger."""
    latents = affine.latents(40)
    random = np.random.default_rng(0)
    errors = random.standard_normal(latents.shape) * [0.1, 0.5, 3.0]
    reader = Reader((latents + errors).astype("float32"))
    subject = dataclasses.replace(affine, discriminator=reader, code_noise=0.0)
    shares = np.mean(errors**2, axis=0) / latents.var(axis=0)
    assert shares[2] > 1
    prior = [scipy.stats.norm(scale=s).entropy() for s in latents.std(axis=0)]
    left = [scipy.stats.norm(scale=s).entropy() for s in np.sqrt(np.mean(errors**2, axis=0))]
    expected = sum(max(p - q, 0.0) for p, q in zip(prior, left, strict=True))
    card = evaluate(subject, ["code_information"])
    assert card["code_information"] == pytest.approx(expected, rel=1e-4)
    assert card["taken_over"]["code_information"] == {"latents": 40, "images": 40}


def test_a_code_head_that_says_nothing_knows_nothing(subject):
    assert evaluate(subject, ["code_information"])["code_information"] == pytest.approx(0, abs=0.1)
