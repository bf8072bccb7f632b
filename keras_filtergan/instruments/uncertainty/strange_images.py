"""Images that a network was not made for."""

import numpy as np
import tensorflow as tf

from keras_filtergan.data import randomness
from keras_filtergan.data.pixels import to_unit_interval

GREY = (0.299, 0.587, 0.114)  # how bright red, green and blue look (ITU-R BT.601)


def fitted(images: np.ndarray, image_shape: tuple[int, int, int]) -> np.ndarray:
    """Images of another data set in the size and colours that a network takes.

    Args:
        images: `(n, h, w, c)`, bytes or values in [0, 1], of 1 or 3 channels.
        image_shape: `(h', w', c')`, wanted. Colour becomes grey by its brightness, grey becomes
            three equal channels; sizes change by the mean over areas.

    Returns:
        `(n, h', w', c')` in [0, 1].

    Example:
        >>> fitted(cifar.x_test, (28, 28, 1)).shape
        (10000, 28, 28, 1)
    """
    images = to_unit_interval(images)
    h, w, channels = image_shape
    if images.shape[1:3] != (h, w):
        images = tf.image.resize(images, (h, w), "area").numpy()
    if images.shape[-1] == 3 and channels == 1:
        return (images @ np.array(GREY, np.float32))[..., None]
    return np.repeat(images, channels, axis=-1) if images.shape[-1] != channels else images


def noise_like(images: np.ndarray, seed: int = 0) -> np.ndarray:
    """Pixels drawn independently and evenly from [0, 1], as many and as large as the images."""
    return randomness.stream(seed, randomness.STRANGE).uniform(size=images.shape).astype("float32")


def shuffled(images: np.ndarray, seed: int = 0) -> np.ndarray:
    """The same images with the places of their pixels exchanged, one order for all.

    What is left is what no classifier of objects should need: each place's typical brightness.
    """
    n, h, w, c = images.shape
    order = randomness.stream(seed, randomness.SHUFFLE).permutation(h * w)
    return images.reshape(n, h * w, c)[:, order].reshape(images.shape)
