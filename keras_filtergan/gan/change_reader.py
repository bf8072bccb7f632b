"""`ChangeReader`: a code head that reads steps of the latent off changes of activations."""

import functools
import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_filtergan.classifiers.natural import NaturalCoordinates
from keras_filtergan.precision import made_single


@keras.saving.register_keras_serializable("keras_filtergan")
class ChangeReader(keras.Model):
    """Q: which step of the latent caused this change of an image's activations?

    It sees changes through their natural coordinates only, the main directions in which images of
    one class differ. A code that is to be read must therefore move activations along these: what Q
    is shown decides what G varies.

    Args:
        activation_shape: `(h', w', cout)` of the layer.
        latent_dim: length d of a latent.
        rank: how many natural directions; at most as many as there are units.
        width: units of the two hidden layers.
        seed: of the initial weights.

    Input: changes of standardised activations, `(m, h', w', cout)`. Output: codes `(m, d)`.

    Example:
        >>> reader = ChangeReader((7, 7, 32), latent_dim=4)
        >>> reader.fit_coordinates(NaturalCoordinates.fit(activations, labels))
        >>> reader(activations[:10] - activations[10:20]).shape
        TensorShape([10, 4])
    """

    @made_single
    def __init__(
        self,
        activation_shape: tuple[int, int, int],
        latent_dim: int = 4,
        rank: int = 50,
        width: int = 128,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.activation_shape = tuple(activation_shape)
        self.latent_dim = latent_dim
        self.units = math.prod(self.activation_shape)
        self.rank = min(rank, self.units)
        self.width = width
        self.seed = seed
        fixed = functools.partial(self.add_weight, initializer="zeros", trainable=False)
        self.directions = fixed(shape=(self.units, self.rank), name="directions")
        self.unit = fixed(shape=(), name="unit")
        dense, he = keras.layers.Dense, keras.initializers.HeNormal
        self.head = keras.Sequential(
            [
                keras.Input((self.rank,)),
                dense(width, "silu", kernel_initializer=he(seed * 10 + 1)),
                dense(width, "silu", kernel_initializer=he(seed * 10 + 2)),
                dense(latent_dim, kernel_initializer="zeros"),
            ],
            name="head",
        )
        self.built = True

    def fit_coordinates(self, natural: NaturalCoordinates) -> None:
        """Set what Q sees; coordinates are in units of the largest spread between images.

        Args:
            natural: the directions; where the data carry fewer than `rank`, the others stay zero.
        """
        missing = self.rank - min(natural.rank, self.rank)
        self.directions.assign(tf.pad(natural.directions[:, : self.rank], [[0, 0], [0, missing]]))
        self.unit.assign(natural.spread[0])

    def coordinates(self, changes: tf.Tensor) -> tf.Tensor:
        """Natural coordinates `(m, rank)` of changes `(m, h', w', cout)`."""
        return ops.reshape(changes, (-1, self.units)) @ self.directions

    def read(self, coordinates: tf.Tensor) -> tf.Tensor:
        """Codes `(m, d)` of natural coordinates `(m, rank)`, under noise or not."""
        return self.head(coordinates / self.unit)

    def rotate(self, basis: np.ndarray) -> None:
        """Write codes in another basis, as of `FilterGenerator.rotate`.

        Args:
            basis: orthogonal, `(d, d)`.
        """
        last = self.head.layers[-1]
        for weights in (last.kernel, last.bias):
            weights.assign(ops.tensordot(weights, basis.astype("float32"), 1))

    def call(self, changes):
        """Codes `(m, d)` of changes `(m, h', w', cout)`."""
        return self.read(self.coordinates(changes))

    def get_config(self) -> dict:
        """Constructor arguments."""
        names = ("activation_shape", "latent_dim", "rank", "width", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
