import classifiers
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_filtergan.classifiers.classifier import build_classifier
from keras_filtergan.errors import InputError
from keras_filtergan.instruments.spectra.receptive_field import dependence, receptive_field, visible


def chain(*parts, side=(11, 13)):
    return keras.Sequential([keras.Input((*side, 1)), *parts])


def conv(taps, name, **kwargs):
    return layers.Conv2D(2, taps, name=name, **kwargs)


def pooled():
    return chain(
        conv(3, "a", padding="same", activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        conv((5, 2), "b", padding="same"),
        layers.AveragePooling2D(3, strides=2, padding="same"),
        conv(2, "last"),
    )


def dilated():
    """Dilation alone leaves gaps between the pixels that a unit sees."""
    return chain(conv(3, "last", dilation_rate=(2, 4), padding="same"))


def strided():
    """Strides beyond the taps leave gaps, and the last rows are read by nobody."""
    return chain(conv(2, "a", strides=3), conv(3, "last", padding="same"))


def padded():
    return chain(
        layers.ZeroPadding2D(((2, 0), (1, 3))),
        layers.DepthwiseConv2D(3, strides=2, name="a"),
        layers.SeparableConv2D(3, 2, padding="same", name="b"),
        layers.ReLU(name="last"),
    )


def nested():
    inner = chain(conv(3, "in", padding="same"), layers.MaxPooling2D(2))
    return chain(layers.Rescaling(2.0), inner, conv(3, "last", strides=2, padding="same"))


CHAINS = (pooled, dilated, strided, padded, nested)


@pytest.mark.parametrize("build", CHAINS)
def test_arithmetic_and_trying_agree_on_every_unit(build):
    model = build()
    field = receptive_field(model, "last")
    rows, columns = model.outputs[0].shape[1:3]
    for unit in {(0, 0), (rows - 1, columns - 1), (rows // 2, columns // 2), (0, columns - 1)}:
        np.testing.assert_array_equal(field.pixels(unit), dependence(model, "last", unit))


@pytest.mark.parametrize("build", CHAINS)
def test_the_box_of_a_unit_follows_from_size_stride_and_start(build):
    """What a unit in the middle sees begins and ends where the three numbers say."""
    model = build()
    field = receptive_field(model, "last")
    unit = [side // 2 for side in model.outputs[0].shape[1:3]]
    seen = field.pixels(unit)
    for axis in range(2):
        first = field.start[axis] + unit[axis] * field.stride[axis]
        last = first + field.size[axis] - 1
        places = np.nonzero(seen.any(axis=1 - axis))[0]
        assert places[0] == max(first, 0)
        assert places[-1] <= min(last, field.image[axis] - 1)


def test_the_standard_network_by_hand():
    """Two 3 × 3 with a pooling behind each, then two more: 1 + 2 + 1 + 4 + 2 + 8 + 8 = 26."""
    field = receptive_field(build_classifier((28, 28, 1), 10), "conv4")
    assert (field.size, field.stride, field.start) == ((26, 26), (4, 4), (-11, -11))


def test_gaps_by_hand():
    seen = receptive_field(dilated(), "last").pixels((5, 6))
    assert np.nonzero(seen.any(axis=1))[0].tolist() == [3, 5, 7]
    assert np.nonzero(seen.any(axis=0))[0].tolist() == [2, 6, 10]


def by_gradient(model, name, unit):
    """Where the gradient is not zero, for a network without units that are off."""
    part = keras.Model(model.inputs, model.get_layer(name).output)
    x = tf.constant(classifiers.images(1)[:1])
    with tf.GradientTape() as tape:
        tape.watch(x)
        out = tf.reduce_sum(part(x)[:, unit[0], unit[1]] ** 2)
    return np.abs(tape.gradient(out, x).numpy()[0, ..., 0]) > 0


def test_where_paths_branch_it_is_tried():
    image = keras.Input((*classifiers.SIZE, 1))
    x = conv(3, "a", dilation_rate=2, padding="same", activation="tanh")(image)
    y = conv((1, 7), "b", padding="same", activation="tanh")(image)
    x = layers.Add(name="sum")([x, y])
    model = keras.Model(image, layers.GlobalAveragePooling2D()(conv(3, "c", strides=2)(x)))
    for name in ("sum", "c"):
        assert receptive_field(model, name) is None
        for unit in ((1, 1), (2, 3)):
            found = visible(model, name, unit)
            np.testing.assert_array_equal(found, by_gradient(model, name, unit))
    assert not visible(model, "sum", (1, 1))[1, 9]
    assert receptive_field(model, "a").size == (5, 5)


def test_a_mean_over_the_map_sees_everything():
    image = keras.Input((*classifiers.SIZE, 1))
    weights = layers.Dense(4)(layers.GlobalMaxPooling2D(keepdims=True)(image))
    x = layers.Multiply(name="gated")([image, weights])
    model = keras.Model(image, layers.GlobalAveragePooling2D()(x))
    assert visible(model, "gated", (0, 0)).all()


def test_unknown_layers_and_no_maps():
    model = build_classifier((12, 12, 1), 3)
    with pytest.raises(InputError, match=r"one of the layers image, conv1, .*received 'conv9'"):
        receptive_field(model, "conv9")
    with pytest.raises(InputError, match="'logits' is none"):
        dependence(model, "logits", (0, 0))
    assert receptive_field(model, "logits") is None
