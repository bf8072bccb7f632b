import random

import classifiers
import keras
import numpy as np
import pytest
from keras import layers

from keras_filtergan.classifiers.graph import layers_by_path
from keras_filtergan.instruments.initialisation import at_initialisation


def kernels(model):
    return {
        path: layer.kernel.numpy()
        for path, layer in layers_by_path(model)
        if isinstance(layer, layers.Conv2D | layers.Dense)
    }


@pytest.mark.parametrize(
    "build", [classifiers.functional, classifiers.backbone, classifiers.nested]
)
def test_the_seed_decides_the_weights(build):
    model = classifiers.shaken(build(3))
    kept = model.get_weights()
    one, again, other = (kernels(at_initialisation(model, seed)) for seed in (1, 1, 2))
    assert list(one) == list(kernels(model))
    for path, kernel in one.items():
        np.testing.assert_array_equal(kernel, again[path])
        assert not np.allclose(kernel, other[path])
        assert not np.allclose(kernel, kernels(model)[path])
    for weight, before in zip(model.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(weight, before)


def test_it_is_the_layers_own_distribution_even_where_it_had_a_seed():
    image = keras.Input((8, 8, 16))
    narrow = keras.initializers.RandomUniform(-0.5, -0.25, seed=3)
    x = layers.Conv2D(64, 3, kernel_initializer=narrow, bias_initializer="ones", name="narrow")(
        image
    )
    x = layers.Conv2D(64, 3, kernel_initializer="he_normal", name="he")(x)
    model = keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))
    fresh = at_initialisation(model, 0)
    found = kernels(fresh)
    assert -0.5 <= found["narrow"].min() < -0.49 < -0.26 < found["narrow"].max() <= -0.25
    assert np.std(found["he"]) == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.03)
    np.testing.assert_array_equal(fresh.get_layer("narrow").bias, 1)
    assert not np.allclose(found["narrow"], kernels(model)["narrow"])


def test_layers_alike_are_drawn_apart():
    model = keras.Sequential([keras.Input((6, 6, 4)), *(layers.Conv2D(4, 3) for _ in range(2))])
    one, two = kernels(at_initialisation(model, 0)).values()
    assert not np.allclose(one, two)
    found = kernels(at_initialisation(classifiers.nested(3), 0))
    assert not np.allclose(found["block2/conv"], found["stage/deep/conv"])


def test_the_global_seed_is_not_touched():
    model = classifiers.functional(1)

    def next_draw(meanwhile):
        keras.utils.set_random_seed(7)
        meanwhile()
        return keras.random.uniform([3]).numpy(), random.random()

    for alone, beside in zip(
        next_draw(lambda: None), next_draw(lambda: at_initialisation(model, 0)), strict=True
    ):
        np.testing.assert_array_equal(alone, beside)


def test_what_was_measured_of_images_is_kept():
    normalise = layers.Normalization(name="images")
    normalise.adapt(np.random.default_rng(0).uniform(size=(20, 9, 10, 3)))
    image = keras.Input((9, 10, 3))
    model = keras.Model(image, layers.Conv2D(4, 3)(normalise(image)))
    x = classifiers.images(3)
    fresh = at_initialisation(model, 0)
    np.testing.assert_allclose(fresh.get_layer("images")(x), normalise(x), atol=1e-6)
