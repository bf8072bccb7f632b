"""Networks that people bring: of `keras.applications`, untrained, on 32×32 images."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from classifiers import images, settled, shaken
from keras import layers

from keras_filtergan.classifiers.choice import convolution_layers
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.gan.filtergan import FilterGAN

SIZE = (32, 32)
PLACES = {  # early, inside a residual block, depthwise or projection, deep inside, last
    "MobileNet": ("conv1", "conv_dw_1", "conv_pw_6", "conv_dw_13", "conv_pw_13"),
    "MobileNetV2": (
        *("Conv1", "expanded_conv_depthwise", "block_3_depthwise", "block_5_project"),
        *("block_8_expand", "Conv_1"),
    ),
    "ResNet50": (
        *("conv1_conv", "conv2_block1_2_conv", "conv2_block1_0_conv", "conv3_block2_3_conv"),
        *("conv4_block1_1_conv", "conv5_block3_3_conv"),
    ),
}
INSIDE = {
    "MobileNet": "conv_dw_2",
    "MobileNetV2": "block_1_depthwise",
    "ResNet50": "conv2_block2_2_conv",
}
COUNT = {"MobileNet": 28, "MobileNetV2": 52, "ResNet50": 53}
SMALL = {"MobileNet": {"alpha": 0.25}}


def application(name, channels, **options):
    keras.utils.set_random_seed(0)
    make = getattr(keras.applications, name)
    options = {**SMALL.get(name, {}), **options}
    return make(weights=None, input_shape=(*SIZE, channels), classes=5, **options)


@pytest.fixture(
    scope="module",
    params=[
        ("MobileNet", 3),
        pytest.param(("MobileNetV2", 1), marks=pytest.mark.slow),
        pytest.param(("ResNet50", 3), marks=pytest.mark.slow),
    ],
    ids=lambda kind: "{}-{}".format(*kind),
)
def kind(request):
    """The name of a network and its channels."""
    return request.param


@pytest.fixture(scope="module")
def name(kind):
    return kind[0]


@pytest.fixture(scope="module")
def channels(kind):
    return kind[1]


@pytest.fixture(scope="module")
def network(name, channels):
    model = shaken(application(name, channels, classifier_activation=None))
    return settled(model, images(channels, count=24, size=SIZE, seed=1))


def held(model):
    return [weight.numpy() for weight in model.weights]


def assert_untouched(before, model):
    for old, weight in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, weight)


def check(model, place, x):
    expected = model(x, training=False).numpy()
    assert np.ptp(expected, axis=0).max() > 1e-2  # images are told apart
    target = FrozenTarget(model, place)
    np.testing.assert_allclose(target(x), expected, rtol=1e-4, atol=1e-4)
    repeated = tf.repeat(target.kernel[None], len(x), axis=0)
    # Per example TensorFlow adds up in another order, and 50 random layers amplify the last bits:
    # images that differ by 1e-7 differ by 6e-4 in ResNet50's answers.
    np.testing.assert_allclose(target(x, repeated), expected, rtol=1e-3, atol=5e-3)
    return target


def test_split_anywhere_it_is_the_network(network, name, channels):
    before, x = held(network), images(channels, size=SIZE)
    for place in PLACES[name]:
        target = check(network, place, x)
        assert target.gives_logits
        changed = target(x, 0.5 * tf.repeat(target.kernel[None], len(x), axis=0))
        assert np.abs(changed - target(x)).max() > 0.05
    assert_untouched(before, network)


def test_all_convolutions_are_numbered(network, name):
    found = convolution_layers(network)
    kinds = (layers.Conv2D, layers.DepthwiseConv2D)
    assert list(found) == [layer.name for layer in network.layers if isinstance(layer, kinds)]
    assert len(found) == COUNT[name]


def test_as_a_backbone_between_rescaling_and_head(name, channels):
    backbone = application(name, channels, include_top=False)
    model = keras.Sequential(
        [
            keras.Input((*SIZE, channels)),
            layers.Rescaling(2.0, offset=-1.0),
            backbone,
            layers.GlobalAveragePooling2D(),
            layers.Dense(5, activation="softmax"),
        ]
    )
    settled(shaken(model), images(channels, count=24, size=SIZE, seed=1))
    before, config = held(model), model.get_config()
    target = check(model, INSIDE[name], images(channels, size=SIZE))
    assert not target.gives_logits
    assert target.layer is backbone.get_layer(INSIDE[name])
    assert model.get_config() == config
    assert_untouched(before, model)


def test_a_train_step_on_it_is_finite_and_leaves_it_alone(network, name, channels):
    place = INSIDE[name]
    target, before = FrozenTarget(network, place), held(network)
    gan = FilterGAN(target, latent_dim=2)
    gan.compile()
    x = images(channels, count=4, size=SIZE)
    gan.adapt(x)
    noise = np.random.default_rng(0).normal(size=(3, 4, *target.activation_shape))
    logs = gan.train_step(
        {
            "image": tf.constant(x),
            "label": tf.constant([0, 1, 2, 3]),
            "latent": tf.constant(np.random.default_rng(1).normal(size=(4, 2)), tf.float32),
            "noise_real": tf.constant(noise[0], tf.float32),
            "noise_fake": tf.constant(noise[1], tf.float32),
            "noise_code": tf.constant(noise[2], tf.float32),
        }
    )
    assert all(np.isfinite(value) for value in logs.values())
    assert_untouched(before, network)
