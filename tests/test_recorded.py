import classifiers
import keras
import numpy as np
import pytest
from keras import layers

from keras_filtergan.classifiers.graph import recorded
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.layers import GeneratedConv2D


def by_submodel(model, x, name):
    """A layer's output by a model that ends there, which Keras builds itself."""
    return keras.Model(model.inputs[0], model.get_layer(name).output)(x, training=False).numpy()


@pytest.mark.parametrize("build", [classifiers.functional, classifiers.residual])
def test_every_layer_has_the_output_of_a_model_that_ends_there(build):
    x = classifiers.images(3)
    model = classifiers.shaken(build(3))
    found = recorded(model, x)
    layers_of_it = [o.name for o in model.layers if not isinstance(o, layers.InputLayer)]
    assert set(layers_of_it) <= set(found)
    for name in layers_of_it:
        np.testing.assert_allclose(found[name], by_submodel(model, x, name), atol=1e-6)


@pytest.mark.parametrize("build", classifiers.KINDS)
def test_the_last_one_is_the_answer(build):
    model = classifiers.shaken(build(3))
    x = classifiers.images(3)
    *_, answer = recorded(model, x).values()
    np.testing.assert_allclose(answer, model(x, training=False), atol=1e-6)


def test_inside_nested_models():
    model = classifiers.shaken(classifiers.nested(1))
    x = classifiers.images(1)
    found = recorded(model, x)
    order = list(found)
    assert order.index("block1/norm") < order.index("stage/deep/conv") < order.index("block2/conv")
    inner = model.get_layer("block1")(x)
    np.testing.assert_allclose(found["block1/relu"], inner, atol=1e-6)
    stage = model.get_layer("stage")
    expected = by_submodel(stage, inner, "add")
    np.testing.assert_allclose(found["stage/add"], expected, atol=1e-6)


def test_a_layer_that_is_applied_again():
    image = keras.Input((9, 10, 1))
    twice = layers.Conv2D(1, 3, padding="same", name="twice")
    model = keras.Model(image, layers.Flatten(name="flat")(twice(twice(twice(image)))))
    x = classifiers.images(1)
    found = recorded(model, x)
    assert list(found) == ["twice", "twice#2", "twice#3", "flat"]
    np.testing.assert_allclose(found["twice#2"], twice(twice(x)), atol=1e-6)


def test_a_target_inside_a_nested_model_has_the_paths_of_the_classifier():
    model = classifiers.shaken(classifiers.nested(1))
    x = classifiers.images(1)
    expected = recorded(model, x)
    found = FrozenTarget(model, "block1/conv").record(x)
    assert list(found) == list(expected)
    for path, made in expected.items():
        np.testing.assert_allclose(found[path], made, atol=1e-5)


@pytest.mark.parametrize("build", [classifiers.functional, classifiers.nested])
def test_with_other_kernels_as_with_a_layer_of_them(build):
    target = FrozenTarget(classifiers.shaken(build(3)), 2)
    generator = FilterGenerator(target.kernel_shape, latent_dim=3, **target.geometry)
    generator.build((None, 3))
    generator.set_weights([w + 0.3 for w in generator.get_weights()])
    z = np.float32([[0.5, -1.0, 2.0]])
    network = target.network_with(GeneratedConv2D(generator, latents=z, name="generated"))
    x = classifiers.images(3)
    found = target.record(x, generator(z)[0])
    assert list(found) == list(target.record(x))
    *_, answer = found.values()
    np.testing.assert_allclose(answer, network(x), atol=1e-5)
    assert not np.allclose(answer, target(x), atol=1e-3)
