"""Classifiers that expect other pixels than those in [0, 1]: the scaling is put in front once."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_filtergan.errors import InputError
from keras_filtergan.names import by_name

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)  # blue, green, red, of bytes
SCALED = "scaled_"  # before the name of a classifier that a scaling stands in front of

# What `preprocess_input` of each family in `keras.applications` does, of `SCALINGS`.
_FAMILIES = {
    "signed": "inception_resnet_v2 inception_v3 mobilenet mobilenet_v2 nasnet resnet_v2 xception",
    "standardised": "densenet",
    "caffe": "resnet vgg16 vgg19",
    "bytes": "convnext efficientnet efficientnet_v2 mobilenet_v3",
}
PREPROCESSING = {name: kind for kind, names in _FAMILIES.items() for name in names.split()}


def check_pixel_range(low: float, high: float) -> None:
    """Refuse a range that is empty, reversed or not finite.

    Raises:
        InputError: see above.
    """
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InputError(
            f"expected a pixel range from a lower to a higher number, received {low:g} to {high:g};"
            " 0 255 and -1 1 are usual"
        )


def with_pixel_range(classifier: keras.Model, low: float, high: float) -> keras.Model:
    """The classifier behind a scaling of pixels in [0, 1] to the range that it was trained on.

    Args:
        classifier: with one image input; it is used, not copied.
        low, high: what black and white are to it.

    Returns:
        A model of images in [0, 1], which is saved and loaded as one.

    Raises:
        InputError: an empty or reversed range.

    Example:
        >>> scaled = with_pixel_range(classifier, -1, 1)
        >>> np.allclose(scaled(images), classifier(2 * images - 1), atol=1e-5)
        True
    """
    check_pixel_range(low, high)
    return _with_scaling(classifier, _rescaled(high - low, low))


def with_preprocessing(classifier: keras.Model, name: str) -> keras.Model:
    """The classifier behind `preprocess_input` of a family of `keras.applications`.

    Args:
        classifier: with one image input; it is used, not copied.
        name: of the family, one of `PREPROCESSING`.

    Returns:
        A model of images in [0, 1], which is saved and loaded as one.

    Raises:
        InputError: an unknown name, or grey images where the family needs colours.

    Example:
        >>> network = keras.applications.MobileNet(weights=None, alpha=0.25)
        >>> with_preprocessing(network, "mobilenet").input_shape
        (None, 224, 224, 3)
    """
    kind = by_name("preprocessing", name, PREPROCESSING)
    if kind in ("standardised", "caffe") and classifier.inputs[0].shape[-1] != 3:
        raise InputError(
            f"preprocessing {name!r} is of images with 3 channels, the classifier takes "
            f"{classifier.inputs[0].shape[-1]}; give its pixel range"
        )
    return _with_scaling(classifier, SCALINGS[kind])


def scaled(
    classifier: keras.Model,
    pixel_range: tuple[float, float] | None = None,
    preprocessing: str | None = None,
) -> keras.Model:
    """The classifier behind the scaling of pixels that it expects, if it is another than [0, 1].

    Args:
        classifier: with one image input; it is used, not copied.
        pixel_range: as of `with_pixel_range`.
        preprocessing: as of `with_preprocessing`.

    Raises:
        InputError: both, or what these refuse.

    Example:
        >>> scaled(classifier) is classifier
        True
    """
    if pixel_range is not None and preprocessing is not None:
        raise InputError("expected `pixel_range` or `preprocessing`, received both")
    if pixel_range is not None:
        return with_pixel_range(classifier, *pixel_range)
    if preprocessing is not None:
        return with_preprocessing(classifier, preprocessing)
    return classifier


def unscaled(classifier: keras.Model) -> keras.Model:
    """What is behind the scaling of pixels, also of a classifier that was saved with it.

    Example:
        >>> unscaled(with_pixel_range(classifier, -1, 1)) is classifier
        True
    """
    last = classifier.layers[-1]
    is_scaled = classifier.name == f"{SCALED}{last.name}" and isinstance(last, keras.Model)
    return unscaled(last) if is_scaled else classifier


Scaling = Callable[[Any], Any]


def usual_scalings(channels: int, mean: float, deviation: float) -> dict[str, Scaling]:
    """The scalings of pixels in [0, 1] that networks usually expect, by the setting for each.

    Args:
        channels: of the images.
        mean, deviation: of their pixels in [0, 1], for networks of standardised pixels.

    Example:
        >>> list(usual_scalings(1, 0.5, 0.25))[1:]
        ['`pixel_range` 0 255', '`pixel_range` -1 1', '`pixel_range` -2 2']
    """
    found: dict[str, Scaling] = {
        "`pixel_range` 0 1": lambda images: images,
        "`pixel_range` 0 255": SCALINGS["bytes"],
        "`pixel_range` -1 1": SCALINGS["signed"],
    }
    if deviation > 0:
        low, high = (float(f"{(end - mean) / deviation:.4g}") for end in (0.0, 1.0))
        found[f"`pixel_range` {low:g} {high:g}"] = _rescaled(high - low, low)
    if channels == 3:
        for name in ("densenet", "resnet"):
            found[f"`preprocessing` {name}"] = SCALINGS[PREPROCESSING[name]]
    return found


def _rescaled(scale: Any, offset: Any) -> Scaling:
    return lambda images: keras.layers.Rescaling(scale, offset, dtype="float32")(images)


def _caffe(images: Any) -> Any:
    reversed_channels = keras.ops.flip(images, axis=-1)  # blue first
    return _rescaled(255.0, [-mean for mean in CAFFE_MEAN])(reversed_channels)


SCALINGS: dict[str, Scaling] = {
    "bytes": _rescaled(255.0, 0.0),
    "signed": _rescaled(2.0, -1.0),
    "standardised": _rescaled(
        [1 / deviation for deviation in IMAGENET_DEVIATION],
        [-m / d for m, d in zip(IMAGENET_MEAN, IMAGENET_DEVIATION, strict=True)],
    ),
    "caffe": _caffe,
}


def _with_scaling(classifier: keras.Model, scaling: Scaling) -> keras.Model:
    images = keras.Input(classifier.inputs[0].shape[1:], name="images")
    return keras.Model(images, classifier(scaling(images)), name=f"{SCALED}{classifier.name}")
