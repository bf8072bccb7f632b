"""What a linear reader makes of a network's features: do they tell what is in an image?"""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf
from sklearn.svm import LinearSVC

from keras_filtergan.classifiers.graph import layers_by_path, recorded
from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.data.stratify import stratified_split
from keras_filtergan.errors import InputError
from keras_filtergan.instruments.latents.result import Held

PLACES = 4  # a side of the grid that maps are pooled to
PENALTIES = (0.1, 1.0, 10.0)  # C of the support vector machine
ENOUGH = 1000  # labels by which C is chosen, at most
_BENT = (
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ELU,
    keras.layers.Activation,
)

Features = Callable[[tf.Tensor], tf.Tensor]


def pooled_features(model: keras.Model, inputs: tf.Tensor) -> tf.Tensor:
    """All non-linear layers of a network, max-pooled to 4 × 4 places, flattened and put together.

    Args:
        model: with a graph.
        inputs: what it takes, `(m, h, w, c)`.

    Returns:
        `(m, k)`. Features of layers without places, dense ones, are taken as they are.

    Raises:
        InputError: the network has no layer with a non-linearity.

    Reference:
        Radford, Metz, Chintala (ICLR 2016), section 5.1.
    """
    names = [path for path, layer in layers_by_path(model) if _is_bent(layer)]
    found = recorded(model, inputs)
    pooled = [_pooled(found[name]) for name in names if name in found]
    if not pooled:
        raise InputError(f"expected a network with non-linear layers, {model.name!r} has none")
    return tf.concat(pooled, axis=1)


@dataclasses.dataclass(frozen=True)
class LinearReader:
    """Features into a linear L2-SVM, its C chosen by a part of the labels.

    Features are centred, and divided by one number, after which their mean square is 1: to
    standardise each by itself would make as much of the dead border of images as of their middle.

    Args:
        features: training features `(n, k)`.
        labels: `(n,)`.
        test_features: `(t, k)`.
        test_labels: `(t,)`.

    Example:
        >>> LinearReader(train_features, labels, test_features, test_labels).accuracy(50)
        0.913

    Reference:
        Radford, Metz, Chintala (ICLR 2016), section 5.1, for the L2-SVM on features of D.
    """

    features: np.ndarray
    labels: np.ndarray
    test_features: np.ndarray
    test_labels: np.ndarray

    def accuracy(self, count: int, seed: int = 0) -> float:
        """Test accuracy with so many labels, an equal number of each class, drawn by the seed.

        Raises:
            InputError: fewer labels than two a class, or more than there are.
        """
        classes = len(np.unique(self.labels))
        if not 2 * classes <= count <= len(self.labels):
            raise InputError(
                f"expected {2 * classes} to {len(self.labels)} labels, received {count}"
            )
        chosen = np.arange(len(self.labels))
        if count < len(chosen):
            _, chosen = stratified_split(self.labels, count / len(chosen), seed)
        machine = _machine(self.penalty)
        machine.fit(self._scaled(self.features[chosen]), self.labels[chosen])
        return float(machine.score(self._scaled(self.test_features), self.test_labels))

    @functools.cached_property
    def penalty(self) -> float:
        """C, by a fifth of the first labels, as the rest of them reads it."""
        x, y = self._scaled(self.features[:ENOUGH]), self.labels[:ENOUGH]
        rest, held = stratified_split(y, 0.2)
        trials = [
            _machine(penalty).fit(x[rest], y[rest]).score(x[held], y[held]) for penalty in PENALTIES
        ]
        return PENALTIES[int(np.argmax(trials))]

    @functools.cached_property
    def _centre_and_size(self) -> tuple[np.ndarray, float]:
        centre = self.features.mean(axis=0, dtype=np.float64).astype(self.features.dtype)
        square = np.square(self.features - centre).sum(axis=1, dtype=np.float64).mean()
        return centre, float(np.sqrt(square)) or 1.0

    def _scaled(self, features: np.ndarray) -> np.ndarray:
        centre, size = self._centre_and_size
        return (features - centre) / size


def over_seeds(reader: LinearReader, count: int, seeds: Sequence[int]) -> Held:
    """Mean and standard deviation of the accuracy over draws of the labels."""
    found = [reader.accuracy(count, seed) for seed in seeds]
    deviation = float(np.std(found, ddof=1)) if len(found) > 1 else 0.0
    return Held(float(np.mean(found)), deviation, len(found))


def features_of(features: Features, images: np.ndarray) -> np.ndarray:
    """Features `(n, k)` of images `(n, h, w, c)`, bytes or values in [0, 1], in batches."""
    any_number = tf.TensorSpec((None, *images.shape[1:]), tf.float32)
    compiled = tf.function(lambda batch: [features(batch)], input_signature=[any_number])
    return map_in_batches(lambda batch: compiled(to_unit_interval(batch)), images)[0]


def _machine(penalty: float) -> LinearSVC:
    return LinearSVC(C=penalty, tol=1e-2, max_iter=1000)


def _is_bent(layer: keras.layers.Layer) -> bool:
    own = getattr(layer, "activation", None)
    if isinstance(layer, keras.layers.Activation):
        return own is not keras.activations.linear
    return isinstance(layer, _BENT) or (own not in (None, keras.activations.linear))


def _pooled(maps: tf.Tensor) -> tf.Tensor:
    """`(m, h, w, c)` → `(m, 16 c)`, or as it is."""
    maps = tf.cast(maps, tf.float32)
    if maps.shape.rank != 4:
        return tf.reshape(maps, [tf.shape(maps)[0], -1])
    sides = [min(PLACES, side) for side in maps.shape[1:3]]
    bands, columns = (
        [(part[0], part[-1] + 1) for part in np.array_split(np.arange(side), count)]
        for side, count in zip(maps.shape[1:3], sides, strict=True)
    )
    rows = tf.stack([tf.reduce_max(maps[:, a:b], axis=1) for a, b in bands], axis=1)
    cells = tf.stack([tf.reduce_max(rows[:, :, a:b], axis=2) for a, b in columns], axis=2)
    return tf.reshape(cells, [tf.shape(maps)[0], int(np.prod(cells.shape[1:]))])
