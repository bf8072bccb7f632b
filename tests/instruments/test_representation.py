import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from sklearn.svm import LinearSVC

from keras_filtergan.errors import InputError
from keras_filtergan.instruments.latents import representation
from keras_filtergan.instruments.latents.representation import (
    LinearReader,
    features_of,
    over_seeds,
    pooled_features,
)


def images(count=6, side=10, channels=2):
    shape = (count, side, side, channels)
    return np.random.default_rng(0).uniform(size=shape).astype("float32")


def by_loop(maps):
    """Max over the cells of a grid of 4 × 4, the larger cells first where sides do not divide."""
    m, h, w, c = maps.shape
    found = np.empty((m, 4, 4, c))
    for i, rows in enumerate(np.array_split(np.arange(h), 4)):
        for j, columns in enumerate(np.array_split(np.arange(w), 4)):
            found[:, i, j] = maps[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].max(
                (1, 2)
            )
    return found.reshape(m, -1)


def test_every_nonlinear_layer_is_pooled():
    image = keras.Input((10, 10, 2))
    x = layers.ReLU(name="a")(layers.Conv2D(3, 3)(image))
    x = layers.Conv2D(4, 2, strides=2, activation="tanh", name="b")(x)
    x = layers.Conv2D(5, 1)(x)
    x = layers.Dense(7, activation="gelu", name="c")(layers.Flatten()(x))
    model = keras.Model(image, layers.Dense(2)(x))
    parts = [keras.Model(image, model.get_layer(name).output)(images()).numpy() for name in "abc"]
    expected = np.concatenate([by_loop(parts[0]), by_loop(parts[1]), parts[2]], axis=1)
    np.testing.assert_allclose(pooled_features(model, images()), expected, atol=1e-6)


def test_maps_smaller_than_the_grid_stay_as_they_are():
    image = keras.Input((3, 3, 2))
    model = keras.Model(image, layers.ReLU()(image))
    np.testing.assert_allclose(
        pooled_features(model, images(side=3)), images(side=3).reshape(6, -1)
    )


def test_a_linear_network_has_no_features():
    image = keras.Input((3, 3, 2))
    with pytest.raises(InputError, match="non-linear layers"):
        pooled_features(keras.Model(image, layers.Conv2D(1, 1)(image)), images(side=3))


def test_features_in_batches():
    x = np.random.default_rng(0).integers(0, 256, (300, 4, 4, 1), "uint8")
    found = features_of(lambda batch: tf.reduce_sum(batch, axis=[1, 2]), x)
    np.testing.assert_allclose(found, x.sum(axis=(1, 2)) / 255, rtol=1e-5)


def reader(informative, count=120, seed=0):
    """Three classes; features are corners of a triangle in noise, or noise alone."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    corners = np.eye(3)[labels] if informative else np.zeros([count, 3])
    x = corners + 0.1 * generator.standard_normal((count, 3))
    return LinearReader(x[::2], labels[::2], x[1::2], labels[1::2])


def test_what_is_there_is_read():
    assert reader(True).accuracy(30) == 1.0
    assert over_seeds(reader(False), 60, [0]).mean < 0.6


def test_it_learns_from_so_many_labels_of_each_class(monkeypatch):
    seen = []

    class Counting(LinearSVC):
        def fit(self, x, y):
            seen.append(np.bincount(y).tolist())
            return super().fit(x, y)

    monkeypatch.setattr(representation, "_machine", lambda penalty: Counting(C=penalty))
    for count in (12, 30, 60):
        reader(True).accuracy(count)
        assert seen[-1] == [count // 3] * 3


def test_units_do_not_matter():
    plain = reader(True)
    scaled = LinearReader(
        1e4 * plain.features + 7, plain.labels, 1e4 * plain.test_features + 7, plain.test_labels
    )
    assert scaled.accuracy(30) == plain.accuracy(30)


def test_over_seeds():
    weak = LinearReader(*(np.round(part, 1) for part in dataclass_parts(reader(True))))
    found = [weak.accuracy(6, seed) for seed in range(4)]
    summary = over_seeds(weak, 6, range(4))
    assert summary.mean == pytest.approx(np.mean(found))
    assert summary.std == pytest.approx(np.std(found, ddof=1))


def dataclass_parts(one):
    return one.features, one.labels, one.test_features, one.test_labels


@pytest.mark.parametrize("count", [5, 61])
def test_too_few_or_too_many_labels(count):
    with pytest.raises(InputError, match=f"expected 6 to 60 labels, received {count}"):
        reader(True).accuracy(count)
