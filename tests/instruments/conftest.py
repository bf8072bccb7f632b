"""A specimen with a generator, and the words that name a bare one on the command line."""

import types

import numpy as np
import pytest

from keras_filtergan.instruments.specimen import Specimen
from keras_filtergan.networks import FilterGenerator


@pytest.fixture(scope="session")
def examined(target, dataset):
    """The small network with a generator whose kernel sets differ; nothing else of a run."""
    generator = FilterGenerator(target.kernel_shape, latent_dim=3, **target.geometry)
    generator.build((None, 3))
    draw = np.random.default_rng(5)
    for weight in generator.trainable_variables:
        weight.assign(weight + 0.1 * draw.standard_normal(weight.shape))
    run = types.SimpleNamespace(generator=generator)
    return Specimen(target, dataset, "small, conv4", run)


@pytest.fixture(scope="session")
def bare_words(tmp_path_factory, classifier, dataset):
    folder = tmp_path_factory.mktemp("bare")
    classifier.save(folder / "small.keras")
    arrays = {name: getattr(dataset, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(folder / "patterns.npz", **arrays)
    words = ["--classifier", folder / "small.keras", "--dataset", folder / "patterns.npz"]
    return [str(word) for word in (*words, "--layer", 4)]
