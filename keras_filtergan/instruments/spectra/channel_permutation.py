"""A control: the same kernels, each reading another channel than it learned to read."""

import keras
import numpy as np

from keras_filtergan.classifiers.graph import layers_by_path, recorded
from keras_filtergan.data import randomness
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.instruments.initialisation import at_initialisation


def permuted_channels(classifier: keras.Model, seed: int, images: np.ndarray) -> keras.Model:
    """The network with the input channels of every filter of every `Conv2D` permuted at random.

    Each spatial kernel w[:, :, i, o] stays what it is, so whatever a network gains by pooling in
    space it keeps. Which channel it reads is drawn anew for each output channel o, so what it gains
    by combining channels (a turned edge with an edge) is lost. Batch normalisations are fitted anew
    to images, from the first layer to the last: their statistics were those of other sums.

    Args:
        classifier: a built Functional or Sequential model; it stays as it is.
        seed: of the permutations.
        images: some hundred `(n, h, w, c)`, bytes or values in [0, 1].

    Returns:
        A network with the same layers, under the same paths. A convolution of one input channel
        is unchanged.

    Example:
        >>> target = FrozenTarget(permuted_channels(classifier, 0, dataset.x_train[:500]), "conv4")

    Reference:
        Tomasini, Petrini, Cagnetta, Wyart (2022), "How deep convolutional neural networks lose
        spatial information with training" (arXiv 2210.01506), on pooling in space and in channels.
    """
    draw = randomness.stream(seed, randomness.PERMUTATION)
    network = at_initialisation(classifier, seed)
    pairs = zip(layers_by_path(classifier), layers_by_path(network), strict=True)
    for (_, learned), (_, copy) in pairs:
        copy.set_weights(learned.get_weights())
        if type(copy) is keras.layers.Conv2D:
            copy.kernel.assign(_permuted(copy.kernel.numpy(), draw))
    fit_normalisations(network, images)
    return network


def fit_normalisations(network: keras.Model, images: np.ndarray) -> None:
    """Give every batch normalisation the mean and variance of what reaches it, in place.

    Args:
        network: with a graph.
        images: some hundred `(n, h, w, c)`, bytes or values in [0, 1].
    """
    norms = [
        layer
        for _, layer in layers_by_path(network)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    kept = [(norm.momentum, norm.trainable) for norm in norms]
    for norm in norms:
        norm.momentum, norm.trainable = 0.0, True

    def choose(operation: keras.Operation):
        if not any(operation is norm for norm in norms):
            return operation
        return lambda maps, **_: operation(maps, training=True)

    if norms:
        recorded(network, to_unit_interval(images), choose)
    for norm, (momentum, trainable) in zip(norms, kept, strict=True):
        norm.momentum, norm.trainable = momentum, trainable


def _permuted(kernel: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Kernels `(kh, kw, cin, cout)`, the input channels in another order for each output."""
    cin, cout = kernel.shape[2:]
    order = draw.permuted(np.tile(np.arange(cin)[:, None], cout), axis=0)
    return np.take_along_axis(kernel, order[None, None], axis=2)
