"""Gradients through whatever a classifier is made of, and refusals where TensorFlow has none."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from classifiers import shaken
from keras import layers

from keras_filtergan.classifiers.differentiable import check_differentiable
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError
from keras_filtergan.runs import training
from keras_filtergan.runs.settings import Settings

pytestmark = pytest.mark.onednn

SIDE = 12
AFFINE = {
    "grouped": lambda: layers.Conv2D(6, 3, groups=2),
    "grouped_strided": lambda: layers.Conv2D(6, 3, groups=2, strides=2, padding="same"),
    "grouped_dilated": lambda: layers.Conv2D(4, 3, groups=4, dilation_rate=(1, 2)),
    "dilated": lambda: layers.Conv2D(3, 3, dilation_rate=(2, 3), padding="same"),
    "unequal_strides": lambda: layers.Conv2D(3, 3, strides=(1, 2)),
    "depthwise_times_two": lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, strides=2),
    "depthwise_dilated": lambda: layers.DepthwiseConv2D(3, dilation_rate=2, padding="same"),
    "separable": lambda: layers.SeparableConv2D(5, 3, depth_multiplier=2, padding="same"),
    "transposed": lambda: layers.Conv2DTranspose(3, 3, strides=2),
    "average_pooling": lambda: layers.AveragePooling2D(3, strides=(1, 2), padding="same"),
    "resizing": lambda: layers.Resizing(9, 9, interpolation="bicubic"),
}
ON_SOME_PROCESSORS = {
    "depthwise_unequal": lambda: layers.DepthwiseConv2D(3, strides=(1, 2), name="hard"),
    "separable_unequal": lambda: layers.SeparableConv2D(4, 3, strides=(2, 1), name="hard"),
    "transposed_dilated": lambda: layers.Conv2DTranspose(4, 3, dilation_rate=2, name="hard"),
    "channels_first": lambda: layers.Conv2D(
        12, 3, padding="same", data_format="channels_first", name="hard"
    ),
}


def network(layer, place):
    """A classifier with a layer before or behind the chosen one; affine, if the layer is."""
    image = keras.Input((SIDE, SIDE, 1))
    x = layers.Conv2D(4, 3, padding="same")(image)
    x = layer(x) if place == "before" else x
    x = layers.Conv2D(4, 3, padding="same", name="chosen")(x)
    x = layer(x) if place == "behind" else x
    return shaken(keras.Model(image, layers.Dense(3)(layers.Flatten()(x))))


def images(seed=0):
    return np.random.default_rng(seed).uniform(size=(3, SIDE, SIDE, 1)).astype("float32")


def check_gradients(model):
    """Both gradients that training takes, against differences along a random direction.

    The layers are linear, so a difference is exact at any distance; images stay in [0, 1].
    """
    target = FrozenTarget(model, "chosen")

    def of_image(x):
        return target.features(x)[0]

    def of_activations(maps):
        return target.log_probabilities(maps, [])

    x = (0.45 + 0.1 * images()).astype("float32")
    for function, start in ((of_image, x), (of_activations, target.activations([of_image(x)]))):
        start = tf.constant(start)
        weights = np.random.default_rng(1).normal(size=function(start).shape).astype("float32")

        @tf.function
        def gradient(start, function=function, weights=weights):
            with tf.GradientTape() as tape:
                tape.watch(start)
                value = tf.reduce_sum(function(start) * weights)
            return tape.gradient(value, start)

        along = np.random.default_rng(2).uniform(-0.4, 0.4, start.shape).astype("float32")
        ends = [function(start + sign * along).numpy() for sign in (1, -1)]
        expected = np.sum((ends[0] - ends[1]) * weights, dtype="float64") / 2
        found = np.sum(gradient(start) * along, dtype="float64")
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("place", ["before", "behind"])
@pytest.mark.parametrize("build", AFFINE.values(), ids=AFFINE)
def test_gradients_through_linear_layers(build, place):
    model = network(build(), place)
    check_differentiable(FrozenTarget(model, "chosen"), images())
    check_gradients(model)


@pytest.mark.parametrize("place", ["before", "behind"])
@pytest.mark.parametrize("kind", ON_SOME_PROCESSORS)
def test_where_tensorflow_cannot_run_a_layer_its_name_is_said(kind, place):
    """It may be able to: with oneDNN it is, without it is not."""
    model = network(ON_SOME_PROCESSORS[kind](), place)
    target, x = FrozenTarget(model, "chosen"), images()
    try:
        model(x)
    except tf.errors.OpError:
        with pytest.raises(InputError, match="cannot run layer 'hard'") as raised:
            check_differentiable(target, x)
        assert "TF_ENABLE_ONEDNN_OPTS=1" in str(raised.value)
        assert "\n" not in str(raised.value)
    else:
        check_differentiable(target, x)
        check_gradients(model)


def test_a_network_without_a_gradient_is_refused_before_training(tmp_path, dataset):
    """In a nested model, by its path."""
    shrink = layers.Resizing(9, 9, interpolation="area", name="shrink")
    inside = keras.Sequential([keras.Input((SIDE, SIDE, 4)), shrink], name="inside")
    network(inside, "behind").save(tmp_path / "mine.keras")
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(tmp_path / "patterns.npz", **{name: getattr(dataset, name) for name in names})
    files = {"classifier": tmp_path / "mine.keras", "dataset": tmp_path / "patterns.npz"}
    settings = Settings(layer="chosen", **{name: str(path) for name, path in files.items()})
    message = r"cannot differentiate layer 'inside/shrink' \(Resizing\) .*ResizeArea"
    with pytest.raises(InputError, match=message):
        training.plan(settings)


def test_a_layer_that_hides_the_image_from_gradients_is_named():
    steps = layers.Discretization([-0.1, 0.0, 0.1], name="steps")
    rounded = network(keras.Sequential([keras.Input((SIDE, SIDE, 4)), steps]), "before")
    with pytest.raises(InputError, match=r"gradients pass from 'chosen' to the image, .*steps"):
        check_differentiable(FrozenTarget(rounded, "chosen"), images())
    behind = network(layers.Discretization([-0.1, 0.0, 0.1]), "behind")
    check_differentiable(FrozenTarget(behind, "chosen"), images())  # the image is seen
