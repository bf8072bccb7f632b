"""A map of filters: real ones and what the generator makes in their place."""

import dataclasses
import warnings

import numpy as np
from sklearn.manifold import MDS

from keras_filtergan.runs.trained import TrainedRun

CHANNELS = 10
LATENTS = 20


@dataclasses.dataclass(frozen=True)
class FilterMap:
    """Filters as points in the plane, by multi-dimensional scaling of their Euclidean distances.

    Attributes:
        points: `(n, 2)`.
        channels: output channel of each, `(n,)`.
        numbers: number of the latent that made each, `(n,)`; −1 for the real filters.

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), figure 5.
    """

    points: np.ndarray
    channels: np.ndarray
    numbers: np.ndarray

    @property
    def is_real(self) -> np.ndarray:
        """Which are the real filters, booleans `(n,)`."""
        return self.numbers < 0

    @classmethod
    def of(cls, trained: TrainedRun) -> "FilterMap":
        """The strongest filters of the layer, and those of 20 latents in their place.

        Args:
            trained: the run.
        """
        real = trained.target.kernel.numpy()
        generated = trained.subject().kernel_sets(LATENTS).numpy()
        strongest = np.argsort(-np.square(real).sum(axis=(0, 1, 2)))[:CHANNELS]
        sets = np.concatenate([real[None], generated])[..., strongest]  # (1 + n, kh, kw, cin, …)
        filters = np.moveaxis(sets, -1, 1).reshape(len(sets) * len(strongest), -1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of scikit-learn: coming defaults
            mds = MDS(n_components=2, n_init=1, random_state=trained.settings.seed)
            points = np.asarray(mds.fit_transform(filters))
        return cls(
            points,
            np.tile(strongest, len(sets)),
            np.repeat(np.arange(-1, len(generated)), len(strongest)),
        )
