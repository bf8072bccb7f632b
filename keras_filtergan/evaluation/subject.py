"""What is judged: kernels that depend on a latent, in the place of a layer's real ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import tensorflow as tf

from keras_filtergan.data.dataset import ImageDataset, to_unit_interval
from keras_filtergan.networks import Discriminator
from keras_filtergan.target import FrozenTarget

BATCH = 250


@dataclass(frozen=True)
class Subject:
    """A source of kernels beside the network and the images that it is judged on.

    The generator is one such source; a baseline is another. All metrics take a subject, so that
    both are judged alike.

    Attributes:
        target: the frozen network.
        kernels: latents `(n, d)` → kernel sets `(n, kh, kw, cin, cout)`.
        dataset: held-out images are its test set; re-training uses its training set.
        latent_dim: d.
        discriminator: holds the code head, for metrics that need one.
        code_noise: standard deviation of the noise on Q's input during training.
        seed: of the latents and the noise; the same seed gives the same card.
    """

    target: FrozenTarget
    kernels: Callable[[np.ndarray], tf.Tensor]
    dataset: ImageDataset
    latent_dim: int
    discriminator: Discriminator | None = None
    code_noise: float = 0.0
    seed: int = 0

    def latents(self, count: int) -> np.ndarray:
        """The first `count` latents of this subject's own sequence, `(count, d)`."""
        generator = np.random.default_rng([self.seed, 0xCA2D])
        return generator.standard_normal((count, self.latent_dim)).astype("float32")

    def kernel_sets(self, count: int) -> tf.Tensor:
        """Kernel sets of the first `count` latents, `(count, kh, kw, cin, cout)`."""
        return tf.convert_to_tensor(self.kernels(self.latents(count)))

    @cached_property
    def labels(self) -> np.ndarray:
        """Classes of the test images `(n,)`."""
        return self.dataset.y_test

    @cached_property
    def features(self) -> list[np.ndarray]:
        """What the frozen prefix makes of all test images: the layer's input, then the skips."""
        images = self.dataset.x_test
        parts = [
            self.target.features(to_unit_interval(images[i : i + BATCH]))
            for i in range(0, len(images), BATCH)
        ]
        return [
            np.concatenate([part.numpy() for part in column]) for column in zip(*parts, strict=True)
        ]

    def batches(self, limit: int | None = None) -> Iterator[tuple[list[tf.Tensor], slice]]:
        """Features of the test images in batches, with the rows they belong to."""
        count = len(self.labels) if limit is None else min(limit, len(self.labels))
        for start in range(0, count, BATCH):
            rows = slice(start, min(start + BATCH, count))
            yield [tf.constant(feature[rows]) for feature in self.features], rows

    @cached_property
    def activate(self) -> Callable[[list[tf.Tensor], tf.Tensor], tf.Tensor]:
        """Compiled `target.activations`."""
        return tf.function(self.target.activations)

    @cached_property
    def _predict(self) -> Callable[[list[tf.Tensor], tf.Tensor], tf.Tensor]:
        def predict(features: list[tf.Tensor], kernels: tf.Tensor) -> tf.Tensor:
            activations = self.target.activations(features, kernels)
            return tf.argmax(self.target.outputs(activations, features), axis=-1)

        return tf.function(predict)

    def accuracy(self, kernels: tf.Tensor) -> float:
        """Share of the test images that the network gets right with one shared kernel set."""
        right = sum(
            np.count_nonzero(self._predict(features, kernels).numpy() == self.labels[rows])
            for features, rows in self.batches()
        )
        return float(right / len(self.labels))
