"""Networks that average over kernel sets, each as images → logits or log-probabilities.

Where a network ends in a softmax its probabilities are taken as at least 1e-7: beyond that it has
no gradient, and looks more robust than it is.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget

REAL, ACTIVATIONS, PROBABILITIES = "real kernels", "mean of activations", "mean of probabilities"


class Network(NamedTuple):
    """A network as a function of images.

    Attributes:
        answer: images `(m, h, w, c)` and kernels → logits or log-probabilities `(m, classes)`.
            Networks that differ in nothing but kernels have the same, to be compiled once.
        kernels: its kernels, `(kh, kw, cin, cout)` or several sets of them.
    """

    answer: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    kernels: tf.Tensor

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """The answers, `(m, classes)`."""
        return self.answer(images, self.kernels)


def with_kernels(target: FrozenTarget, kernels: tf.Tensor) -> Network:
    """The network with one kernel set `(kh, kw, cin, cout)`; `target.kernel` is the real one."""
    return Network(_single(target), kernels)


def mean_of_activations(target: FrozenTarget, kernels: tf.Tensor) -> Network:
    """The network in which the activations under several kernel sets are averaged.

    A convolution is linear in its kernels, so this is the network with the mean kernel set, and its
    gradient is that through the averaging.

    Args:
        target: the frozen network.
        kernels: `(n, kh, kw, cin, cout)`.
    """
    return with_kernels(target, tf.reduce_mean(kernels, axis=0))


def mean_of_probabilities(target: FrozenTarget, kernels: tf.Tensor) -> Network:
    """An ensemble: the logarithm of the mean of the probabilities under several kernel sets.

    Args:
        target: the frozen network.
        kernels: `(n, kh, kw, cin, cout)`.
    """

    def answer(images: tf.Tensor, kernels: tf.Tensor) -> tf.Tensor:
        features = target.features(images)
        members = [
            tf.nn.log_softmax(target.log_probabilities(target.activations(features, one), features))
            for one in tf.unstack(kernels)
        ]
        # of logarithms: where all members are sure, float32 has no gradient of the mean itself
        return tf.reduce_logsumexp(tf.stack(members), axis=0) - np.log(len(members))

    return Network(answer, kernels)


def compared(
    target: FrozenTarget, kernels: tf.Tensor | None = None, singles: int = 0
) -> dict[str, Network]:
    """The network under real kernels, under both averages, and under single kernel sets.

    Args:
        target: the frozen network.
        kernels: `(n, kh, kw, cin, cout)`; `None` for the real network alone.
        singles: how many of these kernel sets stand by themselves as well, at most n.
    """
    single = _single(target)
    networks = {REAL: Network(single, target.kernel)}
    if kernels is not None:
        networks[ACTIVATIONS] = Network(single, tf.reduce_mean(kernels, axis=0))
        networks[PROBABILITIES] = mean_of_probabilities(target, kernels)
        for i in range(singles):
            networks[f"G(z{i + 1})"] = Network(single, kernels[i])
    return networks


def _single(target: FrozenTarget) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    def answer(images: tf.Tensor, kernels: tf.Tensor) -> tf.Tensor:
        features = target.features(images)
        return target.log_probabilities(target.activations(features, kernels), features)

    return answer
