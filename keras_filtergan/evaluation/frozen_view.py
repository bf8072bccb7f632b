"""What the frozen network makes of images before anybody's kernels come in."""

import math
from collections.abc import Callable
from functools import cached_property

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.layer_work import images_at_once
from keras_filtergan.classifiers.natural import (
    NaturalCoordinates,
    channel_standard,
    standardised_activations,
)
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.data.dataset import ImageDataset

BATCH = 250  # images judged at once, fewer of them where they are large
STANDARD_IMAGES = 2000  # that the standardisation is fitted to

Predict = Callable[[list[tf.Tensor], tf.Tensor], tf.Tensor]


class FrozenView:
    """A network and its images, and what no choice of kernels changes about the two.

    Subjects that differ in their kernels share one view, so that the features of the test images
    are computed, and the functions compiled, once for all of them.

    Args:
        target: the frozen network.
        dataset: its images.

    Example:
        >>> view = FrozenView(target, dataset)
        >>> [feature.shape for feature in view.features]
        [(2000, 7, 7, 32)]
    """

    def __init__(self, target: FrozenTarget, dataset: ImageDataset):
        self.target = target
        self.dataset = dataset

    @cached_property
    def at_once(self) -> int:
        """How many images, each with kernels of its own, are judged at once."""
        kernels = math.prod(self.target.kernel_shape)
        return images_at_once(self.target.classifier, BATCH, beside=kernels)

    @cached_property
    def features(self) -> list[np.ndarray]:
        """What the frozen prefix makes of all test images: the layer's input, then the skips."""
        at_once = images_at_once(self.target.classifier)
        return map_in_batches(self.target.features, self.dataset.x_test, batch_size=at_once)

    @cached_property
    def standard(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance `(cout,)` of each channel of the layer, over training images."""
        return channel_standard(*self.target.moments(self.dataset.x_train[:STANDARD_IMAGES]))

    @cached_property
    def real(self) -> np.ndarray:
        """Standardised real activations of the test images that are changed, then of the others.

        `(n, units)`, an even number of images, as many as memory allows.
        """
        images = self.dataset.x_test
        rows = standardised_activations(self.target, images, *self.standard)
        return rows[: len(rows) // 2 * 2]

    @property
    def changed(self) -> np.ndarray:
        """The first half of `real`: images whose activations are changed by kernels."""
        return self.real[: len(self.real) // 2]

    @property
    def held(self) -> np.ndarray:
        """The second half of `real`: images that say what changes are natural."""
        return self.real[len(self.real) // 2 :]

    @property
    def held_labels(self) -> np.ndarray:
        """Classes of the images of `held`."""
        return self.dataset.y_test[len(self.real) // 2 : len(self.real)]

    @cached_property
    def natural(self) -> NaturalCoordinates:
        """Natural coordinates of held-out images: what the card's changes are judged by."""
        return NaturalCoordinates.fit(self.held, self.held_labels)

    @cached_property
    def training_natural(self) -> NaturalCoordinates:
        """Natural coordinates of training images: what a critic may learn from."""
        images = self.dataset.x_train
        rows = standardised_activations(self.target, images, *self.standard)
        return NaturalCoordinates.fit(rows, self.dataset.y_train[: len(rows)])

    @cached_property
    def activate(self) -> Callable[[list[tf.Tensor], tf.Tensor], tf.Tensor]:
        """Compiled `target.activations`."""
        return tf.function(self.target.activations)

    @cached_property
    def predict(self) -> Predict:
        """Compiled: features and one kernel set → classes `(m,)`."""
        return prediction(self.target, self.target.suffix)

    @cached_property
    def enter_suffix(self) -> Callable[[tf.Tensor, tf.Tensor], list[tf.Tensor]]:
        """Compiled: images and one kernel set → activations `(m, h', w', cout)`, then the skips."""
        target = self.target  # not self: a cycle would keep the features alive

        def enter_suffix(images: tf.Tensor, kernels: tf.Tensor) -> list[tf.Tensor]:
            features = target.features(images)
            return [target.activations(features, kernels), *features[1:]]

        return tf.function(enter_suffix)


def prediction(target: FrozenTarget, suffix: keras.Model) -> Predict:
    """Compiled: features and one kernel set → classes `(m,)` that a suffix sees.

    Args:
        target: the frozen network.
        suffix: what follows the layer: its own suffix, or a copy that was re-trained.
    """

    def predict(features: list[tf.Tensor], kernels: tf.Tensor) -> tf.Tensor:
        activations = target.activations(features, kernels)
        return tf.argmax(target.outputs(activations, features, suffix=suffix), axis=-1)

    return tf.function(predict)
