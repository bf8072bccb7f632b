"""Small classifiers of every kind that a `FrozenTarget` has to split: channels of images → model.

Their images are 9×10 pixels. Weights are random, biases and batch-norm statistics too, so that no
part can be forgotten unnoticed.
"""

import keras
import numpy as np
from keras import layers

from keras_filtergan.classifiers.graph import layers_by_path

SIZE = (9, 10)
CLASSES = 3


def images(channels, count=3, size=SIZE, seed=0):
    return np.random.default_rng(seed).uniform(size=(count, *size, channels)).astype("float32")


def shaken(model, seed=0):
    """The model with all its vectors (biases, statistics) drawn anew."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.path.endswith(("gamma", "variance")):
            weight.assign(generator.uniform(0.7, 1.3, weight.shape))
        elif len(weight.shape) == 1:
            weight.assign(generator.uniform(-0.3, 0.3, weight.shape))
    return model


def settled(model, x):
    """The model with batch-norm statistics of these images, without which a deep one is silent."""
    norms = [
        layer for _, layer in layers_by_path(model) if isinstance(layer, layers.BatchNormalization)
    ]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(x, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return model


def read_out(x, activation=None):
    return layers.Dense(CLASSES, activation)(layers.GlobalAveragePooling2D()(x))


def functional(channels):
    image = keras.Input((*SIZE, channels))
    x = layers.Conv2D(4, 3, strides=2, activation="relu")(image)
    x = layers.Conv2D(5, 2, dilation_rate=2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2D(3, 1, activation=layers.LeakyReLU(0.3))(x)
    return keras.Model(image, read_out(x))


def sequential(channels):
    return keras.Sequential(
        [
            keras.Input((*SIZE, channels)),
            layers.Conv2D(4, (5, 2), strides=(1, 2), padding="same", activation="tanh"),
            layers.Conv2D(6, (1, 4), use_bias=False),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Conv2D(4, 3, dilation_rate=(2, 3), padding="same", activation="gelu"),
            layers.Flatten(),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def residual(channels):
    """Skips around, into and out of convolutions, one of them from the image itself."""
    image = keras.Input((*SIZE, channels))
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(image)
    y = layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same", activation="tanh")(x))
    x = layers.Add()([layers.Conv2D(6, 1)(y), layers.Conv2D(6, 1, use_bias=False)(x)])
    x = keras.ops.relu(x) + 0.1 * y  # operations that are no layers
    x = layers.Concatenate()([x, layers.Conv2D(2, 3, padding="same")(x), image])
    return keras.Model(image, read_out(x, "softmax"))


def grouped(channels):
    image = keras.Input((*SIZE, channels))
    x = layers.Conv2D(3 * channels, 3, groups=channels, activation="relu")(image)
    x = layers.Conv2D(4, 1)(x)
    x = layers.Conv2D(6, 3, groups=2, strides=2, padding="same", use_bias=False)(x)
    x = layers.Conv2D(4, 2, groups=2, dilation_rate=2, padding="same", activation="tanh")(x)
    return keras.Model(image, read_out(x))


def depthwise(channels):
    image = keras.Input((*SIZE, channels))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, activation="tanh")(image)
    x = layers.DepthwiseConv2D((2, 3), padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Add()([x, layers.DepthwiseConv2D(3, dilation_rate=2, padding="same")(x)])
    x = layers.DepthwiseConv2D(3, strides=2, depth_multiplier=3, padding="same")(x)
    return keras.Model(image, read_out(layers.Conv2D(4, 1, activation="relu")(x)))


def backbone(channels):
    """What nearly everybody has: a network used as a layer, something before and behind it."""
    image = keras.Input((*SIZE, channels))
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="first")(image)
    x = layers.Add()([x, layers.Conv2D(4, 3, padding="same", name="second")(x)])
    inner = keras.Model(image, x, name="backbone")
    pooling = layers.GlobalAveragePooling2D()
    rescaling = layers.Rescaling(2.0, offset=-1.0)
    return keras.Sequential(
        [keras.Input((*SIZE, channels)), rescaling, inner, pooling, layers.Dense(CLASSES)]
    )


def block(channels, name, filters=4):
    return keras.Sequential(
        [
            keras.Input((*SIZE, channels)),
            layers.Conv2D(filters, 3, padding="same", use_bias=False, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(name="relu"),
        ],
        name=name,
    )


def nested(channels):
    """Models in models in models, skips around them, and everywhere the same names."""
    image = keras.Input((*SIZE, channels))
    inside = keras.Input((*SIZE, 4))
    x = layers.Add(name="add")([block(4, "deep")(inside), inside])
    x = layers.DepthwiseConv2D(3, padding="same", activation="tanh", name="conv")(x)
    stage = keras.Model(inside, x, name="stage")
    pooled = keras.Input((4,))
    head = keras.Model(pooled, layers.Dense(CLASSES, "softmax", name="conv")(pooled), name="head")
    x = block(channels, "block1")(image)
    x = layers.Add(name="add")([x, stage(x)])
    x = layers.Conv2D(4, 3, padding="same", name="conv")(x)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(x))
    x = block(4, "block2")(x)
    return keras.Model(image, head(layers.GlobalAveragePooling2D()(x)))


def held_in_inference(channels):
    """A backbone that is called in a mode of its own."""
    image = keras.Input((*SIZE, channels))
    return keras.Model(image, read_out(block(channels, "frozen")(image, training=False)))


class Backbone(keras.Model):
    """A class of its own over a Functional graph, as KerasHub's are."""

    def __init__(self, channels):
        image = keras.Input((*SIZE, channels))
        x = layers.Conv2D(3, 3, activation="relu")(image)
        super().__init__(inputs=image, outputs=layers.Conv2D(4, 3)(x))


def own_class(channels):
    image = keras.Input((*SIZE, channels))
    return keras.Model(image, read_out(Backbone(channels)(image)))


def built_by_data(channels):
    model = keras.Sequential([layers.Conv2D(3, 3), layers.Conv2D(4, 2), layers.Flatten()])
    model.add(layers.Dense(CLASSES))
    model(images(channels, count=2))
    return model


KINDS = (
    *(functional, sequential, residual, grouped, depthwise, backbone, nested),
    *(held_in_inference, own_class, built_by_data),
)
