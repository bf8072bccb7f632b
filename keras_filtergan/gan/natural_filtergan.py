"""`NaturalFilterGAN`: a FilterGAN whose latents move activations as images of one class differ."""

import math
from typing import ClassVar

import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.natural import (
    NaturalCoordinates,
    standardised_activations,
)
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.gan.bending import ImageBending
from keras_filtergan.gan.change_reader import ChangeReader
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.gan.hyperparameters import NATURAL, OF_PLAYERS
from keras_filtergan.gan.rounds import Pair
from keras_filtergan.generators.discriminator import Discriminator
from keras_filtergan.generators.filter_generator import FilterGenerator


class NaturalFilterGAN(FilterGAN):
    """A FilterGAN in which natural changes are what pays.

    A code head that reads activations as they are is served best by changes that no image makes:
    they are cheap, D cannot tell them under noise, and the network ignores them too. Here

    * **Q reads the change** between two latents of one image, in natural coordinates: the main
      directions in which real activations of images of one class differ. Noise is in these alone.
      D sees everything, so that what Q cannot see is no place to hide.
    * **One latent dimension moves at a time.** Q has to say which and how far, so that dimensions
      are told apart; and the share that T does not explain is taken dimension by dimension, so
      that each has to be a change of images.
    * **T only displaces** (`ImageBending`), linearly in the step, and its dimensions are kept
      orthogonal: without this all of them become the change that pays most.
    * **G is linear in z first** (`LinearFilterGenerator`).
    * **G's mean kernels are held near the real ones**, by what they do to activations: T explains
      more about other kernels, and G would pay for it with a bias (entry 38).

    What each of these does is measured in docs/notes/experiments.md, entry 31.

    Args:
        rank: natural directions that Q sees.
        target, latent_dim, kwargs: as of `FilterGAN`, with other defaults.

    Example:
        >>> gan = NaturalFilterGAN(FrozenTarget(classifier, layer=4), latent_dim=4)
        >>> gan.compile()
        >>> gan.adapt(x_train, y_train)
        >>> history = gan.fit(training_stream(x_train, y_train, batch_size=64, latent_dim=4, seed=0,
        ...     noise_shape=gan.target.activation_shape, code_shape=gan.code_shape),
        ...     steps_per_epoch=100, epochs=40, shuffle=False)

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), Algorithm 1; Lin et al. (2020), InfoGAN-CR and
        ModelCentrality, section 3, for pairs that tell latent dimensions apart.
    """

    code_snr: ClassVar[float] = 64.0  # with it Q's error ends near 0.2 here
    hyperparameters: ClassVar[tuple[str, ...]] = (*OF_PLAYERS, "rank")

    def __init__(
        self,
        target: FrozenTarget,
        latent_dim: int = NATURAL.latent_dim,
        *,
        rank: int = NATURAL.rank,
        variation_goal: float | None = NATURAL.variation_goal,
        answer_weight: float = NATURAL.answer_weight,
        image_weight: float = NATURAL.image_weight,
        bias_weight: float = NATURAL.bias_weight,
        architecture: str = NATURAL.architecture,
        **kwargs,
    ):
        self.rank = rank
        super().__init__(
            target,
            latent_dim,
            variation_goal=variation_goal,
            answer_weight=answer_weight,
            image_weight=image_weight,
            bias_weight=bias_weight,
            architecture=architecture,
            **kwargs,
        )

    def _make_judges(self, kind: type[Discriminator], num_classes: int, seed: int) -> None:
        shape = self.target.activation_shape
        self.discriminator = kind(shape, 0, num_classes, seed=seed)
        self.reader = ChangeReader(shape, self.latent_dim, self.rank, seed=seed)
        self.transformation = ImageBending(self.latent_dim, seed=seed)

    @property
    def q_variables(self) -> list:
        """What Q trains; it shares nothing with D."""
        return self.reader.trainable_variables

    @property
    def code_shape(self) -> tuple[int, ...]:
        """Shape of the noise on Q's input, of one example: the natural coordinates."""
        return (self.reader.rank,)

    def batch_order(self, size: int, replicas: int) -> np.ndarray:
        """Examples as of `FilterGAN.batch_order`; two images that share latents stay together."""
        pairs = np.arange(size).reshape(2, -1)  # i and i + half
        return np.stack([np.ravel(part) for part in np.split(pairs, replicas, axis=1)])

    def adapt(
        self, images: np.ndarray, labels: np.ndarray | None = None, batch_size: int = 256
    ) -> None:
        """Fit the units of noise, and the natural coordinates, to the real kernels' activations.

        Args:
            images: `(n, h, w, c)`, a few thousand are plenty.
            labels: their classes `(n,)`; without them, coordinates are those in which images
                differ from the mean of all.
            batch_size: images at once at most; fewer where they are large.
        """
        super().adapt(images, labels, batch_size)
        standard = self.discriminator.standardize
        activations = standardised_activations(
            self.target,
            images,
            standard.adapt_mean.numpy(),
            standard.adapt_variance.numpy(),
            batch_size,
        )
        labels = np.zeros(len(images), int) if labels is None else labels
        natural = NaturalCoordinates.fit(activations, labels[: len(activations)], self.rank)
        self.reader.fit_coordinates(natural)
        self.notes = natural.notes(self.reader.rank)

    def _pair(
        self,
        latents: tf.Tensor,
        features: list[tf.Tensor],
        generator: FilterGenerator,
        training: bool,
        places: tf.Tensor | None = None,
    ) -> Pair:
        """Each image under two latents that differ in one dimension, every image in the next.

        Two images share two latents, one from the first to the second and one back: half as many
        kernel sets to generate.
        """
        m = tf.shape(latents)[0]
        half = (m + 1) // 2
        first = tf.cast(self.g_optimizer.iterations, tf.int32)  # small batches miss some
        # Where a replica has a slice of the batch, its examples bring their places in the batch.
        places = tf.range(half) if places is None else places[:half]
        moving = (places + first) % self.latent_dim
        steps = tf.one_hot(moving, self.latent_dim)
        there = latents[:half]
        back = there + steps * (tf.roll(latents, -half, axis=0)[:half] - there)
        ends = tf.concat([there, back], axis=0)
        kernels = generator(ends, training=training)
        of_origins = tf.roll(kernels, -half, axis=0)[:m]
        return Pair(
            latents=ends[:m],
            origins=tf.roll(ends, -half, axis=0)[:m],
            kernels=kernels[:m],
            generated=self.target.activations(features, kernels[:m]),
            other=self.target.activations(features, of_origins),
            steps=tf.concat([steps, steps], axis=0)[:m],
        )

    def _judge(
        self,
        noisy: tuple[tf.Tensor, tf.Tensor],
        fake: tf.Tensor,
        other: tf.Tensor,
        pair: Pair,
        noise: tf.Tensor,
        training: bool,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """D's verdicts, and Q's error about the step between the two latents of an image."""
        step = (pair.latents - pair.origins) / math.sqrt(2.0)  # N(0, 1) in the moving dimension
        coordinates = self.reader.coordinates((fake - other) / math.sqrt(2.0))
        codes = self.reader.read(coordinates + self.code_noise.value * noise)
        error = tf.reduce_mean(tf.square(codes - step)) * pair.parts  # 1 is chance
        return (*self.discriminator.verdicts(*noisy, training=training), error)

    def _alikeness(self, images: tf.Tensor) -> tf.Tensor:
        return self.transformation.alikeness(images)
