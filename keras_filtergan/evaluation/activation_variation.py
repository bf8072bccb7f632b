"""How much the activations move with the latent, and where their average lies."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject

LATENTS = 20
IMAGES = 1000


@metric
def activation_variation(subject: Subject) -> Measurement:
    """V_z / V_x: variance over latents relative to variance over images, summed over units.

    V_z = mean over images of Σ_u Var_z a_u(x|z), V_x = Σ_u Var_x a_u(x|W); both unbiased.
    """
    over_latents, count = 0.0, 0
    for generated, _ in _activations(subject):
        over_latents += generated.var(axis=0, ddof=1).sum()
        count += generated.shape[1]
    return _measurement(over_latents / count / variance_over_images(subject), count)


@metric
def activation_bias(subject: Subject) -> Measurement:
    """Σ_u mean_x (E_z a_u(x|z) − a_u(x|W))² / V_x: how far the average activation is off."""
    squared, count = 0.0, 0
    for generated, real in _activations(subject):
        squared += np.square(generated.mean(axis=0) - real).sum()
        count += len(real)
    return _measurement(squared / count / variance_over_images(subject), count)


def variance_over_images(subject: Subject) -> float:
    """V_x, over the first `IMAGES` test images."""
    total, squares, count = 0.0, 0.0, 0
    for features, _ in subject.batches(IMAGES):
        real = subject.activate(features, subject.target.kernel).numpy().astype("float64")
        total, squares, count = (
            total + real.sum(0),
            squares + np.square(real).sum(0),
            count + len(real),
        )
    return float((squares - total**2 / count).sum() / (count - 1))


def _activations(subject: Subject) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of generated `(latents, m, h', w', cout)` and real `(m, h', w', cout)` maps."""
    kernel_sets = subject.kernel_sets(LATENTS)
    for features, _ in subject.batches(IMAGES):
        maps = tf.stack([subject.activate(features, kernels) for kernels in kernel_sets])
        yield maps.numpy(), subject.activate(features, subject.target.kernel).numpy()


def _measurement(value: float, images: int) -> Measurement:
    return Measurement(float(value), {"latents": LATENTS, "images": images})
