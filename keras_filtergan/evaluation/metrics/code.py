"""Can the latent be read off the activations, and how much of it do they carry?"""

import numpy as np

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject


@metric(needs=("discriminator",))
def code_r2(subject: Subject) -> Measurement:
    """R² with which Q recovers z from test activations, at the noise it was trained with.

    1 − Σ‖Q(a(x|z)) − z‖² / Σ‖z − mean(z)‖², one latent an image.
    """
    latents, errors = code_errors(subject)
    spread = np.square(latents - latents.mean(axis=0)).sum(dtype="float64")
    value = 1.0 - np.square(errors).sum(dtype="float64") / spread
    return Measurement(float(value), {"latents": len(latents), "images": len(latents)})


@metric(needs=("discriminator",))
def code_information(subject: Subject) -> Measurement:
    """A lower bound of the mutual information between latent and noisy activation, in nats.

    −½ Σ_i ln(E(Q_i − z_i)² / Var z_i) over latent dimensions i, not below 0 for any of them: what
    a Gaussian guess around Q's answer knows of a Gaussian latent, at the noise of training.

    Reference:
        Chen et al. (2016), InfoGAN, equation 4; for a Gaussian guess it is this.
    """
    latents, errors = code_errors(subject)
    shares = np.mean(np.square(errors), axis=0) / np.var(latents, axis=0)  # (d,)
    value = -0.5 * np.sum(np.log(np.minimum(shares, 1.0)))
    return Measurement(float(value), {"latents": len(latents), "images": len(latents)})


def code_errors(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """Latents `(n, d)`, one for each test image, and by how much Q misses them, `(n, d)`."""
    latents = subject.latents(len(subject.labels))
    generator = np.random.default_rng([subject.seed, 0x0153])
    errors = np.empty_like(latents)
    for features, rows in subject.batches():
        maps = subject.discriminator.standardize(subject.generate(features, latents[rows]))
        noise = generator.standard_normal(maps.shape).astype("float32")
        _, codes = subject.discriminator(maps + subject.code_noise * noise)
        errors[rows] = codes - latents[rows]
    return latents, errors
