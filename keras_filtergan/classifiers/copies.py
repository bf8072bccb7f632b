"""A model of one's own that does what another does."""

from collections.abc import Callable

import keras

from keras_filtergan.classifiers.graph import last_operation, layers_by_path


def copied(model: keras.Model) -> keras.Model:
    """The same model with weights of its own.

    `keras.models.clone_model` and `set_weights` are not enough: a `Normalization` reads what it has
    measured only after `finalize_state`, and a `Lambda` is refused as if it came from a file. It
    has no weights, so it is shared.

    Args:
        model: Functional or Sequential, nested ones included; it stays as it is.

    Example:
        >>> bool(np.all(copied(classifier)(images) == classifier(images)))  # in every bit
        True
    """

    return _cloned(model, lambda layer: layer.get_config())


# Layers that keep single precision: half precision would round the pixels themselves.
_SCALING = (keras.layers.Rescaling, keras.layers.Normalization, keras.layers.InputLayer)


def in_precision(model: keras.Model, name: str) -> keras.Model:
    """The same model, computing in that precision; its weights stay in single precision.

    The last layer, and what scales pixels, compute in single precision as before.

    Args:
        model: Functional or Sequential, nested ones included; it stays as it is.
        name: `float32` (the model itself comes back), `float16` or `bfloat16`.

    Example:
        >>> in_precision(classifier, "bfloat16").get_layer("conv1").compute_dtype
        'bfloat16'
    """
    if name == "float32":
        return model
    last = last_operation(model)

    def config_of(layer: keras.layers.Layer) -> dict:
        config = layer.get_config()
        if layer is last or isinstance(layer, _SCALING):
            return config
        return {**config, "dtype": f"mixed_{name}"}

    return _cloned(model, config_of)


def _cloned(model: keras.Model, config_of: Callable[[keras.layers.Layer], dict]) -> keras.Model:
    """A model of the same weights, each layer made of a configuration."""

    def one_more(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.layers.Lambda):
            return layer
        return type(layer).from_config(config_of(layer))

    copy = keras.models.clone_model(model, clone_function=one_more, recursive=True)
    copy.set_weights(model.get_weights())
    for _, layer in layers_by_path(copy):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
    return copy
