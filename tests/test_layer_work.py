"""How many images are looked at at once: from shapes, and without any number depending on it."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_filtergan.classifiers import layer_work
from keras_filtergan.classifiers.classifier import build_classifier
from keras_filtergan.classifiers.layer_work import images_at_once
from keras_filtergan.data.decoding import storage
from keras_filtergan.evaluation.first_look import first_look
from keras_filtergan.evaluation.frozen_view import FrozenView
from keras_filtergan.inversion.inversion import Inverter

VALUES = 8 * 8 * 1 + 6 * 6 * 2 + 72 + 3  # of the network below, its image and the flat maps too


def network():
    image = keras.Input((8, 8, 1))
    inner = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3)])
    return keras.Model(image, layers.Dense(3)(layers.Flatten()(inner(image))))


def test_as_many_as_the_budget_has_room_for(monkeypatch):
    for room, expected in ((10, 10), (10.99, 10), (0.5, 1), (1e6, 256)):
        monkeypatch.setattr(layer_work, "AT_ONCE", int(4 * VALUES * room))
        assert images_at_once(network()) == expected
    monkeypatch.setattr(layer_work, "AT_ONCE", 4 * VALUES * 60)
    assert images_at_once(network(), most=7) == 7
    assert images_at_once(network(), copies=3) == 20
    assert images_at_once(network(), beside=VALUES) == 30


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)])
def test_small_images_are_as_many_as_ever(shape):
    """So that no bit of a run on them changes."""
    classifier = build_classifier(shape, 10)
    assert images_at_once(classifier, 500) == 500
    assert images_at_once(classifier, copies=3) == 256


@pytest.mark.slow
def test_of_a_large_network_so_many_as_fit_into_two_gigabytes():
    """ResNet50 at 224 pixels makes some 36 million numbers of an image."""
    assert 10 <= images_at_once(keras.applications.ResNet50(weights=None)) <= 20


def test_the_number_changes_no_answer(target, dataset, monkeypatch):
    look, view = first_look(target.classifier, dataset), FrozenView(target, dataset)
    whole = [view.features[0], *view.standard, view.real]
    assert view.at_once == 250
    assert Inverter(target, lambda z: z).batch_size == 256
    room = layer_work.AT_ONCE * 7.5 / images_at_once(target.classifier, most=10**9)
    monkeypatch.setattr(layer_work, "AT_ONCE", int(room))
    monkeypatch.setattr(storage, "MEMORY", 0)  # what is kept goes to a file
    few = FrozenView(target, dataset)
    assert images_at_once(target.classifier) == 7
    assert first_look(target.classifier, dataset) == look
    assert storage.is_on_disk(few.features[0])
    for found, expected in zip([few.features[0], *few.standard, few.real], whole, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
