"""Another layer in the place of a convolution."""

import classifiers
import keras
import numpy as np
import pytest
from classifiers import KINDS, images, shaken
from keras import layers

from keras_filtergan.classifiers.choice import convolution_layers
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.layers import GeneratedConv2D


class Turned(keras.Layer):
    """The real kernels with their sign turned, and no bias."""

    def __init__(self, target):
        super().__init__(name="turned")
        self.target = target

    def call(self, x):
        maps = self.target.activations([x])
        return -maps if self.target.bias is None else self.target.bias - maps


@pytest.fixture(autouse=True)
def _same_weights_each_time():
    keras.utils.set_random_seed(0)


@pytest.mark.parametrize("build", KINDS, ids=lambda build: build.__name__)
def test_every_convolution_of_every_kind_of_classifier_can_be_replaced(build):
    model, x = shaken(build(3)), images(3)
    for name in convolution_layers(model):
        target = FrozenTarget(model, name)
        answers = target.network_with(Turned(target))(x, training=False)
        layer = target.layer
        weights = layer.get_weights()
        assert np.abs(answers - model(x, training=False)).max() > 1e-4
        try:  # the oracle: the classifier with its weights overwritten
            layer.set_weights([-weights[0], *(0 * w for w in weights[1:])])
            expected = model(x, training=False)
        finally:
            layer.set_weights(weights)
        np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_the_layers_own_activation_follows_the_new_layer():
    model, x = shaken(classifiers.functional(1)), images(1)
    target = FrozenTarget(model, 3)  # a LeakyReLU inside the convolution
    layer = layers.DepthwiseConv2D(2, padding="same", name="another")
    layer = keras.Sequential([layer, layers.Conv2D(3, 1)], name="two")
    network = target.network_with(layer)
    features = target.features(x)
    expected = target.outputs(layer(features[0]), features)
    np.testing.assert_allclose(network(x), expected, atol=1e-6)


def test_weights_are_shared_and_the_new_layer_can_be_trained_alone():
    model, x = shaken(classifiers.residual(1)), images(1, count=8)
    target = FrozenTarget(model, 2)
    new = layers.Conv2D(6, 5, padding="same", name="wider")
    network = target.network_with(new)
    shared = {id(w) for w in model.weights} - {id(w) for w in target.layer.weights}
    assert {id(w) for w in network.weights} == shared | {id(w) for w in new.weights}
    model.trainable = False
    frozen, own = model.get_weights(), new.get_weights()
    network.compile("adam", "sparse_categorical_crossentropy")
    network.fit(x, np.zeros(8), epochs=2, verbose=0)
    for before, after in zip(frozen, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert np.abs(own[0] - new.get_weights()[0]).max() > 1e-4


@pytest.mark.parametrize("build", [classifiers.residual, classifiers.nested])
def test_network_and_classifier_can_be_saved_afterwards(build, tmp_path):
    model, x = shaken(build(1)), images(1)
    target = FrozenTarget(model, 2)
    filters = target.kernel_shape[-1]
    network = target.network_with(layers.Conv2D(filters, 3, padding="same", name="new"))
    for one in (network, model):
        one.save(tmp_path / "one.keras")
        loaded = keras.models.load_model(tmp_path / "one.keras")
        np.testing.assert_allclose(loaded(x), one(x), atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(6, 3), r"maps \(9, 10, 6\), as 'second' does, 'c.*\(7, 8, 6\)"),
        (lambda: layers.Conv2D(5, 1), r"maps \(9, 10, 6\).*returns \(9, 10, 5\); change"),
        (lambda: layers.Flatten(), r"returns \(540,\)"),
        (lambda: layers.Conv2D(6, 1, name="first"), "'first' is a layer of the classifier"),
        (lambda: np.tanh, "expected a keras.Layer, received ufunc"),
    ],
)
def test_refusals(make, message):
    image = keras.Input((9, 10, 1))
    x = layers.Conv2D(6, 1, name="first")(image)
    x = layers.Conv2D(6, 3, padding="same", name="second")(x)
    target = FrozenTarget(keras.Model(image, classifiers.read_out(x)), "second")
    with pytest.raises(InputError, match=message):
        target.network_with(make())


def same_convolution(kernels=3, **kwargs) -> keras.Model:
    image = keras.Input((9, 10, 1))
    conv = layers.Conv2D(6, kernels, padding="same", **kwargs)(image)
    return shaken(keras.Model(image, classifiers.read_out(conv)))


def learned_from(target, **changes) -> FilterGenerator:
    """A generator of a target's layer, as a trained one is."""
    generator = FilterGenerator(target.kernel_shape, 3, **{**target.geometry, **changes})
    generator.build((None, 3))
    generator.mean.assign(np.ones(generator.mean.shape))
    if generator.use_bias:
        generator.bias.assign(target.bias)
    return generator


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: same_convolution(kernels=5), r"\(3, 3, 1, 6\) for layer 'own'.*\(5, 5, 1, 6\)"),
        (lambda: same_convolution(dilation_rate=2), r"dilation_rate \(1, 1\).*with \(2, 2\)"),
        (lambda: same_convolution(use_bias=False), "use_bias True.*with False"),
        (lambda: shaken(same_convolution(), seed=1), "of this network, the bias of this one"),
    ],
)
def test_the_generator_of_another_convolution_is_refused(other, message):
    """All of them return maps of the right shape."""
    target = FrozenTarget(same_convolution(name="own"), 1)
    assert target.network_with(GeneratedConv2D(learned_from(target))).output_shape == (None, 3)
    layer = GeneratedConv2D(learned_from(FrozenTarget(other(), 1)), name="new")
    with pytest.raises(InputError, match=message):
        target.network_with(layer)
