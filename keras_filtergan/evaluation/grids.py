"""What the grids of the card are made of: which images, which latents, whose kernels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

IMAGES = 10
GRID = 7
SPAN = 3.0  # standard deviations of the latent


@dataclass(frozen=True)
class KernelSource:
    """A plain function from latents to kernel sets in the shape that `Inverter` asks for.

    Attributes:
        kernels: latents `(n, d)` → kernel sets `(n, kh, kw, cin, cout)`.
        latent_dim: d.
    """

    kernels: Callable[[np.ndarray], tf.Tensor]
    latent_dim: int

    def __call__(self, latents: np.ndarray, training: bool = False) -> tf.Tensor:
        """Kernel sets; there is nothing that training would change."""
        return self.kernels(latents)


def random_dims(latent_dim: int, seed: int) -> tuple[int, int] | None:
    """Two latent dimensions drawn by the seed, as the paper does; `None` if there is only one.

    Example:
        >>> random_dims(latent_dim=2, seed=0)
        (0, 1)
    """
    if latent_dim < 2:
        return None
    chosen = np.random.default_rng(seed).choice(latent_dim, 2, replace=False)
    first, second = sorted(int(dim) for dim in chosen)
    return first, second


def one_of_each_class(labels: np.ndarray, eligible: np.ndarray, count: int) -> np.ndarray:
    """Numbers of the first eligible images, as evenly over the classes as there are images.

    Args:
        labels: classes `(n,)`.
        eligible: which images may be chosen, booleans `(n,)`.
        count: how many are wanted.

    Returns:
        At most `count` numbers: the first image of each class, then the second of each, and so on.

    Example:
        >>> one_of_each_class(np.array([0, 0, 0, 1]), np.array([False, True, True, True]), 2)
        array([1, 3])
    """
    numbers = np.flatnonzero(eligible)
    classes = labels[numbers]
    turn = np.array([np.count_nonzero(classes[:i] == label) for i, label in enumerate(classes)])
    return numbers[np.lexsort((classes, turn))[:count]]
