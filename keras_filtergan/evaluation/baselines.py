"""Other sources of kernels: what a generator has to beat, and what it might reach.

Each is a smooth, fixed function of the latent, as the generator is, so that the same card, with
its walks through latent space, judges them alike. What is random about them is drawn once.
"""

from collections.abc import Callable

import numpy as np

from keras_filtergan.data import randomness
from keras_filtergan.evaluation.known_change_kernels import KnownChangeKernels
from keras_filtergan.evaluation.metrics.activations import activation_variation
from keras_filtergan.evaluation.subject import Subject
from keras_filtergan.generators.kernel_source import KernelSource

FREQUENCY = 2.0  # of smooth noise, in radians per standard deviation of the latent
DIRECTIONS = 32  # in which it has waves


class SmoothNoise:
    """White Gaussian noise as a smooth function of a latent.

    noise(z) = K^(-1/2) Σ_k B_k cos(ω_k·z) + C_k sin(ω_k·z), with B_k, C_k drawn once from N(0, 1)
    and the K directions of ω_k, ‖ω_k‖ = `FREQUENCY`, at random.

    For any z, 0 included, this is a draw from N(0, 1)^shape like any other. Neighbours are alike
    (a standard deviation apart, their correlation is about 0.6 for d = 4), and two latents of the
    prior have independent noise: what all have in common, the mean over z, has exp(−‖ω‖²) = 2 % of
    the power. So noise varies around what it is added to, and moves its mean no further.

    Args:
        shape: of one draw.
        latent_dim: d.
        seed: of B, C and ω.

    Example:
        >>> SmoothNoise((3, 3, 32, 32), latent_dim=8)(np.zeros([5, 8])).shape
        (5, 3, 3, 32, 32)

    Reference:
        Rahimi and Recht (NeurIPS 2007), "Random features for large-scale kernel machines".
    """

    def __init__(self, shape: tuple[int, ...], latent_dim: int, seed: int = 0):
        self.shape = tuple(shape)
        self.latent_dim = latent_dim
        random = randomness.stream(seed, randomness.BASELINE)
        directions = random.standard_normal((latent_dim, DIRECTIONS))
        self.frequencies = FREQUENCY * directions / np.linalg.norm(directions, axis=0)
        self.waves = random.standard_normal((2 * DIRECTIONS, *self.shape), dtype="float32")

    def __call__(self, latents: np.ndarray) -> np.ndarray:
        """Draws `(n, *shape)`, one a latent `(n, d)`."""
        phases = np.asarray(latents) @ self.frequencies  # (n, K)
        heights = np.concatenate([np.cos(phases), np.sin(phases)], axis=1) / np.sqrt(DIRECTIONS)
        return np.tensordot(heights.astype("float32"), self.waves, 1)


class RandomKernels:
    """Gaussian kernels, each scaled to the norm of the real kernel of its output channel.

    They know nothing of the real kernels but how strongly each channel responds.

    Args:
        real: `(kh, kw, cin, cout)`.
        latent_dim: d.
        seed: of the noise.
    """

    def __init__(self, real: np.ndarray, latent_dim: int, seed: int = 0):
        self.latent_dim = latent_dim
        self.norms = _channel_norms(np.asarray(real))
        self.noise = SmoothNoise(np.shape(real), latent_dim, seed)

    def __call__(self, latents: np.ndarray) -> np.ndarray:
        """Kernel sets `(n, kh, kw, cin, cout)` of latents `(n, d)`."""
        noise = self.noise(latents)
        return noise * (self.norms / _channel_norms(noise))


class NoisyKernels:
    """The real kernels plus white Gaussian noise.

    The neighbourhood of the real kernels, without any knowledge of which directions in it keep
    the activations plausible. With the noise at the variation of a generator's activations, the
    generator is better only if its *directions* are.

    Args:
        real: `(kh, kw, cin, cout)`.
        latent_dim: d.
        scale: standard deviation of the noise.
        seed: of the noise.
    """

    def __init__(self, real: np.ndarray, latent_dim: int, scale: float, seed: int = 0):
        self.latent_dim = latent_dim
        self.real = np.asarray(real)
        self.scale = scale
        self.noise = SmoothNoise(self.real.shape, latent_dim, seed)

    def __call__(self, latents: np.ndarray) -> np.ndarray:
        """Kernel sets `(n, kh, kw, cin, cout)` of latents `(n, d)`."""
        return self.real + np.float32(self.scale) * self.noise(latents)


class PCAGaussian:
    """Kernels from a Gaussian that is fitted by PCA to the real kernels.

    The sample is the kernels of the output channels, vectors of kh·kw·cin values; the Gaussian has
    their mean and covariance, so its kernels are as smooth, and mix the input channels as, real
    ones. With `share` ρ of the spread drawn anew, channel c has the kernel

        mean + √(1 − ρ²) (w_c − mean) + ρ g_c(z),    g_c(z) ~ N(0, covariance).

    Mean and covariance over channels are the real ones for every ρ. ρ = 1 is the plain Gaussian:
    all kernels are new and no channel has anything of its own, so the following layers, which know
    the channels by number, cannot but fail. Smaller ρ leaves the channels recognisable: noise as
    in `NoisyKernels`, but in the directions in which real kernels differ.

    Args:
        real: `(kh, kw, cin, cout)`, cout at least 2.
        latent_dim: d.
        share: ρ, from 0 to 1.
        seed: of the noise.
    """

    def __init__(self, real: np.ndarray, latent_dim: int, share: float = 1.0, seed: int = 0):
        real = np.asarray(real)
        self.latent_dim = latent_dim
        self.share = share
        self.mean = real.mean(axis=-1, keepdims=True)  # (kh, kw, cin, 1)
        self.own = real - self.mean  # (kh, kw, cin, cout)
        cout = real.shape[-1]
        sample = self.own.reshape(-1, cout).T  # (cout, taps)
        _, spread, axes = np.linalg.svd(sample, full_matrices=False)
        # (kh, kw, cin, rank), each axis times the standard deviation along it
        self.axes = (axes.T * (spread / np.sqrt(cout - 1))).reshape(*real.shape[:3], -1)
        self.noise = SmoothNoise((self.axes.shape[-1], cout), latent_dim, seed)

    def __call__(self, latents: np.ndarray) -> np.ndarray:
        """Kernel sets `(n, kh, kw, cin, cout)` of latents `(n, d)`."""
        drawn = np.moveaxis(np.tensordot(self.axes, self.noise(latents), (3, 1)), 3, 0)
        kept = np.sqrt(1.0 - self.share**2)
        return (self.mean + kept * self.own + self.share * drawn).astype("float32")


def baselines(subject: Subject, variation: float) -> dict[str, KernelSource]:
    """The baselines for a subject's network, in the order of the report.

    Args:
        subject: gives the network, the images, the latents and the seed.
        variation: the `activation_variation` that `noisy` and `pca_matched` are set to.

    Returns:
        `random`; `noisy`; `pca`, the plain Gaussian; `pca_matched`, with ρ for the variation, or
        the plain Gaussian if even that varies less; and `known_changes`, an oracle that makes the
        changes which a person would call invariances, with the same variation.
    """
    real, latent_dim, seed = subject.target.kernel.numpy(), subject.latent_dim, subject.seed

    def noisy(scale: float) -> KernelSource:
        return NoisyKernels(real, latent_dim, scale, seed)

    def pca(share: float) -> KernelSource:
        return PCAGaussian(real, latent_dim, share, seed)

    oracle = KnownChangeKernels.fit(subject.target, subject.dataset, latent_dim, seed)
    return {
        "random": RandomKernels(real, latent_dim, seed),
        "noisy": noisy(matching_amount(subject, noisy, variation)),
        "pca": pca(1.0),
        "pca_matched": pca(min(matching_amount(subject, pca, variation), 1.0)),
        "known_changes": oracle.times(matching_amount(subject, oracle.times, variation)),
    }


def matching_amount(
    subject: Subject, make: Callable[[float], KernelSource], variation: float
) -> float:
    """The amount of noise at which kernels have the wanted `activation_variation`.

    Activations are linear in the kernels, and the kernels' variable part is proportional to the
    amount: the variation is exactly proportional to its square, and one measurement is enough.

    Args:
        subject: what the variation is measured with.
        make: amount of noise → source of kernels.
        variation: the one wanted.
    """
    at_one = activation_variation(subject.with_kernels(make(1.0))).number
    return float(np.sqrt(variation / at_one))


def _channel_norms(kernels: np.ndarray) -> np.ndarray:
    """Norm of each output channel's kernel, `(..., 1, 1, 1, cout)`."""
    return np.sqrt(np.square(kernels).sum(axis=(-4, -3, -2), keepdims=True))
