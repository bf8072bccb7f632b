"""How far images are from causing wanted activations: what an inversion goes down."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.images.jitter import Jitter

LARGEST_TABLE = 2**26  # numbers, 256 MiB


@dataclass(frozen=True)
class Mismatch:
    """‖a(x'|z_k) − a(x|z)‖² / ‖a(x|z)‖² + Ψ(x') of a batch of images, tensors throughout.

    Attributes:
        target: the frozen network.
        kernels: under which x' is seen, those of z_k; as in `FrozenTarget.activations`.
        wanted: a(x|z), `(m, h', w', cout)`.
        cost: Ψ, images `(m, h, w, c)` → `(m,)`.
    """

    target: FrozenTarget
    kernels: tf.Tensor | None
    wanted: tf.Tensor
    cost: Callable[[tf.Tensor], tf.Tensor]

    def __call__(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """The two terms, `(m,)` each, by which images are judged."""
        return {"activation": self._error(images, self.wanted), "prior": self.cost(images)}

    def shifted_alike(
        self, originals: tf.Tensor, kernels: tf.Tensor, jitter: Jitter
    ) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
        """The sum with x' and x shifted alike, another way in each step: the guide of a descent.

        A step has one of a few shifts. What shifted originals cause is computed once for each of
        these, if memory allows.

        Args:
            originals: x.
            kernels: under which x is seen, those of z.
            jitter: the shifts.

        Returns:
            Images and number of the step → `(m,)`.
        """

        def activations(shift: tf.Tensor) -> tf.Tensor:
            features = self.target.features(jitter.moved(originals, shift))
            return self.target.activations(features, kernels)

        shifts = jitter.shifts
        if len(shifts) * math.prod(self.wanted.shape) <= LARGEST_TABLE:
            table = tf.map_fn(activations, shifts, fn_output_signature=self.wanted.dtype)
        else:
            table = None

        def total(images: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
            if table is None:
                wanted = activations(jitter.shift(step))
            else:
                wanted = table[jitter.number(step)]
            return self._error(jitter(images, step), wanted) + self.cost(images)

        return total

    def _error(self, images: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
        found = self.target.activations(self.target.features(images), self.kernels)
        error, energy = (tf.reduce_sum(tf.square(a), [1, 2, 3]) for a in (found - wanted, wanted))
        return error / energy
