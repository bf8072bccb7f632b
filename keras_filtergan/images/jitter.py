"""Shifts by a few pixels: what a picture has to survive if it is to show more than texture."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class Jitter:
    """Moves images by a random whole number of pixels, another one in each step of a descent.

    Pooling samples its input on a grid. A texture can work at one registration of that grid and at
    no other; what works at all of them is more likely to be part of the picture.

    The shift is a function of seed and step alone, and the same for all images of a step: an image
    ends in a batch where it ends alone.

    Args:
        pixels: the largest shift, up or down and left or right; less than the images' sides.
        seed: of the shifts.

    Example:
        >>> Jitter(2)(images, step=7).shape
        TensorShape([64, 28, 28, 1])

    Reference:
        Mordvintsev, Olah, Tyka (2015), "Inceptionism"; Olah et al. (2017), "Feature visualization".
    """

    pixels: int
    seed: int = 0

    def shift(self, step: int | tf.Tensor) -> tf.Tensor:
        """How far a step moves the images, (down, right), `(2,)`, uniform in -pixels..pixels."""
        key = tf.stack([tf.constant(self.seed, tf.int64), tf.cast(step, tf.int64)])
        low, high = -self.pixels, self.pixels + 1
        return tf.random.stateless_uniform((2,), key, low, high, tf.int32, alg="philox")

    @property
    def shifts(self) -> np.ndarray:
        """All that a step may move the images by, `((2 · pixels + 1)², 2)`."""
        side = np.arange(-self.pixels, self.pixels + 1)
        return np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)

    def number(self, step: int | tf.Tensor) -> tf.Tensor:
        """Which of `shifts` a step has."""
        down, right = tf.unstack(self.shift(step) + self.pixels)
        return down * (2 * self.pixels + 1) + right

    def __call__(self, images: tf.Tensor, step: int | tf.Tensor) -> tf.Tensor:
        """The images `(m, h, w, c)` of a step: moved, and black where nothing moved in."""
        return self.moved(images, self.shift(step))

    def moved(self, images: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
        """The images `(m, h, w, c)` moved by a shift of at most `pixels`, black at the edge."""
        edge = [self.pixels, self.pixels]
        framed = tf.pad(images, [[0, 0], edge, edge, [0, 0]])
        top, left = tf.unstack(self.pixels - tf.cast(shift, tf.int32))
        moved = tf.slice(framed, tf.stack([0, top, left, 0]), tf.shape(images))
        return tf.ensure_shape(moved, images.shape)
