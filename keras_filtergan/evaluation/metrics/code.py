"""Can the code be read off the activations, and how much of it do they carry?

What is asked depends on how the generator was trained. By `infogan`, Q reads the latent off one
activation. By `natural`, it reads the step between two latents of an image that differ in one
dimension off the change of the activation (`ChangeReader`).
"""

import math

import numpy as np

from keras_filtergan.data import randomness
from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject


@metric(needs=("discriminator",))
def code_r2(subject: Subject) -> Measurement:
    """R² of Q's answers about test activations, at the noise it was trained with.

    1 − Σ‖Q − asked‖² / Σ‖asked − mean(asked)‖², with one latent, or one step, an image.
    """
    asked, errors, _ = code_errors(subject)
    spread = np.square(asked - asked.mean(axis=0)).sum(dtype="float64")
    value = 1.0 - np.square(errors).sum(dtype="float64") / spread
    return Measurement(float(value), {"latents": len(asked), "images": len(asked)})


@metric(needs=("discriminator",))
def code_information(subject: Subject) -> Measurement:
    """A lower bound of the information that Q reads off a noisy activation, in nats.

    −½ Σ_i ln(E(Q_i − asked_i)² / Var asked_i) over latent dimensions i, each where it was asked
    for, not below 0 for any of them: what a Gaussian guess around Q's answer knows of a Gaussian
    latent, at the noise of training.

    Reference:
        Chen et al. (2016), InfoGAN, equation 4; for a Gaussian guess it is this.
    """
    asked, errors, moved = code_errors(subject)
    value = 0.0
    for i in range(asked.shape[1]):
        rows = moved[:, i]
        share = np.mean(np.square(errors[rows, i])) / np.var(asked[rows, i])
        value -= 0.5 * np.log(min(share, 1.0))
    return Measurement(float(value), {"latents": len(asked), "images": len(asked)})


def code_errors(subject: Subject) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What Q is asked for each test image, by how much it misses that, and what moved.

    Returns:
        Latents or steps, errors, and booleans where a dimension was moved, all `(n, d)`.
    """
    latents = subject.latents(len(subject.labels))
    generator = randomness.stream(subject.seed, randomness.CODE_NOISE)
    if subject.reader is None:
        return latents, _latent_errors(subject, latents, generator), np.ones(latents.shape, bool)
    moved = np.eye(subject.latent_dim, dtype=bool)[np.arange(len(latents)) % subject.latent_dim]
    origins = np.where(moved, np.roll(latents, 1, axis=0), latents)
    steps = (latents - origins) / np.float32(math.sqrt(2.0))
    return steps, _steps_read(subject, latents, origins, generator) - steps, moved


def _latent_errors(
    subject: Subject, latents: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    errors, judge = np.empty_like(latents), subject.discriminator
    assert judge is not None  # the metric needs one
    for features, rows in subject.batches():
        maps = judge.standardize(subject.generate(features, latents[rows]))
        noise = generator.standard_normal(maps.shape).astype("float32")
        _, codes = judge(maps + subject.code_noise * noise)
        errors[rows] = codes - latents[rows]
    return errors


def _steps_read(
    subject: Subject, latents: np.ndarray, origins: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    read, judge, reader = np.empty_like(latents), subject.discriminator, subject.reader
    assert judge is not None  # the metric needs one
    assert reader is not None
    for features, rows in subject.batches():
        here, there = (
            judge.standardize(subject.generate(features, ends[rows])) for ends in (latents, origins)
        )
        coordinates = reader.coordinates((here - there) / math.sqrt(2.0))
        noise = generator.standard_normal(coordinates.shape).astype("float32")
        read[rows] = reader.read(coordinates + subject.code_noise * noise)
    return read
