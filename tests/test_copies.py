import classifiers
import keras
import numpy as np
import pytest
from classifiers import KINDS, images, shaken
from keras import layers

from keras_filtergan.classifiers.copies import copied


@pytest.mark.parametrize("build", KINDS, ids=lambda build: build.__name__)
def test_networks_of_every_kind(build):
    model, x = shaken(build(3)), images(3)
    copy = copied(model)
    np.testing.assert_array_equal(copy(x), model(x))
    assert not {id(w) for w in copy.weights} & {id(w) for w in model.weights}


def test_what_is_no_weight_is_copied_too():
    """What a Normalization has measured, in a nested model too, and the code of a Lambda."""
    normalization = layers.Normalization()
    normalization.adapt(3 * images(1, seed=1) + 5)
    inner = keras.Sequential([keras.Input((9, 10, 1)), normalization, layers.Conv2D(4, 3)])
    double = layers.Lambda(lambda x: 2 * x)
    image = keras.Input((9, 10, 1))
    model = keras.Model(image, classifiers.read_out(inner(double(image))))
    before = model(images(1))
    np.testing.assert_array_equal(copied(model)(images(1)), before)
    normalization.adapt(images(1))
    assert np.abs(copied(model)(images(1)) - before).max() > 0.01  # it did matter
