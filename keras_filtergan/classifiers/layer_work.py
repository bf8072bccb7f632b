"""What each call of a layer computes and makes, from shapes; so, how many images fit at once."""

import dataclasses
import math
from collections.abc import Iterator

import keras

from keras_filtergan.classifiers.graph import calls
from keras_filtergan.data.batches import BATCH_SIZE
from keras_filtergan.private_keras import graph_of

AT_ONCE = 2**31  # bytes that the outputs of all layers may take, of all images at once


@dataclasses.dataclass(frozen=True)
class LayerWork:
    """One call of a layer, for one image.

    Attributes:
        layer: that is called.
        inputs, outputs: shapes without the batch; of several tensors that of the first.
    """

    layer: keras.Operation
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def values(self) -> int:
        """How many numbers come out."""
        return math.prod(self.outputs)

    @property
    def products(self) -> int:
        """Multiply-adds: each weight of a kernel is used once a place."""
        kernels = [w for w in getattr(self.layer, "weights", ()) if len(w.shape) >= 2]
        return math.prod(self.outputs[:-1]) * sum(math.prod(w.shape) for w in kernels)


def layer_work(model: keras.Model) -> Iterator[LayerWork]:
    """The calls of a model in the order in which they run, those inside of nested models too.

    Sizes that a nested model leaves open (`None`) count as 1.

    Example:
        >>> [work.outputs for work in layer_work(classifier)][:2]
        [(28, 28, 16), (28, 28, 16)]
    """
    for node in calls(model):
        if node.is_input:
            continue
        if graph_of(node.operation) is not None:
            yield from layer_work(node.operation)
        else:
            shapes = [tensors[0].shape for tensors in (node.input_tensors, node.output_tensors)]
            inputs, outputs = (tuple(side or 1 for side in shape[1:]) for shape in shapes)
            yield LayerWork(node.operation, inputs, outputs)


def images_at_once(
    network: keras.Model, most: int = BATCH_SIZE, copies: int = 1, beside: int = 0
) -> int:
    """How many images a network may be shown at once, so that memory does not follow their size.

    A Keras model that is called outside of a graph keeps the outputs of all its layers until it
    returns. As many images are taken as leave these within `AT_ONCE`. The number depends on shapes
    alone, so it is the same on every machine; what is computed of each image does not depend on it
    but for rounding.

    Args:
        network: a built Functional or Sequential model of images of fixed size.
        most: of small images.
        copies: how often the outputs are kept at the same time: 2 or 3 with a backward pass.
        beside: numbers that each image needs beside them, such as kernels of its own.

    Returns:
        1 or more.

    Example:
        >>> images_at_once(classifier), images_at_once(keras.applications.ResNet50(weights=None))
        (256, 14)
    """
    values = math.prod(network.inputs[0].shape[1:])
    values += sum(work.values for work in layer_work(network))
    return max(1, min(most, AT_ONCE // (4 * (copies * values + beside))))
