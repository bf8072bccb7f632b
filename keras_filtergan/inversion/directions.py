"""Principal invariance directions: where in latent space does an image change explain most?"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.layer_work import images_at_once
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data.batches import slices
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.errors import InputError

# Damping of the image change, relative to the mean squared singular value of ∂a/∂x. Without it
# the least visible part of an activation would be paid for with any amount of pixel noise.
DAMPING = 0.1
# Of what layers make of an image: values and both kinds of derivatives, for latents side by side.
COPIES = 32
ITERATIONS = 40  # of conjugate gradients


@dataclasses.dataclass(frozen=True)
class Directions:
    """Latent directions, best explained first.

    Attributes:
        vectors: `(d, d)`, one direction of length 1 a row.
        explained: for each the share of its activation change that an image change undoes, in
            [0, 1], to first order.
    """

    vectors: np.ndarray
    explained: np.ndarray


def principal_directions(
    target: FrozenTarget, generator: keras.Model, images: np.ndarray, z: np.ndarray | None = None
) -> Directions:
    """Latent directions whose change of activations is best explained by a change of the image.

    With A = ∂a/∂z and B = ∂a/∂x of a(x|z), the image change that undoes the step v best, damped by
    ρ, leaves vᵀAᵀ(I − P)Av of vᵀAᵀAv, where P = B(BᵀB + ρI)⁻¹Bᵀ. Both forms are summed over the
    images; the directions are the eigenvectors of AᵀPA v = λ AᵀA v, and λ the share explained. B
    is never formed: products with it and its transpose serve conjugate gradients.

    Args:
        target: the frozen network.
        generator: latents `(m, d)` → kernels.
        images: x, `(n, h, w, c)`, bytes, or floats in [0, 1].
        z: where in latent space, `(d,)`; 0 by default.

    Raises:
        InputError: the activations do not depend on the latent there.

    Example:
        >>> directions = principal_directions(target, generator, images[:4])
        >>> walk = inverter.walk(images[:4], np.zeros(4), dims=directions.vectors[:2])
    """
    images = to_unit_interval(np.asarray(images)).astype("float32")
    latent_dim = generator.latent_dim
    z = tf.zeros([latent_dim]) if z is None else tf.convert_to_tensor(z, tf.float32)
    compiled = tf.function(_columns_and_projections, autograph=False)  # has no Python branches
    at_once = images_at_once(target.classifier, copies=COPIES)
    batches = [tf.constant(images[part]) for part in slices(len(images), at_once)]
    found = [compiled(target, generator, part, z) for part in batches]
    columns, explained = (
        np.concatenate([part.numpy() for part in parts], axis=1).reshape(latent_dim, -1)
        for parts in zip(*found, strict=True)
    )
    columns, explained = columns.astype("float64"), explained.astype("float64")
    whole, part = columns @ columns.T, columns @ explained.T
    if not np.linalg.matrix_rank(whole) == latent_dim:
        raise InputError("expected activations that depend on every latent dimension, they do not")
    root = np.linalg.inv(np.linalg.cholesky(whole))
    values, vectors = np.linalg.eigh(root @ ((part + part.T) / 2) @ root.T)
    order = np.argsort(-values)
    vectors = (root.T @ vectors[:, order]).T
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Directions(vectors.astype("float32"), values[order])


def _columns_and_projections(
    target: FrozenTarget, generator: keras.Model, images: tf.Tensor, z: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The columns of A and their projections P A, each `(d, n, h', w', cout)`."""

    def activations(images: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
        return target.activations(target.features(images), generator(z[None])[0])

    def times(change: tf.Tensor) -> tf.Tensor:
        """B · change."""
        with tf.autodiff.ForwardAccumulator(images, change) as accumulator:
            maps = activations(images, z)
        return accumulator.jvp(maps)

    def times_transposed(maps: tf.Tensor) -> tf.Tensor:
        """Bᵀ · maps."""
        with tf.GradientTape() as tape:
            tape.watch(images)
            value = activations(images, z)
        return tape.gradient(value, images, output_gradients=maps)

    one = tf.random.stateless_normal(tf.shape(images)[1:], seed=[0, 0])
    probe = tf.broadcast_to(one, tf.shape(images))  # so that no image depends on the others
    size = tf.reduce_sum(tf.square(times(probe)), [1, 2, 3]) / tf.reduce_sum(
        tf.square(probe), [1, 2, 3]
    )
    damping = (DAMPING * size)[:, None, None, None]  # one an image
    columns, projections = [], []
    for direction in tf.unstack(tf.eye(z.shape[0])):
        with tf.autodiff.ForwardAccumulator(z, direction) as accumulator:
            maps = activations(images, z)
        column = accumulator.jvp(maps)
        change = _conjugate_gradients(
            lambda u: times_transposed(times(u)) + damping * u, times_transposed(column)
        )
        columns.append(column)
        projections.append(times(change))
    return tf.stack(columns), tf.stack(projections)


def _conjugate_gradients(apply, wanted: tf.Tensor) -> tf.Tensor:
    """Solve `apply(u) = wanted` for every example `(n, ...)` by itself; `apply` is positive."""

    def dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(a * b, [1, 2, 3], keepdims=True)

    def step(i, u, residual, direction, norm):
        applied = apply(direction)
        length = tf.math.divide_no_nan(norm, dot(direction, applied))
        residual -= length * applied
        fresh = dot(residual, residual)
        ahead = residual + tf.math.divide_no_nan(fresh, norm) * direction
        return i + 1, u + length * direction, residual, ahead, fresh

    state = (0, tf.zeros_like(wanted), wanted, wanted, dot(wanted, wanted))
    return tf.while_loop(lambda i, *_: i < ITERATIONS, step, state)[1]
