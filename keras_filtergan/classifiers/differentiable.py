"""Can TensorFlow run a network on this machine, forwards and backwards? If not, at which layer?"""

from collections.abc import Callable
from typing import Any, NoReturn

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.graph import layers_by_path, recorded
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError
from keras_filtergan.guards.causes import cause_of


def check_differentiable(target: FrozenTarget, images: tf.Tensor) -> None:
    """Refuse a network that TensorFlow cannot run or differentiate here.

    What it can depends on the processor, on oneDNN being on or off and on the version, so this
    does not know: it tries. The network is run as it is when images are looked at, and the
    gradients that training and inversion take are taken in a compiled function, as there.

    Args:
        target: the frozen network and its layer.
        images: `(m, h, w, c)` in [0, 1]; one is enough.

    Raises:
        InputError: it cannot, or the features do not change with the image as far as gradients
            say. One line with the layer, the reason and what helps.

    Example:
        >>> check_differentiable(FrozenTarget(classifier, layer=4), images[:1])
    """
    images = tf.convert_to_tensor(images)

    @tf.function
    def gradients(images: tf.Tensor) -> tuple[tf.Tensor | None, tf.Tensor | None]:
        with tf.GradientTape() as tape:
            tape.watch(images)
            features = target.features(images)
            value = tf.reduce_sum(features[0])
        of_image = tape.gradient(value, images)
        with tf.GradientTape() as tape:
            activations = target.activations(features)
            tape.watch(activations)
            value = tf.reduce_sum(target.log_probabilities(activations, features))
        return of_image, tape.gradient(value, activations)

    try:
        target(images)
        blind = gradients(images)[0] is None
    except Exception as error:
        _name_the_layer(target, images, blind=False)
        raise error  # it is none of the classifier's layers
    if blind:
        _name_the_layer(target, images, blind=True)
        raise InputError(
            f"expected features of {target.layer_name!r} that change with the image, no gradient "
            "passes between them; choose an earlier layer"
        )


def _name_the_layer(target: FrozenTarget, images: tf.Tensor, blind: bool) -> None:
    """Try each layer alone; refuse the first that fails or, if asked, passes no gradient."""
    paths = {id(layer): path for path, layer in layers_by_path(target.classifier)}

    def choose(operation: keras.Operation) -> Callable:
        mode = {"training": False} if isinstance(operation, keras.Layer) else {}

        def tried(*args, **kwargs):
            if operation is target.layer:  # which is computed here, and otherwise
                features = tf.cast(args[0], tf.float32)
                return operation.activation(target.activations([features]))
            name = f"layer {paths.get(id(operation), operation.name)!r}"
            name = f"{name} ({type(operation).__name__})"
            try:
                made = operation(*args, **{**kwargs, **mode})
            except Exception as error:
                _refuse(f"run {name}", error)
            try:
                passes = _passes_gradient(operation, args, {**kwargs, **mode})
            except Exception as error:
                _refuse(f"differentiate {name}", error)
            if blind and not passes:
                raise InputError(
                    f"expected a network through which gradients pass from {target.layer_name!r} "
                    f"to the image, {name} passes none; choose a layer in front of it"
                )
            return made

        return tried

    recorded(target.classifier, images, choose)


def _passes_gradient(operation: keras.Operation, args: tuple, kwargs: dict) -> bool:
    """Whether any output of an operation has a gradient in any input, in a compiled function."""
    given = [t for t in keras.tree.flatten((args, kwargs)) if _is_float(t)]
    if not given:
        return True

    @tf.function
    def gradient(given: list[tf.Tensor], originals: list[int]) -> list[tf.Tensor | None]:
        instead = dict(zip(originals, given, strict=True))
        swapped = keras.tree.map_structure(lambda t: instead.get(id(t), t), (args, kwargs))
        with tf.GradientTape() as tape:
            tape.watch(given)
            made = operation(*swapped[0], **swapped[1])
            values = [tf.reduce_sum(t) for t in keras.tree.flatten(made) if _is_float(t)]
        return tape.gradient(values, given)

    return any(g is not None for g in gradient(given, [id(t) for t in given]))


def _is_float(value: Any) -> bool:
    return tf.is_tensor(value) and value.dtype.is_floating


def _refuse(what: str, error: Exception) -> NoReturn:
    raise InputError(
        f"TensorFlow cannot {what} on this machine: {cause_of(error)}; put other layers in its "
        "place or, on an x86 processor, try the environment variable TF_ENABLE_ONEDNN_OPTS=1"
    ) from error


def check_finite(target: FrozenTarget, images: tf.Tensor) -> None:
    """Refuse a classifier whose weights are finite and whose answers are not.

    Args:
        target: the network and its layer.
        images: a few, `(n, h, w, c)` in [0, 1].

    Raises:
        InputError: see above.
    """
    features = target.features(images)
    for what, values in (
        (f"what {target.layer_name!r} makes", target.activations(features)),
        ("the answers", target.log_probabilities(target.activations(features), features)),
    ):
        if not np.isfinite(values).all():
            raise InputError(
                f"{what} of the classifier on test images is not finite: its weights are too "
                "large; train it again"
            )
