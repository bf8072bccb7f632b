"""Which models can be a classifier, and whether their answer is logits or probabilities."""

from collections.abc import Callable

import keras
import tensorflow as tf

from keras_filtergan.classifiers.graph import last_operation
from keras_filtergan.errors import InputError
from keras_filtergan.private_keras import graph_of

SOFTMAXES = (keras.activations.softmax, keras.ops.softmax, tf.nn.softmax)  # as an activation=


def check_classifier(classifier: keras.Model) -> None:
    """Refuse what cannot be split, or whose answer cannot be read.

    Raises:
        InputError: it is no built Functional or Sequential model of one float image of fixed size
            and one answer of at least two classes, logits or probabilities.
    """
    if not isinstance(classifier, keras.Model):
        raise InputError(
            f"expected a keras.Model as classifier, received {type(classifier).__name__}; "
            "load it with keras.models.load_model"
        )
    if graph_of(classifier) is None:
        kind = f"received {type(classifier).__name__} {classifier.name!r}"
        if isinstance(classifier, keras.Sequential):
            raise InputError(
                f"expected a built classifier, {kind} that is not; put a keras.Input(shape) first"
            )
        raise InputError(
            f"expected a Functional or Sequential classifier, {kind} with code of its own in "
            "call(), which cannot be split; rebuild it as keras.Model(inputs, outputs)"
        )
    if len(classifier.inputs) != 1 or len(classifier.outputs) != 1:
        raise InputError(
            "expected a classifier with one input and one output, received "
            f"{len(classifier.inputs)} inputs and {len(classifier.outputs)} outputs; "
            "make a keras.Model of the one image and the one answer"
        )
    image, scores = classifier.inputs[0].shape, classifier.outputs[0].shape
    if len(image) != 4 or None in image[1:] or len(scores) != 2:
        raise InputError(
            "expected an image classifier (m, h, w, c) → (m, classes) of fixed size, "
            f"received {tuple(image)} → {tuple(scores)}; build it with an Input of fixed size"
        )
    if not keras.backend.is_float_dtype(classifier.inputs[0].dtype):
        raise InputError(
            f"expected a classifier of images as floats in [0, 1], {classifier.name!r} takes "
            f"{classifier.inputs[0].dtype}; give it a float Input and rescale inside"
        )
    if scores[-1] is not None and scores[-1] < 2:
        raise InputError(
            f"expected a classifier of at least 2 classes, received {scores[-1]} score; of one "
            "logit s (no sigmoid), make two: keras.ops.concatenate([0 * s, s], axis=-1)"
        )
    activation = read_out_activation(classifier)
    if activation not in (keras.activations.linear, keras.activations.softmax):
        name = getattr(activation, "__name__", activation)
        raise InputError(
            f"expected a classifier that ends in logits or a softmax, it ends in {name}; "
            "take its logits"
        )


def size_hint(wanted: tuple[int, int, int], received: tuple[int, int, int]) -> str:
    """What to add to a message about images of another shape: the setting that resizes them.

    Args:
        wanted, received: shapes of images `(h, w, c)`.

    Example:
        >>> size_hint((96, 96, 3), (32, 32, 3))
        '; `image_size` 96 96 resizes them when they are read'
    """
    if wanted[:2] == received[:2] or wanted[2] != received[2]:
        return ""
    return f"; `image_size` {wanted[0]} {wanted[1]} resizes them when they are read"


def read_out_activation(classifier: keras.Model) -> Callable:
    """The activation function that the scores of a classifier went through last."""
    operation = last_operation(classifier)
    name = type(operation).__name__.lower()  # a Softmax is one as a layer and as an operation
    by_name = getattr(keras.activations, name, keras.activations.linear)
    activation = getattr(operation, "activation", by_name)
    if isinstance(activation, keras.layers.Softmax) or activation in SOFTMAXES:
        return keras.activations.softmax
    return activation
