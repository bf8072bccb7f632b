"""What is judged: kernels that depend on a latent, in the place of a layer's real ones."""

import dataclasses
from collections.abc import Callable, Iterator
from functools import cached_property

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import randomness
from keras_filtergan.data.batches import slices
from keras_filtergan.data.dataset import ImageDataset
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation import grids
from keras_filtergan.evaluation.frozen_view import FrozenView, prediction
from keras_filtergan.gan.change_reader import ChangeReader
from keras_filtergan.generators.discriminator import Discriminator
from keras_filtergan.generators.kernel_source import KernelSource
from keras_filtergan.inversion.inversion import Inverter
from keras_filtergan.inversion.transformed import transformed_lines, transformed_walk
from keras_filtergan.inversion.walks import Pictures, Walk, latent_grid


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """A source of kernels beside the network and the images that it is judged on.

    The generator is one such source; a baseline is another. All metrics take a subject, so that
    both are judged alike. What several metrics read is computed once and kept: with the subject
    if it depends on the kernels, else in the view, which subjects with other kernels share.

    Attributes:
        target: the frozen network.
        kernels: latents `(n, d)` → kernel sets `(n, kh, kw, cin, cout)`, and d.
        dataset: held-out images are its test set; re-training and the critic use its training set.
        discriminator: D with its code head, for metrics that need one.
        reader: the code head that reads changes, where it is not D's.
        transformation: the image transformation that was learned along with the kernels.
        code_noise: standard deviation of the noise on Q's input during training.
        seed: of the latents and the noise; the same seed gives the same card.
        independent_classifier: gives a second network, of another seed and width, trained on the
            same images; only called by the metric that needs it, so it may train or load.
        view: what the frozen network makes of the images; a new one if it is not given.
    """

    target: FrozenTarget
    kernels: KernelSource
    dataset: ImageDataset
    discriminator: Discriminator | None = None
    reader: ChangeReader | None = None
    transformation: keras.Model | None = None
    code_noise: float = 0.0
    seed: int = 0
    independent_classifier: Callable[[], keras.Model] | None = None
    view: FrozenView = None  # pyright: ignore[reportAssignmentType] (made if not given)

    def __post_init__(self) -> None:
        view = self.view
        if view is None or view.target is not self.target or view.dataset is not self.dataset:
            object.__setattr__(self, "view", FrozenView(self.target, self.dataset))

    def with_kernels(self, kernels: KernelSource) -> "Subject":
        """The same network and images with another source of kernels, and no other players."""
        own = {"discriminator": None, "reader": None, "transformation": None}
        return dataclasses.replace(self, kernels=kernels, **own)

    @property
    def latent_dim(self) -> int:
        """Length d of a latent."""
        return self.kernels.latent_dim

    def latents(self, count: int) -> np.ndarray:
        """The first `count` latents of this subject's own sequence, `(count, d)`."""
        generator = randomness.stream(self.seed, randomness.CARD_LATENTS)
        return generator.standard_normal((count, self.latent_dim)).astype("float32")

    def kernel_sets(self, count: int) -> tf.Tensor:
        """Kernel sets of the first `count` latents, `(count, kh, kw, cin, cout)`."""
        return tf.convert_to_tensor(self.kernels(self.latents(count)))

    def mean_kernels(self, count: int) -> tf.Tensor:
        """The one kernel set `(kh, kw, cin, cout)` that acts as the average of `count` latents.

        A convolution is linear in its kernels: averaging the activations of many kernel sets and
        convolving once with the average kernel set give the same maps.
        """
        latents = self.latents(count)
        chunks = slices(count, 20)  # bounds the memory
        sums = [tf.reduce_sum(self.kernels(latents[chunk]), axis=0) for chunk in chunks]
        return tf.add_n(sums) / count

    @property
    def labels(self) -> np.ndarray:
        """Classes of the test images `(n,)`."""
        return self.dataset.y_test

    def batches(self, limit: int | None = None) -> Iterator[tuple[list[tf.Tensor], slice]]:
        """Features of the test images in batches, with the rows they belong to."""
        count = len(self.labels) if limit is None else min(limit, len(self.labels))
        for rows in slices(count, self.view.at_once):
            yield [tf.constant(feature[rows]) for feature in self.view.features], rows

    def activate(self, features: list[tf.Tensor], kernels: tf.Tensor) -> tf.Tensor:
        """Activations `(m, h', w', cout)`; arguments as in `FrozenTarget.activations`."""
        return self.view.activate(features, kernels)

    def generate(self, features: list[tf.Tensor], latents: np.ndarray) -> tf.Tensor:
        """Activations `(m, h', w', cout)`, each image under the kernels of its own latent."""
        return self.activate(features, tf.convert_to_tensor(self.kernels(latents)))

    def right(self, kernels: tf.Tensor, suffix: keras.Model | None = None) -> np.ndarray:
        """Which test images the network gets right with one shared kernel set, booleans `(n,)`.

        Args:
            kernels: `(kh, kw, cin, cout)`.
            suffix: what follows the layer, if not the frozen suffix.
        """
        # only the frozen suffix is kept compiled: others come and go
        predict = self.view.predict if suffix is None else prediction(self.target, suffix)
        answers = [predict(features, kernels) for features, _ in self.batches()]
        return np.concatenate(answers) == self.labels

    def accuracy(self, kernels: tf.Tensor, suffix: keras.Model | None = None) -> float:
        """Share of the test images that the network gets right; arguments as in `right`."""
        return float(np.mean(self.right(kernels, suffix)))

    @property
    def dims(self) -> tuple[int, int] | None:
        """The two random latent dimensions of the grids; `None` if the latent has only one."""
        return grids.random_dims(self.latent_dim, self.seed)

    @cached_property
    def changes(self) -> np.ndarray:
        """a(x|z) − a(x|r), standardised, `(n, units)`: what moving the latent changes.

        For the images of `FrozenView.changed`, each with two latents of its own.
        """
        count = len(self.view.changed)
        latents = self.latents(2 * count).reshape(count, 2, self.latent_dim)
        _, variance = self.view.standard
        rows = np.empty(self.view.changed.shape, np.float32)
        for features, batch in self.batches(count):
            here, there = (self.generate(features, latents[batch, i]) for i in range(2))
            rows[batch] = np.reshape((here - there) / np.sqrt(variance), (len(here), -1))
        return rows

    @cached_property
    def walk(self) -> Walk:
        """The grids of the card: test images that the network gets right, z = 0, free pixels.

        Raises:
            InputError: the network gets no test image right, or there is one latent dimension.
        """
        if self.dims is None:
            raise InputError("expected two latent dimensions for a grid, received one")
        inverter, middle = Inverter(self.target, self.kernels), np.zeros(self.latent_dim)
        return inverter.walk(self.walked_images, middle, self.dims, grids.GRID, grids.SPAN)

    @cached_property
    def walked_images(self) -> np.ndarray:
        """Test images that the network gets right, one of each class, `(n, h, w, c)` in [0, 1]."""
        right = self.right(self.target.kernel)
        numbers = grids.one_of_each_class(self.labels, right, grids.IMAGES)
        if not len(numbers):
            raise InputError("expected a classifier that gets a test image right, it gets none")
        return to_unit_interval(self.dataset.x_test[numbers])

    @cached_property
    def transformed_walk(self) -> Walk:
        """The same grids by the image transformation, in the place of the inversion."""
        assert self.dims is not None  # the metrics ask for two dimensions
        assert self.transformation is not None
        middle = np.zeros(self.latent_dim)
        latents = latent_grid(middle, self.latent_dim, self.dims, grids.GRID, grids.SPAN)
        made = self.target, self.kernels, self.transformation, self.walked_images, latents
        return transformed_walk(*made)

    @cached_property
    def transformed_lines(self) -> list[Pictures]:
        """Pictures by the image transformation along each latent dimension."""
        assert self.transformation is not None
        images, d = self.walked_images, self.latent_dim
        return transformed_lines(self.transformation, images, d, grids.REACH, grids.GRID)
