import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.instruments.initialisation import at_initialisation
from keras_filtergan.instruments.stability.diffeomorphisms import Diffeomorphisms
from keras_filtergan.instruments.stability.relative_stability import (
    relative_stability,
    temperatures,
)
from keras_filtergan.instruments.stability.study import StabilityStudy

STUDY = StabilityStudy(images=12, levels=2, draws=2, seed=3)


def by_submodels(model, images):
    """R_f of every layer of a model, by a Keras model with all outputs."""
    names = [layer.name for layer in model.layers[1:]]
    outputs = keras.Model(model.inputs[0], [model.get_layer(name).output for name in names])

    def record(x):
        return dict(zip(names, outputs(x, training=False), strict=True))

    levels = [Diffeomorphisms(3, float(t), seed=3) for t in temperatures(12, 3, 2)]
    return relative_stability(record, images, levels, seed=3).relative()


def by_networks(specimen):
    """R_f of the study's networks, mean over draws."""
    images = specimen.dataset.x_test[:12] / np.float32(255)
    found = STUDY.networks(specimen, images, STUDY.deformations(images))
    return {
        title: {
            layer: np.mean([draw.relative()[layer] for draw in draws], axis=0)
            for layer in draws[0].layers
        }
        for title, draws in found.items()
    }


def test_each_network_is_measured(specimen):
    images = specimen.dataset.x_test[:12] / np.float32(255)
    classifier = specimen.target.classifier
    found = by_networks(specimen)
    assert list(found) == ["initial", "trained", "generated", "averaged"]
    untrained = [by_submodels(at_initialisation(classifier, seed), images) for seed in (3, 4)]
    for layer, expected in by_submodels(classifier, images).items():
        np.testing.assert_allclose(found["trained"][layer], expected, rtol=1e-3)
        expected = np.mean([one[layer] for one in untrained], axis=0)
        np.testing.assert_allclose(found["initial"][layer], expected, rtol=1e-3)


def test_generated_kernels_are_in_their_place(specimen):
    """Before the layer nothing differs; the averaged network has the mean of the kernels."""
    found = by_networks(specimen)
    for name in ("generated", "averaged"):
        np.testing.assert_array_equal(found[name]["relu3"], found["trained"]["relu3"])
        assert not np.allclose(found[name]["conv4"], found["trained"]["conv4"], rtol=1e-3)
    draws = np.random.default_rng(3).standard_normal((2, 3)).astype("float32")
    kernels = tf.reduce_mean(specimen.run.generator(draws), axis=0).numpy()
    layer = specimen.target.classifier.get_layer("conv4")
    real = layer.kernel.numpy()
    try:
        layer.kernel.assign(kernels)
        images = specimen.dataset.x_test[:12] / np.float32(255)
        expected = by_submodels(specimen.target.classifier, images)
    finally:
        layer.kernel.assign(real)
    for name in ("conv4", "logits"):
        np.testing.assert_allclose(found["averaged"][name], expected[name], rtol=1e-3)


def test_walks_beside_controls(specimen):
    numbers = STUDY.findings(specimen).numbers
    assert set(numbers["relative_stability"]["generated"]) == {"mean", "median"}
    shares = numbers["walks"]
    assert shares["control: displaced"] > 0.6 > 0.3 > shares["control: noise"]
    for share in shares.values():
        assert -0.01 <= share <= 1


def test_a_network_alone(bare):
    numbers = STUDY.findings(bare).numbers
    assert list(numbers["relative_stability"]) == ["initial", "trained"]
    assert "walks" not in numbers


def test_bad_input(bare):
    for name in ("images", "levels", "draws"):
        with pytest.raises(InputError, match=f"expected at least 1 as {name}, received 0"):
            StabilityStudy(**{name: 0})
    with pytest.raises(InputError, match="cut of at least 2, received 1"):
        StabilityStudy(cut=1).findings(bare)
    with pytest.raises(InputError, match="expected a cut below"):
        StabilityStudy(cut=40).findings(bare)
