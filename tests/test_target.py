import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError


def sequential():
    return keras.Sequential(
        [
            keras.Input((10, 11, 3)),
            layers.Conv2D(4, 3, activation="relu", strides=2),
            layers.Conv2D(5, (3, 2), padding="same", dilation_rate=2, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.5),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def residual():
    inputs = keras.Input((10, 11, 3))
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(inputs)
    y = layers.Conv2D(6, 3, padding="same", activation="tanh", name="inside")(x)
    y = layers.Conv2D(6, 3, padding="same")(layers.BatchNormalization()(y))
    x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.Concatenate()([layers.Flatten()(x), layers.Flatten()(inputs)])
    return keras.Model(inputs, layers.Dense(3)(x))


def images(count=5):
    return np.random.default_rng(0).uniform(size=(count, 10, 11, 3)).astype("float32")


@pytest.mark.parametrize("ask", ["features", "__call__", "record"])
def test_bytes_and_floats_are_one_image(ask):
    target = FrozenTarget(residual(), layer=2)
    pixels = np.random.default_rng(1).integers(0, 256, (3, 10, 11, 3), "uint8")
    answers = [getattr(target, ask)(x) for x in (pixels, pixels.astype("float32") / 255)]
    for of_bytes, of_floats in zip(*map(keras.tree.flatten, answers), strict=True):
        np.testing.assert_allclose(of_bytes, of_floats, atol=1e-6)
    with pytest.raises(InputError, match=r"float pixels in \[0, 1\], received 0 to 255"):
        getattr(target, ask)(pixels.astype("float32"))


@pytest.mark.parametrize("build", [sequential, residual])
def test_put_together_again_it_is_bit_identical(build):
    keras.utils.set_random_seed(0)
    model = build()
    noise = np.random.default_rng(1)
    model.set_weights([w + 0.1 * noise.uniform(size=w.shape) for w in model.get_weights()])
    expected = model(images(), training=False).numpy()
    count = sum(isinstance(layer, layers.Conv2D) for layer in model.layers)
    for layer in range(1, count + 1):
        target = FrozenTarget(model, layer)
        np.testing.assert_array_equal(target(images()), expected)
        np.testing.assert_array_equal(target(images(), target.kernel), expected)


def test_activations_are_the_layers_own_before_its_nonlinearity():
    model = residual()
    target = FrozenTarget(model, "inside")
    inner = keras.Model(model.inputs[0], model.get_layer("inside").output)
    activations = target.activations(target.features(images()))
    np.testing.assert_allclose(np.tanh(activations), inner(images()), atol=1e-6)


def test_kernels_of_each_example_replace_the_layers(target):
    generator = np.random.default_rng(0)
    x = generator.uniform(size=(3, 12, 12, 1)).astype("float32")
    kernels = generator.normal(size=(3, *target.kernel_shape)).astype("float32")
    together = target(x, kernels).numpy()
    layer = target.layer
    real = layer.get_weights()
    try:
        for i in range(3):  # the oracle: the classifier itself with its weights overwritten
            layer.set_weights([kernels[i], real[1]])
            np.testing.assert_allclose(
                target.classifier(x[i : i + 1], training=False)[0], together[i], atol=1e-4
            )
    finally:
        layer.set_weights(real)


def test_layer_by_number_name_and_numeral(classifier):
    assert FrozenTarget(classifier, 2).layer_name == "conv2"
    assert FrozenTarget(classifier, "2").layer_name == "conv2"
    assert FrozenTarget(classifier, "conv2").layer.name == "conv2"


def test_shapes(target):
    assert target.image_shape == (12, 12, 1)
    assert target.kernel_shape == (3, 3, 6, 7)
    assert target.activation_shape == (3, 3, 7)
    assert target.num_classes == 3


def test_logits_and_probabilities_are_told_apart():
    assert not FrozenTarget(sequential(), 1).gives_logits
    assert FrozenTarget(residual(), 1).gives_logits


def test_inference_leaves_weights_and_statistics_as_they_are(target):
    before = [w.copy() for w in target.classifier.get_weights()]
    target(np.random.default_rng(0).uniform(size=(8, 12, 12, 1)).astype("float32"))
    for old, new in zip(before, target.classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_differentiable_with_respect_to_images(target):
    x = tf.constant(np.random.default_rng(0).uniform(size=(2, 12, 12, 1)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_sum(tf.square(target.activations(target.features(x))))
    assert np.abs(tape.gradient(value, x)).max() > 0


def test_fingerprint_sees_every_weight():
    model = sequential()
    target = FrozenTarget(model, 1)
    before = target.fingerprint()
    weights = model.get_weights()
    weights[-1] = weights[-1] + 1e-6
    model.set_weights(weights)
    assert target.fingerprint() != before


def no_convolution():
    return keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(2)])


def two_inputs():
    a, b = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    x = layers.Flatten()(layers.Conv2D(2, 3)(layers.Add()([a, b])))
    return keras.Model([a, b], layers.Dense(2)(x))


def applied_twice():
    inputs = keras.Input((8, 8, 2))
    shared = layers.Conv2D(2, 3, padding="same")
    return keras.Model(inputs, layers.Dense(2)(layers.Flatten()(shared(shared(inputs)))))


def unbuilt():
    return keras.Sequential([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)])


@pytest.mark.parametrize(
    ("build", "layer", "message"),
    [
        (sequential, 3, r"unknown layer 3, there are: 1 \(conv2d.*\), 2 \(conv2d"),
        (sequential, 0, "unknown layer 0"),
        (residual, "insid", "did you mean 'inside'"),
        (no_convolution, 1, "expected a classifier with Conv2D layers"),
        (two_inputs, 1, "2 inputs"),
        (applied_twice, 1, "applied once, it is 2"),
        (unbuilt, 1, "expected a built"),
        (lambda: "file.keras", 1, "expected a keras.Model"),
    ],
)
def test_refusals_say_what_there_is(build, layer, message):
    with pytest.raises(InputError, match=message):
        FrozenTarget(build(), layer)


def test_moments_are_those_of_each_unit(target, dataset):
    maps = target.activations(target.features(dataset.x_train / np.float32(255))).numpy()
    mean, variance = target.moments(dataset.x_train, batch_size=17)
    np.testing.assert_allclose(mean, maps.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(variance, maps.var(axis=0), rtol=1e-4, atol=1e-8)
