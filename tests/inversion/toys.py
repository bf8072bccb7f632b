"""A network and a generator so small that an inversion takes no time."""

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget

D = 3


def small_target(image_shape=(12, 12, 1), layer=2, seed=0) -> FrozenTarget:
    he = [keras.initializers.HeNormal(seed=seed + i) for i in range(3)]
    layers = keras.layers
    classifier = keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Conv2D(6, 3, padding="same", kernel_initializer=he[0]),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(5, 3, padding="same", kernel_initializer=he[1]),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(4, kernel_initializer=he[2]),
        ]
    )
    return FrozenTarget(classifier, layer)


class LinearGenerator(keras.Model):
    """The real kernels plus a random direction for each latent dimension."""

    def __init__(self, target: FrozenTarget, strength: float = 0.3):
        super().__init__()
        self.latent_dim = D
        rng = np.random.default_rng(7)
        norm = np.std(target.kernel.numpy())
        size = (D, *target.kernel_shape)
        self.mean = self.add_weight(shape=target.kernel_shape)
        self.directions = self.add_weight(shape=size)
        self.mean.assign(target.kernel)
        self.directions.assign(rng.normal(scale=strength * norm, size=size))

    def call(self, latents):
        return self.mean + tf.tensordot(latents, self.directions, 1)


def some_images(count=2, shape=(12, 12, 1), seed=0) -> np.ndarray:
    images = np.random.default_rng(seed).uniform(size=(count, *shape)).astype("float32")
    images[:, :3] = 0.0  # a background
    return images
