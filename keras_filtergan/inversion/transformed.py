"""Walks that the learned image transformation makes, in the place of an inversion."""

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.generators.kernel_source import KernelSource
from keras_filtergan.inversion.walks import Pictures, Walk


def transformed_walk(
    target: FrozenTarget,
    kernels: KernelSource,
    transformation: keras.Model,
    images: np.ndarray,
    latents: np.ndarray,
) -> Walk:
    """The images T(x; middle → z) of a grid of latents, and what they explain.

    Args:
        target: the frozen network.
        kernels: the source that T was learned along with.
        transformation: T.
        images: x, `(n, h, w, c)` in [0, 1].
        latents: `(grid, grid, d)`, the middle one included.

    Example:
        >>> latents = latent_grid(np.zeros(4), 4, dims=(0, 1), grid=7, span=3.0)
        >>> walk = transformed_walk(target, generator, transformation, images, latents)
    """
    grid, cells = len(latents), latents.reshape(-1, latents.shape[-1])
    middle = cells[len(cells) // 2]
    sets, middle_set = kernels(cells), kernels(middle[None])[0]
    found, errors = [], []
    for image in images:
        start = np.repeat(image[None], len(cells), axis=0)
        found.append(transformed(transformation, image, middle, cells))
        wanted = _activations(target, image[None], middle_set)
        left = [_activations(target, moved, sets) - wanted for moved in (start, found[-1])]
        errors.append(np.sum(np.square(left), axis=(2, 3, 4)))
    layout = (len(images), grid, grid)
    before, after = np.reshape(np.swapaxes(errors, 0, 1), (2, *layout))
    pictures = np.reshape(found, (*layout, *images.shape[1:]))
    return Walk(pictures, latents, images, before, after)


def transformed_lines(
    transformation: keras.Model, images: np.ndarray, latent_dim: int, reach: float, steps: int
) -> list[Pictures]:
    """What T makes of images along each latent dimension, from −reach to reach around 0.

    Args:
        transformation: T.
        images: x, `(n, h, w, c)` in [0, 1].
        latent_dim: d.
        reach: in standard deviations.
        steps: pictures a line, odd.

    Returns:
        For each dimension the pictures, in one row.
    """
    lines = []
    for dim in range(latent_dim):
        latents = np.zeros((steps, latent_dim), "float32")
        latents[:, dim] = np.linspace(-reach, reach, steps)
        middle = np.zeros(latent_dim, "float32")
        shown = [transformed(transformation, image, middle, latents) for image in images]
        lines.append(Pictures(np.stack(shown)[:, None], latents[None], images))
    return lines


def transformed(
    transformation: keras.Model, image: np.ndarray, origin: np.ndarray, latents: np.ndarray
) -> np.ndarray:
    """T(x; origin → z) of one image for each latent, `(n, h, w, c)`."""
    same = np.repeat(image[None], len(latents), axis=0)
    return transformation((same, origin[None], latents)).numpy()


def _activations(target: FrozenTarget, images: np.ndarray, kernels: tf.Tensor) -> np.ndarray:
    return target.activations(target.features(images), kernels).numpy()
