"""`KernelSource`: whatever makes kernel sets of latents, learned or not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


class KernelSource(Protocol):
    """Latents `(n, d)` → kernel sets `(n, kh, kw, cin, cout)`, and d.

    Generators are sources, and so are the baselines. Card, instruments and inverter take any.

    Attributes:
        latent_dim: d.
    """

    latent_dim: int

    def __call__(self, latents: np.ndarray, /) -> Any:
        """Kernel sets `(n, kh, kw, cin, cout)` of latents `(n, d)`."""
        ...


@dataclass(frozen=True, eq=False)
class KernelFunction:
    """A plain function as a source of kernels.

    Args:
        function: latents `(n, d)` → kernel sets `(n, kh, kw, cin, cout)`.
        latent_dim: d.

    Example:
        >>> doubled = KernelFunction(lambda latents: 2 * generator(latents), generator.latent_dim)
    """

    function: Callable[[np.ndarray], Any]
    latent_dim: int

    def __call__(self, latents: np.ndarray, /) -> Any:
        """Kernel sets `(n, kh, kw, cin, cout)` of latents `(n, d)`."""
        return self.function(latents)
