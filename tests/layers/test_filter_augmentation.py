import subprocess
import sys

import classifiers
import keras
import numpy as np
import pytest
import tensorflow as tf
from trained_generator import looks_trained

from keras_filtergan.classifiers.choice import convolution_layers
from keras_filtergan.classifiers.classifier import build_classifier
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.layers import FilterAugmentation

IMAGES = np.random.default_rng(0).uniform(size=(5, 12, 12, 1)).astype("float32")


@pytest.fixture
def layer(target):
    return FilterAugmentation.of(target, looks_trained(target.layer))


def with_a_head(layer) -> keras.Model:
    return keras.Sequential(
        [keras.Input((12, 12, 1)), layer, keras.layers.Flatten(), keras.layers.Dense(2)]
    )


def test_outside_training_it_is_the_frozen_network(target, classifier, layer):
    features = keras.Model(classifier.inputs[0], classifier.get_layer("conv4").output)(IMAGES)
    np.testing.assert_allclose(layer(IMAGES), features, atol=1e-5)
    np.testing.assert_allclose(layer(IMAGES, training=False), features, atol=1e-5)


def test_bytes_are_images_and_floats_above_1_are_not(layer):
    pixels = np.random.default_rng(1).integers(0, 256, (3, 12, 12, 1), "uint8")
    np.testing.assert_allclose(layer(pixels), layer(pixels.astype("float32") / 255), atol=1e-5)
    mapped = tf.data.Dataset.from_tensors(pixels).map(layer)
    np.testing.assert_allclose(next(iter(mapped)), layer(pixels), atol=1e-5)
    with pytest.raises(InputError, match=r"float pixels in \[0, 1\]"):
        layer(pixels.astype("float32"))


def test_in_training_each_image_sees_kernels_of_its_own(target):
    layer = FilterAugmentation.of(target, looks_trained(target.layer), seed=4)
    layer.generated.generator.call = record = Recorder(layer.generated.generator.call)
    drawn = layer(IMAGES, training=True)
    expected = target.activations(target.features(IMAGES), record.kernels)
    np.testing.assert_allclose(drawn, expected, atol=1e-5)
    assert len(np.unique(record.kernels.numpy().reshape(5, -1), axis=0)) == 5


class Recorder:
    def __init__(self, call):
        self.make = call

    def __call__(self, latents, training):
        self.kernels = self.make(latents, training=training)
        return self.kernels


def test_batch_norm_of_the_prefix_does_not_move_and_nothing_is_trained(classifier, layer):
    held = [weight.numpy() for weight in classifier.weights]
    inside = [weight.numpy() for weight in layer.prefix.weights + layer.convolution.weights]
    model = with_a_head(layer)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(IMAGES, np.ones((5, 2)), epochs=3, verbose=0)
    assert len(model.trainable_variables) == 2
    for weights, before in (
        (classifier.weights, held),
        (layer.prefix.weights + layer.convolution.weights, inside),
    ):
        for weight, value in zip(weights, before, strict=True):
            np.testing.assert_array_equal(weight, value)


def test_the_classifier_stays_trainable_and_apart(classifier, layer):
    trainable = [variable.path for variable in classifier.trainable_variables]
    with_a_head(layer).trainable = False
    assert [variable.path for variable in classifier.trainable_variables] == trainable
    assert not {id(w) for w in classifier.weights} & {id(w) for w in layer.weights}


def test_it_maps_a_data_set(layer):
    images = tf.data.Dataset.from_tensor_slices(IMAGES).batch(5)
    drawn = [next(iter(images.map(lambda x: layer(x, training=True)))).numpy() for _ in range(2)]
    assert np.abs(drawn[0] - drawn[1]).max() > 1e-3
    plain = next(iter(images.map(layer)))
    np.testing.assert_allclose(plain, layer(IMAGES), atol=1e-5)


FRESH = """
import sys, numpy as np, keras
from keras_filtergan import layers
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], model(np.load(sys.argv[2])))
assert len(model.trainable_variables) == 2
"""


def test_a_saved_model_gives_the_same_in_a_fresh_process(tmp_path, layer):
    model = with_a_head(layer)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", IMAGES)
    arguments = [str(tmp_path / name) for name in ("model.keras", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-c", FRESH, *arguments], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), model(IMAGES), atol=1e-6)


@pytest.mark.parametrize("build", classifiers.KINDS, ids=lambda build: build.__name__)
def test_around_networks_of_every_kind(build, tmp_path):
    """Outside training the frozen features, the real kernels in training, alike when loaded.

    A convolution with a path around it has no features of its own, and says so.
    """
    keras.utils.set_random_seed(0)
    model, images = classifiers.shaken(build(3)), classifiers.images(3)
    layer = None
    for name in convolution_layers(model):
        target = FrozenTarget(model, name)
        generator = FilterGenerator(target.kernel_shape, 2, width=4, **target.geometry)
        generator.build((None, 2))
        by_channel = tf.reshape(target.kernel, (-1, target.kernel_shape[-1]))
        generator.mean.assign(tf.transpose(by_channel) / generator.scale)
        generator.mean.assign(generator.mean / generator.mean_learning_rate)
        generator.deviation.kernel.assign(tf.zeros_like(generator.deviation.kernel))
        if target.bias is not None:
            generator.bias.assign(target.bias)
        if len(target.prefix.outputs) > 1:
            with pytest.raises(InputError, match="a path runs around layer"):
                FilterAugmentation.of(target, generator)
            continue
        expected = target.layer.activation(target.activations(target.features(images)))
        layer = FilterAugmentation.of(target, generator)
        for training in (False, True):
            np.testing.assert_allclose(layer(images, training=training), expected, atol=1e-4)
    if layer is None:
        assert build is classifiers.residual
        return
    features = keras.Sequential([keras.Input(images.shape[1:]), layer])
    features.save(tmp_path / "features.keras")
    loaded = keras.models.load_model(tmp_path / "features.keras")
    np.testing.assert_array_equal(loaded(images), features(images))


def test_exported_it_gives_the_same_for_any_number_of_images(layer, tmp_path):
    model = with_a_head(layer)
    model.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "exported")
    for count in (1, 5):
        np.testing.assert_allclose(loaded.serve(IMAGES[:count]), model(IMAGES[:count]), atol=1e-5)


def test_in_a_model_with_code_of_its_own(layer, target):
    class Reader(keras.Model):
        def __init__(self):
            super().__init__()
            self.features = layer

        def call(self, images, training=False):
            return keras.ops.mean(self.features(images, training=training), axis=(1, 2))

    model = Reader()
    expected = np.mean(target.activations(target.features(IMAGES)), axis=(1, 2))
    np.testing.assert_allclose(model(IMAGES), expected, atol=1e-5)
    assert np.abs(model(IMAGES, training=True) - expected).max() > 1e-3


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[0], r"images \(m, 12, 12, 1\), received \(12, 12, 1\); in tf.data, batch them"),
        (IMAGES[:, :10], r"received \(5, 10, 12, 1\)"),
        (np.repeat(IMAGES, 3, axis=-1), r"received \(5, 12, 12, 3\)"),
    ],
)
def test_images_of_another_shape_are_refused_before_and_after_the_first(layer, images, message):
    for _ in range(2):
        with pytest.raises(InputError, match=message):
            layer(images, training=True)
        layer(IMAGES)


def test_what_a_normalization_has_measured_of_images_is_copied():
    normalization = keras.layers.Normalization()
    normalization.adapt(120 + 60 * IMAGES)
    network = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            normalization,
            keras.layers.Conv2D(4, 3, bias_initializer="normal", name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    target = FrozenTarget(network, "conv")
    layer = FilterAugmentation.of(target, looks_trained(target.layer))
    expected = keras.Model(network.inputs[0], target.layer.output)(IMAGES)
    assert np.abs(expected).max() > 1  # an unadapted one would give less
    np.testing.assert_allclose(layer(IMAGES), expected, rtol=1e-5, atol=1e-5)


def test_a_generator_of_another_shape_is_refused_with_both(target):
    other = FrozenTarget(build_classifier((12, 12, 1), 3, widths=(4, 5, 6, 9, 8)), 4)
    with pytest.raises(InputError, match=r"\(3, 3, 6, 7\).*'conv4'.*\(3, 3, 6, 9\)"):
        FilterAugmentation.of(target, looks_trained(other.layer))


def test_a_layer_with_a_path_around_it_is_refused():
    inputs = keras.Input((12, 12, 1))
    x = keras.layers.Conv2D(4, 3, padding="same")(inputs)
    y = keras.layers.Conv2D(4, 3, padding="same", name="inner")(x)
    outputs = keras.layers.Dense(3)(keras.layers.Flatten()(x + y))
    target = FrozenTarget(keras.Model(inputs, outputs), "inner")
    with pytest.raises(InputError, match="a path runs around layer 'inner'"):
        FilterAugmentation.of(target, looks_trained(target.layer))


def test_a_generator_of_another_geometry_is_refused(target):
    strided = keras.layers.Conv2D(7, 3, strides=2, padding="same")
    strided.build((None, 3, 3, 6))
    with pytest.raises(InputError, match=r"strides \(1, 1\) for.*'conv4', received.*\(2, 2\)"):
        FilterAugmentation.of(target, looks_trained(strided))


@pytest.mark.parametrize(
    ("kernel_size", "cin", "cout"),
    [(3, 6, 9), (5, 6, 7), (3, 4, 7)],
)
def test_parts_that_do_not_fit_are_refused_with_both_shapes(layer, kernel_size, cin, cout):
    other = keras.layers.Conv2D(cout, kernel_size, padding="same")
    other.build((None, 3, 3, cin))
    received = rf"\({kernel_size}, {kernel_size}, {cin}, {cout}\)"
    with pytest.raises(InputError, match=rf"\(3, 3, 6, 7\) for layer 'conv4', it.*{received}"):
        FilterAugmentation(layer.prefix, layer.convolution, looks_trained(other))


def test_before_its_weights_are_loaded_it_refuses_to_work(layer):
    restored = FilterAugmentation.from_config(layer.get_config())
    for training in (False, True):
        with pytest.raises(InputError, match="neither trained nor loaded"):
            restored(IMAGES, training=training)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_features_have_the_type_of_the_layer_in_training_and_out_of_it(target, policy):
    layer = FilterAugmentation.of(target, looks_trained(target.layer), dtype=policy)
    expected = policy.removeprefix("mixed_")
    features = [layer(IMAGES, training=training) for training in (False, True)]
    assert [feature.dtype for feature in features] == [expected] * 2
    assert layer.compute_output_spec(keras.KerasTensor((5, 12, 12, 1))).dtype == expected
    plain = target.activations(target.features(IMAGES))
    np.testing.assert_allclose(tf.cast(features[0], "float32"), plain, atol=0.02)


def test_something_else_than_a_split_classifier_or_a_generator(target, classifier):
    with pytest.raises(InputError, match="expected a FrozenTarget, received Functional"):
        FilterAugmentation.of(classifier, looks_trained(target.layer))
    with pytest.raises(InputError, match="expected a FilterGenerator, received str"):
        FilterAugmentation.of(target, "generator.keras")
