"""Are generated activations distributed as real ones, as the rest of the network sees them?"""

import keras
import numpy as np

from keras_filtergan.classifiers.graph import layers_by_path, single_call
from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject


@metric()
def activation_frechet_distance(subject: Subject) -> Measurement:
    """Fréchet distance between real and generated activations in the penultimate layer.

    Every test image is shown once with the real kernels and once with the kernels of a latent of
    its own. Both sets are described by mean and covariance where the frozen network reads its
    answer off, as the Inception distance describes images. The unit is that of a squared
    activation there: numbers compare between subjects with one network, not between networks.

    Reference:
        Heusel et al. (NIPS 2017), "GANs trained by a two time-scale update rule", equation 6.
    """
    target, readout = subject.target, penultimate(subject.target.suffix)
    latents = subject.latents(len(subject.labels))
    real, generated = [], []
    for features, rows in subject.batches():
        maps = subject.activate(features, target.kernel)
        real.append(target.outputs(maps, features, suffix=readout))
        maps = subject.generate(features, latents[rows])
        generated.append(target.outputs(maps, features, suffix=readout))
    value = frechet_distance(*(_rows(parts) for parts in (real, generated)))
    return Measurement(value, {"latents": len(latents), "images": len(latents)})


def penultimate(suffix: keras.Model) -> keras.Model:
    """The part of a suffix up to the input of its last dense layer.

    A network that ends in something else, global pooling for instance, is read at its output.
    """
    dense = [layer for _, layer in layers_by_path(suffix) if isinstance(layer, keras.layers.Dense)]
    if not dense:
        return suffix
    opened, entry, _ = single_call(suffix, dense[-1])
    return keras.Model(opened.inputs, entry, name="penultimate")


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Squared Fréchet (2-Wasserstein) distance between Gaussians fitted to two samples.

    ‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½)

    The square root of the product of two covariances is the delicate part: dead units make both
    singular, and rounding makes eigenvalues complex. It is not needed: with roots RᵀR = Σ, the
    trace of (Σ₁Σ₂)^½ is the sum of the singular values of R₁R₂ᵀ, which cannot be negative.

    Args:
        first: sample `(n, p)`.
        second: sample `(n', p)`.

    Example:
        >>> frechet_distance(np.array([[-1.0], [1.0]]), np.array([[2.0], [6.0]]))
        18.0
    """
    (mean_1, root_1), (mean_2, root_2) = _gaussian(first), _gaussian(second)
    overlap = np.linalg.svd(root_1 @ root_2.T, compute_uv=False).sum()
    variances = np.square(root_1).sum() + np.square(root_2).sum()
    distance = np.square(mean_1 - mean_2).sum() + variances - 2.0 * overlap
    return float(max(distance, 0.0))


def _gaussian(sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean `(p,)` and a root R of the covariance, `(p, p)` with RᵀR = Σ."""
    sample = np.asarray(sample, np.float64)
    mean = sample.mean(axis=0)
    centred = sample - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / (len(sample) - 1))
    spread = np.sqrt(np.maximum(variances, 0.0))  # rounding makes zeros slightly negative
    return mean, spread[:, None] * axes.T


def _rows(parts: list) -> np.ndarray:
    """Batches `(m, …)` as one matrix, an example a row."""
    whole = np.concatenate(parts)
    return whole.reshape(len(whole), -1)
