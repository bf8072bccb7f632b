"""Convolutions of every kind and form, and what loops say of them."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from loops import loop, loop_gradients

from keras_filtergan.convolution import FORMS, convolve


def draw(cin, depth, cout):
    generator = np.random.default_rng(0)
    images = generator.normal(size=(3, 7, 8, cin)).astype("float32")
    return images, generator.normal(size=(3, 3, 3, depth, cout)).astype("float32")


KINDS = {  # channels of the images, of a group's part of them, and of the maps
    "plain": (2, 2, 4),
    "one_channel": (1, 1, 3),
    "grouped": (4, 2, 6),
    "depthwise": (3, 1, 3),
    "depthwise_times_two": (2, 1, 4),
}


ABLE = {  # which kernels each form can take: shared ones, or one set an example
    "conv2d": [(kind, True) for kind in KINDS],
    "depthwise": [
        (kind, shared)
        for kind in ("one_channel", "depthwise", "depthwise_times_two")
        for shared in (True, False)
    ],
    "singly": [(kind, False) for kind in KINDS],
    "patches": [(kind, False) for kind in KINDS],
    "taps": [(kind, False) for kind in KINDS],
}
ALL = [(form, *which) for form in FORMS for which in ABLE[form]]
STRIDED, DILATED = ((2, 2), "same", (1, 1)), ((1, 1), "valid", (2, 3))


def expected_of(images, kernels, upstream, geometry):
    """Maps and both gradients of the loops; shared kernels are those that all examples have."""
    shared = kernels.ndim == 4
    own = np.stack([kernels] * len(images)) if shared else kernels
    d_images, d_kernels = loop_gradients(images, own, upstream, *geometry)
    return loop(images, own, *geometry), d_images, d_kernels.sum(0) if shared else d_kernels


def draw_for(kind, shared, geometry):
    images, kernels = draw(*KINDS[kind])
    shape = loop(images, kernels, *geometry).shape
    upstream = np.random.default_rng(1).normal(size=shape).astype("float32")
    return images, kernels[0] if shared else kernels, upstream


def with_gradients(form: str, geometry: tuple) -> Callable:
    """Maps, and both gradients for an upstream one."""

    def all_of_it(images, kernels, upstream):
        with tf.GradientTape() as tape:
            tape.watch([images, kernels])
            maps = convolve(images, kernels, *geometry, form=form)
        return maps, *tape.gradient(maps, [images, kernels], upstream)

    return all_of_it
