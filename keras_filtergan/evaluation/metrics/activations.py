"""How much the activations move with the latent, and where their average lies."""

import numpy as np

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject

LATENTS = 20
IMAGES = 1000
# A mean over n latents is off by the variation / n on average, which adds to the bias. With this
# many the addition is below any bias that matters; the mean over kernels makes them cheap.
BIAS_LATENTS = 500


@metric()
def activation_variation(subject: Subject) -> Measurement:
    """V_z / V_x: variance over latents relative to variance over images, summed over units.

    V_z = mean over images of Σ_u Var_z a_u(x|z), V_x = Σ_u Var_x a_u(x|W); both unbiased.
    """
    kernel_sets = subject.kernel_sets(LATENTS)
    variance, count = 0.0, 0
    for features, _ in subject.batches(IMAGES):
        maps = np.stack([subject.activate(features, kernels) for kernels in kernel_sets])
        variance += maps.var(axis=0, ddof=1).sum(dtype="float64")
        count += maps.shape[1]
    value = variance / count / variance_over_images(subject)
    return Measurement(value, {"latents": LATENTS, "images": count})


@metric()
def activation_bias(subject: Subject) -> Measurement:
    """Σ_u mean_x (E_z a_u(x|z) − a_u(x|W))² / V_x: how far the average activation is off."""
    mean_kernels = subject.mean_kernels(BIAS_LATENTS)
    squared, count = 0.0, 0
    for features, _ in subject.batches(IMAGES):
        generated = subject.activate(features, mean_kernels)
        real = subject.activate(features, subject.target.kernel)
        squared += np.square(generated - real).sum(dtype="float64")
        count += len(real)
    value = squared / count / variance_over_images(subject)
    return Measurement(value, {"latents": BIAS_LATENTS, "images": count})


def variance_over_images(subject: Subject) -> float:
    """V_x = Σ_u Var_x a_u(x|W), unbiased, over the first `IMAGES` test images."""
    maps = [subject.activate(f, subject.target.kernel) for f, _ in subject.batches(IMAGES)]
    return float(np.concatenate(maps).var(axis=0, ddof=1, dtype="float64").sum())
