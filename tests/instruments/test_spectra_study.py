import classifiers
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import ImageDataset, randomness
from keras_filtergan.errors import InputError
from keras_filtergan.instruments.initialisation import at_initialisation
from keras_filtergan.instruments.specimen import Specimen
from keras_filtergan.instruments.spectra.channel_permutation import (
    fit_normalisations,
    permuted_channels,
)
from keras_filtergan.instruments.spectra.laplacian import LaplacianBasis
from keras_filtergan.instruments.spectra.local_deformations import local_stability
from keras_filtergan.instruments.spectra.power_spectrum import power_spectrum, radial_mean
from keras_filtergan.instruments.spectra.study import SpectraStudy
from keras_filtergan.instruments.stability.diffeomorphisms import Diffeomorphisms, temperature_range
from keras_filtergan.layers import GeneratedConv2D

STUDY = SpectraStudy(images=12, draws=2, seed=3)


FOUND = {}


@pytest.fixture
def numbers(specimen):
    """Found once: the specimen is the same in every test."""
    if not FOUND:
        FOUND.update(STUDY.findings(specimen).numbers)
    return FOUND


def part(model, name):
    return keras.Model(model.inputs[0], model.get_layer(name).output)


def with_generated(specimen):
    """The networks with generated kernels, each as a Keras model."""
    latents = np.random.default_rng(3).standard_normal((2, 3)).astype("float32")
    generator = specimen.run.generator
    layers = [GeneratedConv2D(generator, latents=z[None], name=f"g{z[0]:.3f}") for z in latents]
    return latents, [specimen.target.network_with(layer) for layer in layers]


def test_kernels(numbers, specimen):
    classifier, basis = specimen.target.classifier, LaplacianBasis(3, 3)
    found = numbers["kernels"]
    assert list(found) == [f"conv{number}" for number in range(1, 6)]
    fresh = [at_initialisation(classifier, seed) for seed in (3, 4)]
    for name, layer in found.items():
        kinds = {"trained": [classifier], "initial": fresh}
        for kind, models in kinds.items():
            kernels = [model.get_layer(name).kernel.numpy() for model in models]
            expected = np.mean([basis.roughness(one) for one in kernels])
            assert layer["roughness"][kind] == pytest.approx(expected)
            expected = np.mean([basis.components(one) for one in kernels], axis=0)
            np.testing.assert_allclose(layer["components"][kind], expected)
        assert ("generated" in layer["roughness"]) == (name == "conv4")
    latents, _ = with_generated(specimen)
    made = specimen.run.generator(latents).numpy()
    expected = np.mean([basis.roughness(one) for one in made])
    assert found["conv4"]["roughness"]["generated"] == pytest.approx(expected)


def test_power_spectra(numbers, specimen):
    classifier = specimen.target.classifier
    images = specimen.dataset.x_test[:12] / np.float32(255)
    found = numbers["power_spectrum"]
    assert {"conv1", "relu2", "pool1"} <= set(found)
    assert not {"pool2", "conv4", "logits"} & set(found)  # 3 × 3 places, or none
    for name in ("conv1", "relu2"):
        frequencies, power = radial_mean(
            power_spectrum(part(classifier, name)(images, training=False))
        )
        np.testing.assert_allclose(found[name]["frequencies"], frequencies)
        np.testing.assert_allclose(found[name]["power"]["trained"], power, rtol=1e-4)
    fresh = [part(at_initialisation(classifier, seed), "conv2")(images) for seed in (3, 4)]
    expected = np.mean([radial_mean(power_spectrum(one))[1] for one in fresh], axis=0)
    np.testing.assert_allclose(found["conv2"]["power"]["initial"], expected, rtol=1e-4)


def test_stability_of_trained_permuted_and_generated(numbers, specimen):
    classifier = specimen.target.classifier
    images = specimen.dataset.x_test[:12] / np.float32(255)
    low, high = temperature_range(12, 3)
    moved = Diffeomorphisms(3, float(np.sqrt(low * high)), 3)(tf.constant(images)).numpy()
    norm = np.mean([np.linalg.norm(one) for one in moved - images])
    noise = [
        randomness.stream(3, randomness.SPHERE, i).standard_normal(image.shape)
        for i, image in enumerate(images)
    ]
    noise = np.stack([norm * one / np.linalg.norm(one) for one in noise])

    def changes(model):
        there, d, g = (
            model(x.astype("float32"), training=False).numpy()
            for x in (images, moved, images + noise)
        )
        apart = np.mean(np.square(there[:, None] - there[None]).sum(axis=-1))
        d, g = (np.square(one - there).sum(axis=-1).mean() for one in (d, g))
        return d / apart, g / apart, d / g

    permuted = [
        permuted_channels(classifier, seed, specimen.dataset.x_train[:500]) for seed in (3, 4)
    ]
    fitted = [at_initialisation(classifier, seed) for seed in (3, 4)]
    for one in fitted:
        fit_normalisations(one, specimen.dataset.x_train[:500])
    models = {
        "trained": [classifier],
        "initial": [at_initialisation(classifier, seed) for seed in (3, 4)],
        "normalised": fitted,
        "permuted": permuted,
        "generated": with_generated(specimen)[1],
    }
    assert set(numbers["stability"]) == set(models)
    for kind, several in models.items():
        found = numbers["stability"][kind]
        expected = np.mean([changes(one) for one in several], axis=0)
        kinds = [found[name]["logits"] for name in ("deformed", "noisy", "relative")]
        np.testing.assert_allclose(kinds, expected, rtol=1e-3)
        right = [one(images).numpy().argmax(-1) == specimen.dataset.y_test[:12] for one in several]
        assert found["accuracy"] == pytest.approx(np.mean(right))


def test_local_deformations(numbers, specimen):
    found = numbers["local_deformations"]
    assert list(found) == [f"conv{number}" for number in range(1, 6)]
    conv1 = found["conv1"]
    assert (conv1["size"], conv1["stride"], conv1["start"]) == ([3, 3], [1, 1], [-1, -1])
    assert (conv1["unit"], conv1["pixels"]) == ([6, 6], 9)
    assert found["conv4"]["pixels"] == 144  # all of the image
    images = specimen.dataset.x_test[:12] / np.float32(255)
    model = part(specimen.target.classifier, "conv2")
    pixels = np.zeros((12, 12), bool)
    pixels[3:11, 3:11] = True  # unit 3 reads 2 to 4 of the pooled map, that is 4 to 9 of conv1's
    expected = local_stability(lambda x: model(x)[:, 3, 3], images, pixels, 3)
    for family, value in expected.items():
        assert found["conv2"]["ratios"]["trained"][family] == pytest.approx(value, rel=1e-3)


def test_a_bare_network_of_nested_models():
    model = classifiers.shaken(classifiers.nested(1))
    images = (255 * classifiers.images(1, 8)).astype("uint8")
    labels = np.arange(8) % classifiers.CLASSES
    dataset = ImageDataset("noise", images, labels, images, labels, ("a", "b", "c"))
    found = SpectraStudy(images=8, draws=1).findings(
        Specimen(FrozenTarget(model, "block2/conv"), dataset, "nested")
    )
    assert found.numbers["layer"] == "block2/conv"
    units = found.numbers["local_deformations"]
    assert units["stage/deep/conv"]["size"] == [5, 5]
    assert (units["block2/conv"]["size"], units["block2/conv"]["pixels"]) == (None, 90)
    for kinds in (found.numbers["stability"], found.numbers["power_spectrum"]["conv"]["power"]):
        assert {"initial", "trained"} <= set(kinds)
        assert "generated" not in kinds


def test_numbers_below_one_are_refused():
    with pytest.raises(InputError, match="at least 1 as draws, received 0"):
        SpectraStudy(draws=0)
