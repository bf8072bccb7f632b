"""A convolution that cannot be chosen: which layer hides it, and what to do."""

import keras
import pytest
from keras import layers

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(2, 3)

    def call(self, x):
        return self.conv(x)


class OwnConv(layers.Conv2D):
    """A subclass may compute something else."""


HIDING = {
    "separable": (lambda: layers.SeparableConv2D(2, 3), "is a SeparableConv2D, two convolutions"),
    "spectral": (
        lambda: layers.SpectralNormalization(layers.Conv2D(2, 3)),
        "is a SpectralNormalization around a layer; build the classifier with that layer alone",
    ),
    "custom": (Block, "is a Block with a convolution inside its own code; build"),
    "subclass": (lambda: OwnConv(2, 3), "is a OwnConv, which may compute something else"),
}


def with_layer(layer, *others):
    image = keras.Input((8, 8, 1))
    x = image
    for one in (layer, *others):
        x = one(x)
    return keras.Model(image, layers.Dense(2)(layers.Flatten()(x)), name="net")


@pytest.mark.parametrize("kind", HIDING)
def test_the_layer_that_hides_it_is_named(kind):
    make, message = HIDING[kind]
    layer = make()
    layer.name = "odd"
    model = with_layer(layer)
    with pytest.raises(InputError) as caught:
        FrozenTarget(model, 1)
    assert f"'net' has none that can be chosen: 'odd' {message}" in str(caught.value)
    with pytest.raises(InputError) as caught:
        FrozenTarget(model, "odd")
    assert f"expected a Conv2D or DepthwiseConv2D, 'odd' {message}" in str(caught.value)


def test_frames_of_a_film():
    image = keras.Input((3, 8, 8, 1))
    frames = layers.TimeDistributed(layers.Conv2D(2, 3), name="odd")(image)
    split = keras.Model(image, layers.Flatten()(frames))
    flat = keras.Input((8, 8, 3))
    films = layers.Reshape((3, 8, 8, 1))(flat)
    model = keras.Model(flat, layers.Dense(2)(split(films)))
    with pytest.raises(InputError, match="/odd' is a TimeDistributed around a layer; build"):
        FrozenTarget(model, 1)


def test_many_of_one_kind_are_summed_up():
    model = with_layer(*(layers.SeparableConv2D(2, 2, name=f"sep{i}") for i in range(5)))
    with pytest.raises(InputError, match="'sep0', 'sep1', 'sep2' and others is a Separable"):
        FrozenTarget(model, 1)


def test_a_network_without_any_has_none():
    with pytest.raises(InputError, match=r"'net' has none$"):
        FrozenTarget(with_layer(layers.SpectralNormalization(layers.Dense(3))), 1)
