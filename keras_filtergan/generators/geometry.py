"""A convolution without its weights, and whether a generator was learned from such a one."""

from typing import Any

import keras

from keras_filtergan.errors import InputError
from keras_filtergan.generators.filter_generator import FilterGenerator


def geometry_of(layer: keras.layers.Layer, channels: int) -> dict[str, Any]:
    """Strides, padding, dilation, use of a bias and groups: arguments of `FilterGenerator`.

    Args:
        layer: a `Conv2D` or `DepthwiseConv2D`, built or not.
        channels: of the features that it reads.
    """
    names = ("strides", "padding", "dilation_rate", "use_bias")
    is_depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    groups = channels if is_depthwise else layer.groups
    return {**{name: getattr(layer, name) for name in names}, "groups": groups}


def check_same_convolution(
    generator: FilterGenerator,
    kernel_shape: tuple[int, int, int, int],
    geometry: dict[str, Any],
    where: str,
) -> None:
    """Refuse a generator whose convolution is another one.

    Args:
        generator: learned from some convolution.
        kernel_shape: `(kh, kw, cin / groups, cout)` of the real one.
        geometry: its, from `geometry_of`.
        where: what to call it.

    Raises:
        InputError: one of them differs; the message names both.
    """
    if generator.kernel_shape != tuple(kernel_shape):
        raise InputError(
            f"expected a generator of kernels {tuple(kernel_shape)} for {where}, it makes "
            f"{generator.kernel_shape}; load the one that was learned from this layer"
        )
    for name, real in geometry.items():
        generated = getattr(generator, name)
        if generated != real:
            raise InputError(
                f"expected a generator learned from a convolution with {name} {real!r} for "
                f"{where}, received one with {generated!r}; load the one of this layer"
            )
