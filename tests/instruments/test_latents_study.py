import dataclasses

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from keras_filtergan.data import randomness
from keras_filtergan.errors import InputError
from keras_filtergan.generators.dcgan import StridedDiscriminator
from keras_filtergan.instruments.latents.paths import spherical
from keras_filtergan.instruments.latents.study import LatentsStudy

STUDY = LatentsStudy(images=6, points=3, frames=2, seed=1)


def test_films_are_the_transformation_along_the_path(specimen):
    findings = STUDY.findings(specimen)
    film = findings.films["latents_spherical"]
    assert film.shape == (7, 12, 6 * 12, 1)
    np.testing.assert_allclose(film[0], film[-1], atol=1e-5)
    points = randomness.stream(1, randomness.POINTS).standard_normal((3, 3))
    path = spherical([*points, points[0]], 2)
    labels = specimen.dataset.y_test
    first = np.flatnonzero(labels == labels.min())[0]
    image = specimen.dataset.x_test[first : first + 1] / np.float32(255)
    shown = specimen.run.transformation((image, np.zeros((1, 3), "float32"), path[3:4]))[0]
    tiles = film[3].reshape(12, 6, 12, 1).swapaxes(0, 1)
    assert min(np.abs(tile - shown).max() for tile in tiles) < 1e-5


def test_linear_readers_of_every_source(specimen):
    data = specimen.dataset
    rows = STUDY.representation(specimen, specimen.run)
    assert list(rows) == [
        *("pixels", "conv4, which D sees", "D, random", "D, trained", "classifier, all layers"),
    ]
    assert rows["D, trained"].features == rows["D, random"].features
    x, test = (part.reshape(len(part), -1) / 255 for part in (data.x_train, data.x_test))
    centre = x.mean(axis=0)
    size = np.sqrt(np.square(x - centre).sum(axis=1).mean())
    machines = [
        LinearSVC(C=c, tol=1e-4).fit((x - centre) / size, data.y_train) for c in (0.1, 1, 10)
    ]
    scores = [machine.score((test - centre) / size, data.y_test) for machine in machines]
    assert rows["pixels"].features == 144
    assert list(rows["pixels"].accuracy) == ["96"]
    assert rows["pixels"].accuracy["96"].mean in scores


def test_the_untrained_d_is_of_the_same_architecture(specimen):
    """A reader of the one has as many features as a reader of the other."""
    run = specimen.run
    shape = run.target.activation_shape
    strided = StridedDiscriminator(shape, 3, width=4)
    strided.build((None, *shape))
    run = dataclasses.replace(run, discriminator=strided)
    rows = STUDY.representation(specimen, run)
    assert rows["D, random"].features == rows["D, trained"].features


def test_bad_input(bare):
    with pytest.raises(InputError, match="expected a `run` with a generator"):
        STUDY.findings(bare)
    with pytest.raises(InputError, match="at least 2 as points, received 1"):
        LatentsStudy(points=1)
