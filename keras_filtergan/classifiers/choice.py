"""Which convolution of a classifier is meant, by number or by name."""

import difflib
import numbers
from collections import Counter

import keras

from keras_filtergan.classifiers.graph import layers_by_path
from keras_filtergan.errors import InputError
from keras_filtergan.private_keras import parts_of

# A subclass may compute something else, so it has to be one of these exactly.
CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
_NOT_CHOSEN: dict[type, str] = {
    keras.layers.SeparableConv2D: (
        "a SeparableConv2D, two convolutions in one with two kernels; "
        "build it of a DepthwiseConv2D and a 1×1 Conv2D"
    ),
    keras.layers.Conv2DTranspose: (
        "a Conv2DTranspose, which spreads each place of its input over its output: the transpose "
        "of a convolution; choose another layer"
    ),
    keras.layers.SpectralNormalization: (
        "a SpectralNormalization around a layer; build the classifier with that layer alone, which "
        "has the normalised kernel after training"
    ),
    keras.layers.TimeDistributed: (
        "a TimeDistributed around a layer; build the classifier of single images, with that layer "
        "alone"
    ),
}
_LISTED = 12  # names in a message


def convolution_layers(classifier: keras.Model) -> dict[str, keras.Layer]:
    """Name → layer, every convolution that can be chosen in the order in which they are applied.

    Convolutions of nested models are numbered in the place of the model. Where two have the same
    name, their names are paths: `"block1/conv"`.

    Args:
        classifier: a built Functional or Sequential model.

    Example:
        >>> list(convolution_layers(build_classifier((28, 28, 1), 10)))
        ['conv1', 'conv2', 'conv3', 'conv4', 'conv5']
    """
    found = {}  # by identity: a layer that is applied twice still counts once
    for path, layer in layers_by_path(classifier):
        if type(layer) in CONVOLUTIONS:
            found.setdefault(id(layer), (path, layer))
    often = Counter(layer.name for _, layer in found.values())
    return {layer.name if often[layer.name] == 1 else path: layer for path, layer in found.values()}


def chosen_convolution(classifier: keras.Model, layer: int | str) -> tuple[str, keras.Layer]:
    """The convolution with this number (1 is the first), name or path, and its name.

    Raises:
        InputError: there is none, or it cannot be chosen; the message says which can.
    """
    convolutions = convolution_layers(classifier)
    if isinstance(layer, bool) or not isinstance(layer, str | numbers.Integral):
        name = getattr(layer, "name", None)
        raise InputError(
            f"expected the number or name of a convolution, received {layer!r}"
            + (f"; give its name, {name!r}" if name else "")
        )
    if isinstance(layer, str) and not layer.isdecimal():
        name = _by_name(classifier, convolutions, layer)
    else:
        layer = int(layer)
        name = list(convolutions)[layer - 1] if 1 <= layer <= len(convolutions) else None
    if name is None:
        raise _unknown(classifier, convolutions, layer)
    chosen = convolutions[name]
    if chosen.data_format != "channels_last":
        raise InputError(
            f"expected a layer with data_format='channels_last', {name!r} has "
            f"{chosen.data_format!r}; build the classifier with channels last"
        )
    return name, chosen


def _by_name(
    classifier: keras.Model, convolutions: dict[str, keras.Layer], asked: str
) -> str | None:
    """The name in `convolutions` that is asked for, `None` if there is no such layer."""
    if asked in convolutions:
        return asked
    for path, layer in layers_by_path(classifier):
        if asked not in (path, layer.name):
            continue
        if type(layer) not in CONVOLUTIONS:
            kind = type(layer)
            what = _hiding(layer) or f"a {kind.__name__}; choose another layer"
            raise InputError(f"expected a Conv2D or DepthwiseConv2D, {asked!r} is {what}")
        if asked == path:
            return next(name for name, held in convolutions.items() if held is layer)
    return None  # also for a name that several layers have: they are listed by their paths


def _hiding(layer: keras.Layer) -> str | None:
    """How a layer hides a convolution, and what to do; `None` if it hides none."""
    kind = type(layer)
    if kind in _NOT_CHOSEN:
        is_wrapper = issubclass(kind, keras.layers.Wrapper)
        return _NOT_CHOSEN[kind] if not is_wrapper or _has_convolution(layer) else None
    if isinstance(layer, CONVOLUTIONS) and kind not in CONVOLUTIONS:
        return f"a {kind.__name__}, which may compute something else; build it of a plain Conv2D"
    if _has_convolution(layer):
        return (
            f"a {kind.__name__} with a convolution inside its own code; build the classifier with "
            "the layers that it is made of, or make it a keras.Model(inputs, outputs)"
        )
    return None


def _has_convolution(layer: keras.Layer) -> bool:
    kinds = (*CONVOLUTIONS, keras.layers.SeparableConv2D)
    return any(isinstance(part, kinds) for part in parts_of(layer))


def _hidden(classifier: keras.Model) -> str:
    """The layers of a classifier that hide convolutions, in words."""
    found = {}
    for path, layer in layers_by_path(classifier):
        what = _hiding(layer) if type(layer) not in CONVOLUTIONS else None
        if what:
            found.setdefault(what, []).append(path)
    words = [
        f"{', '.join(map(repr, paths[:3]))}{' and others' if len(paths) > 3 else ''} is {what}"
        for what, paths in found.items()
    ]
    return "; ".join(words)


def _unknown(
    classifier: keras.Model, convolutions: dict[str, keras.Layer], asked: int | str
) -> InputError:
    if not convolutions:
        hidden = _hidden(classifier)
        return InputError(
            f"expected a classifier with Conv2D layers (or DepthwiseConv2D), {classifier.name!r} "
            + (f"has none that can be chosen: {hidden}" if hidden else "has none")
        )
    names = [f"{number} ({name})" for number, name in enumerate(convolutions, 1)]
    if len(names) > _LISTED:
        names = [*names[:3], "…", names[-1]]
        start = f"there are {len(convolutions)}: "
    else:
        start = "there are: "
    spellings = {name.rpartition("/")[2]: name for name in convolutions}
    spellings |= {name: name for name in convolutions}
    close = difflib.get_close_matches(str(asked), spellings, n=3)
    close = dict.fromkeys(spellings[spelling] for spelling in close)
    same = [name for name in convolutions if name.endswith(f"/{asked}")][:3]
    hint = f"; did you mean {' or '.join(map(repr, same or close))}?" if same or close else ""
    return InputError(f"unknown layer {asked!r}, {start}{', '.join(names)}{hint}")
