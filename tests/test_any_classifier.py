"""Whatever the classifier is made of, its parts put together again are the classifier."""

import hashlib

import classifiers
import keras
import numpy as np
import pytest
import tensorflow as tf
from classifiers import KINDS, block, images, read_out, shaken
from keras import layers
from loops import loop

from keras_filtergan.classifiers.choice import convolution_layers
from keras_filtergan.classifiers.graph import opened
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError

# In colour; in gray only where one channel is a case of its own, in the first layer.
NETWORKS = [
    *((build, 3) for build in KINDS),
    (classifiers.functional, 1),
    (classifiers.depthwise, 1),
]


@pytest.fixture(autouse=True)
def _same_weights_each_time():
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda p: f"{p[0].__name__}-{p[1]}")
def model(request):
    """One for all tests: none of them may change it, which one of them checks."""
    build, channels = request.param
    keras.utils.set_random_seed(0)
    return shaken(build(channels))


@pytest.fixture(scope="module")
def targets(model):
    """The model split at each of its convolutions."""
    return [FrozenTarget(model, name) for name in convolution_layers(model)]


@pytest.fixture
def x(model):
    return images(model.inputs[0].shape[-1])


def several(kernel, count=3):
    """Kernel sets around the real one, one an example."""
    noise = np.random.default_rng(3).normal(size=(count, *kernel.shape)).astype("float32")
    return kernel.numpy() + 0.3 * noise


def test_put_together_again_it_is_the_classifier(model, targets, x):
    expected = model(x, training=False).numpy()
    assert np.ptp(expected, axis=0).min() > 1e-5  # images are told apart
    for target in targets:
        repeated = np.stack([target.kernel] * len(x))
        np.testing.assert_allclose(target(x), expected, atol=1e-5)
        np.testing.assert_allclose(target(x, target.kernel), expected, atol=1e-5)
        np.testing.assert_allclose(target(x, repeated), expected, atol=1e-5)


def test_kernels_of_an_example_are_what_the_layer_would_make_of_them(model, targets, x):
    x = x[:2]
    for target in targets:
        kernels, layer = several(target.kernel, count=2), target.layer
        together, real = target(x, kernels).numpy(), layer.kernel.numpy()
        assert np.abs(together - target(x)).max() > 1e-4
        try:
            for i in range(len(x)):  # the oracle: the classifier with its weights overwritten
                layer.kernel.assign(kernels[i].reshape(real.shape))
                alone = model(x[i : i + 1], training=False)[0]
                np.testing.assert_allclose(together[i], alone, atol=1e-5)
        finally:
            layer.kernel.assign(real)


def test_activations_are_a_convolution_written_out(targets, x):
    x = x[:2]
    for target in targets:
        kernels, layer = several(target.kernel, count=2), target.layer
        features = target.features(x)
        maps = loop(features[0].numpy(), kernels, layer.strides, layer.padding, layer.dilation_rate)
        if target.bias is not None:
            maps = maps + layer.bias.numpy()
        assert maps.shape[1:] == target.activation_shape
        np.testing.assert_allclose(target.activations(features, kernels), maps, atol=1e-4)


def test_the_classifier_stays_what_it_was(model, x):
    weights, config = [w.numpy() for w in model.weights], model.get_config()
    names = [layer.name for layer in model.layers]
    for target in [FrozenTarget(model, name) for name in convolution_layers(model)]:
        with tf.GradientTape() as tape:
            kernels = tf.constant(several(target.kernel))
            tape.watch(kernels)
            value = tf.reduce_sum(tf.square(target(x, kernels)))
        assert np.abs(tape.gradient(value, kernels)).max() > 0
    assert model.get_config() == config
    assert [layer.name for layer in model.layers] == names
    for old, new in zip(weights, model.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_copy_of_the_suffix_can_be_made_and_trained(model, targets, x):
    """As `retrained_accuracy` does."""
    if any(type(layer) is classifiers.Backbone for layer in model.layers):
        pytest.skip("a class that Keras cannot rebuild from its config")
    for target in targets:
        copy = keras.models.clone_model(target.suffix)
        copy.set_weights(target.suffix.get_weights())
        features = target.features(x)
        activations = target.activations(features)
        answers = target.outputs(activations, features, suffix=copy)
        np.testing.assert_allclose(answers, model(x, training=False), atol=1e-5)
        in_training = target.outputs(activations, features, suffix=copy, training=True)
        assert np.isfinite(in_training).all()


@pytest.mark.parametrize("mode", [False, True])
def test_the_mode_in_which_a_nested_model_is_called_goes_with_its_layers(mode):
    image = keras.Input((9, 10, 3))
    inner = block(3, "inner")
    model = shaken(keras.Model(image, read_out(inner(image, training=mode))))
    flat, x = opened(model, inner.layers[0]), images(3)
    assert np.abs(model(x, training=False) - model(x, training=True)).max() > 1e-3
    np.testing.assert_allclose(flat(x), model(x), atol=1e-6)  # without a mode of their own
    np.testing.assert_allclose(flat(x), model(x, training=mode), atol=1e-6)


def test_numbers_and_names_follow_the_order_of_application():
    model = classifiers.nested(3)
    names = ["block1/conv", "stage/deep/conv", "stage/conv", "conv", "block2/conv"]
    assert list(convolution_layers(model)) == names
    assert [FrozenTarget(model, n).layer_name for n in range(1, 6)] == names
    assert FrozenTarget(model, "stage/deep/conv").layer is FrozenTarget(model, 2).layer
    assert list(convolution_layers(classifiers.backbone(3))) == ["first", "second"]
    assert FrozenTarget(classifiers.backbone(1), "backbone/second").layer_name == "second"


def not_chosen():
    image = keras.Input((9, 10, 4))
    x = layers.SeparableConv2D(4, 3, name="separable")(image)
    x = layers.Conv2DTranspose(4, 3, name="transposed")(x)
    return keras.Model(image, read_out(layers.Conv2D(2, 3, name="plain")(x)))


def test_what_cannot_be_chosen_does_not_count():
    assert FrozenTarget(not_chosen(), 1).layer_name == "plain"


@pytest.mark.parametrize("build", [classifiers.functional, classifiers.depthwise])
def test_without_nesting_numbers_and_fingerprint_are_the_old_ones(build):
    """What runs have written down."""
    model = build(3)
    kinds = (layers.Conv2D, layers.DepthwiseConv2D)
    flat = [layer.name for layer in model.layers if type(layer) in kinds]
    assert list(convolution_layers(model)) == flat
    digest = hashlib.sha256(flat[1].encode())
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    assert FrozenTarget(model, 2).fingerprint() == digest.hexdigest()[:16]


ENDINGS = {
    "logits": (lambda x: x, True),
    "softmax_layer": (layers.Softmax(), False),
    "softmax_operation": (keras.ops.softmax, False),
    "softmax_cast": (lambda x: layers.Activation("linear")(layers.Activation("softmax")(x)), False),
    "softmax_reshaped": (lambda x: layers.Reshape((3,))(keras.activations.softmax(x)), False),
    "softmax_layer_as_activation": (layers.Dense(3, activation=layers.Softmax()), False),
    "softmax_operation_as_activation": (layers.Dense(3, activation=keras.ops.softmax), False),
    "softmax_of_tensorflow": (layers.Dense(3, activation=tf.nn.softmax), False),
    "logits_cast": (layers.Activation("linear", dtype="float32"), True),
    "nested_softmax": (keras.Sequential([keras.Input((3,)), layers.Softmax()]), False),
    "nested_pass": (keras.Sequential([keras.Input((3,)), layers.Dropout(0.5)]), True),
    "softmax_passed": (
        lambda x: keras.Sequential([keras.Input((3,)), layers.Dropout(0.5)])(layers.Softmax()(x)),
        False,
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_logits_and_probabilities_are_told_apart(ending):
    end, gives_logits = ENDINGS[ending]
    image = keras.Input((9, 10, 1))
    model = keras.Model(image, end(read_out(layers.Conv2D(2, 3)(image))))
    target, x = FrozenTarget(model, 1), images(1)
    assert target.gives_logits is gives_logits
    sums = np.sum(np.exp(target.log_probabilities(target.activations(f := target.features(x)), f)))
    assert np.isclose(sums, len(x), rtol=1e-5) is not gives_logits


class OwnCode(keras.Model):
    def __init__(self):
        super().__init__(name="own")
        self.conv, self.dense = layers.Conv2D(2, 3), layers.Dense(2)

    def call(self, x):
        return self.dense(keras.ops.mean(self.conv(x), axis=(1, 2)))


def own_code():
    model = OwnCode()
    model(images(1))
    return model


def model_applied_twice():
    image = keras.Input((9, 10, 4))
    twice = block(4, "twice")
    return keras.Model(image, read_out(twice(twice(image))))


def layer_in_two_models():
    image, shared = keras.Input((9, 10, 2)), layers.Conv2D(2, 3, padding="same", name="shared")
    inner = [keras.Sequential([keras.Input((9, 10, 2)), shared], name=n) for n in "ab"]
    return keras.Model(image, read_out(inner[1](inner[0](image))))


def two_outputs():
    image = keras.Input((9, 10, 2))
    x = layers.Conv2D(2, 3)(image)
    return keras.Model(image, [read_out(x), read_out(x)])


def channels_first():
    image = keras.Input((2, 9, 10))
    x = layers.Conv2D(2, 3, data_format="channels_first", name="first")(image)
    return keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))


def deep():
    image = x = keras.Input((9, 10, 2))
    for number in range(40):
        x = layers.Conv2D(2, 3, padding="same", name=f"conv_{number}")(x)
    return keras.Model(image, read_out(x))


def sigmoid():
    image = keras.Input((9, 10, 2))
    return keras.Model(image, keras.ops.sigmoid(read_out(layers.Conv2D(2, 3)(image))))


def binary():
    image = keras.Input((9, 10, 2))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(image))
    return keras.Model(image, layers.Dense(1)(pooled))


def integers():
    image = keras.Input((9, 10, 2), dtype="uint8")
    return keras.Model(image, read_out(layers.Conv2D(2, 3)(layers.Rescaling(1 / 255)(image))))


@pytest.mark.parametrize(
    ("build", "layer", "message"),
    [
        (own_code, 1, "Functional or Sequential.*received OwnCode 'own' with code of its own"),
        (lambda: keras.Sequential([layers.Conv2D(2, 3)]), 1, "built.*put a keras.Input"),
        (model_applied_twice, 1, "'conv' to be applied once, it is 2 ×"),
        (layer_in_two_models, "shared", "'shared' to be applied once, it is 2 ×"),
        (two_outputs, 1, "1 inputs and 2 outputs"),
        (channels_first, "first", "channels_last', 'first' has 'channels_first'"),
        (not_chosen, "separable", "'separable' is a SeparableConv2D, two convolutions in one"),
        (not_chosen, "transposed", "'transposed' is a Conv2DTranspose, which spreads"),
        (not_chosen, 2, r"unknown layer 2, there are: 1 \(plain\)$"),
        (lambda: classifiers.backbone(1), "dense", "unknown layer 'dense', there are"),
        (lambda: classifiers.nested(1), "conv1", "did you mean 'conv'"),
        (lambda: classifiers.nested(1), "deep/conv", "did you mean 'stage/deep/conv'"),
        (lambda: classifiers.nested(1), "stage/add", "'stage/add' is a Add; choose another"),
        (deep, 41, r"there are 40: 1 \(conv_0\), 2 \(conv_1\), 3 \(conv_2\), …, 40 \(conv_39\)$"),
        (deep, "conv-17", "did you mean 'conv_17'"),
        (sigmoid, 1, "ends in logits or a softmax, it ends in sigmoid"),
        (binary, 1, "at least 2 classes, received 1 score.*make two"),
        (integers, 1, "images as floats in .0, 1., .* takes uint8"),
    ],
)
def test_refusals_are_one_helpful_line(build, layer, message):
    with pytest.raises(InputError, match=message) as raised:
        FrozenTarget(build(), layer)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300


def test_a_binary_classifier_with_two_logits_made_of_its_one():
    """As the refusal of a single score advises: softmax(0, s) is the sigmoid of s."""
    model = shaken(binary())
    score = model.output
    two = keras.Model(model.input, keras.ops.concatenate([0 * score, score], axis=-1))
    target, x = FrozenTarget(two, 1), images(2)
    assert target.gives_logits
    np.testing.assert_allclose(
        keras.ops.softmax(target(x))[:, 1:], keras.ops.sigmoid(model(x)), atol=1e-6
    )


@pytest.mark.parametrize("policy", ["float64", "float16", "bfloat16", "mixed_float16"])
def test_any_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        image = keras.Input((9, 10, 1))
        x = layers.Conv2D(4, 3, activation="relu")(image)
        model = shaken(keras.Model(image, read_out(layers.Conv2D(3, 3)(x))))
    finally:
        keras.config.set_dtype_policy("float32")
    target, x = FrozenTarget(model, 2), images(1)
    assert target.activations(target.features(x)).dtype == tf.float32
    expected = np.asarray(model(x, training=False), "float32")
    np.testing.assert_allclose(target(x), expected, rtol=3e-2, atol=3e-2)
    np.testing.assert_allclose(target(x, target.kernel), expected, rtol=3e-2, atol=3e-2)


@pytest.mark.parametrize("layer", [None, 1.9, True, [1]])
def test_a_layer_that_is_neither_number_nor_name(layer):
    with pytest.raises(InputError, match="expected the number or name of a convolution, received"):
        FrozenTarget(classifiers.functional(1), layer)


def test_a_layer_itself_is_named():
    model = classifiers.functional(1)
    with pytest.raises(InputError, match=f"give its name, '{model.layers[1].name}'"):
        FrozenTarget(model, model.layers[1])
