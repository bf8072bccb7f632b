"""A network as it was before its training."""

import hashlib
import itertools
from typing import Any

import keras

from keras_filtergan.classifiers.graph import layers_by_path


def at_initialisation(classifier: keras.Model, seed: int = 0) -> keras.Model:
    """The same network with weights drawn anew by its own initialisers.

    What a `Normalization` has measured of images is kept: it says how images come in, it is not
    what was learned.

    Args:
        classifier: a built Functional or Sequential model, nested ones included; it stays as it is.
        seed: of all weights. Keras's global seed is neither used nor moved.

    Returns:
        A model of its own with the same layers.

    Example:
        >>> tuple(at_initialisation(classifier, seed=1).get_layer("conv1").kernel.shape)
        (3, 3, 1, 16)
    """

    numbers = itertools.count()  # names may be those of layers in other nested models

    def drawn_anew(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        return type(layer).from_config(_seeded(config, f"{seed}/{next(numbers)}"))

    fresh = keras.models.clone_model(classifier, clone_function=drawn_anew, recursive=True)
    for (_, old), (_, new) in zip(layers_by_path(classifier), layers_by_path(fresh), strict=True):
        if isinstance(old, keras.layers.Normalization):
            new.set_weights(old.get_weights())
            new.finalize_state()
    return fresh


def _seeded(config: Any, place: str) -> Any:
    """A configuration in which every random initialiser has a seed that its place decides."""
    if isinstance(config, list | tuple):
        return type(config)(_seeded(part, f"{place}/{i}") for i, part in enumerate(config))
    if not isinstance(config, dict):
        return config
    config = {key: _seeded(part, f"{place}/{key}") for key, part in config.items()}
    inner = config.get("config")
    is_initializer = "initializers" in str(config.get("module")) and isinstance(inner, dict)
    if is_initializer and "seed" in inner:
        digest = hashlib.sha256(place.encode()).digest()
        config["config"] = {**inner, "seed": int.from_bytes(digest[:4], "little") % 2**31}
    return config
